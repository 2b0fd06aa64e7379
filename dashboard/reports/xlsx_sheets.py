"""The sheets behind the table: definitions, provenance, exclusions, and the store's own figures."""

from __future__ import annotations

from xlsxwriter.utility import xl_range

from dashboard.reports import describe
from dashboard.reports.model import OPEN
from dashboard.reports.provenance import ReportProvenance
from dashboard.reports.words import say
from dashboard.reports.xlsx_layout import height_of
from data.files.safe_cells import safe_cell


def add_sheets(sheet, provenance: ReportProvenance) -> None:
    """Add the sheets to the workbook of ``sheet`` (a :class:`dashboard.reports.xlsx.Sheet`)."""
    language, table = sheet.language, sheet.table
    _listing(
        sheet,
        "sheet_definitions",
        [say(language, key) for key in ("column", "definition", "counted")],
        list(describe.definition_rows(table, language)),
        (38, 44, 90),
    )
    _provenance(sheet, provenance)
    excluded = describe.exclusion_rows(table, language)
    excluded += [(line, "—", "") for line in describe.warning_lines(table, language)]
    _listing(
        sheet,
        "sheet_exclusions",
        [say(language, key) for key in ("reason", "row", "students")],
        excluded or [(say(language, "none"), "", "")],
        (70, 12, 20),
    )
    _store_figures(sheet)


def _listing(sheet, name: str, titles: list[str], rows: list[tuple], widths: tuple) -> None:
    page = _page(sheet, name)
    head = sheet.boxed(bold=True, bg_color="#D9D9D9", text_wrap=True)
    for column, (words, width) in enumerate(zip(titles, widths, strict=True)):
        page.set_column(column, column, width)
        page.write_string(0, column, words, head)
    for row, values in enumerate(rows, start=1):
        for column, value in enumerate(values):
            page.write_string(row, column, safe_cell(value), sheet.boxed(text_wrap=True, valign="top"))
        needed = [height_of(value, width) for value, width in zip(values, widths, strict=True)]
        page.set_row(row, max(needed))  # LibreOffice gives a row that wraps no height by itself
    page.freeze_panes(1, 0)


def _page(sheet, name: str):
    page = sheet.book.add_worksheet(say(sheet.language, name))
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.hide_gridlines(2)
    page.protect("", {"format_columns": True, "format_rows": True})
    return page


def _provenance(sheet, provenance: ReportProvenance) -> None:
    language, table = sheet.language, sheet.table
    page = _page(sheet, "sheet_provenance")
    page.set_column(0, 0, 36)
    page.set_column(1, 1, 110)
    label, value = (
        sheet.boxed(bold=True, bg_color="#D9D9D9", text_wrap=True),
        sheet.boxed(text_wrap=True, align="left"),
    )
    pairs = [(say(language, "notes"), text) for text in describe.banners(table, provenance, language)]
    pairs += describe.provenance_pairs(table, provenance, language)
    pairs += [(say(language, "missing_fields"), text) for text in describe.missing_lines(table, language)]
    pairs += [(say(language, "overrides"), text) for text in override_lines(table, language)]
    for row, (words, text) in enumerate(pairs):
        page.write_string(row, 0, words, label)
        page.write_string(row, 1, safe_cell(text), value)
        page.set_row(row, max(height_of(words, 36), height_of(text, 110)))
    page.write_string(len(pairs), 0, say(language, "manual_cells"), label)
    page.write_formula(len(pairs), 1, "=" + _changed_by_hand(sheet), value, 0)


def override_lines(table, language: str) -> list[str]:
    """Figures set by hand with reason and person; what the register said only in internal files."""
    lines = []
    for change in table.overrides:
        cell = table.cell(change.row, change.column)
        before = "—" if cell.computed is None else cell.computed
        told = "" if table.external else f"{say(language, 'original_value')} {before} → "
        value = describe.MARKS[cell.state] if change.value is None else f"{change.value:g}"
        reasons = "; ".join(filter(None, (change.reason, change.second_reason)))
        lines.append(
            f"{change.row} / {change.column}: {told}{say(language, 'new_value')} {value}; "
            f"{reasons} ({change.by})"
        )
    return lines


def _editable_columns(sheet) -> list[str]:
    return [column.key for column in sheet.table.columns if column.kind != "formula"]


def _changed_by_hand(sheet) -> str:
    """A formula that counts the cells of the table which no longer say what the store said."""
    rows = [row.key for row in sheet.table.profile.rows]
    here, there = _quoted(sheet.page.get_name()), _quoted(say(sheet.language, "sheet_original"))
    parts = []
    for key in _editable_columns(sheet):
        cells = xl_range(*sheet.places[rows[0], key], *sheet.places[rows[-1], key])
        parts.append(f"SUMPRODUCT(--({here}!{cells}<>{there}!{cells}))")
    return "+".join(parts) or "0"


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _store_figures(sheet) -> None:
    """The figures as they were exported, cell for cell at the same addresses as in the table."""
    page = _page(sheet, "sheet_original")
    table = sheet.table
    page.set_column(0, 0, 28)
    for row in table.profile.rows:
        at = sheet.places[row.key, table.columns[0].key][0]
        page.write_string(at, 0, describe.row_words(table, row, sheet.language), sheet.boxed())
    page.set_row(sheet.places[table.profile.rows[0].key, table.columns[0].key][0] - 1, 60)
    for column in table.columns:
        down, across = sheet.places[table.profile.rows[0].key, column.key]
        page.write_string(
            down - 1,
            across,
            f"{column.group_label.get(sheet.language, '')} {column.label[sheet.language]}".strip(),
            sheet.boxed(text_wrap=True, bg_color="#D9D9D9"),
        )
    for key in _editable_columns(sheet):
        for row in table.profile.rows:
            cell = table.cell(row.key, key)
            place = sheet.places[row.key, key]
            mark = describe.MARKS.get(cell.state, "")
            if cell.state == OPEN:
                page.write_number(*place, cell.value, sheet.boxed())
            elif mark:
                page.write_string(*place, mark, sheet.boxed())
