"""Files that were misread in silence once, each with its right result; and the rest of their kinds."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from data.columns import OUTCOME_COLUMNS, STUDENT_COLUMNS, TERM_COLUMNS
from data.files.cell_formats import shown_number
from data.files.cells import parse_column
from data.files.reading import Reading, ReadingError, readings_from_texts
from data.files.student_numbers import why_none
from data.files.term_words import read_term
from data.records.ingest import ImportPlan, Source, plan_import

CASES = Path(__file__).resolve().parents[2] / "cases"
COLUMNS = {column.name: column for column in (*STUDENT_COLUMNS, *TERM_COLUMNS, *OUTCOME_COLUMNS)}
TODAY = date(2026, 9, 1)
STUDENTS = "NIM,Nama,Kode Prodi,Jenjang,Angkatan,Status Awal\n"
TWELVE = STUDENTS + "".join(f"0211{number:04d},A,TI,S1,2021,Baru\n" for number in range(1, 13))


def planned(reading: Reading = Reading(), **tables: str | bytes) -> ImportPlan:
    """Tables as a file of tests/cases by name, as CSV text, or as the bytes of a workbook."""
    sources = []
    for table, content in tables.items():
        name = f"{table}.{'xlsx' if isinstance(content, bytes) else 'csv'}"
        if isinstance(content, str) and "\n" not in content:
            name, content = content, (CASES / content).read_bytes()
        data = content.encode() if isinstance(content, str) else content
        sources.append(Source(table, name, data, reading))
    return plan_import(sources, today=TODAY)


def workbook(rows, formats=None, **sheets) -> bytes:
    """A workbook of one sheet, or of several by name; formats are number formats by cell."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, content in (sheets or {"Sheet1": rows}).items():
        sheet = book.create_sheet(title)
        for row in content:
            sheet.append(row)
        for place, number_format in (formats or {}).items():
            sheet[place].number_format = number_format
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def errors(plan: ImportPlan) -> list[tuple[int | None, str]]:
    return [
        (None if pd.isna(row) else int(row), rule) for row, rule in plan.errors[["row", "rule"]].to_numpy()
    ]


def warned(plan: ImportPlan) -> set[str]:
    return set(plan.warnings["rule"])


def guess(plan: ImportPlan, table: str, what: str):
    (found,) = [one for one in plan.guesses[table] if one.what == what]
    return found


# What means nothing


def test_a_student_number_that_is_none_is_refused_with_row_and_value():
    plan = planned(students="07_student_numbers_that_are_none.csv")
    assert errors(plan) == [(row, "REC002") for row in range(2, 8)] + [(8, "REC021"), (9, "REC021")]
    assert plan.errors["value"].tolist()[:3] == ["#N/A", "#REF!", "NaN"]
    assert "delete the row" in plan.errors["message"].iloc[6]


@pytest.mark.parametrize(
    "number",
    [
        "TOTAL", "Jumlah", "Total Mahasiswa: 35", "Grand Total", "Subtotal 12", "Rata-rata 3.2", "Halaman 2",
        "Dicetak: 30 September 2026", "0", "0000", "HUKUM", "2021-09-02", "10:30", "2103010031, 2103010032",
        "2103010031 Rekaan, S.Kom., pada 14 Oktober", "Keterangan: 1", "2,103,010,031", "*21001",
        "Mengetahui, 2026",
    ],
)  # fmt: skip
def test_what_is_no_students_number_is_called_none(number):
    assert why_none(number)


@pytest.mark.parametrize(
    "number",
    [
        "0117200001", "H.131.17", "21/456/TK", "18 0301 0015", "21E10023", "1E014001", "F1D260007", "A-1",
        "TI-2021-001", "2021.01.0001", "C1AA21001", "MHS 2021 0007", "13/345678/SV/00123", "E1A (21) 001",
    ],
)  # fmt: skip
def test_what_may_be_a_students_number_stays_one(number):
    assert why_none(number) is None


def test_texts_that_mean_nothing_are_empty_in_every_column():
    plan = planned(students="08_nulls_in_text.csv")
    frame = plan.frames.students
    assert len(frame) == 7
    for column in ("admission_path", "region", "parental_income", "advisor"):
        assert frame[column].isna().all(), column


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "nan",
        "None",
        "N/A",
        "n/a",
        "#N/A",
        "null",
        "NULL",
        "-",
        "–",
        "\\N",
        "<NA>",
        "(null)",
        "undefined",
        " ",
    ],
)
@pytest.mark.parametrize(
    "column", ["region", "gpa_term", "credits_passed", "exit_date", "exit_term", "status"]
)
def test_nothing_is_nothing_whatever_the_column_holds(text, column):
    parsed = parse_column(pd.Series([text]), COLUMNS[column])
    assert parsed.values.isna().all()
    assert not parsed.bad.any()


@pytest.mark.parametrize("text", ["#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "########", "Err:502"])
def test_an_error_of_a_spreadsheet_is_empty_and_said(text):
    lines = TWELVE.replace("Status Awal\n", "Status Awal,Provinsi,SKS Diakui\n").replace(
        "Baru\n", "Baru,Bali,0\n", 12
    )
    plan = planned(students=lines.replace("Bali,0", f"{text},{text}", 1))
    assert errors(plan) == []
    assert plan.problems.query("rule == 'REC120'")["column"].sort_values().tolist() == [
        "Provinsi",
        "SKS Diakui",
    ]
    assert plan.frames.students["region"].isna().sum() == 1


@pytest.mark.parametrize("name", ["Nan", "Null", "NA", "Na"])
def test_a_person_may_be_called_like_nothing(name):
    assert parse_column(pd.Series([name]), COLUMNS["name"]).values.tolist() == [name]


def test_a_total_below_the_table_is_refused_wherever_it_stands():
    plan = planned(students=TWELVE + "TOTAL,12,,,,\n999,x,Jumlah,S1,2021,Baru\n")
    assert {(14, "REC021"), (15, "REC021")} <= set(errors(plan))


def test_codes_that_became_numbers_with_decimals_are_the_codes():
    plan = planned(students="15_float_programme_code.csv")
    assert errors(plan) == [(4, "REC002")]
    assert set(plan.frames.students["program_code"]) == {"55201"}
    exits = "nim,id_jenis_keluar,tanggal_keluar\n02110001,1.0,2025-07-01\n02110002,3.0,2025-07-01\n"
    kinds = planned(students=TWELVE, outcomes=exits).frames.outcomes["exit_type"].tolist()
    assert kinds == ["graduated", "expelled"]
    path = "nim,kode_prodi,Jenjang,angkatan,id_jenis_daftar\n021101,TI,S1,2021,1.3\n"
    assert (2, "REC005") in errors(planned(students=path)), "1.3 is no code 13"


def test_numbers_with_a_letter_e_are_taken_and_quantities_are_not():
    plan = planned(students="16_letter_e_numbers.csv")
    assert errors(plan) == []
    assert plan.frames.students["student_number"].tolist() == ["21E10023", "1E014001"]
    bad = STUDENTS + "".join(f"{n},A,TI,S1,2021,Baru\n" for n in ('"2,1E+09"', "2.1E11", "2E+09", "210001.0"))
    assert [rule for _, rule in errors(planned(students=bad))] == ["REC008"] * 4


def test_a_long_programme_name_serves_as_a_code_always_the_same():
    plan = planned(students="14_long_programme_name.csv")
    assert errors(plan) == []
    row = plan.frames.students.iloc[0]
    assert row["program_name"] == "S1 Pendidikan Guru Madrasah Ibtidaiyah"
    assert row["degree_level"] == "S1"
    assert len(row["program_code"]) <= 32
    assert warned(plan) >= {"REC122"}
    other = (CASES / "14_long_programme_name.csv").read_text().replace("0301", "0302")
    twin = planned(students=other.replace("Ibtidaiyah", "Ibtidaiyah Internasional")).frames.students
    assert planned(students=other).frames.students["program_code"].item() == row["program_code"]
    assert twin["program_code"].item() != row["program_code"]


def test_every_header_that_is_left_out_is_named():
    plan = planned(students="13_unknown_headers.csv")
    unknown = ["Kehadiran", "SKS Lulus Akhir", "Bidikmisi", "TOEFL"]
    assert plan.problems.query("rule == 'REC113'")["column"].tolist() == unknown


def test_a_name_with_signs_of_markdown_is_kept_as_written():
    """How the pages show it is the business of ``tests/dashboard/test_names_are_text.py``."""
    plan = planned(students="27_markdown_name.csv")
    names = ["[tautan](http://x.example)", "M. $alim$ & $b$", "Adi *Bintang* _garis_"]
    assert plan.frames.students["name"].tolist() == names


# Terms


def test_an_entry_date_is_the_term_it_falls_into_and_a_wave_is_no_term():
    plan = planned(students="09_entry_terms.csv")
    assert plan.frames.students["cohort_term"].tolist() == [20211, 20232, 20211, 20211]
    assert errors(plan) == [(6, "REC003"), (7, "REC003")]
    assert guess(plan, "students", "entry_date").row == 2


@pytest.mark.parametrize(
    "text",
    [
        "2 September 2021", "2 Juli 2025", "2021-09-02", "2/9/2021", "Gelombang 2 2021", "2021 Kelas 3",
        "Semester 3 2022/2023", "2021 Angkatan ke 1", "Batch 1 2021", "Ganjil 2021/2022 Kelas 2", "2021-10",
        "2/2021", "2 2021",
    ],
)  # fmt: skip
def test_a_lone_digit_or_a_date_names_no_term(text):
    with pytest.raises(ValueError, match="not a term"):
        read_term(text)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("2021/2022-1", 20211), ("2021/2022 Semester 2", 20212), ("Semester 1 2021/2022", 20211),
        ("2021/2022 (1)", 20211), ("2021/2022 3", 20213), ("TA 2021/2022 Genap", 20212), ("20212,0", 20212),
        ("2021-2", 20212),        ("Smt 2 TA 2021/2022", 20212), ("Semester Ganjil 2021/2022 Reguler", 20211),
        ("2021/2022 Ganjil (1)", 20211),
    ],
)  # fmt: skip
def test_a_half_of_the_year_is_read_where_it_is_said(text, term):
    assert read_term(text) == term


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("15 Juli 2021", 20211), ("31/12/2021", 20211), ("2022-01-10", 20212), ("30 Juni 2022", 20221),
        ("2021/2022", 20211), ("September 1, 2021", 20211), ("2021-09-02 00:00:00", 20211),
    ],
)  # fmt: skip
def test_an_entry_may_be_a_date_or_an_academic_year(text, term):
    assert read_term(text, True) == term


# Dates


def outcomes(*days: str) -> str:
    rows = [f"0211{number:04d},Lulus,{day}\n" for number, day in enumerate(days, start=1)]
    return "NIM,Jenis Keluar,Tanggal Keluar\n" + "".join(rows)


def days_of(plan: ImportPlan) -> list[str]:
    return plan.frames.outcomes["exit_date"].dt.strftime("%Y-%m-%d").tolist()


def test_one_date_of_a_column_shows_the_order_of_all():
    plan = planned(students="02_us_dates_students.csv", outcomes="02_us_dates_outcomes.csv")
    assert errors(plan) == []
    assert days_of(plan) == ["2025-05-12", "2025-06-08", "2024-12-10", "2025-05-23"]
    assert plan.frames.outcomes["terms_to_exit"].tolist() == [8, 8, 7, 8]
    told = guess(plan, "outcomes", "date_order")
    assert (told.value, told.row, told.cell, told.proven) == ("mdy", 5, "05/23/2025", True)


def test_where_nothing_shows_the_order_it_is_a_guess_that_can_be_changed():
    files = {"students": TWELVE, "outcomes": outcomes("05/12/2024", "06/08/2025")}
    plan = planned(**files)
    assert days_of(plan) == ["2024-12-05", "2025-08-06"]
    assert not guess(plan, "outcomes", "date_order").proven
    assert "REC119" in warned(plan)
    told = planned(Reading(date_order="mdy"), **files)
    assert days_of(told) == ["2024-05-12", "2025-06-08"]
    assert "REC119" not in warned(told)


def test_a_column_that_contradicts_itself_is_read_only_where_a_cell_is_clear():
    plan = planned(
        students=TWELVE, outcomes=outcomes("05/23/2025", "23/05/2025", "06/08/2025", "2025-05-02", "7/7/2025")
    )
    assert errors(plan) == [(4, "REC003")]
    said = plan.errors["message"].item()
    assert "row 3 (23/05/2025)" in said and "row 2 (05/23/2025)" in said and "--set date_order" in said
    told = planned(
        Reading(date_order="dmy"),
        students=TWELVE,
        outcomes=outcomes("05/23/2025", "23/05/2025", "06/08/2025"),
    )
    assert errors(told) == [(2, "REC003")]
    assert days_of(told) == ["2025-05-23", "2025-08-06"]


def test_a_slip_among_hundreds_changes_nothing_for_the_others():
    many = [f"{1 + n % 28:02d}/{1 + n % 12:02d}/2024" for n in range(400)]
    lines = STUDENTS + "".join(f"0211{n:04d},A,TI,S1,2021,Baru\n" for n in range(1, 402))
    plan = planned(students=lines, outcomes=outcomes(*many, "05/23/2025"))
    assert errors(plan) == [(402, "REC003")]
    assert guess(plan, "outcomes", "date_order").value == "dmy"


def test_another_column_of_the_file_can_show_the_order():
    lines = outcomes("05/12/2024,05/23/2025", "06/08/2025,06/09/2025").replace(
        "Keluar\n", "Keluar,Per Tanggal\n", 1
    )
    plan = planned(students=TWELVE, outcomes=lines)
    assert days_of(plan) == ["2024-05-12", "2025-06-08"]
    told = [one for one in plan.guesses["outcomes"] if one.column == "Tanggal Keluar"]
    assert [one.shown_by for one in told] == ["Per Tanggal"]


def exits(*cells) -> bytes:
    rows = [(f"0211{number:04d}", "Lulus", cell) for number, cell in enumerate(cells, start=1)]
    return workbook([("NIM", "Jenis Keluar", "Tanggal Keluar"), *rows])


def test_true_dates_that_look_exchanged_are_not_read_before_the_office_says_which():
    """A US list, opened where the day comes first: what made sense became dates, one stayed text."""
    book = exits(pd.Timestamp(2024, 12, 5), "05/23/2025", pd.Timestamp(2025, 8, 6), pd.Timestamp(2025, 3, 3))
    plan = planned(students=TWELVE, outcomes=book)
    assert errors(plan) == [(2, "REC023"), (4, "REC023")]
    assert "--set true_dates=swapped" in plan.errors["message"].iloc[0]
    back = planned(Reading(true_dates="swapped"), students=TWELVE, outcomes=book)
    assert days_of(back) == ["2024-05-12", "2025-05-23", "2025-06-08", "2025-03-03"]
    kept = planned(Reading(true_dates="stored"), students=TWELVE, outcomes=book)
    assert days_of(kept) == ["2024-12-05", "2025-05-23", "2025-08-06", "2025-03-03"]


def test_true_dates_beside_words_or_late_days_are_taken_as_they_are():
    book = exits(pd.Timestamp(2024, 12, 5), "23/05/2025", pd.Timestamp(2025, 8, 31), "1 Agustus 2025")
    plan = planned(students=TWELVE, outcomes=book)
    assert errors(plan) == []
    assert days_of(plan) == ["2024-12-05", "2025-05-23", "2025-08-31", "2025-08-01"]


def test_a_student_number_that_became_a_date_is_none():
    rows = [STUDENTS.strip().split(","), [pd.Timestamp(2021, 9, 1), "A", "TI", "S1", "2021", "Baru"]]
    assert errors(planned(students=workbook(rows))) == [(2, "REC021")]


# Numbers


def attendance(header: str, *values) -> str:
    rows = [f"0211{number:04d},20211,Aktif,{value}\n" for number, value in enumerate(values, start=1)]
    return f"NIM,Kode Semester,Status,{header}\n" + "".join(rows)


def test_fractions_under_a_percent_header_are_fractions_and_said():
    plan = planned(students=TWELVE, terms="11_attendance_fraction.xlsx")
    assert plan.frames.terms["attendance_rate"].tolist() == [0.85, 0.9, 1, 0.775]
    told = guess(plan, "terms", "attendance")
    assert (told.value, told.proven) == ("fraction", False)
    assert "REC121" in warned(plan)


@pytest.mark.parametrize(
    ("header", "values", "rates", "said"),
    [
        ("Kehadiran (%)", ("0.85", "0.9", "1", "0.775"), [0.85, 0.9, 1, 0.775], "REC121"),
        ("Kehadiran (%)", ("85", "90", "1", "0"), [0.85, 0.9, 0.01, 0], None),
        ("Kehadiran", ("85", "90", "100", "77.5"), [0.85, 0.9, 1, 0.775], "REC121"),
        ("Kehadiran", ("0.85", "90%", "1", "0"), [0.85, 0.9, 1, 0], None),
        ("Kehadiran (%)", ("85%", "90%", "77.5%"), [0.85, 0.9, 0.775], None),
    ],
)
def test_the_values_of_a_column_show_its_scale(header, values, rates, said):
    plan = planned(students=TWELVE, terms=attendance(header, *values))
    assert plan.frames.terms["attendance_rate"].tolist() == rates
    assert ("REC121" in warned(plan)) == (said is not None)


def test_a_fraction_among_per_cents_is_refused_and_a_choice_decides():
    terms = attendance("Kehadiran (%)", "85", "0.9", "77")
    assert errors(planned(students=TWELVE, terms=terms)) == [(3, "REC024")]
    told = planned(Reading(attendance="percent"), students=TWELVE, terms=terms)
    assert told.frames.terms["attendance_rate"].tolist() == [0.85, 0.009, 0.77]


# Workbooks


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (117200001, "0000000000;-0000000000", "0117200001"),
        (17200001, '"01"00000000', "0117200001"),
        (211001, r"00000\-00000", "00002-11001"),
        (211001, "[$-421]0000000000", "0000211001"),
        (211001, "0000 0000 00", "0000 2110 01"),
        (1234, '"H"0', "H1234"),
        (123456, "000", "123456"),
        (2103010031, "0.00E+00", "2103010031"),
        (2103010031, "#,##0", "2103010031"),
        (20, '0" SKS"', "20"),
        (0.85, "0%", "85%"),
        (85, '0" %"', "85 %"),
        (85.5, r"0.0\ \%", "85.5 %"),
        (123456789012345, "General", "123456789012345"),
        (3.256, "0.00", "3.256"),
    ],
)
def test_a_number_is_read_as_it_is_shown_and_never_with_fewer_digits(value, number_format, shown):
    assert shown_number(value, number_format) == shown


def test_formulas_without_a_result_are_refused_by_name():
    plan = planned(terms="06_formulas_without_values.xlsx")
    found = plan.errors.query("rule == 'REC022'")
    assert found["column"].tolist() == ["IPK", "SKS Lulus", "SKS Kumulatif"]
    assert set(found["row"]) == {2}
    assert "save it" in found["message"].iloc[0]


def test_a_formula_in_a_text_column_or_a_csv_is_refused_too():
    rows = [STUDENTS.strip().split(","), ["0211001", '="A"&"B"', "TI", "S1", "2021", "Baru"]]
    assert errors(planned(students=workbook(rows))) == [(2, "REC022")]
    line = STUDENTS + '0211001,"=VLOOKUP(A2,B:C,2)",TI,S1,2021,Baru\n'
    assert errors(planned(students=line)) == [(2, "REC022")]


def test_sheets_with_equal_headers_are_read_as_one():
    plan = planned(students="04_one_sheet_per_cohort.xlsx")
    assert plan.read["students"] == len(plan.frames.students) == 3
    assert guess(plan, "students", "sheets").value == "2021, 2022"


HEADER = ("NIM", "Nama", "Kode Prodi", "Jenjang", "Angkatan", "Status Awal")


def cohorts(**sheets) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(workbook([], **sheets)))
    book["Hidden"].sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def several() -> bytes:
    def row(number, year="2021"):
        return (number, "A", "TI", "S1", year, "Baru")

    return cohorts(
        Hidden=[(*HEADER, "Provinsi", "Jalur Masuk"), (*row("0211009"), "Bali", "SNBP")],
        Guide=[("Column", "Meaning"), ("NIM", "number")],
        A=[("LIST",), HEADER, row("0211001"), row("TOTAL")],
        B=[[" nim ", *HEADER[1:]], row("0221001", "2022"), row("0221002", "x")],
        Extra=[(*HEADER, "Provinsi"), (*row("0231001", "2023"), "Bali")],
        Empty=[],
    )


def test_a_hidden_sheet_never_wins_and_every_sheet_left_is_named_with_its_reason():
    plan = planned(students=several())
    assert guess(plan, "students", "sheets").value == "A, B"
    named = dict(plan.warnings.query("rule == 'REC123'")[["value", "message"]].to_numpy())
    assert "headers differ" in named["Extra"]
    assert "hidden" in named["Hidden"] and "empty" in named["Empty"] and "headers differ" in named["Guide"]
    assert not plan.frames.students["student_number"].eq("0211009").any()


def test_problems_of_several_sheets_name_sheet_and_row():
    plan = planned(Reading(sheets=("A", "B")), students=several())
    places = plan.errors[["file", "row", "rule"]].to_numpy().tolist()
    assert places == [["students.xlsx (A)", 4, "REC021"], ["students.xlsx (B)", 3, "REC003"]]
    back = plan.returned["students"]
    assert back["tepat: row"].tolist() == ["A!4", "B!3"]
    assert plan.frames.students["student_number"].tolist() == ["0211001", "0221001"]
    assert plan.refused["students"] == 2


def test_a_hidden_sheet_and_one_with_more_columns_are_read_when_asked_for():
    plan = planned(Reading(sheets=("Hidden", "Extra", "A")), students=several())
    frame = plan.frames.students.set_index("student_number")
    assert set(frame.index) == {"0211009", "0231001", "0211001"}
    assert frame.loc["0211009", "region"] == "Bali" and pd.isna(frame.loc["0211001", "region"])


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are():
    plan = planned(Reading(sheets=("2023",)), students="04_one_sheet_per_cohort.xlsx")
    assert plan.errors["rule"].tolist() == ["REC019"]
    assert "'2021', '2022'" in plan.errors["message"].item()


# Bytes


def test_one_wrong_byte_leaves_the_other_letters_whole():
    text = TWELVE.replace(",A,", ",Zoë Müller,", 1).replace(",A,", ",Jos?,", 1).encode()
    data = text.replace(b"Jos?", b"Jos\xe9")
    plan = plan_import([Source("students", "s.csv", data)], today=TODAY)
    assert plan.frames.students["name"].tolist()[:2] == ["Zoë Müller", "José"]
    found = plan.warnings.query("rule == 'REC124'")
    assert found[["row", "column", "value"]].to_numpy().tolist() == [[3, "Nama", "José"]]


def test_windows_text_is_a_guess_with_an_example_and_another_encoding_can_be_named():
    text = TWELVE.replace(",A,", ",Žofie,", 1)
    data = text.encode("cp1250")
    plan = plan_import([Source("students", "s.csv", data)], today=TODAY)
    told = guess(plan, "students", "encoding")
    assert (told.value, told.proven, told.row) == ("cp1252", False, 2)
    right = plan_import([Source("students", "s.csv", data, Reading(encoding="cp1250"))], today=TODAY)
    assert right.frames.students["name"].iloc[0] == "Žofie"
    wrong = plan_import([Source("students", "s.csv", data, Reading(encoding="ascii"))], today=TODAY)
    assert wrong.errors["rule"].tolist() == ["REC019"]
    assert "line 2" in wrong.errors["message"].item()


# Reading


def test_choices_are_for_all_files_or_for_one():
    said = readings_from_texts(
        ["date_order=mdy", "terms.date_order=dmy"], ["students", "terms"], ["students:A", "B"]
    )
    assert said["students"] == Reading(date_order="mdy", sheets=("A", "B"))
    assert said["terms"] == Reading(date_order="dmy", sheets=("B",))
    assert Reading(**said["students"].to_dict()) == said["students"]


@pytest.mark.parametrize(
    "text", ["date_order", "date_order=ymd", "order=dmy", "marks.date_order=dmy", "encoding=base64"]
)
def test_a_choice_that_says_nothing_is_refused_in_words(text):
    with pytest.raises(ReadingError, match="got|about"):
        readings_from_texts([text], ["students"])
