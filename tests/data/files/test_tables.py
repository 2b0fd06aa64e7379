"""Reading tables: whatever the program that wrote them, the cells come out as they were typed."""

import csv
import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.columns import OUTCOME_COLUMNS, STUDENT_COLUMNS, TERM_COLUMNS
from data.files.cells import looks_damaged, parse_column, readings_of_number
from data.files.dates import read_date
from data.files.tables import read_table, read_text_table
from data.files.term_words import read_term
from data.files.text_files import TableError
from data.files.text_table import clean_cell, header_key

COLUMNS = {column.name: column for column in (*STUDENT_COLUMNS, *TERM_COLUMNS, *OUTCOME_COLUMNS)}
HEADERS = ["NIM", "Nama", "IPS", "SKS"]
KNOWN = frozenset(map(header_key, HEADERS))


def csv_bytes(rows, delimiter=",", encoding="utf-8", **options) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, **options).writerows(rows)
    return buffer.getvalue().encode(encoding)


def workbook(*sheets) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


plain_text = st.text(
    st.characters(codec="cp1252", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp", "Cf"]), max_size=12
)
cell_text = plain_text.filter(lambda text: clean_cell(text) == text)
inner_break = st.tuples(cell_text, cell_text).map(lambda pair: f"{pair[0]}a\nb{pair[1]}")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.lists(st.one_of(cell_text, inner_break), min_size=4, max_size=4), min_size=1, max_size=6
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_csv_comes_back_cell_by_cell_from_every_delimiter_and_encoding(rows, delimiter, encoding, quoting):
    data = csv_bytes([HEADERS, *rows], delimiter, encoding, quoting=quoting)
    table = read_text_table(data, "f.csv", known=KNOWN)
    filled = [(number, row) for number, row in enumerate(rows, start=2) if any(row)]
    if encoding == "cp1252" and any(ord(char) > 127 for row in rows for cell in row for char in cell):
        try:  # cp1252 bytes that happen to be UTF-8 cannot be told apart from it by anybody
            data.decode("utf-8")
            return
        except UnicodeDecodeError:
            pass
    assert table.delimiter == delimiter
    assert list(table.frame.columns) == HEADERS
    assert table.frame.index.tolist() == [number for number, _ in filled]
    assert table.frame.to_numpy().tolist() == [row for _, row in filled]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    values=st.lists(st.integers(0, 400), min_size=1, max_size=8),
    delimiter=st.sampled_from([";", "\t", ","]),
    sign=st.sampled_from([",", "."]),
)
def test_grades_come_back_whatever_the_decimal_sign_and_the_delimiter(values, delimiter, sign):
    rows = [
        [f"{number:03d}", "x", f"{value / 100:.2f}".replace(".", sign), "20"]
        for number, value in enumerate(values)
    ]
    table = read_text_table(csv_bytes([HEADERS, *rows], delimiter), "f.csv", known=KNOWN)
    parsed = parse_column(table.frame["IPS"], COLUMNS["gpa_term"], decimal=table.decimal)
    assert not parsed.bad.any()
    assert parsed.values.tolist() == [value / 100 for value in values]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    number=st.integers(0, 10**14), width=st.integers(1, 16), form=st.sampled_from(["csv", "text", "format"])
)
def test_a_student_number_keeps_its_zeros_and_is_never_a_float(number, width, form):
    written = str(number).zfill(width)
    if form == "csv":
        data = csv_bytes([HEADERS, [written, "x", "3.1", "20"]])
    else:
        book = openpyxl.Workbook()
        book.active.append(HEADERS)
        book.active.append([written if form == "text" else number, "x", 3.1, 20])
        if form == "format":
            book.active["A2"].number_format = "0" * width
        buffer = io.BytesIO()
        book.save(buffer)
        data = buffer.getvalue()
    frame = read_table(data, "f", known=KNOWN)
    assert frame["NIM"].tolist() == [written]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(day=st.dates(date(1950, 1, 1), date(2099, 12, 31)))
def test_a_date_is_read_in_each_of_its_usual_forms(day):
    forms = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y%m%d", "%Y-%m-%d 00:00:00", "%d %B %Y"]
    assert [read_date(day.strftime(form)) for form in forms] == [day] * len(forms)
    assert read_date(day.strftime("%m/%d/%Y"), "mdy") == day


def test_titles_above_the_header_and_blank_lines_do_not_shift_row_numbers():
    data = b"Universitas Contoh;;;\n\n NIM ;Nama;IPS;SKS\n001;A;3,2;20\n;;;\n002;B;3,1;18\n"
    table = read_text_table(data, "f.csv", known=KNOWN)
    assert list(table.frame.columns) == HEADERS
    assert table.frame.index.tolist() == [4, 6]
    assert table.frame["NIM"].tolist() == ["001", "002"]


def test_a_quoted_line_break_stays_in_its_row_as_in_a_spreadsheet():
    data = b'NIM,Nama,IPS,SKS\n1,"two\nlines",3.0,20\n2,one,3.1,20\n'
    frame = read_table(data, "f.csv")
    assert frame.index.tolist() == [2, 3]
    assert frame.loc[2, "Nama"] == "two\nlines"


def test_rows_of_another_width_are_reported_but_trailing_empty_cells_are_not():
    table = read_text_table(b"a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3,,\n", "f.csv")
    assert table.ragged == {3: 2, 4: 4}
    assert table.frame.index.tolist() == [2, 3, 4, 5]


def test_a_spreadsheets_separator_line_and_text_marks_are_understood():
    table = read_text_table(b'sep=;\r\nNIM;Nama\r\n="00123";\'00124\r\n', "f.csv")
    assert table.frame.to_numpy().tolist() == [["00123", "00124"]]
    assert table.frame.index.tolist() == [2]


def test_repeated_and_empty_headers_get_names_of_their_own():
    frame = read_table(b"a,,a,b\n1,2,3,4\n", "f.csv")
    assert list(frame.columns) == ["a", "column 2", "a (2)", "b"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600,
            "not a workbook that can be read, or one with a password",
        ),
        (b"<html><p>NIM</p><title>x</title></html>", "web page"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"a\x00\x01b,c\n", "zero bytes"),
        (b'NIM,Nama\n1,"open\n2,B\n', "quotation mark"),
        (b"PK\x03\x04nonsense", "damaged"),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(data, reason):
    with pytest.raises(TableError, match=reason):
        read_table(data, "f.csv")


def test_a_workbook_is_read_below_its_titles_from_the_sheet_that_fits():
    data = workbook(
        ("Cover", [["Register"], ["printed today"]]),
        (
            "Data",
            [
                ["University"],
                [],
                HEADERS,
                ["007", "A", 3.25, 20],
                [None, None, None, None],
                [8, "B", None, 21],
            ],
        ),
    )
    table = read_text_table(data, "f.xlsx", known=KNOWN)
    assert table.sheet == "Data"
    assert table.frame.index.tolist() == [4, 6]
    assert table.frame.to_numpy().tolist() == [["007", "A", "3.25", "20"], ["8", "B", "", "21"]]
    assert read_table(data, "f.xlsx", sheet="Cover").to_numpy().tolist() == [["printed today"]]
    with pytest.raises(TableError, match="no sheet 'Gone'"):
        read_table(data, "f.xlsx", sheet="Gone")


def test_dates_percents_and_whole_floats_of_a_workbook_read_as_shown():
    book = openpyxl.Workbook()
    book.active.append(["NIM", "day", "share", "credits", "yes"])
    book.active.append([12.0, datetime(2024, 8, 31), 0.875, 20.0, True])
    book.active["C2"].number_format = "0.0%"
    buffer = io.BytesIO()
    book.save(buffer)
    assert read_table(buffer.getvalue(), "f.xlsx").to_numpy().tolist() == [
        ["12", "2024-08-31", "87.5%", "20", "TRUE"]
    ]


def test_a_workbook_that_would_unpack_to_a_bomb_is_refused_before_it_is_read():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (70 * 2**20))
    with pytest.raises(TableError, match="zip bomb"):
        read_table(buffer.getvalue(), "f.xlsx")


def test_a_file_above_the_size_limit_is_refused(monkeypatch):
    monkeypatch.setattr("data.files.tables.MAX_BYTES", 10)
    with pytest.raises(TableError, match="at most 10"):
        read_table(b"a,b\n1,2\n3,4\n", "f.csv")


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("3,25", (3.25,)),
        ("3.25", (3.25,)),
        ("1.234,50", (1234.5,)),
        ("1,234.50", (1234.5,)),
        ("1.234.567", (1234567.0,)),
        ("1 234", (1234.0,)),
        ("1.234", (1.234, 1234.0)),
        ("0,875", (0.875,)),
        ("-2", (-2.0,)),
        ("1,2E+03", (1200.0,)),
    ],
)
def test_a_number_has_the_readings_that_its_signs_allow(text, readings):
    assert readings_of_number(text) == readings


@pytest.mark.parametrize("text", ["tiga", "3,2,5", "1.23.4", "1,234,5", "3..2", "12a", "1,23.456,7"])
def test_what_is_no_number_is_no_number(text):
    with pytest.raises(ValueError, match="not a number"):
        readings_of_number(text)


def test_a_number_that_could_be_read_both_ways_is_read_within_its_range():
    gpa = parse_column(pd.Series(["3.125", "3,125"]), COLUMNS["gpa_term"])
    assert gpa.values.tolist() == [3.125, 3.125]
    days = parse_column(pd.Series(["1.234", "1,234", "12,0"]), COLUMNS["tuition_arrears_days"])
    assert days.values.tolist() == [1234, 1234, 12]


def test_percent_signs_and_scales_both_make_shares():
    share = parse_column(pd.Series(["87,5%", "90"]), COLUMNS["attendance_rate"], scale=0.01)
    assert share.values.tolist() == [0.875, 0.9]


def test_unreadable_cells_are_marked_and_empty_ones_are_not():
    parsed = parse_column(pd.Series(["20,5", "-", "", "NULL", "20"]), COLUMNS["credits_attempted"])
    assert parsed.bad.tolist() == [True, False, False, False, False]
    assert parsed.values.isna().tolist() == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("20231", 20231),
        ("2023/2024 Ganjil", 20231),
        ("2023/2024 Genap", 20232),
        ("Semester Pendek 2023/2024", 20233),
        ("2023-2024/2", 20232),
        ("Fall 2023", 20231),
        ("Spring 2024", 20232),
        ("Summer 2024", 20233),
        ("20231.0", 20231),
    ],
)
def test_a_term_is_read_in_words_and_numbers(text, term):
    assert read_term(text) == term


@pytest.mark.parametrize("text", ["2023", "20234", "2023/2025 Ganjil", "Ganjil", "2023/2024", "99991"])
def test_what_names_no_single_term_is_refused(text):
    with pytest.raises(ValueError, match="not a term"):
        read_term(text)


def test_a_year_alone_is_the_odd_term_of_a_cohort_only():
    assert read_term("2023", True) == 20231


@pytest.mark.parametrize("text", ["2,1E+09", "2.1e9", "210001.0", "210001,00"])
def test_a_number_that_went_through_a_spreadsheet_is_recognised(text):
    assert looks_damaged(text)


@pytest.mark.parametrize("text", ["0117200001", "H.131.17", "21/456/TK", "1E5A"])
def test_ordinary_student_numbers_are_not_called_damaged(text):
    assert not looks_damaged(text)


def test_an_unnamed_column_without_a_cell_is_dropped_and_a_filled_one_is_kept():
    frame = read_table(b"a,,b,,c\n1,,2,x,3\n", "f.csv")
    assert list(frame.columns) == ["a", "b", "column 4", "c"]


def test_a_number_of_more_digits_than_a_spreadsheet_keeps_is_shown_as_damaged():
    data = workbook(("Data", [HEADERS, [1234567890123456, "A", 3.0, 20]]))
    assert looks_damaged(read_table(data, "f.xlsx")["NIM"].item())


def test_a_limit_reads_the_first_rows_only():
    data = csv_bytes([HEADERS, *([str(number), "x", "3.0", "20"] for number in range(200))])
    assert len(read_text_table(data, "f.csv", limit=3).frame) == 3
    book = workbook(("Data", [HEADERS, *([str(number), "x", 3.0, 20] for number in range(200))]))
    assert len(read_text_table(book, "f.xlsx", limit=3).frame) == 3


def test_a_workbook_with_one_damaged_part_is_read_or_refused_in_words():
    """Bytes of one part after the other changed, in an archive that is whole: 240 damages, one seed."""
    rng = np.random.default_rng(31)
    whole = (Path(__file__).resolve().parents[2] / "samples" / "english_register.xlsx").read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {part.filename: archive.read(part) for part in archive.infolist()}
    names = [name for name, content in parts.items() if content]
    for turn in range(240):
        name = names[turn % len(names)]
        content = bytearray(parts[name])
        for place in rng.integers(0, len(content), rng.integers(1, 6)):
            content[place] = rng.integers(0, 256)
        if turn % 5 == 0:
            del content[len(content) // 2 :]
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            for other, text in parts.items():
                archive.writestr(other, bytes(content) if other == name else text)
        try:
            read_text_table(made.getvalue(), "damaged.xlsx")
        except TableError as refusal:
            assert str(refusal).startswith("damaged.xlsx: ")
