"""What a sheet of the meeting pack is, and what of an overview it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from dashboard.cohorts import compare
from dashboard.cohorts.counted import Counts
from dashboard.reports.language import program_label
from dashboard.shell.wording import Words

TEXT, COUNT, SHARE, MEAN = "text", "0", "0.0%", "0.00"  # what a column holds
COHORTS, TERMS = 7, 8  # newest cohorts and terms of the retention sheet, as on the page


@dataclass(frozen=True)
class Sheet:
    """A table of the pack.

    Parameters
    ----------
    key : str
        Names it in code; its words are ``meeting.sheet_<key>``.
    title : str
    head : tuple of str
        Headings.
    forms : tuple of str
        What each column holds: :data:`TEXT`, :data:`COUNT`, :data:`SHARE` (0–1) or :data:`MEAN`.
    rows : tuple of tuple
        Numbers, texts (marks included), or None where nobody knows.
    note : str
        A sentence below the title.
    """

    key: str
    title: str
    head: tuple[str, ...]
    forms: tuple[str, ...]
    rows: tuple[tuple, ...]
    note: str = ""


@dataclass(frozen=True)
class Shown:
    """What the overview shows, as frames.

    Parameters
    ----------
    kpis : list of tuple of str
        The row of figures: label, value, change, what stands beside it.
    names : mapping
        Programme code → name.
    cohorts, by_program : DataFrame
        :func:`dashboard.cohorts.summaries.outcomes` by entry cohort and by programme.
    progress, progress_of_program : DataFrame
        :func:`dashboard.cohorts.summaries.followed` of what is chosen, and of all its programme's cohorts.
    cube : DataFrame
        Students by band; no row where none may be told.
    reasons, reasons_by_program : DataFrame
        :mod:`dashboard.cohorts.reasons`.
    reason_name : callable
        A reason in words.
    courses : DataFrame
        :func:`dashboard.cohorts.courses.by_course` of the programme; no row without grades.
    incidence : mapping
        "mature" and "immature" → :func:`dashboard.cohorts.prospects.incidence`.
    scenarios : DataFrame
        :func:`dashboard.cohorts.prospects.scenarios`.
    attribute : str
        By which groups are formed.
    groups : DataFrame
        :func:`dashboard.cohorts.prospects.groups`, groups by their codes.
    group_name : callable
        A group's code in words.
    counts : Counts
        Of every cohort of the programme.
    compared : list of int
        Cohorts that stand side by side; empty: none.
    compared_terms : int
    seen : mapping
        :func:`dashboard.cohorts.compare.seen_cohorts`.
    hidden_on_page : frozenset
        Counts of the page that are not told (:func:`dashboard.cohorts.compare.told_on_page`): no form that is
        given out tells them.
    newest_told : int or None
        The entry cohort that the page's on-time and drop-out figures are about.
    reported : frozenset of str
        Programmes of which exits are recorded.
    load : tuple of (float or None, int)
        Students at risk per advisor, and how many advisors.
    several : bool
        Whether more than one programme is counted.
    """

    kpis: list[tuple[str, str, str, str]]
    names: Mapping[str, str]
    cohorts: pd.DataFrame
    by_program: pd.DataFrame
    progress: pd.DataFrame
    progress_of_program: pd.DataFrame
    cube: pd.DataFrame
    reasons: pd.DataFrame
    reasons_by_program: pd.DataFrame
    reason_name: Callable[[str], str]
    courses: pd.DataFrame
    incidence: Mapping[str, pd.DataFrame]
    scenarios: pd.DataFrame
    attribute: str
    groups: pd.DataFrame
    group_name: Callable[[str], str]
    counts: Counts
    compared: list[int]
    compared_terms: int
    seen: Mapping[int, compare.Seen]
    hidden_on_page: frozenset
    newest_told: int | None
    reported: frozenset[str]
    load: tuple[float | None, int]
    several: bool


def made_sheet(
    key: str, words: Words, columns: list[tuple[str, str]], rows: Iterable[tuple], note: str = ""
) -> Sheet:
    """A sheet; ``columns``: heading and form of each."""
    return Sheet(
        key,
        words(f"meeting.sheet_{key}"),
        tuple(head for head, _ in columns),
        tuple(form for _, form in columns),
        tuple(tuple(row) for row in rows),
        note,
    )


def named(shown: Shown) -> Callable[[str], str]:
    """How a programme is written: code and name."""
    return lambda code: program_label(code, shown.names.get(code, ""))


def number(value: object) -> object:
    """A figure of a frame as a cell: missing is None, counts are whole."""
    if value is None or value != value:
        return None
    return value if isinstance(value, str) else float(value) if isinstance(value, float) else int(value)


def of_all(words: Words) -> str:
    """That shares of the public form are of everybody who entered."""
    return words("meeting.of_all")


def newest(reach: Iterable[int]) -> list[int]:
    """The newest cohorts, the oldest of them first."""
    return sorted(reach)[-COHORTS:]
