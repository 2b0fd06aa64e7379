"""What was typed, ticked or handed in about one student, case or pair never stands there for another."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

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
            drafted = any(one.arg is None and _of_a_draft(one.value) for one in call.keywords)
            if name in FILLED_IN and not drafted and (key is None or isinstance(key, ast.Constant)):
                found.append(call.lineno)
    return found


def _of_a_draft(options: ast.expr) -> bool:
    """Whether a field's options are those of :meth:`dashboard.components.drafts.Draft.field`."""
    return isinstance(options, ast.Call) and getattr(options.func, "attr", "") == "field"


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
        ('st.text_area("a", **draft.field("b"))', []),
        ('st.text_area("a", **about)', [1]),
    ],
)
def test_planted_fields_are_found(source, lines):
    assert shared_fields(source) == lines
