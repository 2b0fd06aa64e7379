"""A report as a PDF to sign: the table as the instrument prints it, indicators, signatures, provenance."""

from __future__ import annotations

from datetime import UTC

from dashboard.reports import describe
from dashboard.reports.charts import table_charts
from dashboard.reports.glyphs import SIGN
from dashboard.reports.model import CLOSED, TOTAL_ROW, ReportTable
from dashboard.reports.provenance import SIGNATORIES, Provenance, ReportProvenance
from dashboard.reports.typeset import typeset
from dashboard.reports.words import figure, say
from dashboard.reports.xlsx_sheets import override_lines

WIDE = 7  # columns of figures from which on the page is turned
CHROME = (
    "indicator value score rule signature_block name date sheet_definitions sheet_exclusions "
    "sheet_provenance overrides none"
).split()


def to_pdf(table: ReportTable, provenance: ReportProvenance, language: str) -> bytes:
    """The report as a tagged PDF, A4.

    Parameters
    ----------
    table : ReportTable
        Suppressed before, where it is to leave the institution.
    provenance : ReportProvenance
    language : {"id", "en"}
    """
    return typeset("table", table_data(table, provenance, language))


def table_data(table: ReportTable, provenance: ReportProvenance, language: str) -> dict:
    """What the template prints."""
    blocks = [
        (say(language, "missing_fields"), describe.missing_lines(table, language)),
        (say(language, "warnings"), describe.warning_lines(table, language)),
        (say(language, "legend"), [f"{mark} = {words}" for mark, words in describe.legend(table, language)]),
        (say(language, "notes"), describe.standing_notes(table, language)),
    ]
    return common_data(provenance, language, describe.title(table, language)) | {
        "banners": describe.banners(table, provenance, language),
        "footer": footer(table, provenance, language),
        "landscape": len(table.columns) >= WIDE,
        "header": describe.header_pairs(table, provenance, language),
        "widths": [2.4, *(1.25 if column.aggregate != "count" else 1.0 for column in table.columns)],
        "head": head_cells(table, language),
        "body": body_cells(table, language),
        "lines": describe.line_rows(table, language),
        "blocks": [block for block in blocks if block[1]],
        "charts": [vars(chart) for chart in table_charts(table, language)],
        "definitions": {
            "head": [say(language, key) for key in ("column", "definition", "counted")],
            "rows": list(describe.definition_rows(table, language)),
        },
        "exclusions": {
            "head": [say(language, key) for key in ("reason", "row", "students")],
            "rows": describe.exclusion_rows(table, language),
        },
        "provenance": describe.provenance_pairs(table, provenance, language),
        "signatories": [
            {
                "role": say(language, role),
                "name": provenance.signatories.get(role, ""),
                "number": provenance.signatory_numbers.get(role, ""),
                "place": provenance.place,
            }
            for role in SIGNATORIES
        ],
        "overrides": override_lines(table, language),
    }


def common_data(provenance: Provenance, language: str, title: str) -> dict:
    """What every template needs: language, title, words."""
    return {
        "lang": language,
        "title": title,
        "author": provenance.institution or "Tepat",
        "made": _date_parts(provenance),
        "sign_note": say(language, "sign_note", sign=SIGN),
        "page_of": say(language, "page_of", page="{page}", pages="{pages}"),
        "words": {key: say(language, key) for key in CHROME},
        "banners": [say(language, "synthetic")] if provenance.synthetic else [],
    }


def _date_parts(provenance: Provenance) -> dict:
    """The date that the document bears, as the template takes it (UTC); empty where none is known."""
    made = provenance.made
    if made is not None and made.tzinfo is not None:
        made = made.astimezone(UTC)
    if made is None:
        return {}
    names = ("year", "month", "day", "hour", "minute", "second")
    return {name: getattr(made, name) for name in names}


def footer(table: ReportTable, provenance: ReportProvenance, language: str) -> str:
    """The line at the foot of every page: profile, report, seal."""
    profile = table.profile
    parts = [f"{profile.id} v{profile.version}", provenance.software]
    if provenance.report_id:
        parts.append(f"{say(language, 'report_id')} {provenance.report_id}, v{provenance.report_version}")
    return " · ".join(filter(None, (*parts, describe.checksum_words(provenance, language))))


def head_cells(table: ReportTable, language: str) -> list[dict]:
    """Header cells with their spans, row by row, then the row of column numbers."""
    columns = table.columns
    grouped = any(column.group for column in columns)
    upper = [{"text": table.profile.row_label[language], "rowspan": 1 + grouped}]
    lower = []
    at = 0
    while at < len(columns):
        column, end = columns[at], at
        while column.group and end + 1 < len(columns) and columns[end + 1].group == column.group:
            end += 1
        if column.group:
            upper.append({"text": column.group_label[language], "colspan": end - at + 1})
            lower += [{"text": inner.label[language]} for inner in columns[at : end + 1]]
        else:
            upper.append({"text": column.label[language], "rowspan": 1 + grouped})
        at = end + 1
    return [cell | {"fill": "head"} for cell in (*upper, *lower)]


def body_cells(table: ReportTable, language: str) -> list[dict]:
    """Cells of the body, the row of totals last."""
    cells = []
    for row in table.rows:
        total = row.key == TOTAL_ROW
        cells.append({"text": describe.row_words(table, row, language), "left": True, "bold": total})
        for column in table.columns:
            cell = table.cell(row.key, column.key)
            shown = {"text": figure(cell.value, column.format, language, cell.state), "bold": total}
            if cell.state == CLOSED:
                shown["fill"] = "closed"
            elif cell.kind == "input":
                shown["fill"] = "entry"
            cells.append(shown)
    return cells
