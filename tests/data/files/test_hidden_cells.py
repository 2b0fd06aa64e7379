"""Hidden rows and columns of workbooks: read with a word, or left when the office says so."""

import io
import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from data.__main__ import app
from data.files.reading import Reading
from data.files.register_files import read_source
from data.files.text_table import SHEET_ROWS
from data.records.ingest import Source, plan_import
from data.settings import get_settings

HEADER = ["NIM", "Nama", "Kode Prodi", "Jenjang", "Angkatan", "Status Awal", "Jalur Masuk"]
ROWS = [[f"021100{n}", f"Orang {n}", "TI", "S1", "2021", "Baru", "SNBP"] for n in range(1, 7)]


def xlsx(hide=lambda sheet: None, titles=("Mahasiswa",)) -> bytes:
    book, made = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for title in titles:
        sheet = book.create_sheet(title)
        for row in (["Daftar"], HEADER, *ROWS):
            sheet.append(row)
        hide(sheet)
    book.save(made)
    return made.getvalue()


def filtered(sheet) -> None:
    sheet.auto_filter.ref = "A2:G8"
    for number in (4, 5, 8):
        sheet.row_dimensions[number].hidden = True


def one_column(sheet) -> None:
    sheet.column_dimensions["G"].hidden = True


def ods(rows: str) -> bytes:
    """An ODS workbook of one sheet with these rows and columns in its XML."""
    start = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
        '<office:body><office:spreadsheet><table:table table:name="Kosong"/>'
        '<table:table table:name="Mahasiswa">'
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        end = "</table:table></office:spreadsheet></office:body></office:document-content>"
        packed.writestr("content.xml", start + rows + end)
        packed.writestr("META-INF/manifest.xml", "<manifest/>")
    return made.getvalue()


def ods_rows() -> str:
    """Rows 3 and 4 filtered away, the seventh column hidden."""
    parts = ['<table:table-column table:number-columns-repeated="6"/>']
    parts.append('<table:table-column table:visibility="collapse"/>')
    for place, row in enumerate((HEADER, *ROWS), 1):
        seen = ' table:visibility="filter"' if place in (3, 4) else ""
        cells = "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
            for cell in row
        )
        parts.append(f"<table:table-row{seen}>{cells}</table:table-row>")
    return "".join(parts)


def planned(data: bytes, reading=Reading(), name="m.xlsx"):
    return plan_import([Source("students", name, data, reading)])


def hidden(plan) -> dict[str, tuple]:
    told = [guess for guess in plan.guesses["students"] if guess.what.startswith("hidden")]
    return {guess.what: (guess.value, guess.cell, guess.sheet, guess.proven) for guess in told}


def test_filtered_rows_are_read_and_named():
    plan = planned(xlsx(filtered))
    assert plan.accepted and len(plan.frames.students) == 6
    assert hidden(plan) == {"hidden_rows": ("read", "4–5, 8", "Mahasiswa", False)}


def test_filtered_rows_are_left_when_the_office_says_so():
    plan = planned(xlsx(filtered), Reading(hidden_rows="left"))
    assert plan.frames.students["student_number"].tolist() == ["0211001", "0211004", "0211005"]
    assert hidden(plan) == {"hidden_rows": ("left", "4–5, 8", "Mahasiswa", True)}
    kept = planned(xlsx(filtered), Reading(hidden_rows="read"))
    assert len(kept.frames.students) == 6 and hidden(kept)["hidden_rows"][-1]


def test_a_hidden_column_is_read_and_named_or_left():
    plan = planned(xlsx(one_column))
    assert plan.frames.students["admission_path"].tolist() == ["SNBP"] * 6
    assert hidden(plan) == {"hidden_columns": ("read", "G 'Jalur Masuk'", "Mahasiswa", False)}
    left = planned(xlsx(one_column), Reading(hidden_columns="left"))
    assert left.accepted and "admission_path" not in left.frames.students
    assert hidden(left) == {"hidden_columns": ("left", "G", "Mahasiswa", True)}


def test_nothing_is_said_of_what_is_hidden_and_empty_or_above_the_header():
    def hide(sheet):
        for number in (1, 40, 41):
            sheet.row_dimensions[number].hidden = True
        sheet["A41"] = " "
        for letter in ("H", "Z"):
            sheet.column_dimensions[letter].hidden = True

    assert hidden(planned(xlsx(hide))) == {}
    assert hidden(planned(xlsx())) == {}


def test_a_hidden_header_row_is_still_the_header():
    def hide(sheet):
        sheet.row_dimensions[2].hidden = True

    plan = planned(xlsx(hide), Reading(hidden_rows="left"))
    assert plan.accepted and len(plan.frames.students) == 6


def test_several_sheets_say_each_what_they_hide():
    data = xlsx(filtered, ("2021", "2022"))
    parsed = read_source(Source("students", "m.xlsx", data))
    told = [guess for guess in parsed.guesses if guess.what == "hidden_rows"]
    assert [(guess.sheet, guess.cell) for guess in told] == [("2021", "4–5, 8"), ("2022", "4–5, 8")]
    left = read_source(Source("students", "m.xlsx", data, Reading(hidden_rows="left")))
    assert left.raw.index.tolist() == [3, 6, 7, *(SHEET_ROWS + n for n in (3, 6, 7))]


def test_rows_and_columns_of_no_size_are_hidden_too():
    data = xlsx()
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = re.sub(rb'<row r="5"', b'<row r="5" ht="0" customHeight="1"', parts[sheet])
    parts[sheet] = parts[sheet].replace(
        b"<sheetData>", b'<cols><col min="7" max="16384" width="0" customWidth="1"/></cols><sheetData>'
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    found = hidden(planned(made.getvalue()))
    assert found["hidden_rows"][1] == "5" and found["hidden_columns"][1] == "G 'Jalur Masuk'"


def test_an_ods_workbook_tells_what_it_hides():
    plan = planned(ods(ods_rows()), name="m.ods")
    assert plan.accepted, plan.errors.to_string()
    assert len(plan.frames.students) == 6
    assert hidden(plan) == {
        "hidden_rows": ("read", "3–4", "Mahasiswa", False),
        "hidden_columns": ("read", "G 'Jalur Masuk'", "Mahasiswa", False),
    }
    left = planned(ods(ods_rows()), Reading(hidden_rows="left", hidden_columns="left"), "m.ods")
    assert left.frames.students["student_number"].tolist() == [f"021100{n}" for n in (1, 4, 5, 6)]
    assert "admission_path" not in left.frames.students


def test_an_old_workbook_says_that_it_does_not_tell():
    shapes = Path(__file__).with_name("shapes")
    told = [
        guess.what
        for guess in planned((shapes / "mahasiswa.xls").read_bytes(), name="m.xls").guesses["students"]
    ]
    assert "hidden" in told
    told = [
        guess.what
        for guess in planned((shapes / "mahasiswa.ods").read_bytes(), name="m.ods").guesses["students"]
    ]
    assert "hidden" not in told


@pytest.mark.parametrize(
    "choice, students", [((), 6), (("students.hidden_rows=left",), 3), (("hidden_rows=read",), 6)]
)
def test_the_command_line_names_them_and_takes_a_choice(
    choice, students, tmp_path, monkeypatch, sqlite_template
):
    (tmp_path / "tepat.db").write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    get_settings.cache_clear()
    file = tmp_path / "m.xlsx"
    file.write_bytes(xlsx(filtered))
    said = [part for one in choice for part in ("--set", one)]
    result = CliRunner().invoke(app, ["load", "--students", str(file), "--dry-run", *said])
    assert result.exit_code == 0, result.output
    assert f"students: {students} rows" in result.output
    assert "4–5, 8 of 'Mahasiswa'" in result.output
    if not choice:
        assert "--set students.hidden_rows=read; else --set students.hidden_rows=left" in result.output
