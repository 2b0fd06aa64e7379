"""Registry: is this signature consistent with the student's references? One, or a folder of them."""

from __future__ import annotations

import streamlit as st

from dashboard.components.layout import card, empty_state, page_header
from dashboard.shell import auditing, current_session
from dashboard.verification.view import parts
from dashboard.verification.view.batch import batch
from dashboard.verification.view.compare import comparison
from dashboard.verification.view.questioned_input import questioned_input
from dashboard.verification.view.student_search import student_search


def show() -> None:
    """Whose signature, the image with its findings, the comparison."""
    words = current_session.words()
    page_header(words("verification.title"), words("verification.lead"))
    if parts.mode_choice() == "folder":
        return batch()
    with card("student"):
        student = student_search()
        if student is not None:
            parts.on_file(student["student_key"])
    if student is None:
        icon = ":material/person_search:"
        return empty_state(words("verification.pick_title"), words("verification.pick_text"), icon)
    auditing.audited_once("view_student", student["student_key"])
    left, right = st.columns([1, 1.35], gap="medium")
    with left, card("questioned"):
        questioned = questioned_input(student["student_key"])
        if questioned is not None:
            parts.close_result_of_another(questioned)
            parts.compare_button(student, questioned)
    with right, card("decision"):
        decision, evidence = st.query_params.get("d"), None
        if decision is None:
            st.caption(words("verification.none_yet"))
        else:
            evidence = parts.decision_view(decision, student)
    if evidence is not None:
        with card("compare"):
            comparison(*evidence)
    with card("earlier"):
        parts.earlier(student["student_key"])
