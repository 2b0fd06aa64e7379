"""Small files that would become gigabytes of table or take hours: refused in words while they are read."""

from __future__ import annotations

import io
import json
import zipfile

import openpyxl
import pytest

from data.files import text_table, web_tables, workbook_child
from data.files.tables import read_table
from data.files.text_files import TableError
from tests.data.files.mutations import HEADER, cpu_seconds

SOON = 2.0  # seconds of the processor
HEADERS = HEADER.split(",")
PAGE = "<html><table><tr><th>NIM<th>Nama<th>Angkatan</tr>"


def refusal(data: bytes, name: str) -> str:
    begun = cpu_seconds()
    with pytest.raises(TableError) as found:
        read_table(data, name)
    assert cpu_seconds() - begun < SOON
    return str(found.value)


def book_of_one_text(text: str, rows: int, sheets: int = 1) -> bytes:
    """A workbook whose cells below the header all point at one shared text."""
    book = openpyxl.Workbook()
    book.active.title = "S0"
    for number in range(1, sheets):
        book.create_sheet(f"S{number}")
    for one in book.worksheets:
        one.append(HEADERS)
        one.append([text] * len(HEADERS))
    made, changed = io.BytesIO(), io.BytesIO()
    book.save(made)
    with zipfile.ZipFile(made) as whole, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in whole.infolist():
            content = whole.read(part).decode()
            if "worksheets/" in part.filename:
                at = content.index('<row r="2"')
                row = content[at : content.index("</row>", at) + len("</row>")]
                for place in ("2", *(f"{chr(65 + one)}2" for one in range(len(HEADERS)))):
                    row = row.replace(f' r="{place}"', "")
                content = content.replace("</sheetData>", row * (rows - 1) + "</sheetData>")
            archive.writestr(part.filename, content)
    return changed.getvalue()


def with_long_shared_text(source: bytes, text: str, longer: str) -> bytes:
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as whole, zipfile.ZipFile(changed, "w", 8) as archive:
        for part in whole.infolist():
            archive.writestr(part.filename, whole.read(part).decode().replace(text, longer))
    return changed.getvalue()


@pytest.mark.parametrize("longer", ["x" * 100_000, "_x0041_" * 40_000])
def test_a_cell_longer_than_a_spreadsheet_holds_is_refused_with_its_place(longer):
    bomb = with_long_shared_text(book_of_one_text("the text", 3), "the text", longer)
    assert len(bomb) < 20_000
    said = refusal(bomb, "b.xlsx")
    assert said.startswith("b.xlsx: sheet 'S0', row 2, column 1: ") and "at most 32,767" in said


def test_the_longest_cell_of_a_spreadsheet_is_read():
    text = "a" * text_table.MAX_LETTERS
    assert (read_table(book_of_one_text(text, 1), "b.xlsx").iloc[0] == text).all()


def test_the_text_of_a_table_is_limited_over_all_its_sheets(monkeypatch):
    monkeypatch.setattr(text_table, "MAX_TEXT", 100_000)
    monkeypatch.setattr(text_table, "CHUNK_ROWS", 10**9)  # refused before a chunk is full
    text = "y" * 100
    rows = 40_000 // (len(HEADERS) * len(text))
    assert len(read_table(book_of_one_text(text, rows, 2), "b.xlsx")) == 2 * rows
    said = refusal(book_of_one_text(text, rows, 3), "b.xlsx")
    assert "b.xlsx (S2): more than 100,000 characters up to row" in said
    said = refusal(book_of_one_text(text, 3 * rows), "b.xlsx")
    assert "b.xlsx (S0): more than 100,000 characters up to row" in said


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("w.csv", "NIM,Nama," + ",".join(f"h{n}" for n in range(98)) + "\n" + "1,a\n" * 200),
        ("w.json", json.dumps([{f"h{n}": 1 for n in range(100)}] + [{"h0": 1}] * 200)),
        ("w.xls", f"{PAGE}<tr>" + "<td>x" * 100 + "</tr>" + "<tr><td>1<td>a<td>2021</tr>" * 200),
    ],
)
def test_cells_of_a_table_are_limited_whatever_stands_in_them(monkeypatch, name, data):
    monkeypatch.setattr(text_table, "MAX_CELLS", 10_000)
    monkeypatch.setattr(web_tables, "MAX_CELLS", 600)
    assert "cells" in refusal(data.encode(), name)


def test_a_long_cell_of_a_text_file_is_refused_with_its_place():
    said = refusal(b"NIM,Nama\n1,a\n2," + b"z" * 40_000, "l.csv")
    assert "l.csv: row 3, column 2: 40,000 characters; a cell has at most 32,767" in said
    assert "row 2, column 2" in refusal(
        json.dumps([{"a": 1, "b": 2}, {"b": "z" * 40_000}]).encode(), "l.json"
    )


def test_an_old_workbook_tells_no_more_text_than_a_table_has(monkeypatch):
    class Sheet:
        total_height, total_width = 99, 9

        def __init__(self, text):
            self.text = text

        def iter_rows(self):
            return ([self.text] * 10 for _ in range(100))

        def get_sheet_by_name(self, title):
            return self

    with pytest.raises(ValueError, match="sheet 'A', row 1, column 1: 40,000 characters"):
        workbook_child._sheet(Sheet("x" * 40_000), "A", "Visible")
    monkeypatch.setattr(workbook_child, "MAX_TEXT", 5_000)
    with pytest.raises(ValueError, match="sheet 'A': more than 5,000 characters up to row 6"):
        workbook_child._sheet(Sheet("x" * 100), "A", "Visible")
    assert (workbook_child.MAX_LETTERS, workbook_child.MAX_TEXT) != (0, 0)
    assert len(workbook_child._sheet(Sheet("x"), "A", "Visible")["rows"]) == 100


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<tr><td>" + "<a" * 500_000, "a tag that has no end"),
        ("<tr><td>" + "<!-- " * 500_000, "a comment that has no end"),
        ("<tr><td>" + "<!" * 500_000, "a tag that has no end"),
        ("<tr><td>" + "<?" * 500_000, "a tag that has no end"),
        ("<tr><td>" + "</" * 500_000, "a tag that has no end"),
        ("<tr><td>" + '<a ="' * 500_000, "a tag that has no end"),
        ("<tr><td>" + "<a b='" * 300_001 + '<a b="' * 300_001, "a tag that has no end"),
        ("<tr><td>" + "<a " + " " * 1_000_000, "a tag that has no end"),
        ("<tr><td>" + "<a " + "=" * 1_000_000, "a tag that has no end"),
        ("<tr><td>" + "<script>" * 100_000, "a script or style that has no end"),
        ("<tr>" + "<td colspan=1000>a" * 4_000, "row 2: more than 1,000 columns"),
        ("<tr>" + "<td>" * 4_000, "row 2: more than 1,000 columns"),
        (f"<tr><td rowspan=1000>{'y' * 40_000}" + "<tr>" * 1_000, "row 2, column 1: more than 32,767"),
        ("<tr><td>" + "a<br>" * 40_000, "row 2, column 1: more than 32,767"),
        ("<tr><td>" + "a&amp;" * 40_000, "row 2, column 1: more than 32,767"),
        ("<tr><td>" + "&amp;" * 2_000_000, "row 2, column 1: more than 32,767"),
        ("<tr><td>" + "&CounterClockwiseContourIntegral;" * 32_768, "row 2, column 1: more than 32,767"),
        ("<table><tr><td>" * 20_000, "more than 10,000 tables"),
    ],
)
def test_a_web_page_made_to_be_read_for_ever_is_refused_at_once(body, said):
    assert said in refusal((PAGE + body).encode(), "p.xls")


def test_rows_of_a_web_page_are_limited(monkeypatch):
    monkeypatch.setattr(web_tables, "MAX_ROWS", 1_000)
    assert "more than 1,000 rows" in refusal((PAGE + "<tr>" * 2_000).encode(), "p.xls")


def test_what_a_web_page_may_hold_is_read_as_before():
    odd = (
        '<tr><td title="a > b" data-x=\'<td>\' colspan="1">1 < 2 <> &lt;3&nbsp;<b>fat</b>'
        '<script>"x</td>"</script><td>&#999999999999;'
        "<td COLSPAN='2'>2021</td></tr><!--> --><!-- <td>no --><![if x]><?php x ?><style>td {a > b}</style>"
        "<tr><td rowspan=2 >2<td>B<td colspan=99999999999999999999>2022</tr><tr><td>C<td>2023</tr></table>"
        "<SCRIPT>if (a < b) '<td>'</SCRIPT >"
    )
    frame = read_table((PAGE + odd).encode(), "p.xls")
    assert frame["NIM"].tolist() == ["1 < 2 <> <3 fat".replace("<3 ", "<3\xa0"), "2", "2"]
    assert frame["Nama"].tolist() == ["\ufffd", "B", "C"]
    assert frame["Angkatan"].tolist() == ["2021", "2022", "2023"]


@pytest.mark.parametrize(
    "body",
    [
        "".join(f"<tr><td rowspan=1000>{n}<td>a<td>2021</tr>" for n in range(900)),
        "<tr><td>1<td>" + "&amp;" * 30_000 + "<td>2021",
        "<tr><td>1<td>a<td>2021</tr>" + "<table><tr><td>" * 5_000,
        "<tr><td>1<td>a<td>2021</tr>" * 20_000,
    ],
)
def test_a_large_or_odd_page_is_read_in_linear_time(body):
    begun = cpu_seconds()
    assert len(read_table((PAGE + body).encode(), "p.xls"))
    assert cpu_seconds() - begun < SOON


@pytest.mark.parametrize("encoding", ["punycode", "idna", "zip", "undefined", "x" * 3_000])
def test_a_page_cannot_name_an_encoding_that_is_none_of_texts(encoding):
    page = f"<html><meta charset={encoding}>{PAGE[6:]}<tr><td>1<td>Renée<td>2021</table>"
    assert read_table(page.encode(), "p.xls")["Nama"].tolist() == ["Renée"]


def test_the_limits_lie_far_above_the_largest_sound_table():
    letters, columns = 8 * 20, 40  # a row of 20 filled cells, in a table of 40 columns
    assert 800_000 * letters * 4 < text_table.MAX_TEXT
    assert 800_000 * columns * 3 < text_table.MAX_CELLS
