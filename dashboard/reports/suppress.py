"""A report's table fit to leave the institution: what its sums would give away is hidden.

The rule stands in :mod:`data.trust.small_cells`. Here a table is read as the system of counts that the rule
works on: its cells and indicators, the sums that its formulas say, and the remainders that a reader gets by
subtracting (``parts`` of a profile: admitted less graduated), which are protected as cells are.
"""

from __future__ import annotations

from dataclasses import replace

from dashboard.reports.expressions import Node, parse, references
from dashboard.reports.formulas import named_cells, reads, row_key
from dashboard.reports.model import FEW, OPEN, SUPPRESSED, TOTAL_ROW, ReportTable
from dashboard.reports.profile_parts import Profile
from data.trust.small_cells import THRESHOLD, Address, CountSystem, hidden_counts

LINES = "line"  # row of an indicator's address
UNCOUNTED = ("no_outcome_row",)  # with those admitted and graduated it would tell who left
REST = "rest"  # row prefix of a remainder that nobody prints but anybody can compute


def suppress(table: ReportTable, threshold: int = THRESHOLD) -> ReportTable:
    """A table fit to leave the institution.

    Parameters
    ----------
    table : ReportTable
    threshold : int
        Smallest count that may be shown, >= 2 (0 is always shown).

    Returns
    -------
    ReportTable
        ``external=True``; hidden cells have no value and state ``suppressed``; no student is listed; means,
        extremes and rates that rest on hidden or small counts are hidden too.
    """
    if threshold < 2:
        raise ValueError(f"threshold must be >= 2, got {threshold!r}")
    hidden = hidden_counts(count_system(table), threshold)
    cells = {}
    for address, cell in table.cells.items():
        hide = (
            address in hidden
            or _rests_on_few(table, address, threshold)
            or _rests_on_hidden(table, address, hidden)
        )
        cells[address] = replace(
            cell,
            value=None if hide else cell.value,
            state=SUPPRESSED if hide else cell.state,
            students=(),
            computed=None,
        )
    cells = _hide_dependent_cells(table.profile, cells)
    return table.with_parts(
        cells=cells,
        lines=_suppressed_lines(table, cells, hidden, threshold),
        exclusions=tuple(
            replace(item, students=(), count=_blurred(item.count, threshold)) for item in table.exclusions
        ),
        notices=tuple(
            replace(note, count=0 if note.code in UNCOUNTED else _blurred(note.count, threshold))
            for note in table.notices
        ),
        counts={
            name: _blurred(number, threshold)
            for name, number in table.counts.items()
            if name != "counted" or not any(cell.state == SUPPRESSED for cell in cells.values())
        },
        overrides=tuple(replace(each, value=cells[each.row, each.column].value) for each in table.overrides),
        external=True,
    )


def _blurred(count: int, threshold: int) -> int:
    return FEW if 0 < count < threshold else count


def count_system(table: ReportTable) -> CountSystem:
    """The counts of a table with the sums, totals and remainders that a reader knows to hold."""
    values = _printed_counts(table)
    printed, sums = frozenset(values), _printed_sums(table, values)
    for row in table.rows:
        for whole, parts in table.profile.parts:
            known = [(row.key, part) for part in parts if (row.key, part) in values]
            if (row.key, whole) in values and known:
                rest = (f"{REST}:{row.key}", f"{whole}-{'-'.join(parts)}")
                values[rest] = values[row.key, whole] - sum(values[part] for part in known)
                sums.append({(row.key, whole): 1.0, rest: -1.0} | dict.fromkeys(known, -1.0))
    return CountSystem(values, printed, tuple(sums))


def _printed_counts(table: ReportTable) -> dict[Address, int]:
    """Every count that the table prints, in its cells and below it."""
    formats = {column.key: column.format for column in table.profile.columns}
    values = {
        address: int(cell.value)
        for address, cell in table.cells.items()
        if cell.value is not None and formats[address[1]] == "0" and cell.state == OPEN
    }
    for line in table.lines:
        if line.indicator.format == "0" and line.state == OPEN:
            values[LINES, line.indicator.key] = int(line.value)
    return values


def _printed_sums(table: ReportTable, values: dict[Address, int]) -> list[dict[Address, float]]:
    """The formulas of counts that are plain sums."""
    formulas = [
        (address, cell.formula, None if address[0] == TOTAL_ROW else address[0])
        for address, cell in table.cells.items()
    ]
    formulas += [((LINES, line.indicator.key), line.indicator.formula, None) for line in table.lines]
    sums = [
        _sum_of(table.profile, address, formula, row, values)
        for address, formula, row in formulas
        if formula and address in values
    ]
    return [each for each in sums if each]


def _sum_of(profile: Profile, target: Address, formula: str, row: str | None, values: dict) -> dict:
    """``target - formula = 0`` as coefficients, or an empty dict where the formula is no plain sum."""
    parts = _coefficients(profile, parse(formula), row, 1.0)
    if parts is None:
        return {}
    total = {target: 1.0}
    for address, factor in parts:
        if address in values:
            total[address] = total.get(address, 0.0) - factor
    return total


def _coefficients(profile: Profile, node: Node, row: str | None, sign: float):
    if node.kind == "ref":
        rows = [row_key(profile, node.row)] if node.row else [row] if row else [r.key for r in profile.rows]
        return [(cell, sign) for each in rows for cell in named_cells(profile, node.name, each)]
    if node.kind == "neg" or (node.kind == "call" and node.name == "sum"):
        signs = [-sign if node.kind == "neg" else sign] * len(node.parts)
    elif node.kind in ("+", "-"):
        signs = [sign, sign if node.kind == "+" else -sign]
    else:
        return None
    summands = [_coefficients(profile, part, row, each) for part, each in zip(node.parts, signs, strict=True)]
    return None if any(part is None for part in summands) else [pair for part in summands for pair in part]


def _rests_on_few(table: ReportTable, address: Address, threshold: int) -> bool:
    """Whether a mean or an extreme describes fewer students than may be shown."""
    cell = table.cells[address]
    column = next(each for each in table.columns if each.key == address[1])
    return column.aggregate != "count" and cell.state == OPEN and len(cell.students) < threshold


def _rests_on_hidden(table: ReportTable, address: Address, hidden: frozenset[Address]) -> bool:
    """Whether a mean or an extreme is about students whose count in the same row is hidden: with the mean and
    what is printed beside it, the count could be worked out."""
    column = next(each for each in table.columns if each.key == address[1])
    if column.aggregate == "count":
        return False
    about = set(table.cells[address].students)
    counts = [table.cells[other] for other in hidden if other[0] == address[0] and other in table.cells]
    return any(not count.students or about & set(count.students) for count in counts)


def _hide_dependent_cells(profile: Profile, cells: dict) -> dict:
    """Hide every rate that reads a hidden cell; plain sums were audited and stay as they are."""
    formats = {column.key: column.format for column in profile.columns}
    shown = dict(cells)
    for address, cell in cells.items():
        if cell.formula and formats[address[1]] != "0":
            row = None if address[0] == TOTAL_ROW else address[0]
            if any(shown[read].state == SUPPRESSED for read in reads(profile, cell.formula, row)):
                shown[address] = replace(cell, value=None, state=SUPPRESSED)
    return shown


def _suppressed_lines(table: ReportTable, cells: dict, hidden: frozenset, threshold: int) -> tuple:
    """Indicators, hidden where they are small, rest on few, or read a hidden figure.

    An indicator that counts or averages students directly may be tied to the cells in ways that no formula
    says (graduates on time are the first open cell of every row), so one hidden cell hides it.
    """
    any_hidden = any(cell.state == SUPPRESSED for cell in cells.values())
    shown, gone = [], set()
    for line in table.lines:
        part = line.indicator
        if not part.formula:
            few = part.aggregate != "count" and line.state == OPEN and len(line.students) < threshold
            hide = any_hidden or few or (LINES, part.key) in hidden
        elif part.format == "0":
            hide = (LINES, part.key) in hidden
        else:
            read = {name for name, _ in references(parse(part.formula))}
            addresses = reads(table.profile, part.formula, None)
            hide = bool(read & gone) or any(cells[each].state == SUPPRESSED for each in addresses)
        if hide:
            gone.add(part.key)
            line = replace(line, value=None, score=None, state=SUPPRESSED)
        shown.append(replace(line, students=()))
    return tuple(shown)
