"""Totals, captions and signatures below a table: one error each, and it says what to do."""

import io

import openpyxl
import pytest

from data.records.ingest import Source, plan_import

HEADER = ["NIM", "Nama", "Kode Prodi", "Jenjang", "Angkatan", "Status Awal", "SKS Diakui"]
ROW = ["0211001", "A", "TI", "S1", "2021", "Baru", 10]
TERMS = ["NIM", "Nama", "Semester", "Status", "IPS", "SKS"]
TERM = ["0211001", "A", "20211", "Aktif", 3.5, 20]


def problems(table, header, *rows):
    book = openpyxl.Workbook()
    for line in (header, *rows):
        book.active.append(line)
    made = io.BytesIO()
    book.save(made)
    plan = plan_import([Source(table, "x.xlsx", made.getvalue())])
    errors = plan.errors.dropna(subset=["row"])
    return plan, [(row.row, row.rule) for row in errors.itertuples() if row.row == 3]


@pytest.mark.parametrize(
    "row",
    [
        [None, "TOTAL", None, None, None, None, "=SUM(G2:G2)"],
        ["Jumlah", None, None, None, None, None, "=SUM(G2:G2)"],
        [None, None, None, None, None, None, "=SUM(G2:G2)"],
        [None, None, None, None, None, None, 10],
        [None, "Rata-rata", None, None, 2021, None, 10],
        [None, None, None, None, "Bandung, 5 Mei 2024", None, None],
        [None, None, None, None, None, "Dekan,", None],
        [None, None, None, "Dr. Siti", "NIP 1970", None, None],
    ],
)
def test_a_row_of_nobody_costs_one_error_that_says_what_to_do(row):
    plan, said = problems("students", HEADER, ROW, row)
    assert said == [(3, "REC021")]
    [error] = [error for error in plan.errors.itertuples() if error.row == 3]
    assert "delete the row" in error.message and error.value
    assert len(plan.errors) == 1 and plan.refused == {"students": 1}


def test_a_total_of_terms_costs_one_error_too():
    plan, said = problems("terms", TERMS, TERM, [None, "Jumlah", None, None, None, "=SUM(F2:F2)"])
    assert said == [(3, "REC021")]


def test_a_total_of_a_wide_file_costs_one_error_and_not_one_for_each_term():
    wide = ["NIM", "Nama", "IPS 1", "IPS 2", "SKS 1", "SKS 2"]
    for total in ([None, "Jumlah", None, None, 40, 38], ["TOTAL", None, None, None, 40, 38]):
        plan, said = problems("terms", wide, ["0211001", "A", 3.5, 3.0, 20, 19], total)
        assert said == [(3, "REC021")]
        [error] = [error for error in plan.errors.itertuples() if error.row == 3]
        assert error.value in ("Jumlah", "TOTAL") and "delete the row" in error.message


def test_a_total_costs_one_error_where_a_column_is_missing_too():
    _, said = problems(
        "terms", ["NIM", "Nama", "IPS", "SKS"], ["0211001", "A", 3.5, 20], [None, "TOTAL", 3, 20]
    )
    assert said == [(3, "REC021")]


def test_a_student_whose_number_is_missing_is_told_so():
    _, said = problems("students", HEADER, ROW, [None, *ROW[1:]])
    assert said == [(3, "REC002")]


def test_the_rows_between_are_not_touched():
    plan, _ = problems("students", HEADER, ROW, [None, "TOTAL"], ["0211002", "B", "TI", "S1", "2021", "x", 5])
    assert [(row.row, row.rule) for row in plan.errors.itertuples()] == [(3, "REC021"), (4, "REC005")]


def test_a_repeated_name_is_of_another_table_and_no_warning():
    plan, _ = problems("terms", [*TERMS, "Program Studi", "Warna"], [*TERM, "TI", "biru"])
    match = plan.matches["terms"]
    assert match.elsewhere == ("Nama", "Program Studi") and match.unknown == ("Warna",)
    warned = plan.warnings[plan.warnings["rule"] == "REC113"]
    assert warned["column"].tolist() == ["Warna"]
