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
