"""Headers of two rows with cells merged over several columns, as offices draw them; in every kind of file."""

import io

import openpyxl
import pytest

from data.files.register_files import guess_table
from data.files.text_table import header_of
from data.records.ingest import Source, plan_import, register_sources

STUDENTS = "NIM;Kode Prodi;Jenjang;Angkatan;Jenis Daftar\n01;55201;S1;2021;Baru\n02;55201;S1;2021;Baru\n"
ABOVE = ["No", "NIM", "Nama", "Semester 1", "", "Semester 2", "", "Keterangan"]
BELOW = ["", "", "", "IPS", "SKS", "IPS", "SKS", ""]
ROWS = [["1", "01", "Ani", "3,25", "20", "3,00", "21", ""], ["2", "02", "Budi", "2,00", "18", "", "", "cuti"]]
RIGHT = {("01", 20211): (3.25, 20), ("01", 20212): (3.0, 21), ("02", 20211): (2.0, 18)}


def csv_of(*rows) -> bytes:
    return "\n".join(";".join(row) for row in rows).encode()


def xlsx_of(*rows) -> bytes:
    book, made = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append([cell or None for cell in row])
    at = [place for place, row in enumerate(rows, 1) if row == ABOVE][0]
    for cells in ("A{0}:A{1}", "B{0}:B{1}", "C{0}:C{1}", "D{0}:E{0}", "F{0}:G{0}", "H{0}:H{1}"):
        book.active.merge_cells(cells.format(at, at + 1))
    book.save(made)
    return made.getvalue()


def html_of(*rows) -> bytes:
    spans = {"Semester 1": " colspan=2", "Semester 2": " colspan=2"}
    head = [f"<th{spans.get(cell, ' rowspan=2')}>{cell}</th>" for cell in ABOVE if cell]
    below = [f"<th>{cell}</th>" for cell in BELOW if cell]
    lines = [
        head,
        below,
        *([f"<td>{cell}</td>" for cell in row] for row in rows if row not in (ABOVE, BELOW)),
    ]
    written = "".join(f"<tr>{''.join(line)}</tr>" for line in lines)
    return f"<table>{written}</table>".encode()


FILES = {"nilai.csv": csv_of, "nilai.xlsx": xlsx_of, "nilai.xls": html_of}


def terms(name: str, data: bytes) -> dict:
    sources = [Source("students", "m.csv", STUDENTS.encode()), Source("terms", name, data)]
    plan = plan_import(sources)
    assert plan.accepted, plan.errors.to_string()
    frame = plan.frames.terms
    keys = zip(frame["student_number"], frame["term_id"].astype(int), strict=True)
    return dict(zip(keys, zip(frame["gpa_term"], frame["credits_attempted"], strict=True), strict=True))


@pytest.mark.parametrize("name", list(FILES))
def test_figures_under_the_number_of_a_semester_are_those_of_that_semester(name):
    data = FILES[name](ABOVE, BELOW, *ROWS)
    assert guess_table(name, data) == "terms"
    assert terms(name, data) == RIGHT


def test_titles_above_and_a_signature_below_change_nothing():
    title = ["UNIVERSITAS CONTOH", *[""] * 7]
    assert terms("nilai.csv", csv_of(title, [""] * 8, ABOVE, BELOW, *ROWS)) == RIGHT
    assert terms(
        "nilai.xlsx", xlsx_of(title, ["Rekap Semester 1 s.d. 2", *[""] * 7], ABOVE, BELOW, *ROWS)
    ) == (RIGHT)


@pytest.mark.parametrize(
    "first, second", [("SEMESTER I", "SEMESTER II"), ("Smt. 1", "Smt. 2"), ("sem-01", "sem-02")]
)
def test_the_number_of_a_semester_is_written_in_many_ways(first, second):
    above = [{"Semester 1": first, "Semester 2": second}.get(cell, cell) for cell in ABOVE]
    assert terms("nilai.csv", csv_of(above, BELOW, *ROWS)) == RIGHT


def test_one_semester_alone_gives_its_figures_their_number():
    above, below = ["NIM", "Nama", "Semester 3", ""], ["", "", "IPS", "SKS"]
    position, cells = header_of([above, below], ["nim", "nama", "ips", "sks"])
    assert (position, cells) == (1, ["NIM", "Nama", "IPS Semester 3", "SKS Semester 3"])


def test_a_title_with_a_semester_in_it_is_no_group():
    rows = [["Semester 5", "", ""], ["NIM", "IPS", "SKS"], ["01", "3", "20"]]
    assert header_of(rows, ["nim", "ips", "sks"]) == (1, ["NIM", "IPS", "SKS"])


def test_names_below_a_merged_cell_that_means_nothing_are_read_as_they_stand():
    above = ["NIM", "Kode Prodi", "Jenjang", "Angkatan", "Jenis Daftar", "Orang Tua", ""]
    below = ["", "", "", "", "", "Pendidikan Ibu", "Penghasilan Ibu"]
    row = ["01", "55201", "S1", "2021", "Baru", "SMA / sederajat", "Rp. 500,000 - Rp. 999,999"]
    plan = plan_import([Source("students", "m.csv", csv_of(above, below, row))])
    assert plan.accepted, plan.errors.to_string()
    assert {"parental_education", "parental_income"} <= set(plan.frames.students)


def test_a_first_row_of_data_is_not_taken_for_a_header():
    rows = [["NIM", "Nama", "", "IPS"], ["01", "Nama", "SKS", "IPS"]]
    assert header_of(rows, ["nim", "nama", "ips", "sks"])[0] == 0


def test_a_register_of_one_row_each_with_two_header_rows_holds_students_and_terms(store):
    above = ["NIM", "Kode Prodi", "Jenjang", "Angkatan", "Status Awal", "Semester 1", "", "Semester 2", ""]
    below = ["", "", "", "", "", "IPS", "SKS", "IPS", "SKS"]
    rows = [["01", "55201", "S1", "2021", "Baru", "3,25", "20", "3,00", "21"]]
    sources = register_sources(store, Source("students", "r.csv", csv_of(above, below, *rows)), None, [], [])
    plan = plan_import(sources, store=store)
    assert plan.accepted and {"students", "terms"} <= {source.table for source in sources}
    assert plan.frames.terms["credits_attempted"].tolist() == [20, 21]
