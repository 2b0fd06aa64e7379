"""What was typed, ticked or handed in about one student, case or pair never stands there for another."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from dashboard.shell import access
from data import queries

ROOT = Path(__file__).resolve().parents[3]
# Of these modules every field that is filled in is about one subject of several.
OF_SUBJECTS = (
    "cases/view/case_log.py",
    "verification/view/consent_acts.py",
    "verification/view/duplicates.py",
    "verification/view/erasure.py",
    "verification/view/questioned_input.py",
    "verification/view/review.py",
)
FILLED_IN = {"text_area", "text_input", "checkbox", "camera_input", "file_field", "radio"}


def shared_fields(source: str) -> list[int]:
    """Lines of fields whose key is a fixed text, which is one field for all subjects."""
    found = []
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            key = next((one.value for one in call.keywords if one.arg == "key"), None)
            if name in FILLED_IN and (key is None or isinstance(key, ast.Constant)):
                found.append(call.lineno)
    return found


def test_no_field_about_one_of_several_is_shared_by_all():
    found = {name: shared_fields((ROOT / "dashboard" / name).read_text("utf-8")) for name in OF_SUBJECTS}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('st.text_area("a", key="b")', [1]),
        ('st.text_area("a")', [1]),
        ('st.text_area("a", key=field_of("b", c))', []),
        ('st.text_area("a", key=f"{b}-c")', []),
    ],
)
def test_planted_fields_are_found(source, lines):
    assert shared_fields(source) == lines


def test_a_note_begun_about_one_student_is_not_there_for_the_next(university, screen):
    advisor = screen.person(university, "advisor")
    scope = access.scope_for(advisor)
    first = university.student
    listed = queries.caseload(university.store, scope, "late", 5)["student_key"]
    second = next(key for key in listed if key != first)
    at = screen.drawn("student", advisor, key=first)
    begun = at.text_area(key="event-note-text").set_value("Has lost the grant").run()
    assert "Has lost the grant" in [one.value for one in begun.text_area]
    at.query_params["s"] = second
    at.run()
    assert not at.exception and [one.value for one in at.text_area] == [""]


def test_a_consent_begun_for_one_student_is_not_there_for_the_next(university, screen):
    registry, store = screen.person(university, "registry"), university.store
    keys = queries.caseload(store, access.scope_for(screen.person(university, "advisor")), "late", 5)
    first, second = keys["student_key"].tolist()[:2]
    at = screen.drawn("consent", registry, key=first)
    sure = [one for one in at.checkbox if one.key and one.key.endswith("-sure")]
    assert sure
    for one in sure:
        one.check()
    for one in at.text_input:
        if one.key and one.key.endswith("-source"):
            one.set_value("form 12")
    at.run()
    at.query_params["s"] = second
    at.run()
    assert not at.exception
    assert not any(one.value for one in at.checkbox if one.key and "-sure" in one.key)
    assert "form 12" not in [one.value for one in at.text_input]
