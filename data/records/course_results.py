"""Course attempts → what a term's row says: credits passed, failed, repeated, averages. Frames in and out.

One rule, used wherever attempts are counted. An attempt *passes* with at least :attr:`GradeRules.pass_points`
grade points, or by its result (passed, transferred). A course that was taken again counts once: by its *best*
attempt, as transcripts and Feeder do, or by its *last*, as some regulations say. A mark that is still open
counts as taken and neither passed nor failed; a withdrawn one as never taken.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

COUNTS = ("best", "last")
DERIVED = (
    *("credits_attempted", "credits_passed", "courses_failed", "courses_repeated", "gpa_term"),
    *("credits_cum", "gpa_cum"),
)
BY_ATTEMPT = ("term_id", "attempt")
SETTING = "grade_rules"  # fact of the store


@dataclass(frozen=True)
class GradeRules:
    """How attempts are counted.

    Parameters
    ----------
    counts : {"best", "last"}
        Which of several attempts at a course counts.
    pass_points : float
        Least grade points that pass, above 0 and at most 4; 1.0 is a D.
    """

    counts: str = "best"
    pass_points: float = 1.0

    def __post_init__(self):
        if self.counts not in COUNTS:
            raise ValueError(f"counts must be one of {', '.join(COUNTS)}, got {self.counts!r}")
        if not 0 < self.pass_points <= 4:
            raise ValueError(f"pass_points must be above 0 and at most 4, got {self.pass_points!r}")

    @classmethod
    def of(cls, fact: dict[str, Any] | None) -> GradeRules:
        """The rules that a store's fact holds; the usual ones where it holds none."""
        return cls(**(fact or {}))

    @property
    def fact(self) -> dict[str, Any]:
        """Plain values for the store."""
        return asdict(self)


def judged(attempts: pd.DataFrame, rules: GradeRules) -> pd.DataFrame:
    """Attempts that count, in order, each with what it came to.

    Parameters
    ----------
    attempts : DataFrame
        ``student_key``, ``course_code``, ``term_id``, ``attempt``, ``credits``, ``grade_points``, ``result``.
    rules : GradeRules

    Returns
    -------
    DataFrame
        Without the withdrawn, sorted by student, course and term; with ``passed`` and ``failed`` (bool, both
        false while a mark is open) and ``number`` (1 for the first attempt at a course, and until its mark is
        in: a thesis that goes on is not taken again).
    """
    rows = attempts[attempts["result"] != "withdrawn"]
    rows = rows.sort_values(["student_key", "course_code", *BY_ATTEMPT], kind="stable", ignore_index=True)
    graded = rows["result"] == "graded"
    enough = rows["grade_points"] >= rules.pass_points - 1e-9
    passed = (graded & enough) | rows["result"].isin(["passed", "transferred"])
    failed = (graded & ~enough) | (rows["result"] == "failed")
    course = [rows["student_key"], rows["course_code"]]
    decided = (passed | failed).astype("int64")
    number = decided.groupby(course, sort=False).cumsum() - decided + 1
    return rows.assign(passed=passed.astype(bool), failed=failed.astype(bool), number=number)


def term_figures(attempts: pd.DataFrame, rules: GradeRules) -> pd.DataFrame:
    """What a row of a term would say, for every student and term with an attempt.

    Parameters
    ----------
    attempts : DataFrame
        As for :func:`judged`: those known by the day that is asked about.

    Returns
    -------
    DataFrame
        ``student_key``, ``term_id``, the columns :data:`DERIVED` (averages missing without graded credits,
        never 0) and ``open`` (attempts whose mark is still open).
    """
    rows = judged(attempts, rules)
    key = ["student_key", "term_id"]
    graded = (rows["result"] == "graded").to_numpy()
    credits = rows["credits"].to_numpy(float)
    points = np.where(graded, rows["grade_points"].to_numpy(float), 0.0)
    sums = pd.DataFrame(
        {
            **{name: rows[name] for name in key},
            # Credits taken over from elsewhere were not taken in the term.
            "credits_attempted": credits * (rows["result"] != "transferred"),
            "credits_passed": credits * rows["passed"],
            "courses_failed": rows["failed"].astype(float),
            "courses_repeated": ((rows["number"] > 1) & (rows["result"] != "transferred")).astype(float),
            "graded": credits * graded,
            "points": credits * points,
            "open": (rows["result"] == "open").astype(float),
        }
    )
    sums = sums.groupby(key, sort=True, as_index=False).sum()
    sums["gpa_term"] = _ratio(sums["points"], sums["graded"])
    return sums.merge(_so_far(rows, rules), on=key, how="left").drop(columns=["graded", "points"])


def _so_far(rows: pd.DataFrame, rules: GradeRules) -> pd.DataFrame:
    """Credits earned and average by the end of each term: every course once, by the attempt that counts.

    Each attempt adds what it changes of its course: the new standing less the one before it.
    """
    graded = (rows["result"] == "graded").to_numpy()
    credits = rows["credits"].to_numpy(float)
    told = (rows["result"] != "open").to_numpy()
    points = np.where(graded, rows["grade_points"].to_numpy(float), np.nan)
    course = [rows["student_key"], rows["course_code"]]
    if rules.counts == "best":
        best = pd.Series(points).groupby(course, sort=False).cummax()
        standing = best.groupby(course, sort=False).ffill().to_numpy()
        through = pd.Series(rows["passed"].to_numpy()).groupby(course, sort=False).cummax().to_numpy(bool)
    else:
        standing = pd.Series(points).groupby(course, sort=False).ffill().to_numpy()
        last = pd.Series(np.where(told, rows["passed"], np.nan).astype(float))
        through = last.groupby(course, sort=False).ffill().fillna(0.0).to_numpy() > 0
    has = ~np.isnan(standing)
    now = pd.DataFrame(
        {
            "earned": credits * through,
            "graded": credits * has,
            "points": credits * np.where(has, standing, 0.0),
        }
    )
    steps = now - now.groupby(course, sort=False).shift(fill_value=0.0)
    steps = steps.assign(student_key=rows["student_key"], term_id=rows["term_id"])
    sums = steps.groupby(["student_key", "term_id"], sort=True, as_index=False).sum()
    total = sums.groupby("student_key", sort=False)[["earned", "graded", "points"]].cumsum()
    return sums[["student_key", "term_id"]].assign(
        credits_cum=total["earned"], gpa_cum=_ratio(total["points"], total["graded"])
    )


def filled(terms: pd.DataFrame, attempts: pd.DataFrame, rules: GradeRules) -> pd.DataFrame:
    """Rows of terms, with what they leave empty told by the attempts; a stated figure always stays.

    Parameters
    ----------
    terms : DataFrame
        ``student_key``, ``term_id`` and the columns of the terms table.
    attempts : DataFrame
        Those known by the same day.

    Returns
    -------
    DataFrame
        The same rows and columns, in the same order.
    """
    if attempts.empty or terms.empty:
        return terms
    figures = term_figures(attempts, rules)
    told = terms[["student_key", "term_id"]].merge(figures, on=["student_key", "term_id"], how="left")
    told = told.set_axis(terms.index)
    made = {}
    for name in DERIVED:
        if name in terms and terms[name].isna().any():
            digits = 2 if name in ("gpa_term", "gpa_cum") else 0
            made[name] = pd.to_numeric(terms[name]).astype("float64").fillna(told[name].round(digits))
    return terms.assign(**made)


def _ratio(above: pd.Series, below: pd.Series) -> pd.Series:
    return above / below.where(below > 0)
