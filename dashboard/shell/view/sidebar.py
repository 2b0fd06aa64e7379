"""The left edge: who is signed in, the language, and the way out."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard.shell import current_session, tab_binding
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from dashboard.shell.view.account_dialog import account_button
from dashboard.shell.view.tour import reopen_button
from dashboard.shell.wording import LANGUAGES

MARK = Path(__file__).with_name("mark.svg")
LOGO = Path(__file__).with_name("logo.svg")


def language_switch() -> None:
    """English or Bahasa Indonesia, at once for every page."""
    words = current_session.words()
    st.segmented_control(
        words("nav.language"),
        list(LANGUAGES),
        format_func=str.upper,
        key=Key.LANGUAGE_CHOICE,
        default=words.language,
        required=True,
        label_visibility="collapsed",
        on_change=_take_language,
    )


def _take_language() -> None:
    current_session.choose_language(st.session_state[Key.LANGUAGE_CHOICE])


def sidebar() -> None:
    """Name and role, language, sign out."""
    words, person = current_session.words(), current_session.person()
    with st.sidebar:
        st.space("stretch")
        with st.container(key="person"):
            st.markdown(f"**{plain(person.display_name)}**")
            st.caption(words(f"role.{person.role}"))
            with st.container(horizontal=True, vertical_alignment="center"):
                language_switch()
                if st.button(
                    words("nav.sign_out"), icon=":material/logout:", type="tertiary", key="sign-out"
                ):
                    tab_binding.sign_out()
                    st.rerun()
            account_button()
            reopen_button()
