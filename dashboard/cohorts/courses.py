"""Counts by course → the courses in which most attempts fail, small counts hidden. Pure functions."""

from __future__ import annotations

import pandas as pd

from dashboard.cohorts.summaries import wilson
from data.records.bottlenecks import BOTTLENECK_RATE, LEAST_ATTEMPTS
from data.trust.small_cells import THRESHOLD

LISTED = 10


def by_course(counts: pd.DataFrame) -> pd.DataFrame:
    """Shares of every course, and what of it may be told.

    Parameters
    ----------
    counts : DataFrame
        ``queries.course_results``.

    Returns
    -------
    DataFrame
        ``program_code``, ``course_code``, ``course_name``, ``attempts``, ``students``; ``rate``, ``low``,
        ``high`` (share of attempts failed, 0–1, Wilson); ``delayed_share`` and ``on_time_share`` (of the
        delayed and of the on-time graduates who took the course, those who failed it at least once; missing
        where few are meant); ``narrow`` (a bottleneck); ``told`` (whether anything of the row may be shown).
        The highest share first.

    Notes
    -----
    The rule of :mod:`data.trust.small_cells` where rates are published: a row is told when at least
    :data:`data.trust.small_cells.THRESHOLD` students failed the course and as many did not. No sum over
    courses or cohorts is published that would bring a hidden row back.
    """
    table = counts[["program_code", "course_code", "course_name", "attempts", "students"]].copy()
    table["rate"] = counts["failed"] / counts["attempts"].where(counts["attempts"] > 0)
    table["low"], table["high"] = wilson(counts["failed"], counts["attempts"])
    for name in ("delayed", "on_time"):
        failing, others = counts[f"{name}_failing"], counts[name] - counts[f"{name}_failing"]
        share = counts[f"{name}_failing"] / counts[name].where(counts[name] > 0)
        table[f"{name}_share"] = share.where(_many(failing) & _many(others))
    table["told"] = _many(counts["failing"]) & _many(counts["students"] - counts["failing"])
    table["narrow"] = (table["rate"] >= BOTTLENECK_RATE) & (table["attempts"] >= LEAST_ATTEMPTS)
    return table.sort_values(
        ["rate", "attempts", "program_code", "course_code"],
        ascending=[False, False, True, True],
        ignore_index=True,
    )


def listed(table: pd.DataFrame, program: str | None) -> pd.DataFrame:
    """The bottlenecks that may be told, of one programme or of all, at most :data:`LISTED`."""
    rows = table[table["told"] & table["narrow"]]
    if program is not None:
        rows = rows[rows["program_code"] == program]
    return rows.head(LISTED).reset_index(drop=True)


def course_of(row: dict) -> str:
    """Code and name of a course."""
    return (
        row["course_code"]
        if row["course_name"] == row["course_code"]
        else (f"{row['course_code']} {row['course_name']}")
    )


def _many(students: pd.Series) -> pd.Series:
    return students >= THRESHOLD
