"""No cell of a file that is handed out is run by a spreadsheet program, whatever sign it splits lines at."""

from __future__ import annotations

import csv
import re

import pandas as pd
import pytest

from data.files.returned import returned_csv
from data.files.safe_cells import FORMULA_STARTS, safe_cell, safe_frame
from data.files.text_table import clean_cell

SIGNS = ",;\t"
NASTY = [
    "=1+1",
    "+62812",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＠SUM(A1)",
    'Siti;=HYPERLINK("http://evil.example","x")',
    "Siti\t=cmd|'/c calc'!A0",
    "Siti\n=1+1",
    "Siti,=1+1",
    "a;+1;-1;@x",
]


@pytest.mark.parametrize("text", NASTY)
def test_no_cell_begins_like_a_formula_at_whatever_sign_a_line_is_split(text):
    rows = pd.DataFrame({"name": [text, "Siti Aminah"], "note": ["x", text]})
    for file in (returned_csv(rows), safe_frame(rows).to_csv(index=False).encode()):
        for sign in SIGNS:
            for line in csv.reader(re.split("[\r\n]+", file.decode("utf-8-sig")), delimiter=sign):
                assert [cell for cell in line if cell.startswith(FORMULA_STARTS)] == [], (sign, line)


@pytest.mark.parametrize("text", ["=1+1", "+62812", "-2+3", "@x", "＝1"])
def test_what_the_office_sends_back_says_the_same_again(text):
    assert clean_cell(safe_cell(text)) == text


@pytest.mark.parametrize("text", ["Siti Aminah", "O'Brien", "a; b", "3.5", "2024-01-02", "x-y", "a,-1", ""])
def test_other_cells_stay_as_they_are(text):
    assert safe_cell(text) == text
