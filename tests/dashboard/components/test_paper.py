"""On paper a table is whole and is text: every row, in messages of bounded size, written the reader's way."""

from __future__ import annotations

import ast
from datetime import date, datetime
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dashboard.components.paper import PIECE, cell_text, table_pieces
from dashboard.shell.wording import EMPTY, Words

ROOT = Path(__file__).resolve().parents[3]


def test_the_pieces_of_a_long_table_hold_every_row_once_and_each_is_small():
    rows = [[f"<td>{n} {'é' * 300}", "<td>x"] for n in range(500)]
    pieces = table_pieces(["Number & name", "x"], rows)
    assert len(pieces) > 1 and all(len(piece.encode()) <= PIECE for piece in pieces)
    assert all("<th>Number &amp; name<th>x" in piece for piece in pieces)
    told = "".join(pieces)
    assert [told.count(f"<td>{n} ") for n in range(500)] == [1] * 500


def test_a_row_larger_than_a_piece_stands_alone_and_whole():
    rows = [["<td>a"], [f"<td>{'b' * 2 * PIECE}"], ["<td>c"]]
    assert [piece.count("<td>") for piece in table_pieces(["h"], rows)] == [1, 1, 1]


def test_a_table_without_rows_has_its_headings():
    assert table_pieces(["h"], []) == ['<table class="on-paper"><thead><tr><th>h<tbody></table>']


def test_headings_for_a_phone_are_told_once_and_as_text():
    """``"`` and ``;`` are U+0022 and U+003B: written by their numbers they end neither text nor property."""
    rows = [["<td>a", "<td>b"]] * 3
    (piece,) = table_pieces(["When", '";x'], rows, headed=True)
    told = "--head-1:&quot;When&quot;;--head-2:&quot;\\000022\\00003bx&quot;;"
    assert piece.startswith(f'<table class="on-paper" style="{told}"><thead>')
    assert piece.count("When") == 2  # as a property and above the column


@pytest.mark.parametrize(
    ("value", "english", "indonesian"),
    [
        ("Ani", "Ani", "Ani"),
        ("", "–", "–"),
        (None, "–", "–"),
        (float("nan"), "–", "–"),
        (pd.NaT, "–", "–"),
        (3, "3", "3"),
        (np.int64(20251), "20251", "20251"),
        (2.0, "2", "2"),
        (2.5, "2.50", "2,50"),
        (True, "yes", "ya"),
        (np.bool_(False), "no", "tidak"),
        (date(2026, 8, 3), "3 Aug 2026", "3 Agu 2026"),
        (pd.Timestamp(2026, 8, 3), "3 Aug 2026", "3 Agu 2026"),
        (["High"], "High", "High"),
        (["a", "b"], "a, b", "a, b"),
        ([], "–", "–"),
    ],
)
def test_a_value_is_written_the_readers_way(value, english, indonesian):
    assert cell_text(value, Words("en")) == english
    assert cell_text(value, Words("id")) == indonesian


def test_a_moment_has_its_day_and_its_time():
    assert Words("id").moment(datetime(2026, 8, 3, 15, 4)) == "3 Agu 2026 15:04"
    assert Words("en").moment(None) == Words("en").moment(pd.NaT) == "–"


def test_no_table_is_drawn_past_the_one_that_prints_whole():
    past = []
    for path in sorted((ROOT / "dashboard").rglob("*.py")):
        if path == ROOT / "dashboard" / "components" / "table.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("dataframe", "data_editor", "table"):
                if ast.unparse(node.value) == "st":
                    past.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert past == []


SCRIPT = """
import pandas as pd
import streamlit as st
from dashboard.components.table import draw_table

draw_table(
    pd.DataFrame({
        "who": ["<b>Ani</b>", "Budi"], "n": [1, 2], "way": [[0.1], [0.2]], "left": ["out", "out"],
        "on": pd.to_datetime(["2026-08-03", None]), "at": pd.to_datetime(["2026-08-03 15:04", None]),
        "change": [-3.0, None],
    }),
    alt="People",
    column_order=["n", "who", "way", "on", "at", "change"],
    column_config={
        "who": st.column_config.TextColumn("Name"), "way": st.column_config.LineChartColumn("Way"),
    },
    written={"change": lambda value: f"{value:+.0f} points"},
)
"""


def test_an_empty_text_is_missing_and_shown_as_everywhere_else():
    from streamlit.testing.v1 import AppTest

    at = AppTest.from_string(SCRIPT.replace('"<b>Ani</b>"', '""')).run()
    assert not at.exception
    assert at.dataframe[0].value["who"].isna().tolist() == [True, False]
    assert at.dataframe[0].proto.placeholder == EMPTY
    assert f"<td>{EMPTY}<td>3 Aug 2026" in at.get("html")[0].proto.body


def test_the_text_of_a_table_is_what_its_drawing_shows():
    from streamlit.testing.v1 import AppTest

    at = AppTest.from_string(SCRIPT).run()
    assert not at.exception
    (text,) = [each.proto.body for each in at.get("html")]
    assert text.startswith('<table class="on-paper"><thead><tr><th>n<th>Name<th>on<th>at<th>change<tbody>')
    assert f"<tr><td class=n>1<td>{escape('<b>Ani</b>')}<td>3 Aug 2026<td>3 Aug 2026 15:04" in text
    assert "<td class=n>-3 points" in text and "out" not in text and "<b>" not in text
    assert "<tr><td class=n>2<td>Budi<td>–<td>–" in text
    frame = at.dataframe[0].value
    assert frame["n"].tolist() == [1, 2] and list(frame["change"])[0] == -3.0  # values, to be sorted by
