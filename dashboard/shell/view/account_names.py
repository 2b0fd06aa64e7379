"""People by the name that their account has, in place of the account."""

from __future__ import annotations

import streamlit as st

from dashboard.shell import stores
from data.trust.accounts import list_accounts


def name_of(account: str | None) -> str:
    """The name on the screen of an account, a closed one too, as of a minute ago; what is none stays."""
    if not isinstance(account, str):
        return ""
    return _names(stores.store().url).get(account, account)


@st.cache_data(ttl=60, max_entries=4, show_spinner=False)
def _names(url: str) -> dict[str, str]:
    return {one.account: one.display_name for one in list_accounts(stores.store())}
