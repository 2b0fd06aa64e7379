"""Files that are too wide, too long or damaged: a clear refusal in bounded time, never a traceback.

``TEPAT_MUTATIONS`` sets how many damaged files each parser gets; ``python -m benchmarks parsers``
gives it thousands.
"""

from __future__ import annotations

import io
import os
import re
import warnings
import zipfile
from dataclasses import replace

import openpyxl
import pytest

from data.files.mapping import MappingError, load_mapping
from data.records.ingest import Source, plan_import
from tests.data.files import mutations
from tests.data.files.mutations import HEADER, ROW, TODAY, Parser, cpu_seconds, parsers

MUTATIONS = int(os.environ.get("TEPAT_MUTATIONS", "30"))
SOON = 2.0  # seconds of the processor: a machine that is busy with other things does not lengthen them


def refusal(data: bytes, name: str = "x.csv") -> str:
    """What the import says of a file that is refused as a whole; "" when it is read."""
    plan = plan_import([Source("students", name, data)], today=TODAY)
    said = plan.errors[plan.errors["rule"] == "REC019"]["message"]
    return said.iloc[0] if len(said) else ""


def sheet(change) -> bytes:
    """A workbook of one student whose sheet's XML is changed."""
    book = openpyxl.Workbook()
    for line in (HEADER, ROW):
        book.active.append(line.split(","))
    made, changed = io.BytesIO(), io.BytesIO()
    book.save(made)
    with zipfile.ZipFile(made) as whole, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in whole.infolist():
            text = whole.read(part).decode()
            archive.writestr(part.filename, change(text) if "sheet1.xml" in part.filename else text)
    return changed.getvalue()


def with_rows(rows: str) -> bytes:
    return sheet(lambda text: text.replace("</sheetData>", f"{rows}</sheetData>"))


TEXT = '<c r="{}" t="inlineStr"><is><t>x</t></is></c>'
CSV = f"{HEADER}\n{ROW}\n".encode()
WIDE = ",".join(f"h{number}" for number in range(20_000))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lambda: f"{WIDE}\n{ROW}\n".encode(), "row 1: 20,000 cells; at most 1,000 columns"),
        (lambda: f"{HEADER},{','.join('h' * 1100)}\n{ROW}\n".encode(), "row 1: 1,106 columns; at most 1,000"),
        (lambda: CSV + b"x," * 2_000_000 + b"\n", "row 3: 2,000,001 cells"),
        (lambda: CSV + b"\n" * 20_000_000, ""),
        (lambda: CSV + b",,,,,\n" * 2_000_000, ""),
        (lambda: CSV + b"\n" * 6_000_000 + ROW.encode(), "6,000,002 rows; at most 5,000,000"),
        (lambda: b"a" * 3_000_000, "field larger than field limit"),
        (
            lambda: (
                (HEADER + "".join(f",h{n}" for n in range(990))).encode() + b"\n" + ROW.encode() + b"," * 990
            ),
            "",
        ),
    ],
)
def test_what_is_too_wide_or_too_long_is_refused_in_words_and_at_once(data, said):
    content, begun = data(), cpu_seconds()
    assert said in refusal(content)
    assert cpu_seconds() - begun < SOON


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (f'<row r="1048577">{TEXT.format("A1048577")}</row>', "more than 1,048,576 rows in sheet 'Sheet'"),
        ('<row r="99999999999999999"/>', "a row with the number"),
        (f'<row r="3">{TEXT.format("XFD3")}</row>', "row 3: 16,384 columns; at most 1,000"),
        (
            '<row r="3"><c r="A3" t="zz"><v>1</v></c></row>',
            "row 3, column 1: a cell of the unknown type 'zz'",
        ),
        ('<row r="3"><c r="A3" t="s"><v>99</v></c></row>', "row 3, column 1"),
        ('<row r="3"><c r="3A"><v>1</v></c></row>', "a cell with the place '3A'"),
        ('<row r="3"><c r="A3" t="b"><v>x</v></c></row>', "row 3, column 1"),
        ("<row>", "damaged"),
        ("".join(f'<row r="{number}"/>' for number in range(3, 105_000)), "100,000 blank rows"),
    ],
)
def test_a_sheet_that_breaks_the_format_is_refused_with_its_place(rows, said):
    begun = cpu_seconds()
    found = refusal(with_rows(rows), "x.xlsx")
    assert said in found and found.startswith("x.xlsx: ")
    assert cpu_seconds() - begun < SOON


def test_odd_numbers_dates_and_styles_of_a_sheet_are_cells_like_others():
    cells = (
        '<c r="A3"><v>1e400</v></c>',
        '<c r="A3" t="d"><v>99999-01-01</v></c>',
        '<c r="E3" t="d"><v>99999-01-01</v></c>',
        '<c r="E3" t="d"><v>2021-09-01T00:00:00</v></c>',
        '<c r="A3" s="999"><v>12</v></c>',
        '<c r="A3"><v>abc</v></c>',
        '<c r="A3" t="inlineStr"><is><t>_x0041_</t><rPh><t>b</t></rPh></is></c>',
    )
    for cell in cells:
        plan = plan_import([Source("students", "x.xlsx", with_rows(f'<row r="3">{cell}</row>'))], today=TODAY)
        assert plan.read == {"students": 2}, cell


def test_rows_far_apart_cost_nothing():
    begun = cpu_seconds()
    far = with_rows(f'<row r="1048576">{TEXT.format("A1048576")}</row>')
    plan = plan_import([Source("students", "x.xlsx", far)], today=TODAY)
    assert 1048576 in plan.errors["row"].tolist()
    assert cpu_seconds() - begun < SOON


# Mutations


@pytest.mark.parametrize("name", list(parsers()))
def test_a_mutated_file_is_read_or_refused_in_words_and_soon(name):
    parser, slow = parsers()[name], []
    for what, whole in parser.wholes:
        parser.read(what, whole, True)  # what is loaded at the first use is not of the file that comes first
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pictures that are cut off
        for number in range(MUTATIONS):
            what, data = parser.damaged(name, number)
            begun = cpu_seconds()
            try:
                parser.read(what, data, number % 5 == 0)
            except Exception as problem:
                raise AssertionError(f"{name} {number}: {problem!r}") from problem
            if cpu_seconds() - begun > SOON:
                slow.append(number)
    assert not slow


def test_damaged_files_are_damaged_and_the_same_everywhere():
    for name, parser in parsers().items():
        whole = dict(parser.wholes)
        first = [parser.damaged(name, number) for number in range(12)]
        assert first == [parser.damaged(name, number) for number in range(12)], name
        assert sum(data != whole[what] for what, data in first) >= 9, name
        assert {what for what, _ in first} == set(whole), name


def test_a_file_that_breaks_its_parser_is_counted_with_its_place(monkeypatch):
    from benchmarks import parsers as benchmark

    def broken(what: str, data: bytes, whole: bool) -> bool:
        if data == b"bad":
            raise KeyError("x")
        return whole

    made = Parser((("a", b"bad"), ("b", b"good")), lambda data, rng: data, broken)
    monkeypatch.setattr(mutations, "parsers", lambda: {"made": replace(made, wholes=made.wholes[1:])})
    good = benchmark._batch("made", range(4), 2)
    assert [one.taken for one in good] == [True, False, True, False]
    monkeypatch.setattr(mutations, "parsers", lambda: {"made": _Unread(made)})
    said = benchmark.summary(benchmark._batch("made", range(4), 2), 2)
    assert (said["inputs"], said["tracebacks"], said["checked_whole"]) == (4, 2, 2)
    [(where, numbers)] = said["broken"].items()
    assert where.startswith("KeyError in test_limits.py:") and numbers == [0, 2]


class _Unread:
    """A parser whose whole files are not read first."""

    def __init__(self, parser: Parser) -> None:
        self.wholes, self.read = (), parser.read
        self.damaged = parser.damaged


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "[" * 100_000, "not a TOML file"),
        ("students = 3", "[students] must be a table"),
        ("[students]\ncolumns = [1]", "[students.columns] must be a table, got [1]"),
        ("[students.columns]\nsex = 1", "[students.columns] 'sex' must be a header, or a list of headers"),
        ("[students.columns]\nsex = [1]", "[students.columns] 'sex' must be a header, or a list of headers"),
        ("[terms.scale]\nHadir = 'x'", "[terms.scale] 'Hadir' must be a number above 0, got 'x'"),
        ("[terms.scale]\nHadir = nan", "[terms.scale] 'Hadir' must be a number above 0"),
        ("[terms.join]\nterm_id = ['Tahun']", "[terms.join] 'term_id' must be a list of lists of headers"),
        ("[students.values]\nsex = 'L'", "[students.values] 'sex' must be a table of your words"),
        ("[students.chosen]\nA = []", "[students.chosen] 'A' must be one of our columns, or empty, got []"),
        ("[students]\nunneeded = 'A'", "[students] unneeded must be a list of headers, got 'A'"),
        ("[terms]\nzero = []", "[terms] zero must be text, got []"),
        ("extends = 3", "extends must be the name of a mapping that ships, got 3"),
        ("tables = 3", "tables must hold a part for each of students"),
        ("lends = 'x'", "lends must be true or false"),
        ("#" * 2**21, "2,097,152 bytes; a mapping has at most 1,048,576"),
    ],
)
def test_a_mapping_file_of_another_shape_is_refused_with_its_place(text, said):
    with pytest.raises(MappingError, match=re.escape(said)):
        load_mapping(text.encode())
