"""A report as a workbook in the instrument's layout, with formulas that recompute.

Grey headers, merged as the instrument merges them; yellow cells may be corrected, everything else is locked.
A formula cell holds the profile's formula, so a corrected yellow cell moves totals, indicators and scores.
Further sheets: definitions, provenance (with a live count of the cells changed by hand), exclusions, and the
store's own figures for comparison. Texts that begin like a formula are escaped.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from dashboard.reports import describe
from dashboard.reports.formulas import reads
from dashboard.reports.model import (
    CLOSED,
    EMPTY,
    MARKS,
    MISSING,
    OPEN,
    SUPPRESSED,
    TOTAL_ROW,
    Cell,
    ReportTable,
)
from dashboard.reports.provenance import SIGNATORIES, Provenance, ReportProvenance
from dashboard.reports.words import say
from dashboard.reports.xlsx_formulas import DASH, live_formula
from dashboard.reports.xlsx_layout import CLOSED_GREY, GREY, LABEL_WIDTH, NUMBER_FORMATS, YELLOW, Sheet, merge
from dashboard.reports.xlsx_sheets import add_sheets
from data.files.safe_cells import safe_cell

MADE = datetime(2000, 1, 1)  # where no day is known: the same content must give the same bytes
EDITABLE = (OPEN, MISSING, EMPTY)
CHANGED = "#F4B183"  # of a cell that no longer says what was exported


def to_xlsx(table: ReportTable, provenance: ReportProvenance, language: str) -> bytes:
    """The workbook.

    Parameters
    ----------
    table : ReportTable
        Suppressed before, where it is to leave the institution.
    provenance : ReportProvenance
    language : {"id", "en"}

    Returns
    -------
    bytes
        Equal for equal arguments.
    """
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties(
        {
            "title": describe.title(table, language),
            "created": created(provenance),
            "comments": describe.checksum_words(provenance, language, None),
        }
    )
    book.set_calc_mode("auto")
    name = f"{table.profile.number}"[:31].replace("/", "-")
    sheet = Sheet(book, book.add_worksheet(name), table, language, {}, {}, {})
    row = _head(sheet, provenance)
    row = _headings(sheet, row)
    row = _body(sheet, row)
    row = _indicators(sheet, row + 1)
    row = _remarks(sheet, row + 1)
    _signatures(sheet, provenance, row + 1)
    _page_setup(sheet, provenance)
    _guard_entries(sheet)
    add_sheets(sheet, provenance)
    book.close()
    return buffer.getvalue()


def created(provenance: Provenance) -> datetime:
    """The date that a workbook bears (UTC), that of its provenance: equal content gives equal bytes."""
    made = provenance.made
    if made is None:
        return MADE
    return (made.astimezone(UTC) if made.tzinfo else made).replace(tzinfo=None, microsecond=0)


def _guard_entries(sheet: Sheet) -> None:
    """Cells that may be corrected take no text and nothing below 0, and show when they were changed."""
    language, there = sheet.language, say(sheet.language, "sheet_original").replace("'", "''")
    changed = sheet.book.add_format({"bg_color": CHANGED, "bold": True})
    for row in sheet.table.profile.rows:
        for column in sheet.table.columns:
            cell = sheet.table.cells.get((row.key, column.key))
            if cell is None or cell.kind == "formula" or cell.state not in EDITABLE:
                continue
            place = sheet.places[row.key, column.key]
            whole = column.format == "0"
            rule = {"validate": "integer" if whole else "decimal", "criteria": ">=", "value": 0}
            rule |= {"error_title": say(language, "entry_refused")}
            rule |= {"error_message": say(language, "entry_whole" if whole else "entry_number")}
            sheet.page.data_validation(*place, *place, rule)
            name = xl_rowcol_to_cell(*place)
            test = {"type": "formula", "criteria": f"={name}<>'{there}'!{name}", "format": changed}
            sheet.page.conditional_format(*place, *place, test)


def _head(sheet: Sheet, provenance: ReportProvenance) -> int:
    page, last = sheet.page, sheet.last
    page.set_row(0, 24)
    page.merge_range(
        0,
        0,
        0,
        last,
        describe.title(sheet.table, sheet.language),
        sheet.look(bold=True, font_size=13, shrink=True),
    )
    row = 1
    for banner in describe.banners(sheet.table, provenance, sheet.language):
        page.merge_range(row, 0, row, last, banner, sheet.look(bold=True, font_color="#9C0006"))
        row += 1
    for label, value in describe.header_pairs(sheet.table, provenance, sheet.language):
        page.write_string(row, 0, label, sheet.look(font_color="#595959", valign="top"))
        look = sheet.look(bold=True, align="left", valign="top", text_wrap=True)
        page.merge_range(row, 1, row, last, safe_cell(value), look)
        sheet.fit(row, value, 1, last, least=15)
        row += 1
    return row + 1


def _headings(sheet: Sheet, row: int) -> int:
    """Two header rows, groups merged across and single columns down, then the row of column numbers."""
    page, columns, language = sheet.page, sheet.table.columns, sheet.language
    head = sheet.boxed(bold=True, bg_color=GREY, align="center", text_wrap=True)
    grouped = any(column.group for column in columns)
    page.set_row(row, 32 if grouped else 46)
    if grouped:
        longest = max(len(column.label[language]) for column in columns if column.group)
        page.set_row(row + 1, 18 if longest < sheet.column_width else 32)
    merge(page, row, 0, row + grouped, 0, sheet.table.profile.row_label[language], head)
    at = 0
    while at < len(columns):
        column = columns[at]
        if not column.group:
            merge(page, row, at + 1, row + grouped, at + 1, column.label[language], head)
            at += 1
            continue
        end = at
        while end + 1 < len(columns) and columns[end + 1].group == column.group:
            end += 1
        merge(page, row, at + 1, row, end + 1, column.group_label[language], head)
        for inner in range(at, end + 1):
            page.write_string(row + 1, inner + 1, columns[inner].label[language], head)
        at = end + 1
    row += 1 + grouped
    small = sheet.boxed(bg_color=GREY, align="center", font_size=8)
    for number in range(len(columns) + 1):
        page.write_number(row, number, number + 1, small)
    return row + 1


def _body(sheet: Sheet, row: int) -> int:
    rows, columns = sheet.table.rows, sheet.table.columns
    for down, each in enumerate(rows):
        for across, column in enumerate(columns):
            sheet.places[each.key, column.key] = (row + down, across + 1)
    for down, each in enumerate(rows):
        sheet.page.set_row(row + down, 18)
        bold = each.key == TOTAL_ROW
        words = describe.row_words(sheet.table, each, sheet.language)
        sheet.page.write_string(
            row + down, 0, words, sheet.boxed(bold=bold, bg_color=GREY, text_wrap=True, indent=1)
        )
        for column in columns:
            _write_cell(sheet, sheet.table.cell(each.key, column.key), column.format, bold)
    return row + len(rows)


def _write_cell(sheet: Sheet, cell: Cell, form: str, bold: bool = False) -> None:
    row, column = sheet.places[cell.row, cell.column]
    if cell.state == CLOSED:
        sheet.page.write_blank(row, column, None, sheet.boxed(bg_color=CLOSED_GREY))
    elif cell.kind != "formula":
        open_to_edit = cell.state in EDITABLE
        paint = {"bg_color": YELLOW, "locked": False} if open_to_edit else {}
        look = sheet.boxed(num_format=NUMBER_FORMATS[form], align="right", indent=1, **paint)
        _write_figure(sheet.page, row, column, cell.value, MARKS.get(cell.state, ""), look)
    else:
        look = sheet.boxed(num_format=NUMBER_FORMATS[form], align="right", indent=1, bold=bold)
        at = None if cell.row == TOTAL_ROW else cell.row
        _write_formula(sheet, (row, column), cell.formula, at, (cell.value, cell.state), look)


def _write_figure(page, row: int, column: int, value, mark: str, look) -> None:
    if value is not None:
        page.write_number(row, column, value, look)
    elif mark:
        page.write_string(row, column, mark, look)
    else:
        page.write_blank(row, column, None, look)


def _write_formula(sheet: Sheet, place, formula: str, row: str | None, result, look) -> None:
    """The live formula; the figure or its mark alone where an input is hidden or cannot be known yet."""
    value, state = result
    inputs = [sheet.table.cells[read].state for read in reads(sheet.table.profile, formula, row)]
    if state in (OPEN, EMPTY, MISSING) and SUPPRESSED not in inputs:
        shown = value if value is not None else DASH
        sheet.page.write_formula(*place, "=" + live_formula(sheet, formula, row), look, shown)
    else:
        _write_figure(sheet.page, *place, value, MARKS.get(state, DASH), look)


def _indicators(sheet: Sheet, row: int) -> int:
    if not sheet.table.lines:
        return row
    page, language, last = sheet.page, sheet.language, sheet.last
    head = sheet.boxed(bold=True, bg_color=GREY, text_wrap=True, indent=1)
    wide = max(1, min(3, last - 2))  # label over column A and the next ones, so that rules have room
    titles = [say(language, key) for key in ("indicator", "value", "score", "rule")]
    merge(page, row, 0, row, wide - 1, titles[0], head)
    page.write_string(row, wide, titles[1], head)
    page.write_string(row, wide + 1, titles[2], head)
    merge(page, row, wide + 2, row, max(last, wide + 2), titles[3], head)
    plain, small = sheet.boxed(text_wrap=True, indent=1), sheet.boxed(text_wrap=True, font_size=8, indent=1)
    for line in sheet.table.lines:
        row += 1
        part = line.indicator
        sheet.lines[part.key] = (row, wide)
        sheet.fit(row, part.label[language], 0, wide - 1, least=20)
        merge(page, row, 0, row, wide - 1, part.label[language], plain)
        look = sheet.boxed(num_format=NUMBER_FORMATS[part.format], align="right", indent=1)
        if part.formula:
            _write_formula(sheet, (row, wide), part.formula, None, (line.value, line.state), look)
        else:
            _write_figure(page, row, wide, line.value, MARKS.get(line.state, DASH), look)
        _write_score(sheet, line, row, wide + 1)
        rule = describe.rule_words(sheet.table, part.key, language)
        merge(page, row, wide + 2, row, max(last, wide + 2), rule, small)
    return row + 1


def _write_score(sheet: Sheet, line, row: int, column: int) -> None:
    look = sheet.boxed(num_format="0.00", align="right", indent=1, bold=True)
    if line.indicator.score and line.state in (OPEN, EMPTY, MISSING):
        cell = xl_rowcol_to_cell(row, column - 1)
        shown = line.score if line.score is not None else DASH
        sheet.page.write_formula(row, column, "=" + line.indicator.score.excel(cell), look, shown)
    elif line.indicator.score:
        sheet.page.write_string(row, column, MARKS.get(line.state, DASH), look)
    else:
        sheet.page.write_blank(row, column, None, look)


def _remarks(sheet: Sheet, row: int) -> int:
    language, table = sheet.language, sheet.table
    blocks = [
        (say(language, "missing_fields"), describe.missing_lines(table, language)),
        (say(language, "warnings"), describe.warning_lines(table, language)),
        (say(language, "legend"), [f"{mark} = {words}" for mark, words in describe.legend(table, language)]),
        (say(language, "notes"), [*describe.standing_notes(table, language), say(language, "mark_input")]),
    ]
    for heading, lines in blocks:
        if lines:
            sheet.page.write_string(row, 0, heading, sheet.look(bold=True))
            row += 1
        for line in lines:
            look = sheet.look(text_wrap=True, font_size=9, valign="top")
            sheet.page.merge_range(row, 0, row, sheet.last, safe_cell(line), look)
            sheet.fit(row, line, 0, sheet.last, least=14)
            row += 1
    return row


def _signatures(sheet: Sheet, provenance: ReportProvenance, row: int) -> None:
    language, page = sheet.language, sheet.page
    page.write_string(row, 0, say(language, "signature_block"), sheet.look(bold=True))
    row += 1
    half = max(1, sheet.last // 2)
    for role in SIGNATORIES:
        page.set_row(row, 34)
        page.write_string(row, 0, say(language, role), sheet.boxed(text_wrap=True, indent=1))
        told = (provenance.signatories.get(role, ""), provenance.signatory_numbers.get(role, ""))
        name = safe_cell("\n".join(filter(None, told)))
        merge(page, row, 1, row, half, name, sheet.boxed(locked=False, text_wrap=True))
        where = safe_cell(f"{provenance.place}, " if provenance.place else "")
        look = sheet.boxed(locked=False, valign="bottom")
        merge(page, row, half + 1, row, max(half + 1, sheet.last), where, look)
        row += 1


def _page_setup(sheet: Sheet, provenance: ReportProvenance) -> None:
    page = sheet.page
    page.set_column(0, 0, LABEL_WIDTH)
    page.set_column(1, sheet.last, sheet.column_width)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 1)
    page.set_margins(0.5, 0.5, 0.6, 0.6)
    checksum = describe.checksum_words(provenance, sheet.language)
    page.set_footer(f"&L&8 {checksum}&R&8 &P / &N")  # "&8" and a digit would be a size
    page.hide_gridlines(2)
    page.protect("", {"format_columns": True, "format_rows": True})
