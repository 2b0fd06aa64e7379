"""The card on a student's page that says which courses were failed, repeated, or have no mark yet."""

from __future__ import annotations

import streamlit as st

from dashboard.components.layout import card, section
from dashboard.shell import current_session, stores
from dashboard.shell.plain import plain
from dashboard.students.courses import course_lines
from data import queries


def courses_card(key: str) -> None:
    """Draw it; nothing where the register has no course grades of the student."""
    words = current_session.words()
    attempts = queries.attempt_rows(stores.store(), current_session.scope(), key)
    if attempts.empty:
        return
    told = course_lines(attempts, words)
    with card("student-courses"):
        section(words("courses.student_title"), words("courses.student_help"))
        if not told:
            st.caption(words("courses.student_none"))
        for name in ("failed", "repeated", "open"):
            lines = getattr(told, name)
            if lines:
                listed = "\n".join(f"- {plain(line)}" for line in lines)
                st.markdown(f"**{words(f'courses.student_{name}')}**\n\n{listed}")
