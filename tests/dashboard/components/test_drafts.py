"""A long text that somebody writes is kept as a draft, wherever the app asks for one."""

from __future__ import annotations

import ast
from pathlib import Path

from streamlit.testing.v1 import AppTest

DASHBOARD = Path(__file__).resolve().parents[3] / "dashboard"


def test_every_field_for_a_long_text_is_a_drafts():
    asked = [
        (path, call)
        for path in DASHBOARD.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "text_area"
    ]
    assert len(asked) >= 5
    strays = [
        f"{path.relative_to(DASHBOARD)}:{call.lineno}"
        for path, call in asked
        if not any("draft.field" in ast.unparse(option.value) for option in call.keywords if not option.arg)
    ]
    assert strays == []


def test_each_subject_has_its_own_draft_and_saving_one_empties_it_alone():
    at = AppTest.from_function(_two_subjects).run()
    at.text_area(key="letter-text").set_value("to the first")
    at.text_area(key="letter-1-text").set_value("to the second").run()
    assert [one.value for one in at.text_area] == ["to the first", "to the second"]
    assert len(at.caption) == 2
    at.button(key="save-first").click().run().run()
    assert [one.value for one in at.text_area] == ["", "to the second"]
    assert len(at.caption) == 1


def _two_subjects():
    import streamlit as st

    from dashboard.components.drafts import Draft

    for subject in ("first", "second"):
        draft = Draft("letter", subject)
        st.text_area(subject, **draft.field("text"))
        st.button("save", key=f"save-{subject}", on_click=draft.saved)
        draft.note()
