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
NARROW = 768  # pixels; below, Streamlit lays the menu over the page
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
    chosen = st.session_state.get(Key.LANGUAGE_CHOICE)
    if chosen is not None:  # else the session ended since the press, and its choices with it
        current_session.choose_language(chosen)


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


def fold_menu(page: str) -> None:
    """On a phone, where the menu lies over the page: fold it once a page was chosen.

    Parameters
    ----------
    page : str
        Name of the page that will be drawn.
    """
    before = st.session_state.get(Key.MENU_PAGE)
    st.session_state[Key.MENU_PAGE] = page
    if before in (None, page):
        return
    # The page's name makes each script another one: the browser runs the same one only once.
    script = f"""<script>/* {page} */
if (window.innerWidth < {NARROW})
  document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
</script>"""
    st.html(script, unsafe_allow_javascript=True)
