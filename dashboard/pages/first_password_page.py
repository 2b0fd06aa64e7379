"""After a sign-in with a password that somebody else has set: one's own comes first."""

from __future__ import annotations

import streamlit as st

from dashboard.components.layout import page_header
from dashboard.shell import current_session, tab_binding
from dashboard.shell.view.account_dialog import password_form, whom_to_ask
from dashboard.shell.view.sidebar import language_switch


def show() -> None:
    """Why another password is wanted, the form, and the way out."""
    words, session = current_session.words(), current_session.session()
    _, middle, _ = st.columns([1, 2.6, 1])
    with middle:
        language_switch()
        page_header(words("first_password.title"), words("first_password.lead"))
        password_form(session)
        whom_to_ask()
        if st.button(words("nav.sign_out"), icon=":material/logout:", type="tertiary", key="sign-out"):
            tab_binding.sign_out()
            st.rerun()
