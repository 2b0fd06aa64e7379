"""Registry: what students agreed to, who did not, and recording or withdrawing it, erasing a student."""

from __future__ import annotations

from dashboard.components.layout import card, page_header
from dashboard.shell import auditing, current_session, stores
from dashboard.verification.view import consent as parts
from dashboard.verification.view import consent_acts as acts
from dashboard.verification.view import erasure
from dashboard.verification.view.student_search import student_search
from data import queries
from data.consents.queries import consent_standing


def show() -> None:
    """The register by purpose and who is missing; or one student: what holds, new answers, the history."""
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    page_header(words("consent.title"), words("consent.lead"))
    erasure.under_way()
    with card("student"):
        student = student_search()
    if student is None:
        return parts.overview()
    key = student["student_key"]
    auditing.audited_once("view_student", key)
    acts.told()
    standing = consent_standing(store, scope, key)
    acts.purposes(key, standing)
    with card("record"):
        acts.record_form(key, standing)
    with card("history"):
        parts.history(queries.consent_history(store, scope, key))
    erasure.offer(key)
