"""What was just logged for several students, with the way back."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.cases.view.case_log import take_back
from dashboard.shell import current_session


def receipt(key: str, said: str, thing: str, name: str, **about: str) -> None:
    """Say what was logged and offer to take it back, until something else is done with it.

    Parameters
    ----------
    key : str
        Where the session keeps the numbers of the entries, or a mapping of them to their students where the
        audit log is to name those.
    said : str
        Text that says it, with a place for how many ``students`` and for what is ``about``.
    thing : str
        Which list it was, for the audit log, where it names no student.
    name : str
        Beginning of the widgets' keys.
    """
    words, made = current_session.words(), st.session_state.get(key)
    if not made:
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"{name}-receipt"):
        st.success(words(said, students=words.count("students", len(made)), **about), width="stretch")
        undo = partial(_undo, key, thing)
        st.button(words("bulk.undo"), icon=":material/undo:", key=f"{name}-undo", on_click=undo)


def _undo(key: str, thing: str) -> None:
    made = st.session_state.pop(key)
    if not isinstance(made, dict):
        take_back(made, thing)
    else:
        for student in dict.fromkeys(made.values()):
            take_back([entry for entry, whose in made.items() if whose == student], student)
    st.toast(current_session.words()("bulk.undone"), icon=":material/undo:")
