"""Finding one student by number or name, for the pages about a single student's signatures."""

from __future__ import annotations

import re

import streamlit as st

from dashboard.shell import current_session, stores
from dashboard.shell.people import named
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from dashboard.shell.view.looks import refused_student
from dashboard.shell.view.student_search import search_box
from data import queries

KEY = re.compile(r"[0-9a-f]{8,32}")


def student_search() -> dict | None:
    """Search, choose, and remember in the address by an opaque key.

    Returns
    -------
    dict or None
        The row of :func:`data.queries.student`; None until somebody is chosen.
    """
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    key = st.query_params.get("s") or st.session_state.get(Key.REGISTRY_STUDENT)
    if key and KEY.fullmatch(key):
        found = queries.student(store, scope, key)
        if not found.empty:
            st.session_state[Key.REGISTRY_STUDENT] = st.query_params["s"] = key
            return _chosen(found.iloc[0].to_dict())
        refused_student(key)
    picked = search_box("student-search", words("verification.search"))
    if picked is not None:
        st.session_state[Key.REGISTRY_STUDENT] = st.query_params["s"] = picked
        st.rerun()
    return None


def _chosen(student: dict) -> dict:
    words = current_session.words()
    with st.container(horizontal=True, vertical_alignment="center", key="chosen-student"):
        facts = f"{plain(student['program_name'])} · {words.term(student['cohort_term'])}"
        st.markdown(f":material/person: **{plain(named(student))}** · {facts}", width="content")
        if st.button(words("verification.another_student"), type="tertiary", key="another-student"):
            forget_student()
            st.rerun()
    return student


def forget_student() -> None:
    """Begin the search anew."""
    st.session_state.pop(Key.REGISTRY_STUDENT, None)
    st.query_params.pop("s", None)
