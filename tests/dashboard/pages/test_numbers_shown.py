"""In Indonesian no page shows a number with a point before its decimals, in no field, slider or table."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pandas as pd
import pytest

import dashboard
from dashboard.shell.access import pages_for
from data.columns import ROLES

SEATS = sorted({(page.name, role) for role in ROLES for page in pages_for(role)})
POINT = re.compile(  # 0.35: no thousands, no date, and no number of an instrument's table such as AUN-QA 8.1
    r"(?<![\d.,])(?<![A-Z]{2} )\d{1,3}\.\d{1,2}(?![\d.])"
)
OWN = Path(dashboard.__file__).parent
DRAWS = ("slider", "number_input", "NumberColumn", "ProgressColumn")


def wrong_fields(page) -> list[str]:
    """Labels of fields and sliders that Streamlit itself would write with a point."""
    told = [one.label for one in (*page.slider, *page.number_input) if "f" in one.proto.format]
    typed = [one.label for one in page.text_input if POINT.search(one.value or "")]
    chosen = [one.label for one in page.select_slider if POINT.search(" ".join(one.options))]
    return told + typed + chosen


def wrong_cells(frame: pd.DataFrame) -> list[str]:
    """Columns of a table whose numbers have decimals, or whose texts hold a number with a point."""
    told = []
    for name in frame.columns:
        cells = frame[name].dropna()
        if pd.api.types.is_float_dtype(cells) and (cells % 1 != 0).any():
            told.append(f"{name}: {cells.iloc[0]}")
        texts = [cell for cell in cells if isinstance(cell, str)]
        told += [f"{name}: {cell}" for cell in texts if POINT.search(cell)][:1]
    return told


@pytest.mark.parametrize(("name", "role"), SEATS)
def test_no_field_and_no_table_of_a_page_has_a_point(university, screen, name, role):
    page = screen.drawn(name, screen.person(university, role), "id", key=university.student)
    assert not page.exception
    assert wrong_fields(page) == []
    assert [told for table in page.dataframe for told in wrong_cells(table.value)] == []


def test_a_planted_point_is_found():
    table = pd.DataFrame(
        {"a": [1.5, 2.0], "b": ["0.35", "x"], "c": ["2026.11.29", "1.234 QA 8.1"], "d": [1.0, 2.0]}
    )
    assert wrong_cells(table) == ["a: 1.5", "b: 0.35"]


def fractions(source: str) -> list[int]:
    """Lines of calls that hand decimals to what Streamlit writes itself."""
    found = []
    for call in ast.walk(ast.parse(source)):
        name = call.func.attr if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else ""
        if name not in DRAWS:
            continue
        forms = [one.value for one in call.keywords if one.arg == "format"]
        told = [part.value for form in forms for part in ast.walk(form) if isinstance(part, ast.Constant)]
        values = [*call.args, *(one.value for one in call.keywords if one.arg != "format")]
        plain = [part.value for one in values for part in ast.walk(one) if isinstance(part, ast.Constant)]
        in_words = any(isinstance(one, str) and re.search(r"%[^%]*f", one) for one in told)
        if in_words or (not told and any(isinstance(one, float) for one in plain)):
            found.append(call.lineno)
    return found


def test_no_call_hands_decimals_to_what_streamlit_writes_itself():
    found = {path.relative_to(OWN): fractions(path.read_text(encoding="utf-8")) for path in OWN.rglob("*.py")}
    assert len(found) > 100
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('st.slider("a", 0.0, 1.0, 0.5)', [1]),
        ('st.slider("a", 0, 1, 1, format="%.2f")', [1]),
        ('box.number_input("a", min_value=0.0)', [1]),
        ('st.slider("a", 0, 100, 5)', []),
        ('st.slider("a", 0.0, 1.0, 0.5, format="%d%%")', []),
    ],
)
def test_planted_calls_are_found(source, lines):
    assert fractions(source) == lines


FORMED = re.compile(r"%\{[^}]*:[^}]*\}")  # a number that Plotly would write, in a text of its own


def written_by_others(source: str) -> list[int]:
    """Lines on which Plotly or Streamlit is told to write a number: it would take a hyphen for a minus sign,
    and keep the minus of a zero."""
    found = []
    for part in ast.walk(ast.parse(source)):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            signed = re.search(r"%\+[.0-9]*[dfeg]", part.value)
            if FORMED.search(part.value) or signed:
                found.append(part.lineno)
        if isinstance(part, ast.keyword | ast.Call):
            names = [part.arg] if isinstance(part, ast.keyword) else []
            if {"tickformat", "hoverformat", "texttemplate"} & set(names):
                found.append(part.value.lineno)
    return sorted(set(found))


def test_one_writer_writes_every_number_of_a_chart_and_every_sign_of_a_table():
    found = {
        path.relative_to(OWN): written_by_others(path.read_text(encoding="utf-8"))
        for path in OWN.rglob("*.py")
    }
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('f(hovertemplate="%{x:+.3f}")', [1]),
        ('f(hovertemplate=f"{name}: %{{y:.3f}}")', [1]),
        ('f(tickformat=".2f")', [1]),
        ('f(format="%+d")', [1]),
        ('f(hovertemplate="%{customdata}<extra></extra>", format="%d")', []),
    ],
)
def test_a_planted_number_that_somebody_else_writes_is_found(source, lines):
    assert written_by_others(source) == lines


def test_a_change_has_a_true_minus_sign_and_stays_a_number(university, screen):
    page = screen.drawn("caseload", screen.person(university, "advisor"))
    table = next(one.value for one in page.dataframe if "change" in one.value)
    assert pd.api.types.is_numeric_dtype(table["change"])
