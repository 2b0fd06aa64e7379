"""What a computed report is: cells, indicators, exclusions, notices; plain frozen data that can be stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from math import isfinite

from dashboard.reports.conditions import Selection
from dashboard.reports.profile_parts import Column, Indicator, Profile, Row
from data.calendar.cohorts import Notice
from data.trust.small_cells import MARK

LATER_EXITS = "later_exits"
"""Code of the notice that exits are counted which lie after the last day observed."""
OPEN = "open"
CLOSED = "closed"  # the instrument leaves the cell empty
NOT_YET = "not_yet_observable"  # the register does not reach far enough
NOT_KNOWN = "not_known"  # a year before the register begins
EMPTY = "empty_denominator"  # nobody to compute from: printed as a dash, never as 0
MISSING = "missing"  # a field that the register does not hold: a yellow cell to fill in
SUPPRESSED = "suppressed"  # a small cell, or one that would give a small cell away
STATES = (OPEN, CLOSED, NOT_YET, NOT_KNOWN, EMPTY, MISSING, SUPPRESSED)
TOTAL_ROW = "total"
FEW = -1  # "fewer than the smallest cell", in the counts of a suppressed table
MARKS = {CLOSED: "", NOT_YET: "…", NOT_KNOWN: "?", EMPTY: "—", MISSING: "", SUPPRESSED: MARK}


@dataclass(frozen=True)
class Cell:
    """One cell.

    Parameters
    ----------
    row, column : str
        Keys of its row and column.
    kind : {"measure", "formula", "input"}
    value : float, int or None
        A number only where ``state`` is open.
    state : str
        One of :data:`STATES`.
    formula : str
        The profile's formula, for formula cells.
    students : tuple of str
        Keys of the students counted, sorted; measure cells only.
    computed : float, int or None
        What the register gave, where ``value`` was overridden by hand.
    """

    row: str
    column: str
    kind: str
    value: float | int | None
    state: str = OPEN
    formula: str = ""
    students: tuple[str, ...] = ()
    computed: float | int | None = None


@dataclass(frozen=True)
class Line:
    """An indicator under the table with its value, state and score (0–4 where the profile has a rule)."""

    indicator: Indicator
    value: float | None
    state: str
    score: float | None = None
    students: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exclusion:
    """Students whom the profile does not count, by reason (a code; ``detail`` names a row where needed).

    ``count`` is :data:`FEW` where a suppressed table must not say how many.
    """

    reason: str
    students: tuple[str, ...]
    detail: str = ""
    count: int = 0


class FiguresRefused(ValueError):
    """A figure set by hand that cannot be: no such cell, no such number, or against the rest of its row."""


@dataclass(frozen=True)
class Override:
    """A figure set by hand, with the reason that the export prints.

    ``value`` is finite and >= 0, ``None`` only where a suppressed table hides it. ``second_reason`` says why
    it may contradict the rest of its row.
    """

    row: str
    column: str
    value: float | None
    reason: str
    by: str
    second_reason: str = ""

    def __post_init__(self):
        if self.value is not None and (not isfinite(self.value) or self.value < 0):
            raise FiguresRefused(
                f"the figure of {self.row}/{self.column} must be a number >= 0, got {self.value!r}"
            )
        if not self.reason.strip():
            raise ValueError(f"reason of the override of {self.row}/{self.column} must not be empty")


@dataclass(frozen=True)
class ReportTable:
    """A profile computed on a flow.

    ``cells`` maps ``(row key, column key)`` to a cell, the row of totals (key ``total``) included.
    """

    profile: Profile
    selection: Selection
    snapshot: date | None
    cells: Mapping[tuple[str, str], Cell]
    lines: tuple[Line, ...]
    exclusions: tuple[Exclusion, ...]
    notices: tuple[Notice, ...]
    overrides: tuple[Override, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    external: bool = False

    @property
    def rows(self) -> tuple[Row, ...]:
        """Rows in print order, the row of totals last."""
        if not self.profile.total_columns:
            return self.profile.rows
        return (*self.profile.rows, Row(TOTAL_ROW, self.profile.total_label))

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns in print order."""
        return self.profile.columns

    def cell(self, row: str, column: str) -> Cell:
        """The cell of a row and a column; a closed one where the row of totals has nothing to add."""
        return self.cells.get((row, column), Cell(row, column, "formula", None, CLOSED))

    def line(self, key: str) -> Line:
        """The indicator with that key."""
        for line in self.lines:
            if line.indicator.key == key:
                return line
        raise KeyError(f"indicator must be one of {[line.indicator.key for line in self.lines]}, got {key!r}")

    def with_parts(self, **changes) -> ReportTable:
        """A copy with some parts replaced."""
        return replace(self, **changes)


def academic_year(selection: Selection, offset: int) -> str:
    """An offset as an academic year: ``2025/2026``."""
    year = selection.ts + offset
    return f"{year}/{year + 1}"
