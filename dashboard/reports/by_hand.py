"""Figures that people set: those that the register lacks, and corrections with a reason; checked.

A figure belongs to one profile, programme and TS. It must name a cell that the instrument opens and be a
number, not negative. What contradicts the rest of its row (more graduates than admitted) needs a second
reason; what would make a count negative is refused.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from dashboard.reports.model import OPEN, FiguresRefused, Override
from dashboard.reports.profile_parts import Profile
from data.files.safe_cells import safe_cell

NEEDED = ("profile", "program_code", "ts", "row", "column", "value")
KNOWN = (*NEEDED, "reason", "by", "second_reason", "label")  # label: words for whoever fills it in


@dataclass(frozen=True)
class FigureLine:
    """A line of a file of figures.

    Parameters
    ----------
    line : int
        Where it stands in the file, the heading being line 1.
    profile_id, program_code : str
        ``program_code`` empty: every programme together.
    ts : int
    row, column : str
        Keys of the cell.
    value : float
        Finite, >= 0.
    reason, by, second_reason : str
        Needed of a correction: why, and who answers for it.
    """

    line: int
    profile_id: str
    program_code: str
    ts: int
    row: str
    column: str
    value: float
    reason: str = ""
    by: str = ""
    second_reason: str = ""


def read_figures(data: bytes, profiles: Collection[str] = ()) -> tuple[FigureLine, ...]:
    """Read a CSV (comma or semicolon, UTF-8) with the columns of :data:`KNOWN`; lines without a value are not
    filled in yet and left out.

    Parameters
    ----------
    data : bytes
        The file.
    profiles : collection of str
        The profiles that there are; a line of another is refused. Empty: not looked at.

    Raises
    ------
    FiguresRefused
        With the line, the column and the value that is wrong.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FiguresRefused(f"the file must be UTF-8 text, byte {error.start} is not") from None
    head = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in head else ",")
    try:
        return _lines(rows, profiles)
    except csv.Error as error:
        raise FiguresRefused(f"line {rows.line_num + 1}: not CSV: {error}") from None


def _lines(rows: csv.DictReader, profiles: Collection[str]) -> tuple[FigureLine, ...]:
    names = rows.fieldnames or []
    if missing := [name for name in NEEDED if name not in names]:
        raise FiguresRefused(f"line 1: columns must hold {', '.join(NEEDED)}; missing {', '.join(missing)}")
    if unknown := [name for name in names if name not in KNOWN]:
        raise FiguresRefused(f"line 1: columns may be {', '.join(KNOWN)}, got {unknown[0]!r}")
    filled = [(number, row) for number, row in enumerate(rows, start=2) if (row.get("value") or "").strip()]
    lines = tuple(_line(number, row) for number, row in filled)
    if strange := [line for line in lines if profiles and line.profile_id not in profiles]:
        said = f"line {strange[0].line}: profile must be one of {', '.join(profiles)}"
        raise FiguresRefused(f"{said}; got {strange[0].profile_id!r}")
    return lines


def _line(number: int, row: Mapping[str, str]) -> FigureLine:
    told = {name: (row.get(name) or "").strip() for name in KNOWN}
    try:
        value = float(told["value"].replace(",", "."))
    except ValueError:
        raise FiguresRefused(f"line {number}: value must be a number, got {told['value']!r}") from None
    if not told["ts"].isdecimal():
        raise FiguresRefused(f"line {number}: ts must be a year, got {told['ts']!r}")
    try:
        check_number(told["row"], told["column"], value)
    except FiguresRefused as error:
        raise FiguresRefused(f"line {number}: {error}") from None
    kept = {name: told[name] for name in ("program_code", "row", "column", "reason", "by", "second_reason")}
    return FigureLine(number, told["profile"], ts=int(told["ts"]), value=value, **kept)


def figures_of(
    lines: Iterable[FigureLine], profile: Profile, program_code: str, ts: int
) -> tuple[dict[tuple[str, str], float], tuple[Override, ...]]:
    """What a file says of one report: ``(figures that the register lacks, corrections)``.

    Raises
    ------
    FiguresRefused
        When a line names no cell of the profile, a correction lacks its reason or its author, or a cell is
        named twice.
    """
    inputs, overrides, seen = {}, [], {}
    kinds = {column.key: column.kind for column in profile.columns}
    for line in lines:
        if (line.profile_id, line.program_code, line.ts) != (profile.id, program_code, ts):
            continue
        address = (line.row, line.column)
        if address in seen:
            raise FiguresRefused(
                f"line {line.line}: {line.row}/{line.column} stands in line {seen[address]} too"
            )
        seen[address] = line.line
        _refuse_strange_cell(line, profile)
        if kinds.get(line.column) == "input":
            inputs[address] = line.value
        elif not (line.reason and line.by):
            raise FiguresRefused(f"line {line.line}: a correction must have a reason and by whom it is")
        else:
            overrides.append(
                Override(line.row, line.column, line.value, line.reason, line.by, line.second_reason)
            )
    check_cells(profile, inputs, overrides)
    return inputs, tuple(overrides)


def _refuse_strange_cell(line: FigureLine, profile: Profile) -> None:
    """Refuse a row or a column that the profile does not have, with those that it has."""
    rows = [row.key for row in profile.rows]
    columns = [column.key for column in profile.columns if column.kind in ("input", "measure")]
    for what, key, there in (("row", line.row, rows), ("column", line.column, columns)):
        if key not in there and not (what == "column" and key in [each.key for each in profile.columns]):
            said = f"line {line.line}: {profile.id} has no {what} {key!r}"
            raise FiguresRefused(f"{said}; its {what}s are {', '.join(there)}")


def blank_figures(profile: Profile, program_code: str, ts: int, language: str = "id") -> bytes:
    """A file for :func:`read_figures` with a line for every cell that may be set: first what the register
    lacks, then what can be corrected. A line without a value says nothing.

    Parameters
    ----------
    profile : Profile
        Whose cells.
    program_code : str
        Empty: every programme together.
    ts : int
        TS.
    language : {"id", "en"}
        Of the words in the column ``label``.
    """
    kinds = {"input": {"id": "tidak ada di register", "en": "not in the register"}}
    kinds["measure"] = {"id": "koreksi", "en": "correction: needs reason and by"}
    columns = sorted(
        (column for column in profile.columns if column.kind in kinds),
        key=lambda column: list(kinds).index(column.kind),
    )
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(KNOWN)
    for column in columns:
        for row in profile.rows:
            label = f"{column.label[language]} ({kinds[column.kind][language]})"
            writer.writerow(
                [profile.id, program_code, ts, row.key, column.key, "", "", "", "", safe_cell(label)]
            )
    return text.getvalue().encode("utf-8-sig")


def check_number(row: str, column: str, value: float) -> None:
    """Refuse what is no count, mean or rate: NaN, an infinite or a negative number."""
    if not math.isfinite(value) or value < 0:
        raise FiguresRefused(f"the figure of {row}/{column} must be a number >= 0, got {value!r}")


def check_cells(profile: Profile, inputs: Mapping, overrides: Iterable[Override]) -> None:
    """Refuse figures for cells that do not exist, or that are not of their kind."""
    rows = {row.key for row in profile.rows}
    kinds = {column.key: column.kind for column in profile.columns}
    for wanted, addresses in (("input", list(inputs)), ("measure", [(o.row, o.column) for o in overrides])):
        for row, column in addresses:
            if row not in rows or column not in kinds:
                raise FiguresRefused(f"{profile.id} has no cell {row}/{column}")
            if kinds[column] != wanted:
                said = (
                    "is computed from others" if kinds[column] == "formula" else f"is of kind {kinds[column]}"
                )
                raise FiguresRefused(f"the figure of {row}/{column} cannot be set: the column {said}")
    for (row, column), value in inputs.items():
        check_number(row, column, value)


def check_rows(profile: Profile, cells: Mapping, inputs: Mapping, overrides: Iterable[Override]) -> None:
    """Refuse figures by hand that make a count negative, or parts exceed their whole for no second reason."""
    overrides = tuple(overrides)
    by_hand = {row for row, _ in inputs} | {change.row for change in overrides}
    formats = {column.key: column.format for column in profile.columns}
    explained = {change.row for change in overrides if change.second_reason.strip()}
    for (row, column), cell in cells.items():
        if by_hand and cell.state == OPEN and formats[column] == "0" and cell.value < 0:
            raise FiguresRefused(f"the figures by hand make {row}/{column} negative: {cell.value}")
    for row in sorted(by_hand - explained):
        for whole, parts in profile.parts:
            most, sums = cells.get((row, whole)), 0
            for column in profile.columns:
                if {column.key, column.group} & set(parts) and cells[row, column.key].state == OPEN:
                    sums += cells[row, column.key].value
            if most is not None and most.state == OPEN and sums > most.value:
                raise FiguresRefused(
                    f"row {row}: {', '.join(parts)} are {sums:g}, more than {whole} {most.value:g}; "
                    "a correction that contradicts its row needs a second reason"
                )
