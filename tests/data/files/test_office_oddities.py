"""Files as offices really send them: odd, and still read right or refused in words that help."""

import io
from datetime import date

import openpyxl
import pytest

from data.files.register_files import read_source
from data.files.text_files import TableError
from data.files.text_table import clean_cell
from data.records.ingest import Source, plan_import

HEADER = ["NIM", "Nama", "Kode Prodi", "Jenjang", "Angkatan", "Status Awal"]
ROWS = [["0211001", "Ani", "TI", "S1", "2021", "Baru"], ["0211002", "Budi", "TI", "S1", "2021", "Baru"]]
LINES = "\r\n".join(";".join(row) for row in (HEADER, *ROWS))
TODAY = date(2026, 9, 1)


def workbook(*lines, change=lambda sheet: None) -> bytes:
    book, made = openpyxl.Workbook(), io.BytesIO()
    for line in lines:
        book.active.append(line)
    change(book.active)
    book.save(made)
    return made.getvalue()


def numbers(data: bytes, name: str = "x.xlsx") -> list[str]:
    plan = plan_import([Source("students", name, data)], today=TODAY)
    assert plan.accepted, plan.errors.to_string()
    return plan.frames.students["student_number"].tolist()


def errors(table: str, text: str) -> dict[int, str]:
    plan = plan_import([Source(table, "x.csv", text.encode())], today=TODAY)
    wanted = plan.errors[~plan.errors["rule"].isin(["REC011", "REC012"])]
    return {int(row.row): f"{row.rule} {row.message}" for row in wanted.itertuples()}


def test_two_header_rows_with_merged_cells_are_one_header():
    def merged(sheet):
        for cells in ("A1:A2", "B1:C1", "D1:E1", "F1:F2", "G1:G2"):
            sheet.merge_cells(cells)

    above = ["No", "Mahasiswa", None, "Program Studi", None, "Angkatan", "Status Awal"]
    below = [None, "NIM", "Nama", "Kode Prodi", "Jenjang", None, None]
    data = workbook(above, below, *[[place, *row] for place, row in enumerate(ROWS, 1)], change=merged)
    assert numbers(data) == ["0211001", "0211002"]
    text = "\n".join(";".join(str(cell or "") for cell in row) for row in (above, below, [1, *ROWS[0]]))
    assert numbers(text.encode(), "x.csv") == ["0211001"]


def test_a_title_above_an_empty_header_cell_is_no_header():
    data = workbook(
        ["Universitas Contoh"], [None, *HEADER], *[[place, *row] for place, row in enumerate(ROWS)]
    )
    assert numbers(data) == ["0211001", "0211002"]


@pytest.mark.parametrize(
    "header",
    ["No. Induk Mahasiswa (NIM)", "NIM (Nomor Induk Mahasiswa)", "Nomor (NIM)", "Identitas (NPM)"],
)
def test_a_student_number_may_have_two_names(header):
    text = LINES.replace("NIM", f'"{header}"', 1)
    assert numbers(text.encode(), "x.csv") == ["0211001", "0211002"]


def test_what_stands_in_the_brackets_of_another_column_is_a_unit():
    text = "NIM;Semester (NIM);Status;IPS\n0211001;20211;Aktif;3,5"
    parsed = read_source(Source("terms", "x.csv", text.encode()))
    assert parsed.match.headers["student_number"] == "NIM"


@pytest.mark.parametrize("mark", ["'", "’", "‘", "`", "´"])
def test_a_text_mark_before_a_number_is_no_part_of_it(mark):
    assert clean_cell(f"{mark}0211001") == "0211001"
    assert clean_cell(f"{mark}Ani") == f"{mark}Ani"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("sep", ("sep=;\r\n" + LINES).encode()),
        ("sep with mark", ("sep=;\r\n" + LINES).encode("utf-8-sig")),
        ("utf-16", LINES.replace(";", "\t").encode("utf-16")),
        ("spaces", LINES.replace("0211001", "0211001  ").replace("0211002", "\u00a00211002\u00a0").encode()),
        ("empty columns", "\n".join(f"{line},," for line in LINES.replace(";", ",").split("\r\n")).encode()),
        ("protected", workbook(HEADER, *ROWS, change=lambda sheet: sheet.protection.enable())),
    ],
)
def test_odd_shapes_of_a_good_file_are_read(name, data):
    assert numbers(data, "x.xlsm" if name == "protected" else "x.csv") == ["0211001", "0211002"]


def test_a_workbook_with_a_password_is_said_to_have_one():
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(TableError, match="x.xlsx: the workbook has a password; save it without one"):
        read_source(Source("students", "x.xlsx", data))


def test_rows_that_contradict_each_other_are_named_with_what_differs():
    said = errors("students", LINES + "\r\n0211001;Ani P.;TI;S1;2021;Baru")
    told = "REC006 several rows for one student_number: row 2, row 4 differ in Nama; keep the right one"
    assert said == {2: told, 4: told}
    again = "NIM;Semester;Status;IPS\n01;20211;Aktif;3,5\n01;20211;Aktif;3,6"
    assert "row 2, row 3 differ in IPS" in errors("terms", again)[2]


def test_a_header_printed_on_every_page_is_said_to_be_one():
    said = errors("students", LINES + "\r\n" + LINES.split("\r\n")[0])
    assert said == {4: "REC021 the header once more, as printed on each page; delete the row"}


@pytest.mark.parametrize(
    ("table", "text", "said"),
    [
        ("terms", "NIM;Semester;Status;IPS\n01;20211;Aktif;345", "if the decimal sign was lost it is 3.45"),
        ("terms", "NIM;Semester;Status;IPS;SKS\n01;20211;Aktif;3,4;20 SKS", "and nothing else in the cell"),
        ("outcomes", "NIM;Status Keluar;Tanggal Lulus\n01;Lulus;20/08/2924", "of a year from 1952 to 2099"),
        ("outcomes", "NIM;Status Keluar;Tanggal Lulus\n01;Lulus;20/08/1049", "of a year from 1952 to 2099"),
        (
            "outcomes",
            "NIM;Status Keluar;Tanggal Lulus\n01;Lulus;45889",
            "it is 2025-08-20: format the column",
        ),
    ],
)
def test_a_cell_that_a_spreadsheet_spoiled_is_refused_with_a_hint(table, text, said):
    assert said in errors(table, text)[2]


def test_decimal_commas_and_thousands_are_read_by_their_column():
    text = "NIM;Semester;Status;IPS;Tunggakan (hari)\n01;20211;Aktif;3,45;1.250\n02;20211;Aktif;3.45;250"
    values = read_source(Source("terms", "x.csv", text.encode())).values
    assert values["gpa_term"].tolist() == [3.45, 3.45]
    assert values.get("tuition_arrears_days", values["gpa_term"]).tolist() in ([1250, 250], [3.45, 3.45])
