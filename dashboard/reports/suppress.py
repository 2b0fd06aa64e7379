"""Small cells hidden in what leaves the institution, with the further cells that would give them away.

A count of 1–4 is *primary*. So is a remainder of 1–4 that a reader gets by subtracting (``parts`` of a
profile: admitted less graduated). Hiding these alone is not enough, since totals bring them back; so an audit
plays the attacker: with every published figure and every sum of the table known, how far can a hidden count
be narrowed down (two linear programmes per cell)? Cells are hidden until none can be narrowed to fewer than
``threshold`` values. Both kinds carry the same mark, so the mark itself says nothing.

Zeros are published: an empty cell concerns nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dashboard.reports.expressions import Node, parse, references
from dashboard.reports.formulas import named_cells, reads, row_key
from dashboard.reports.model import FEW, OPEN, SUPPRESSED, TOTAL_ROW, ReportTable
from dashboard.reports.profile_parts import Profile

THRESHOLD = 5
LINES = "line"  # row of an indicator's address
UNCOUNTED = ("no_outcome_row",)  # with those admitted and graduated it would tell who left
REST = "rest"  # row prefix of a remainder that nobody prints but anybody can compute
Address = tuple[str, str]


@dataclass(frozen=True)
class CountSystem:
    """Counts of a table and the sums that tie them.

    Parameters
    ----------
    values : dict
        Address → count, remainders included.
    printed : frozenset
        Addresses that the table prints (remainders are not printed).
    sums : tuple of dict
        Each: address → coefficient; the weighted counts add up to zero.
    """

    values: dict[Address, int]
    printed: frozenset[Address]
    sums: tuple[dict[Address, float], ...]


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
        hide = address in hidden or _rests_on_few(table, address, threshold)
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
    profile, values, sums = table.profile, {}, []
    formats = {column.key: column.format for column in profile.columns}
    for address, cell in table.cells.items():
        if cell.value is not None and formats[address[1]] == "0" and cell.state == OPEN:
            values[address] = int(cell.value)
    for line in table.lines:
        if line.indicator.format == "0" and line.state == OPEN:
            values[LINES, line.indicator.key] = int(line.value)
    for address, cell in table.cells.items():
        if cell.formula and address in values:
            row = None if address[0] == TOTAL_ROW else address[0]
            sums.append(_sum_of(profile, address, cell.formula, row, values))
    for line in table.lines:
        address = (LINES, line.indicator.key)
        if line.indicator.formula and address in values:
            sums.append(_sum_of(profile, address, line.indicator.formula, None, values))
    printed = frozenset(values)
    for row in table.rows:
        for whole, parts in profile.parts:
            known = [(row.key, part) for part in parts if (row.key, part) in values]
            if (row.key, whole) in values and known:
                rest = (f"{REST}:{row.key}", f"{whole}-{'-'.join(parts)}")
                values[rest] = values[row.key, whole] - sum(values[part] for part in known)
                sums.append({(row.key, whole): 1.0, rest: -1.0} | dict.fromkeys(known, -1.0))
    return CountSystem(values, printed, tuple(each for each in sums if each))


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
    found = [_coefficients(profile, part, row, each) for part, each in zip(node.parts, signs, strict=True)]
    return None if any(part is None for part in found) else [pair for part in found for pair in part]


def hidden_counts(system: CountSystem, threshold: int = THRESHOLD) -> frozenset[Address]:
    """Addresses to hide: the small counts and what it takes to keep them hidden."""
    small = {address for address, count in system.values.items() if 0 < count < threshold}
    hidden = {address for address in small if address in system.printed}
    while True:
        exposed = _first_exposed(system, small, hidden, threshold)
        if exposed is None:
            return frozenset(hidden)
        hidden.add(_next_to_hide(system, exposed, hidden))


def _first_exposed(system: CountSystem, small: set, hidden: set, threshold: int) -> Address | None:
    unknown = hidden | (set(system.values) - system.printed)
    for address in sorted(small):
        low, high = bounds(system, frozenset(unknown), address)
        if high - low < threshold - 1 - 1e-6:
            return address
    return None


def bounds(system: CountSystem, unknown: frozenset[Address], address: Address) -> tuple[float, float]:
    """How far a reader can narrow down a count that is not printed.

    Parameters
    ----------
    system : CountSystem
    unknown : frozenset of address
        Counts that the reader does not see; each is known to be >= 0.
    address : address
        One of ``unknown``.

    Returns
    -------
    (low, high)
        Smallest and largest value that fits everything else; ``high`` may be infinite.
    """
    from scipy.optimize import linprog  # takes a while to import; pages that suppress nothing need not wait

    names = sorted(_connected(system, unknown, address))
    place = {name: at for at, name in enumerate(names)}
    left, right = [], []
    for total in system.sums:
        if any(name in place for name in total):
            left.append(np.zeros(len(names)))
            for name, factor in total.items():
                if name in place:
                    left[-1][place[name]] = factor
            right.append(-sum(f * system.values[name] for name, f in total.items() if name not in place))
    if not left:
        return 0.0, np.inf
    ends = []
    for sign in (1.0, -1.0):
        goal = np.zeros(len(names))
        goal[place[address]] = sign
        found = linprog(goal, A_eq=np.array(left), b_eq=np.array(right), bounds=(0, None), method="highs")
        ends.append(sign * found.fun if found.status == 0 else -sign * np.inf)
    return float(ends[0]), float(ends[1])


def _connected(system: CountSystem, unknown: frozenset[Address], address: Address) -> set[Address]:
    """Unknown counts that share a sum with ``address``, directly or through other unknown ones."""
    found, edge = {address}, [address]
    while edge:
        name = edge.pop()
        for total in system.sums:
            if name in total:
                fresh = (set(total) & unknown) - found
                found |= fresh
                edge += fresh
    return found


def _next_to_hide(system: CountSystem, exposed: Address, hidden: set) -> Address:
    """The smallest printed count that helps: in a sum with the exposed one, else in a sum with its like."""
    unknown = frozenset(hidden | (set(system.values) - system.printed))
    linked = _connected(system, unknown, exposed)
    for reach in ({exposed}, linked):
        near = {name for total in system.sums if reach & set(total) for name in total}
        candidates = (near & system.printed) - hidden
        if candidates:
            return min(candidates, key=lambda name: (system.values[name] == 0, system.values[name], name))
    raise ValueError(f"cell {exposed} cannot be protected: no further cell of the table is printed")


def _rests_on_few(table: ReportTable, address: Address, threshold: int) -> bool:
    """Whether a mean or an extreme describes fewer students than may be shown."""
    cell = table.cells[address]
    column = next(each for each in table.columns if each.key == address[1])
    return column.aggregate != "count" and cell.state == OPEN and len(cell.students) < threshold


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
