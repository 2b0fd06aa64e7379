"""What was answered about a file on the page, kept for the session: a file may go and be given again."""

from __future__ import annotations

import streamlit as st

from dashboard.shell.session_keys import Key


def begin_with_last(about: str) -> None:
    """Have a question begin with the last answer about the same file.

    Parameters
    ----------
    about : str
        Key of its widget, which names the question and the file; called before the widget is drawn.
    """
    kept = st.session_state.get(Key.SAID_OF_FILES, {})
    if about in kept and about not in st.session_state:
        st.session_state[about] = kept[about]


def keep(about: str, answer):
    """The answer, kept for the next time that the file is given."""
    st.session_state.setdefault(Key.SAID_OF_FILES, {})[about] = answer
    return answer
