"""The parts of a rule profile: rows, columns, indicators."""

from __future__ import annotations

from dataclasses import dataclass, field

from dashboard.reports.score import ScoreRule


@dataclass(frozen=True)
class Row:
    """A row: an academic year (``offset`` from TS), a category (``where``), or both."""

    key: str
    label: dict
    offset: int | None = None
    where: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """A column; ``group`` is the key of the merged header above it.

    ``kind`` is measure, formula or input. ``horizon_years`` and ``horizon_normal`` (multiple of the normal
    time) say how long a cohort must have been observed; ``open_after`` how many years after a row's year a
    column opens.
    """

    key: str
    label: dict
    kind: str
    group: str = ""
    group_label: dict = field(default_factory=dict)
    offset: int | None = None
    where: dict = field(default_factory=dict)
    aggregate: str = "count"
    formula: str = ""
    format: str = "0"
    open_after: int | None = None
    horizon_years: float | None = None
    horizon_normal: float | None = None
    optional: bool = False
    total: bool = False


@dataclass(frozen=True)
class Indicator:
    """A figure under the table: a formula over it or a measure over the cohort, perhaps with a score."""

    key: str
    label: dict
    formula: str = ""
    where: dict = field(default_factory=dict)
    aggregate: str = "count"
    format: str = "0.00"
    scored: bool = False
    score: ScoreRule | None = None
    note: dict = field(default_factory=dict)
    variant_of: str = ""  # the indicator whose rule it follows; a report warns where the two scores differ


@dataclass(frozen=True)
class Profile:
    """A rule profile, resolved for one level of study."""

    id: str
    version: str
    instrument: str
    number: str
    level: str
    levels: tuple[str, ...]
    evidence: str
    title: dict
    row_label: dict
    entry_types: tuple[str, ...]
    entry_terms: tuple[int, ...]  # 1 odd, 2 even; empty: both
    exclude_exits: tuple[str, ...]
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    indicators: tuple[Indicator, ...]
    constants: dict
    notes: tuple[dict, ...]
    missing: tuple[dict, ...]
    parts: tuple[tuple[str, tuple[str, ...]], ...]
    total_label: dict
    source: dict  # the resolved TOML, kept with a frozen report

    @property
    def total_columns(self) -> tuple[str, ...]:
        """Columns that the row of totals adds up; empty when the instrument has no such row."""
        return tuple(column.key for column in self.columns if column.total)


def year_name(offset: int) -> str:
    """``TS``, ``TS-1``, …"""
    return f"TS{offset:+d}" if offset else "TS"
