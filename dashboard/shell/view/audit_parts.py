"""The audit log on its page: whether it is whole, and what to look for."""

from __future__ import annotations

import streamlit as st

from dashboard.shell import current_session, stores
from data.trust import audit

CHECKED_SECONDS = 300  # a chain that was found whole is read again after so long, or when it grows


def chain_state() -> None:
    """Say whether an entry was altered, removed or put in."""
    words, store = current_session.words(), stores.store()
    report = _verified(store.url, audit.newest_entry(store))
    if report.intact:
        st.success(words("audit.intact", n=report.entries), icon=":material/link:")
    else:
        st.error(words("audit.broken", entry=report.broken_at or "–"), icon=":material/link_off:")


@st.cache_data(ttl=CHECKED_SECONDS, max_entries=8, show_spinner=False)
def _verified(url: str, newest: int) -> audit.ChainReport:
    return audit.verify_chain(stores.store())


def filters() -> tuple[str | None, str | None]:
    """The actor and the action to look for; None: any."""
    words = current_session.words()
    actors, actions = audit.who_and_what(stores.store())
    left, right, _ = st.columns([1, 1, 1])
    with left:
        actor = st.selectbox(
            words("audit.filter_actor"),
            ["", *actors],
            format_func=lambda name: name or words("audit.any_actor"),
            key="audit-actor",
        )
    with right:
        action = st.selectbox(
            words("audit.filter_action"),
            ["", *actions],
            format_func=lambda name: words.named("action", name) if name else words("audit.any_action"),
            key="audit-action",
        )
    return actor or None, action or None
