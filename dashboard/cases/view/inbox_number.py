"""The number that the menu shows beside the inbox."""

from __future__ import annotations

from time import monotonic

import streamlit as st

from dashboard.cases import inbox
from dashboard.shell import current_session, stores
from dashboard.shell.session_keys import Key

FRESH = 30.0  # seconds that the number holds


def number() -> int:
    """How much waits for whoever is here; asked of the store twice a minute at most."""
    kept = st.session_state.get(Key.INBOX_NUMBER)
    if kept is not None and monotonic() - kept[1] < FRESH:
        return kept[0]
    store, person = stores.store(), current_session.person()
    since = inbox.last_look(store, person.account)
    found = sum(len(part.items) for part in inbox.waiting(store, person, since, current_session.today()))
    st.session_state[Key.INBOX_NUMBER] = (found, monotonic())
    return found
