"""A profile's formulas as live formulas over the cells of the sheet."""

from __future__ import annotations

from xlsxwriter.utility import xl_range, xl_rowcol_to_cell

from dashboard.reports.expressions import parse, plain_references, to_excel
from dashboard.reports.formulas import meant_cells
from dashboard.reports.profile_checks import OPENED
from dashboard.reports.xlsx_layout import Sheet

DASH = "—"


def live_formula(sheet: Sheet, formula: str, row: str | None) -> str:
    """A profile's formula over the cells of this sheet; a dash where it has no number to give."""
    profile, node = sheet.table.profile, parse(formula)
    optional = {column.key for column in profile.columns if column.optional}

    def address(name: str, at: str) -> str:
        if name in sheet.lines:
            return xl_rowcol_to_cell(*sheet.lines[name])
        if name in profile.constants:
            return f"{profile.constants[name]:g}"
        spots = [sheet.places[cell] for cell in meant_cells(profile, name, at, row)]
        if len(spots) == 1 or at == OPENED:
            return ",".join(xl_rowcol_to_cell(*spot) for spot in spots)
        return xl_range(*min(spots), *max(spots))

    plain = plain_references(node)
    body = to_excel(node, address)
    guards = [f"ISNUMBER({address(*ref)})" for ref in plain if ref[0] not in {*optional, *profile.constants}]
    if row is None and node.kind == "call" and name_of_column(profile, node):
        needed = 1 if name_of_column(profile, node) in optional else len(profile.rows)
        return f'IF(COUNT({body[4:-1]})<{needed},"{DASH}",{body})'
    if "/" in body or "AVERAGE" in body or guards:
        body = f'IFERROR({body},"{DASH}")'
    if guards:
        test = guards[0] if len(guards) == 1 else f"AND({','.join(guards)})"
        body = f'IF({test},{body},"{DASH}")'
    return body


def name_of_column(profile, node) -> str:
    """The column that a plain ``sum(column)`` adds up; empty for any other formula."""
    part = node.parts[0] if node.kind == "call" and node.name == "sum" and len(node.parts) == 1 else None
    known = (
        part
        and part.kind == "ref"
        and not part.row
        and any(part.name == column.key for column in profile.columns)
    )
    return part.name if known else ""
