"""Files that are too wide, too long or damaged: a clear refusal in bounded time, never a traceback.

``TEPAT_MUTATIONS`` sets how many damaged inputs each parser gets, over all tables together.
"""

from __future__ import annotations

import io
import os
import time
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from data.files.mapping import TABLES
from data.records.ingest import Source, plan_import

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
MUTATIONS = int(os.environ.get("TEPAT_MUTATIONS", "150"))
TODAY = date(2026, 9, 1)
HEADER = "NIM,Nama,Kode Prodi,Jenjang,Angkatan,Status Awal"
ROW = "0211001,A,TI,S1,2021,Baru"
LONG = (
    20.0  # seconds that even a busy machine does not need when work grows with the input and not its square
)


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
    content, begun = data(), time.monotonic()
    assert said in refusal(content)
    assert time.monotonic() - begun < LONG


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
        ("".join(f'<row r="{number}"/>' for number in range(3, 210_000)), "200,000 blank rows"),
    ],
)
def test_a_sheet_that_breaks_the_format_is_refused_with_its_place(rows, said):
    begun = time.monotonic()
    found = refusal(with_rows(rows), "x.xlsx")
    assert said in found and found.startswith("x.xlsx: ")
    assert time.monotonic() - begun < LONG


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
    begun = time.monotonic()
    far = with_rows(f'<row r="1048576">{TEXT.format("A1048576")}</row>')
    plan = plan_import([Source("students", "x.xlsx", far)], today=TODAY)
    assert 1048576 in plan.errors["row"].tolist()
    assert time.monotonic() - begun < LONG


# Mutations

ODD = (
    b"NaN", b"#REF!", b"=A1", b"'", b'"', b"\n", b"\r", b";", b",", b"\t", b"\x00", b"\xff", b"\xef\xbb\xbf",
    b"1e309", b"-0", b"99999999999999999999", b"31/02/2024", b"0000-00-00", b"2021/2022", b"%",
    b"\xed\xa0\x80",
    "١٢٣".encode(), "²".encode(), "\u202e".encode(), b"TOTAL", b"=\"", b"1.0", b"<html", b"PK\x03\x04",
)  # fmt: skip


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Bytes with one to six places changed, cut, doubled or filled with something odd."""
    content = bytearray(data)
    for _ in range(int(rng.integers(1, 7))):
        place = int(rng.integers(0, len(content) + 1))
        way = int(rng.integers(0, 5))
        if way == 0 and place < len(content):
            content[place] = int(rng.integers(0, 256))
        elif way == 1:
            content[place:place] = ODD[int(rng.integers(len(ODD)))]
        elif way == 2:
            del content[place : place + int(rng.integers(1, 40))]
        elif way == 3:
            content[place:place] = content[max(0, place - 30) : place] * int(rng.integers(1, 4))
        else:
            content[place : place + int(rng.integers(1, 12))] = ODD[int(rng.integers(len(ODD)))]
    return bytes(content)


def repacked(data: bytes, rng: np.random.Generator) -> bytes:
    """A workbook with one part mutated in an archive that is whole; every fifth time the archive itself."""
    if rng.integers(5) == 0:
        return mutated(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        parts = {part.filename: whole.read(part) for part in whole.infolist()}
    names = [name for name, content in parts.items() if content]
    weights = np.array([4.0 if "sheet" in name else 1.0 for name in names])
    name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    parts[name] = mutated(parts[name], rng)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for other, content in parts.items():
            archive.writestr(other, content)
    return made.getvalue()


def a_few_rows(name: str, rows: int = 12) -> bytes:
    """A sample's first rows: what is wrong with a cell shows in twelve rows as well as in thousands."""
    lines = (SAMPLES / name).read_bytes().splitlines(keepends=True)
    return b"".join(lines[: rows + 1])


def small_workbook() -> bytes:
    book = openpyxl.Workbook()
    for line in (
        HEADER + ",Tanggal Lahir",
        *(f"{ROW},2003-0{n}-01".replace("001", f"00{n}") for n in range(1, 9)),
    ):
        book.active.append(line.split(","))
    book.active["E2"], book.active["E3"], book.active["E4"] = date(2021, 9, 1), 2021, "=2000+21"
    book.active["E2"].number_format, book.active["E3"].number_format = "yyyy-mm-dd", "0000"
    book.create_sheet("Sheet2").append(HEADER.split(","))
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


@pytest.mark.parametrize("table", list(TABLES))
@pytest.mark.parametrize("parser", ["csv", "xlsx"])
def test_a_mutated_file_is_read_or_refused_in_words(parser, table):
    rng = np.random.default_rng([7, *parser.encode(), *table.encode()])
    files = {"terms": "siakad_terms.csv", "outcomes": "siakad_outcomes.csv"}
    whole = small_workbook() if parser == "xlsx" else a_few_rows(files.get(table, "siakad_students.csv"))
    change = repacked if parser == "xlsx" else mutated
    slowest = 0.0
    for turn in range(-(-MUTATIONS // len(TABLES))):
        data, begun = change(whole, rng), time.monotonic()
        plan = plan_import([Source(table, f"f.{parser}", data)], today=TODAY)
        slowest = max(slowest, time.monotonic() - begun)
        for problem in plan.errors.itertuples():
            assert problem.file.startswith(f"f.{parser}") and problem.message, turn
    assert slowest < LONG
