"""The figures in an office's own workbook: the cells of the map and nothing else."""

import io
import re
import runpy
import shutil
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.drawing.image import Image as SheetImage
from openpyxl.styles import Font
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula
from PIL import Image
from typer.testing import CliRunner

from dashboard.__main__ import app
from dashboard.reports.into_workbook import MapRefused, read_map
from dashboard.reports.sheet_patch import Template
from dashboard.reports.sheet_spans import TemplateRefused
from data.settings import get_settings
from data.store import open_store, write_records

APPROVAL = Path(__file__).with_name("test_approval.py")
MAP = Path(__file__).parent / "maps" / "template8c.toml"
EXTENSION = (
    b'<extLst><ext xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" '
    b'uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"><x14:dataValidations count="0"/></ext></extLst>'
)


@pytest.fixture
def filled(sqlite_template, tmp_path, monkeypatch):
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()
    store = open_store()
    frames = runpy.run_path(str(APPROVAL))["frames"]()
    write_records(store, frames, source="register40.csv", files={}, actor="registry", synthetic=True)
    yield store
    store.close()
    get_settings.cache_clear()


def template() -> bytes:
    """A workbook as offices have them: merged heads, formulas, rules, a chart, a picture, a macro."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Tabel 8.c"
    page.merge_cells("B5:B7")
    page["B5"] = "Tahun Masuk"
    page.merge_cells("D5:J5")
    page["D5"] = "Jumlah Mahasiswa yang Lulus pada"
    for place, year in enumerate(("TS-6", "TS-5", "TS-4", "TS-3")):
        page.cell(8 + place, 2, year)
        page.cell(8 + place, 3).number_format = "#,##0"
        page.cell(8 + place, 3).font = Font(bold=True, color="FF0000")
        page.cell(8 + place, 13, f"=K{8 + place}/C{8 + place}")
    page["C8"] = 99
    page["D11"] = 7  # closed by the instrument
    page["C12"] = "=SUM(C8:C11)"
    page["M14"] = ArrayFormula("M14:M15", "=K14:K15*2")
    page.merge_cells("N8:O8")
    rule = DataValidation(type="whole", operator="greaterThanOrEqual", formula1="0")
    page.add_data_validation(rule)
    rule.add("C8:C11")
    drawn = BarChart()
    drawn.add_data(Reference(page, min_col=3, min_row=8, max_row=11))
    page.add_chart(drawn, "B20")
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), "navy").save(picture, "PNG")
    picture.seek(0)
    page.add_image(SheetImage(picture), "A1")
    other = book.create_sheet("Tabel 2.a")
    other["B5"] = 120
    other["A9"] = "='Tabel 8.c'!C12*2"
    made = io.BytesIO()
    book.save(made)
    return with_parts(made.getvalue(), {"xl/vbaProject.bin": b"macro \x00\x01"})


def with_parts(source: bytes, more: dict[str, bytes]) -> bytes:
    """The same with further parts, and with an extension that openpyxl does not know."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as old, zipfile.ZipFile(made, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename == "xl/worksheets/sheet1.xml":
                data = data.replace(b"</worksheet>", EXTENSION + b"</worksheet>")
                data = data.replace(b"<f>SUM(C8:C11)</f><v />", b"<f>SUM(C8:C11)</f><v>1234</v>")
                data = data.replace(b"<f>SUM(C8:C11)</f><v></v>", b"<f>SUM(C8:C11)</f><v>1234</v>")
            new.writestr(info, data)
        for name, data in more.items():
            new.writestr(name, data)
    return made.getvalue()


def run(*arguments):
    return CliRunner().invoke(app, [str(part) for part in arguments])


def parts_of(source: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(source)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def office(tmp_path):
    file = tmp_path / "LKPS.xlsm"
    file.write_bytes(template())
    return file


def asked(office, tmp_path, *more, profile="all"):
    chosen = ("--program", "55201", "--ts", "2025", "--into", office, "--map", MAP, "--out", tmp_path / "out")
    return run("report", profile, *chosen, *more)


def test_the_cells_of_the_map_are_written_and_all_else_stays(filled, office, tmp_path):
    done = asked(office, tmp_path)
    assert done.exit_code == 0, done.output
    made = tmp_path / "out" / "LKPS_55201_TS2025.xlsm"
    before, after = parts_of(office.read_bytes()), parts_of(made.read_bytes())
    assert list(before) == list(after)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"}
    assert b'fullCalcOnLoad="1"' in after["xl/workbook.xml"]
    sheet = "xl/worksheets/sheet1.xml"
    assert EXTENSION in after[sheet] and b"1234" in before[sheet] and b"1234" not in after[sheet]

    book = openpyxl.load_workbook(made)
    page, old = book["Tabel 8.c"], openpyxl.load_workbook(office)["Tabel 8.c"]
    # tests/dashboard/reports/test_tables_by_hand.py works these out from the register of 40
    assert [page[f"C{row}"].value for row in range(8, 12)] == [7, 7, 6, 4]
    assert page["D11"].value == 7  # closed by the instrument: kept as it was
    assert page["C8"].number_format == "#,##0" and page["C8"].font.b
    for row in old.iter_rows():
        for cell in row:
            if isinstance(cell.value, str) and cell.value.startswith("="):
                assert page[cell.coordinate].value == cell.value
    assert page["M14"].value.text == "=K14:K15*2"
    assert page.merged_cells.ranges == old.merged_cells.ranges
    assert [str(rule.sqref) for rule in page.data_validations.dataValidation] == ["C8:C11"]
    assert book["Tabel 2.a"]["B5"].value == 120  # the register has no capacity: what the office wrote stays
    assert "Tabel 2.a!B5  TS-4/capacity  kept 120" in done.output
    assert "Tabel 8.c!C8  TS-6/accepted  written 7 (was 99)" in done.output


def test_a_share_is_written_in_percent_points_where_the_map_says_so(filled, office, tmp_path):
    assert asked(office, tmp_path, profile="iaps40-8c").exit_code == 0
    page = openpyxl.load_workbook(tmp_path / "out" / "LKPS_55201_TS2025.xlsm")["Tabel 8.c"]
    from dashboard.reports import pipeline
    from data.trust.scope import Scope

    register = pipeline.read_register(filled, Scope.system())
    table, _ = pipeline.build(filled, register, pipeline.Request("iaps40-8c", "55201", 2025))
    assert page["K15"].value == pytest.approx(100 * table.line("PTW").value)
    assert page["K14"].value == pytest.approx(table.line("MS").value)


def test_nothing_is_written_by_a_check_or_over_a_file_that_is_there(filled, office, tmp_path):
    source = office.read_bytes()
    assert asked(office, tmp_path, "--check").exit_code == 0
    assert not (tmp_path / "out").exists()
    assert asked(office, tmp_path).exit_code == 0
    again = asked(office, tmp_path)
    assert again.exit_code != 0 and "--force" in again.output
    assert asked(office, tmp_path, "--force").exit_code == 0
    assert office.read_bytes() == source


def test_a_public_workbook_hides_small_cells_and_the_store_remembers_it(filled, office, tmp_path):
    from data.trust import reports_store
    from data.trust.scope import Scope

    assert asked(office, tmp_path, "--audience", "public", "--check").exit_code == 0
    assert reports_store.disclosures(filled, Scope.system(), "55201") == []
    done = asked(office, tmp_path, "--audience", "public")
    assert done.exit_code == 0, done.output
    page = openpyxl.load_workbook(tmp_path / "out" / "LKPS_55201_TS2025.xlsm")["Tabel 8.c"]
    assert page["C11"].value == "*"  # four students
    assert len(reports_store.disclosures(filled, Scope.system(), "55201")) == 2


@pytest.mark.parametrize(
    ("area", "said"),
    [
        ('accepted = "M8:M11"', "M8 holds a formula"),
        ('accepted = "C9:C12"', "C12 holds a formula"),
        ('accepted = "C8:C10"', "3 cells for 4 rows"),
        ('accepted = "C8:D9"', "one row or one column"),
        ('accepted = "B8:B11"', "holds the text 'TS-6'"),
        ('nobody = "C8:C11"', "has no cell TS-6/nobody"),
        ('accepted = "B5:B8"', "holds the text"),
        ('accepted = "M14:M17"', "formula"),
        ('accepted = "O8:O11"', "first cell is N8"),
    ],
)
def test_a_map_that_would_spoil_the_template_is_refused_before_writing(filled, office, tmp_path, area, said):
    bad = tmp_path / "bad.toml"
    bad.write_text(
        f'[[tables]]\nprofile = "iaps40-8c"\nsheet = "Tabel 8.c"\n[tables.ranges]\n{area}\n', encoding="utf-8"
    )
    chosen = ("--program", "55201", "--ts", "2025", "--into", office, "--out", tmp_path / "out")
    done = run("report", "iaps40-8c", *chosen, "--map", bad)
    assert done.exit_code != 0 and said in done.output, done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1", "must hold"),
        ("[[tables]]\nsheet = 'x'\n", "profile must be"),
        ("[[tables]]\nprofile = 'iaps40-8c'\nsheet = 'x'\n", "neither ranges nor cells"),
        ("[[tables]]\nprofile = 'p'\nsheet = 'x'\nsheets = 'y'\n", "unknown 'sheets'"),
        (
            "[[tables]]\nprofile = 'p'\nsheet = 'x'\ncells = { MS = 'A1' }\nscale = { MS = 0 }\n",
            "scale must be",
        ),
        ("[[tables", "TOML"),
    ],
)
def test_a_map_says_what_is_wrong_in_it(text, said):
    with pytest.raises(MapRefused, match=re.escape(said)):
        read_map(text.encode())


def test_what_cannot_be_written_into_is_refused():
    good = template()
    signed = with_parts(good, {"_xmlsignatures/sig1.xml": b"<a/>"})
    for source, name, said in (
        (b"D0CF11E0", "old.xlsx", "damaged"),
        (good, "old.xls", "must be one of"),
        (signed, "signed.xlsx", "is signed"),
    ):
        with pytest.raises(TemplateRefused, match=said):
            Template(source, name)
    with pytest.raises(TemplateRefused, match="no sheet 'x'"):
        Template(good, "a.xlsx").put("x", "A1", 1)


def bare(sheet: str) -> bytes:
    """A workbook of one sheet, written by hand."""
    made = io.BytesIO()
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    link = f'<Relationship Id="r1" Type="{office}/%s" Target="%s"/>'
    links = f'<Relationships xmlns="{package}">{link}</Relationships>'
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("_rels/.rels", links % ("officeDocument", "xl/workbook.xml"))
        archive.writestr("xl/_rels/workbook.xml.rels", links % ("worksheet", "/xl/worksheets/one.xml"))
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {space} xmlns:r="{office}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets>'
            "</workbook>",
        )
        archive.writestr("xl/worksheets/one.xml", sheet.replace(" S>", f" {space}>"))
    return made.getvalue()


@pytest.mark.parametrize(
    ("sheet", "made"),
    [
        (
            "<worksheet S><sheetData/></worksheet>",
            '<sheetData><row r="2"><c r="B2"><v>5</v></c></row></sheetData>',
        ),
        (
            '<worksheet S><cols><col min="2" max="3" style="4"/></cols>'
            '<sheetData><row r="1"/><row r="2" ht="9"/>'
            '<row r="7"><c r="A7"/></row></sheetData></worksheet>',
            '<row r="1"/><row r="2" ht="9"><c r="B2" s="4"><v>5</v></c></row><row r="7"><c r="A7"/></row>',
        ),
        (
            '<worksheet S><sheetData><row r="2" s="3" customFormat="1"><c r="A2"/><c r="C2"><v>1</v></c>'
            "</row></sheetData></worksheet>",
            '<c r="A2"/><c r="B2" s="3"><v>5</v></c><c r="C2"><v>1</v></c></row>',
        ),
        (
            "<worksheet S><sheetData><row><c/></row><row><c/>"
            "<c s=\"2\" t='inlineStr'><is><t>-</t></is></c></row>"
            "</sheetData></worksheet>",
            '<row><c/><c r="B2" s="2"><v>5</v></c></row>',
        ),
        (
            '<worksheet S><sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData></worksheet>',
            '<c r="A1"><v>1</v></c></row><row r="2"><c r="B2"><v>5</v></c></row></sheetData>',
        ),
        (
            '<worksheet S><sheetData><row r="9">'
            '<c r="A9"><f>B2*2</f><v>6</v></c></row></sheetData></worksheet>',
            '<row r="2"><c r="B2"><v>5</v></c></row><row r="9"><c r="A9"><f>B2*2</f></c></row>',
        ),
    ],
)
def test_a_cell_is_put_where_the_sheet_has_none(sheet, made):
    template = Template(bare(sheet), "bare.xlsx")
    template.put("S", "B2", 5)
    saved = template.save()
    assert made in parts_of(saved)["xl/worksheets/one.xml"].decode()
    assert Template(saved, "again.xlsx").before("S", "B2") == ("5", False)
    assert b'</sheets><calcPr fullCalcOnLoad="1"/>' in parts_of(saved)["xl/workbook.xml"]


def test_a_workbook_into_which_nothing_is_put_stays_byte_for_byte():
    good = template()
    assert parts_of(Template(good, "a.xlsm").save()) == parts_of(good)
