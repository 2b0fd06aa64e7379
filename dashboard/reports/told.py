"""What a table tells of people: its counts as sums over students, and its means as sums too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dashboard.reports.expressions import Node, parse
from dashboard.reports.formulas import meant_cells
from dashboard.reports.model import OPEN, TOTAL_ROW, ReportTable
from dashboard.reports.profile_parts import Profile
from data.trust.joint_counts import Figure

Address = tuple[str, str]
LINES = "line"  # row of an indicator's address
REST = "rest"  # row prefix of a remainder that nobody prints but anybody can compute


@dataclass(frozen=True)
class Disclosure:
    """A table that is out, or is about to be, and which of its figures are hidden.

    Attributes
    ----------
    table : ReportTable
        The full one.
    hidden : frozenset of (row, column)
    """

    table: ReportTable
    hidden: frozenset[Address] = frozenset()


@dataclass(frozen=True)
class Mean:
    """A mean that a table prints: of what, about whom."""

    address: Address
    fact: str
    students: tuple[str, ...]


@dataclass
class Counts:
    """Counts of a table as sums over students.

    Attributes
    ----------
    members : dict
        Address → student, or a figure set by hand, → how often it counts.
    weights : dict
        Figures set by hand → their value.
    unprinted : set
        Addresses of remainders.
    """

    members: dict[Address, dict[str, int]] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    unprinted: set[Address] = field(default_factory=set)

    def figures(self, name: object, *, may_hide: bool, hidden: frozenset[Address]) -> list[Figure]:
        """The counts as figures named ``(name, address)``; of a table that is out, those that are hidden are
        not told."""
        return [
            Figure(
                (name, address),
                members,
                told=address not in self.unprinted and (may_hide or address not in hidden),
                may_hide=may_hide,
            )
            for address, members in self.members.items()
        ]


def counts_of(table: ReportTable) -> Counts:
    """Every count that a table prints, in its cells and below it, and the remainders of its ``parts``."""
    counts, formats = Counts(), {column.key: column.format for column in table.profile.columns}
    changed = {(change.row, change.column) for change in table.overrides}
    formulas: list[tuple[Address, str, str | None]] = []
    for address, cell in table.cells.items():
        if cell.value is None or formats[address[1]] != "0" or cell.state != OPEN:
            continue
        if cell.formula:
            formulas.append((address, cell.formula, None if address[0] == TOTAL_ROW else address[0]))
        elif cell.kind == "input" or address in changed:
            _by_hand(counts, table, address, cell.value)
        else:
            counts.members[address] = dict.fromkeys(cell.students, 1)
    for line in table.lines:
        address = (LINES, line.indicator.key)
        if line.indicator.format != "0" or line.state != OPEN or line.value is None:
            continue
        if line.indicator.formula:
            formulas.append((address, line.indicator.formula, None))
        else:
            counts.members[address] = dict.fromkeys(line.students, 1)
    values = {address: cell.value for address, cell in table.cells.items()}
    values |= {(LINES, line.indicator.key): line.value for line in table.lines}
    for address, formula, row in formulas:
        _follow(counts, table, address, formula, row, values[address])
    _remainders(counts, table)
    return counts


def means_of(table: ReportTable, hidden: frozenset[Address] = frozenset()) -> list[Mean]:
    """The means that a table prints and that are not hidden, those of cells first."""
    facts = {column.key: column.aggregate for column in table.profile.columns}
    found = [
        Mean(address, facts[address[1]].partition(":")[2], cell.students)
        for address, cell in table.cells.items()
        if facts[address[1]].startswith("mean:") and cell.state == OPEN and cell.students
    ]
    found += [
        Mean((LINES, line.indicator.key), line.indicator.aggregate.partition(":")[2], line.students)
        for line in table.lines
        if line.indicator.aggregate.startswith("mean:") and line.state == OPEN and line.students
    ]
    return [mean for mean in found if mean.address not in hidden]


def _by_hand(counts: Counts, table: ReportTable, address: Address, value: float) -> None:
    """A figure by hand counts nobody of the register: it stands for itself, in every version of the table."""
    chosen = table.selection
    name = "/".join(("by hand", table.profile.id, chosen.program_code, str(chosen.ts), *address))
    counts.members[address] = {name: 1}
    counts.weights[name] = int(value)


def _follow(counts: Counts, table: ReportTable, address: Address, formula: str, row, value: float) -> None:
    """A formula that is a plain sum of counts, over the same people; another one stands for itself."""
    parts = _coefficients(table.profile, parse(formula), row, 1)
    if parts is None:
        return _by_hand(counts, table, address, value)
    members: dict[str, int] = {}
    for part, factor in parts:
        for person, often in counts.members.get(part, {}).items():
            members[person] = members.get(person, 0) + factor * often
    counts.members[address] = {person: often for person, often in members.items() if often}
    return None


def _coefficients(profile: Profile, node: Node, row: str | None, sign: int) -> list | None:
    """A formula as addresses and signs, or None where it is no plain sum."""
    if node.kind == "ref":
        if node.name in {indicator.key for indicator in profile.indicators}:
            return [((LINES, node.name), sign)]
        return [(cell, sign) for cell in meant_cells(profile, node.name, node.row, row)]
    if node.kind == "neg" or (node.kind == "call" and node.name == "sum"):
        signs = [-sign if node.kind == "neg" else sign] * len(node.parts)
    elif node.kind in ("+", "-"):
        signs = [sign, sign if node.kind == "+" else -sign]
    else:
        return None
    summands = [_coefficients(profile, part, row, each) for part, each in zip(node.parts, signs, strict=True)]
    return None if any(part is None for part in summands) else [pair for part in summands for pair in part]


def _remainders(counts: Counts, table: ReportTable) -> None:
    """What is left of a whole when its parts are taken away, by row."""
    for row in [*(row.key for row in table.rows)]:
        for whole, parts in table.profile.parts:
            known = [(row, part) for part in parts if (row, part) in counts.members]
            if (row, whole) not in counts.members or not known:
                continue
            members = dict(counts.members[row, whole])
            for part in known:
                for person, often in counts.members[part].items():
                    members[person] = members.get(person, 0) - often
            address = (f"{REST}:{row}", f"{whole}-{'-'.join(parts)}")
            counts.members[address] = {person: often for person, often in members.items() if often}
            counts.unprinted.add(address)


def weights_of(parts: Mapping[object, Counts]) -> dict[str, int]:
    """The figures set by hand of several tables together."""
    return {name: value for counts in parts.values() for name, value in counts.weights.items()}
