"""Formula cells, the row of totals and indicators: values and states that follow from other cells."""

from __future__ import annotations

from dashboard.reports.expressions import evaluate, parse, references
from dashboard.reports.model import (
    CLOSED,
    EMPTY,
    MISSING,
    NOT_KNOWN,
    NOT_YET,
    OPEN,
    SUPPRESSED,
    TOTAL_ROW,
    Cell,
    Line,
)
from dashboard.reports.profile_checks import FIRST, LAST, OPENED
from dashboard.reports.profile_parts import Profile

CARRIED = (
    NOT_YET,
    NOT_KNOWN,
    SUPPRESSED,
    MISSING,
)  # states that a figure takes over from what it is computed from


def row_key(profile: Profile, name: str) -> str:
    """The key of a row that a formula names, ``first`` and ``last`` included."""
    places = {FIRST: 0, LAST: -1}
    return profile.rows[places[name]].key if name in places else name


def named_cells(profile: Profile, name: str, row: str) -> list[tuple[str, str]]:
    """Addresses of the cells that ``name`` stands for in a row: one for a column, several for a group."""
    return [(row, column.key) for column in profile.columns if name in (column.key, column.group)]


def is_group(profile: Profile, name: str) -> bool:
    """Whether a name stands for a group of columns rather than for one column."""
    return all(column.key != name for column in profile.columns)


def meant_cells(profile: Profile, name: str, at: str, row: str | None) -> list[tuple[str, str]]:
    """Addresses of the cells that a reference ``name[at]`` stands for.

    Parameters
    ----------
    name : str
        Of a column or a group of columns.
    at : str
        A row, ``first``, ``last``, ``opened`` (in every row the first cell that the instrument opens), or
        empty.
    row : str or None
        The row of the formula itself; None: an indicator, which reads whole columns.
    """
    if at == OPENED:
        return [
            (each.key, column.key)
            for each in profile.rows
            for column in profile.columns
            if name in (column.key, column.group)
            and column.open_after is not None
            and column.offset == each.offset + column.open_after
        ]
    rows = [row_key(profile, at)] if at else [row] if row else [each.key for each in profile.rows]
    return [address for each in rows for address in named_cells(profile, name, each)]


def reads(profile: Profile, formula: str, row: str | None) -> list[tuple[str, str]]:
    """Addresses of every cell that a formula reads; ``row=None``: an indicator, which reads whole columns."""
    return [
        address for name, at in references(parse(formula)) for address in meant_cells(profile, name, at, row)
    ]


def fill_formulas(profile: Profile, cells: dict) -> dict:
    """The cells with formula columns and the row of totals filled in."""
    filled = dict(cells)
    for row in profile.rows:
        for column in profile.columns:
            if column.kind == "formula":
                value, state = _result(profile, column.formula, row.key, filled, {})
                filled[row.key, column.key] = Cell(
                    row.key, column.key, "formula", value, state, formula=column.formula
                )
    for column in profile.columns:
        if column.total:
            formula = f"sum({column.key})" if "@" not in column.key else f"sum({column.group})"
            value, state = _result(profile, formula, None, filled, {})
            if state == OPEN and all(filled[row.key, column.key].value is None for row in profile.rows):
                value, state = None, MISSING if column.optional else EMPTY
            filled[TOTAL_ROW, column.key] = Cell(
                TOTAL_ROW, column.key, "formula", value, state, formula=formula
            )
    return filled


def fill_lines(profile: Profile, cells: dict, measured: dict) -> tuple[Line, ...]:
    """The indicators in order; each may name those before it.

    Parameters
    ----------
    measured : dict
        key → (value, state, students) of the indicators without a formula.
    """
    lines: dict[str, Line] = {}
    for indicator in profile.indicators:
        students = ()
        if indicator.formula:
            value, state = _result(profile, indicator.formula, None, cells, lines)
        else:
            value, state, students = measured[indicator.key]
        score = indicator.score.score(value) if indicator.score and state == OPEN else None
        lines[indicator.key] = Line(indicator, value, state, score, students)
    return tuple(lines.values())


def _result(profile: Profile, formula: str, row: str | None, cells: dict, lines: dict):
    """Value and state of a formula over cells, earlier indicators and the profile's constants."""
    node = parse(formula)
    optional = {column.key for column in profile.columns if column.optional}
    states = [
        cells[address].state
        for address in reads(profile, formula, row)
        if not (cells[address].state == MISSING and address[1] in optional)
    ]
    states += [lines[name].state for name, _ in references(node) if name in lines]
    for carried in CARRIED:
        if carried in states:
            return None, carried

    def value_at(address):
        cell = cells[address]
        return 0.0 if cell.state == MISSING else cell.value

    def resolve(name: str, at: str):
        if name in lines:
            return lines[name].value
        if name in profile.constants:
            return float(profile.constants[name])
        values = [value_at(address) for address in meant_cells(profile, name, at, row)]
        one = (at or row) and at != OPENED and not is_group(profile, name)
        return values[0] if one else values

    if states and all(state == CLOSED for state in states):
        return None, CLOSED
    value = evaluate(node, resolve)
    return (None, EMPTY) if value is None else (_whole(value), OPEN)


def _whole(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value
