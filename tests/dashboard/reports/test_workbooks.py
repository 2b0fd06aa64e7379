"""The workbook's live formulas, recalculated by LibreOffice, equal our figures, and edits move them."""

import io
import math
import os
import shutil
import subprocess

import openpyxl
import pytest

from dashboard.reports.conditions import Selection
from dashboard.reports.model import MARKS, OPEN, SUPPRESSED, Override
from dashboard.reports.profile import load_profile, profile_ids, profile_levels
from dashboard.reports.provenance import ReportProvenance, content_hash, to_content
from dashboard.reports.suppress import suppress
from dashboard.reports.table import compute_table
from dashboard.reports.xlsx import to_xlsx

PROVENANCE = ReportProvenance(
    institution="=HYPERLINK(1)", imports=(("i1", "2026-08-15", "+cmd.csv"),), synthetic=True
)


@pytest.fixture(scope="module")
def tables(flow, active):
    found = {}
    for name in profile_ids():
        levels = profile_levels(name)
        level = "S1" if "S1" in levels else next(iter(levels), "")
        found[name] = compute_table(
            load_profile(name, level), flow, Selection(2025, "55201", "@Informatika", level), active=active
        )
    return found


def recalculated(folder, books: dict[str, bytes]) -> dict[str, openpyxl.Workbook]:
    """Books whose stored results were thrown away, calculated again by LibreOffice."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(
                "LibreOffice is needed in CI: apt-get install --no-install-recommends libreoffice-calc"
            )
        pytest.skip("LibreOffice (soffice) is not installed")
    bare, done = folder / "bare", folder / "done"
    bare.mkdir(), done.mkdir()
    for name, data in books.items():
        (bare / f"{name}.xlsx").write_bytes(data)
    command = [
        program,
        f"-env:UserInstallation=file://{folder}/profile",
        "--headless",
        "--convert-to",
        "xlsx",
    ]
    subprocess.run(
        [*command, "--outdir", str(done), *map(str, bare.glob("*.xlsx"))],
        check=True,
        capture_output=True,
        timeout=180,
    )
    return {name: openpyxl.load_workbook(done / f"{name}.xlsx", data_only=True) for name in books}


def without_results(data: bytes, edits=()) -> bytes:
    """The book as an officer's edit leaves it: cells changed, no stored results."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for address, value in edits:
        book.worksheets[0][address] = value
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def body(sheet, table):
    """Figures of the sheet by (row key, column key), found by the row of column numbers above the body."""
    start = (
        next(row for row in range(1, 40) if [sheet.cell(row, c).value for c in (1, 2, 3)] == [1, 2, 3]) + 1
    )
    return {
        (row.key, column.key): sheet.cell(start + down, across + 2).value
        for down, row in enumerate(table.rows)
        for across, column in enumerate(table.columns)
    }


def indicators(sheet, table, language="id"):
    """(value, score) by indicator key, found by its label."""
    labels = {line.indicator.label[language]: line.indicator.key for line in table.lines}
    found = {}
    for row in sheet.iter_rows(min_row=1, max_row=60):
        if row[0].value in labels:
            filled = [cell.value for cell in row[1:] if cell.value is not None]
            found[labels[row[0].value]] = filled[:2]
    return found


def expected(value, state):
    return value if value is not None else (MARKS.get(state) or None)


def assert_same(sheet, table):
    for address, shown in body(sheet, table).items():
        cell = table.cell(*address)
        if cell.value is not None:
            assert shown == pytest.approx(cell.value), address
        elif cell.kind == "formula" and cell.state != "closed":
            assert shown in ("—", MARKS.get(cell.state)), address
        else:
            assert shown == expected(None, cell.state), address
    for key, shown in indicators(sheet, table).items():
        line = table.line(key)
        if line.state == OPEN:
            assert shown[0] == pytest.approx(line.value), key
        if line.score is not None:
            assert shown[1] == pytest.approx(line.score), key


@pytest.mark.slow
def test_libreoffice_recalculates_every_profile_to_our_figures(tables, tmp_path):
    books = {name: without_results(to_xlsx(table, PROVENANCE, "id")) for name, table in tables.items()}
    for name, book in recalculated(tmp_path, books).items():
        assert_same(book.worksheets[0], tables[name])


@pytest.mark.slow
def test_an_edited_yellow_cell_moves_totals_indicators_and_the_count_of_changes(
    tables, flow, ts2025, tmp_path
):
    table = tables["iaps40-8c"]
    data = to_xlsx(table, PROVENANCE, "id")
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    address = cell_of(sheet, table, "TS-3", "graduated@TS")
    edited = recalculated(tmp_path, {"edited": without_results(data, [(address, 3)])})["edited"]
    by_hand = (Override("TS-3", "graduated@TS", 3, "edit in the sheet", "officer"),)
    ours = compute_table(load_profile("iaps40-8c", "S1"), flow, ts2025, overrides=by_hand)
    figures = body(edited.worksheets[0], table)
    assert figures["TS-3", "total"] == 3 == ours.cell("TS-3", "total").value
    found = indicators(edited.worksheets[0], table)
    for key in ("MS", "PTW", "PPS"):
        assert found[key] == pytest.approx([ours.line(key).value, ours.line(key).score])
    assert found["PTW"] == pytest.approx([3 / 4, 4])
    changed = [
        row for row in edited["Asal-usul"].iter_rows(values_only=True) if row[0].startswith("Sel yang diubah")
    ]
    assert changed[0][1] == 1


def cell_of(sheet, table, row_key, column_key):
    start = (
        next(row for row in range(1, 40) if [sheet.cell(row, c).value for c in (1, 2, 3)] == [1, 2, 3]) + 1
    )
    down = [row.key for row in table.rows].index(row_key)
    across = [column.key for column in table.columns].index(column_key)
    return sheet.cell(start + down, across + 2).coordinate


def test_the_results_stored_in_the_file_equal_our_figures(tables):
    for table in tables.values():
        book = openpyxl.load_workbook(io.BytesIO(to_xlsx(table, PROVENANCE, "id")), data_only=True)
        assert_same(book.worksheets[0], table)


def test_yellow_cells_are_open_and_formulas_are_locked(tables):
    table = tables["iaps40-8c"]
    sheet = openpyxl.load_workbook(io.BytesIO(to_xlsx(table, PROVENANCE, "id"))).worksheets[0]
    assert sheet.protection.sheet
    accepted = sheet[cell_of(sheet, table, "TS-6", "accepted")]
    total = sheet[cell_of(sheet, table, "TS-6", "total")]
    closed = sheet[cell_of(sheet, table, "TS-6", "graduated@TS-6")]
    assert not accepted.protection.locked and accepted.fill.fgColor.rgb == "FFFFF2B3"
    assert total.protection.locked and str(total.value).startswith("=SUM(")
    assert closed.protection.locked and closed.value is None


def test_headers_are_merged_as_the_instrument_merges_them(tables):
    table = tables["iaps40-8c"]
    sheet = openpyxl.load_workbook(io.BytesIO(to_xlsx(table, PROVENANCE, "id"))).worksheets[0]
    merged = {
        str(sheet.cell(area.min_row, area.min_col).value): str(area) for area in sheet.merged_cells.ranges
    }
    first, last = merged["Jumlah Mahasiswa yang Lulus pada"].split(":")
    assert (first[0], last[0]) == ("C", "I")
    first, last = merged["Tahun Masuk"].split(":")
    assert first[0] == last[0] == "A" and int(last[1:]) == int(first[1:]) + 1


def test_definitions_provenance_and_exclusions_are_in_the_file(tables):
    table = tables["iaps40-8c"]
    proof = PROVENANCE.to_json() | {"content_sha256": content_hash(to_content(table))}
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(table, ReportProvenance.from_json(proof), "en")))
    assert book.sheetnames == ["8.c", "Definitions", "Provenance", "Exclusions", "Store figures"]
    words = " ".join(str(cell) for row in book["Provenance"].iter_rows(values_only=True) for cell in row)
    for needed in (
        content_hash(to_content(table)),
        "iaps40-8c v1.2.0",
        "31 August 2026",
        "Synthetic demo data",
        "i1",
    ):
        assert needed in words
    excluded = [row[:3] for row in book["Exclusions"].iter_rows(values_only=True)]
    assert ("Entered by transfer", "—", "2") in excluded


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_row_of_the_sheets_behind_the_table_is_as_high_as_its_longest_text(tables, language):
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(tables["iaps40-8c"], PROVENANCE, language)))
    listing = book.worksheets[1]
    lines = 0
    for row in listing.iter_rows(min_row=2):
        needed = max(
            math.ceil(len(str(cell.value or "")) / listing.column_dimensions[cell.column_letter].width)
            for cell in row
        )
        lines = max(lines, needed)
        assert listing.row_dimensions[row[0].row].height >= 10 * needed
    assert lines > 1  # a definition that wraps is among them


def test_no_text_of_the_data_can_become_a_formula(tables):
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(tables["iaps40-2a"], PROVENANCE, "id")))
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                text = str(cell.value or "")
                assert "HYPERLINK" not in text or text.startswith("'=")
                assert "+cmd" not in text or not text.startswith("+")
                if cell.data_type == "f":
                    assert text.startswith(("=SUM", "=IF", "=IFERROR"))


def test_a_suppressed_book_holds_no_hidden_figure_anywhere(tables):
    table = tables["iaps40-8c"]
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(suppress(table), PROVENANCE, "en")))
    hidden = [key for key, cell in suppress(table).cells.items() if cell.state == SUPPRESSED]
    assert hidden
    for name in ("8.c", "Store figures"):
        for row, column in hidden:
            address = cell_of(book["8.c"], table, row, column)
            assert book[name][address].value in ("*", None)


def test_equal_content_gives_equal_bytes(tables):
    table = tables["iaps40-8c"]
    assert to_xlsx(table, PROVENANCE, "id") == to_xlsx(table, PROVENANCE, "id")


@pytest.mark.slow
def test_pooled_figures_follow_the_cells_and_counts_of_the_register_say_that_they_do_not(tables, tmp_path):
    table = tables["iaps40-8c"]
    data = to_xlsx(table, PROVENANCE, "id")
    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    before = table.line("on_time").value
    # first open cells: TS-6 at TS-3, TS-5 at TS-2, TS-4 at TS-1, TS-3 at TS
    opened = (("TS-6", "TS-3"), ("TS-5", "TS-2"), ("TS-4", "TS-1"), ("TS-3", "TS"))
    assert before == sum(table.cell(row, f"graduated@{year}").value for row, year in opened)
    address = cell_of(sheet, table, "TS-5", "graduated@TS-2")
    more = table.cell("TS-5", "graduated@TS-2").value + 2
    edited = recalculated(tmp_path, {"edited": without_results(data, [(address, more)])})["edited"]
    found = indicators(edited.worksheets[0], table)
    accepted = sum(table.cell(row, "accepted").value for row, _ in opened)
    assert found["on_time"][0] == before + 2
    assert found["PTW_pooled"][0] == pytest.approx((before + 2) / accepted)
    assert found["MDO"] == pytest.approx([table.line("MDO").value, table.line("MDO").score])
    told = "Dihitung dari data; tidak ikut berubah bila sel diubah"
    for line in table.lines:
        rules = [
            str(row[-1].value)
            for row in ([cell for cell in row if cell.value is not None] for row in sheet.iter_rows())
            if row and row[0].value == line.indicator.label["id"]
        ]
        assert rules and (told in rules[0]) == (not line.indicator.formula), line.indicator.key
