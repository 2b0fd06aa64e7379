"""Registry: which specimens a student's signatures are compared with, and what is missing."""

from __future__ import annotations

from dashboard.components.layout import card, empty_state, page_header
from dashboard.shell import auditing, current_session, stores
from dashboard.verification.view import consent as consent_parts
from dashboard.verification.view import enrolment as parts
from dashboard.verification.view.signing import signing
from dashboard.verification.view.student_search import student_search
from data import queries
from data.verification import queries as queries_verification


def show() -> None:
    """The register at a glance, one student, the sheet to sign on, their specimens, the enrolment."""
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    page_header(words("enrolment.title"), words("enrolment.lead"))
    with card("student"):
        student = student_search()
    if student is None:
        return parts.overview()
    key = student["student_key"]
    auditing.audited_once("view_student", key)
    specimens = queries.student_specimens(store, scope, key)
    held = queries_verification.enrolments(store, scope, key=key)
    with card("standing"):
        if not consent_parts.lacking(key):
            parts.standing(held)
    with card("sign"):
        signing(student)
    if specimens.empty:
        icon = ":material/draw:"
        told = "no_specimen_demo" if stores.is_synthetic() else "no_specimen_text"  # a demo takes no files
        return empty_state(words("enrolment.no_specimen_title"), words(f"enrolment.{told}"), icon)
    with card("choose"):
        wanted = parts.choose(specimens, held)
    with card("enrol"):
        parts.guidance(wanted)
        parts.enrol_button(key, wanted, held)
