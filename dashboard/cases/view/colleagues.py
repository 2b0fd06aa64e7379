"""Who can own a step: the advisors who may sign in."""

from __future__ import annotations

import streamlit as st

from dashboard.shell import stores
from data.trust.accounts import list_accounts


def advisor_names() -> dict[str, str]:
    """Account → name of every advisor who may sign in, as of a minute ago: who can own a step."""
    return _colleagues(stores.store().url)


@st.cache_data(ttl=60, max_entries=4, show_spinner=False)
def _colleagues(url: str) -> dict[str, str]:
    advisors = list_accounts(stores.store(), "advisor")
    return {advisor.account: advisor.display_name for advisor in advisors if advisor.active}
