"""A report's table fit to leave the institution: what its sums would give away is hidden.

The rule stands in :mod:`data.trust.joint_counts`: the figures of the table are judged together with those of
every file about the same students that is out (:class:`dashboard.reports.told.Disclosure`), other instruments
and other years included, with the remainders that a reader gets by subtracting (``parts`` of a profile).
Extremes are one student's figure and are never told; means and rates are told as they are printed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from dashboard.reports.expressions import parse, references
from dashboard.reports.formulas import reads
from dashboard.reports.model import FEW, OPEN, SUPPRESSED, TOTAL_ROW, ReportTable
from dashboard.reports.profile_parts import Profile
from dashboard.reports.told import LINES, Address, Disclosure, counts_of, means_of, weights_of
from data.trust.joint_counts import hidden_jointly, told_by_means
from data.trust.small_cells import THRESHOLD

EXTREMES = ("min", "max")
UNCOUNTED = ("no_outcome_row",)  # with those admitted and graduated it would tell who left


@dataclass(frozen=True)
class Hiding:
    """What a table hides.

    Attributes
    ----------
    addresses : frozenset of (row, column)
        Counts and means; what rests on them follows in :func:`suppress`.
    given_away : int
        Small counts that files which are out tell already.
    """

    addresses: frozenset[Address]
    given_away: int = 0


def to_hide(
    table: ReportTable,
    out: Iterable[Disclosure] = (),
    to_come: Iterable[ReportTable] = (),
    threshold: int = THRESHOLD,
) -> Hiding:
    """Which counts and means of a table to hide, given every file about its students that is out.

    Parameters
    ----------
    table : ReportTable
        The full one.
    out : iterable of Disclosure
        Tables that were made public before.
    to_come : iterable of ReportTable
        Tables that may follow: their small counts are kept secret now, as they could not be later.
    threshold : int
        Smallest count that may be shown, >= 2 (0 is always shown).
    """
    if threshold < 2:
        raise ValueError(f"threshold must be >= 2, got {threshold!r}")
    before = list(out)
    counts = {at: counts_of(other.table) for at, other in enumerate(before)}
    figures = [
        figure
        for at, other in enumerate(before)
        for figure in counts[at].figures(at, may_hide=False, hidden=other.hidden)
    ]
    counts["now"] = counts_of(table)
    figures += counts["now"].figures("now", may_hide=True, hidden=frozenset())
    for at, other in enumerate(to_come):
        counts["later", at] = later = counts_of(other)
        figures += later.figures(("later", at), may_hide=False, hidden=frozenset(later.members))
    found = hidden_jointly(figures, threshold=threshold, weights=weights_of(counts))
    hidden = {address for whose, address in found.names if whose == "now"}
    hidden |= _means_to_hide(table, before, threshold)
    return Hiding(frozenset(hidden), len(found.given_away))


def _means_to_hide(table: ReportTable, out: list[Disclosure], threshold: int) -> set[Address]:
    """Means that, with those that are out, tell the sum of a small group."""
    hidden = set()
    own = means_of(table)
    for fact in sorted({mean.fact for mean in own}):
        told = [mean for other in out for mean in means_of(other.table, other.hidden) if mean.fact == fact]
        mine = [mean for mean in own if mean.fact == fact]
        sets = [dict.fromkeys(mean.students, 1) for mean in (*told, *mine)]
        places = [at - len(told) for at in told_by_means(sets, threshold)]
        hidden |= {mine[at].address for at in places if at >= 0}
    return hidden


def suppress(
    table: ReportTable, threshold: int = THRESHOLD, hidden: frozenset[Address] | None = None
) -> ReportTable:
    """A table fit to leave the institution.

    Parameters
    ----------
    table : ReportTable
    threshold : int
        Smallest count that may be shown, >= 2 (0 is always shown).
    hidden : frozenset of (row, column), optional
        Counts and means to hide, from :func:`to_hide`; by default those of the table alone.

    Returns
    -------
    ReportTable
        ``external=True``; hidden cells have no value and state ``suppressed``; no student is listed; means
        and rates that rest on hidden or small counts are hidden too, and so are extremes; the others are
        rounded as they are printed.
    """
    if hidden is None:
        hidden = to_hide(table, threshold=threshold).addresses
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
        cells=_as_printed(table, cells),
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


def _as_printed(table: ReportTable, cells: dict) -> dict:
    """Means and rates with the digits of their column: more would tell how many they are about."""
    formats = {column.key: column.format for column in table.profile.columns}
    return {
        address: replace(cell, value=rounded(cell.value, formats[address[1]])) if cell.value else cell
        for address, cell in cells.items()
    }


def rounded(value: float, number_format: str) -> float:
    """A number with the digits that its format prints."""
    digits = len(number_format.rstrip("%").partition(".")[2])
    return round(value, digits + 2 if number_format.endswith("%") else digits)


def _rests_on_few(table: ReportTable, address: Address, threshold: int) -> bool:
    """Whether a cell is a mean of fewer students than may be shown, or an extreme: one student's figure."""
    cell = table.cells[address]
    column = next(each for each in table.columns if each.key == address[1])
    if cell.state != OPEN or column.aggregate == "count":
        return False
    return len(cell.students) < threshold or column.aggregate.partition(":")[0] in EXTREMES


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
    says, so one hidden cell hides it; sums over cells were audited with them.
    """
    any_hidden = any(cell.state == SUPPRESSED for cell in cells.values())
    shown, gone = [], set()
    for line in table.lines:
        part = line.indicator
        if not part.formula:
            few = part.aggregate != "count" and line.state == OPEN and len(line.students) < threshold
            few |= part.aggregate.partition(":")[0] in EXTREMES
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
        elif line.value is not None:
            line = replace(line, value=rounded(line.value, part.format))
        shown.append(replace(line, students=()))
    return tuple(shown)
