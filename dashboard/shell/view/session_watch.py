"""An open tab that nobody touches notices that its session has ended, and shows the sign-in instead."""

from __future__ import annotations

import logging

import streamlit as st

from dashboard.shell import current_session

logger = logging.getLogger(__name__)
EVERY = 5.0  # seconds; whatever is done in the tab asks at once


def session_watch() -> None:
    """Look again and again, without counting as somebody at work."""
    st.fragment(_look, run_every=EVERY)()


def _look() -> None:
    try:
        with current_session.unattended():
            current_session.person()  # starts the page anew when the session has ended
    except Exception:  # the database is away: what is done in the tab says so, and the next look may succeed
        logger.warning("a tab could not ask for its session", exc_info=True)
