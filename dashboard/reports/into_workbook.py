"""The figures of a report in an office's own workbook: a map says which figure belongs into which cell.

The map is a TOML file. Each ``[[tables]]`` names a profile and a sheet; ``ranges`` gives for a column of the
profile the cells of its rows, in the order of ``rows`` (default: as the profile has them), ``cells`` single
ones (``"TS-3/admitted"``, ``"total/admitted"``, an indicator ``"ms"``, its score ``"ms.score"``), ``scale`` a
factor where the sheet wants percent points.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

from dashboard.reports.model import CLOSED, MARKS, MISSING, OPEN, SUPPRESSED, TOTAL_ROW, ReportTable
from dashboard.reports.sheet_patch import Template
from dashboard.reports.sheet_spans import TemplateRefused, cells_of

KEYS = {"profile", "sheet", "rows", "ranges", "cells", "scale"}
WRITTEN, EMPTIED, KEPT = "written", "emptied", "kept"
STALE = {
    "xl/charts/": "charts show the old figures until the file is opened in a spreadsheet program",
    "xl/pivotCache/": "pivot tables show the old figures until they are refreshed",
}


class MapRefused(ValueError):
    """A map that names what does not exist, or one cell twice."""


@dataclass(frozen=True)
class MappedTable:
    """Where the figures of one profile go.

    Parameters
    ----------
    profile : str
    sheet : str
    rows : tuple of str
        Row keys in the order of the ranges; empty: the profile's own order.
    ranges : mapping of str to str
        Column key → range of one column or row of the sheet.
    cells : mapping of str to str
        ``row/column``, indicator or ``indicator.score`` → cell.
    scale : mapping of str to float
        Column or indicator → factor, finite and > 0.
    """

    profile: str
    sheet: str
    rows: tuple[str, ...] = ()
    ranges: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)
    scale: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """What happened to a cell of the template.

    Parameters
    ----------
    sheet, address : str
    figure : str
        As the map names it.
    act : {"written", "emptied", "kept"}
        Emptied: the figure is not known or has no denominator, and an old one must not stand for it. Kept:
        closed by the instrument, or a figure that the register lacks and the office may have filled in.
    value : float, int, str or None
        What stands there now.
    before : str
        What stood there.
    """

    sheet: str
    address: str
    figure: str
    act: str
    value: float | int | str | None
    before: str


def read_map(data: bytes) -> tuple[MappedTable, ...]:
    """The tables of a map.

    Raises
    ------
    MapRefused
        With the place and what is wrong.
    """
    try:
        told = tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MapRefused(f"the map must be a TOML file in UTF-8: {error}") from error
    if set(told) != {"tables"} or not isinstance(told["tables"], list):
        raise MapRefused(f"a map must hold [[tables]] and nothing else, got {', '.join(told) or 'nothing'}")
    return tuple(_mapped(number, given) for number, given in enumerate(told["tables"], start=1))


def _mapped(number: int, given: dict) -> MappedTable:
    if unknown := sorted(set(given) - KEYS):
        raise MapRefused(
            f"table {number} of the map: unknown {unknown[0]!r}; it may hold {', '.join(sorted(KEYS))}"
        )
    for name, kind in (("profile", str), ("sheet", str), ("rows", list)):
        if not isinstance(given.get(name, kind()), kind) or (kind is str and not given.get(name)):
            raise MapRefused(
                f"table {number} of the map: {name} must be a {kind.__name__}, got {given.get(name)!r}"
            )
    for name, kind in (("ranges", str), ("cells", str), ("scale", (int, float))):
        part = given.get(name, {})
        if not isinstance(part, dict) or not all(isinstance(value, kind) for value in part.values()):
            raise MapRefused(
                f"table {number} of the map: {name} must give one value for each key, got {part!r}"
            )
    if wrong := [value for value in given.get("scale", {}).values() if not 0 < value < 1e9]:
        raise MapRefused(f"table {number} of the map: scale must be > 0, got {wrong[0]!r}")
    if not (given.get("ranges") or given.get("cells")):
        raise MapRefused(f"table {number} of the map: neither ranges nor cells")
    return MappedTable(**given | {"rows": tuple(given.get("rows", ()))})


def write_into(template: Template, table: ReportTable, mapped: MappedTable) -> list[Step]:
    """Set the cells of a template that a map names for a table.

    Parameters
    ----------
    template : Template
        Changed; nothing is written to disk.
    table : ReportTable
        Suppressed before, where the file is public.
    mapped : MappedTable
        Of the same profile.

    Raises
    ------
    MapRefused
        When the map names a row, column or indicator that the table lacks, or a range of another length.
    dashboard.reports.sheet_spans.TemplateRefused
        When a cell holds a formula or a text with letters, or lies inside a merged range.
    """
    steps, seen = [], {}
    for figure, address in _addresses(table, mapped):
        if address in seen:
            raise MapRefused(f"{mapped.sheet}!{address} is named twice: for {seen[address]} and for {figure}")
        seen[address] = figure
        value, state, kind, name = _figure(table, figure)
        before, formula = template.before(mapped.sheet, address)
        if any(letter.isalpha() for letter in before) and not formula:
            raise TemplateRefused(
                f"{template.name}: {mapped.sheet}!{address} holds the text {before[:40]!r}, so it is no cell "
                f"for {figure}; correct the map"
            )
        if state == CLOSED or (state == MISSING and kind == "input"):
            steps.append(Step(mapped.sheet, address, figure, KEPT, before or None, before))
            continue
        if state == OPEN and value is not None:
            value = value * mapped.scale.get(name, 1) if name in mapped.scale else value
        else:
            value = MARKS[SUPPRESSED] if state == SUPPRESSED else None
        template.put(mapped.sheet, address, value)
        act = EMPTIED if value is None else WRITTEN
        steps.append(Step(mapped.sheet, address, figure, act, value, before))
    return steps


def warnings_of(template: Template) -> list[str]:
    """What in the template will show old figures for a while, to be said before it is written."""
    return [STALE[folder] for folder in template.holds(*STALE)]


def _addresses(table: ReportTable, mapped: MappedTable) -> list[tuple[str, str]]:
    rows = mapped.rows or tuple(row.key for row in table.profile.rows)
    found = []
    for column, area in mapped.ranges.items():
        cells = cells_of(area)
        if len(cells) != len(rows):
            raise MapRefused(
                f"{mapped.profile}: range {area} of {column} has {len(cells)} cells for {len(rows)} rows "
                f"({', '.join(rows)})"
            )
        found += [(f"{row}/{column}", cell) for row, cell in zip(rows, cells, strict=True)]
    return found + [(figure, cells_of(cell)[0]) for figure, cell in mapped.cells.items()]


def _figure(table: ReportTable, figure: str):
    """``(value, state, kind, name)`` of ``row/column``, ``indicator`` or ``indicator.score`` of a map."""
    row, slash, column = figure.partition("/")
    if slash:
        rows = {each.key for each in table.rows} | {TOTAL_ROW}
        columns = {each.key: each for each in table.columns}
        if row not in rows or column not in columns:
            raise MapRefused(
                f"{table.profile.id} has no cell {figure}; rows: {', '.join(sorted(rows))}; "
                f"columns: {', '.join(columns)}"
            )
        cell = table.cell(row, column)
        return cell.value, cell.state, columns[column].kind, column
    name, dot, score = figure.partition(".")
    lines = {line.indicator.key: line for line in table.lines}
    if name not in lines or (dot and score != "score"):
        there = ", ".join(lines) or "none"
        raise MapRefused(f"{table.profile.id} has no indicator {figure}; it has {there}")
    line = lines[name]
    return (line.score if dot else line.value), line.state, "indicator", name
