"""What can be tried on a record, and all that moves along: the arithmetic behind what-if.

A lever moves one thing that a student and an advisor can influence, together with every feature that follows
from it: a course failed is credits not passed, and so credits earned, the pace, the credits still needed, the
shares passed and the GPA move along. What cannot be derived stays: the signature, entry facts and everything
older than the last term. Of a course passed or failed it is taken that it belongs to the plan. As every
feature keeps its direction and all that follow move the same way, for better or for worse, no lever runs
against common sense.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

USUAL_COURSE = 3.0  # credits of a course where the record does not tell
LEAST_PASS = 1.0  # grade points of the lowest grade that passes
NOT_STUDIED = ("C", "N", "U")  # status of a last term without courses: leave, not registered, exam ahead


@dataclass(frozen=True)
class Lever:
    """Something changeable.

    Parameters
    ----------
    name : str
        Feature that is set.
    low, high : float
        Possible range.
    better : {-1, 1}
        Direction that is usually wished for.
    follow : callable
        ``follow(row, old, new)`` changes the features that depend on it, in place.
    """

    name: str
    low: float
    high: float
    better: int
    follow: Callable[[dict, float, float], None]


def _attendance(row: dict, old: float, new: float) -> None:
    step, terms = new - old, max(row["as_of_index"], 1.0)
    only = np.isnan(row["attendance_change"])  # no other term has one on record
    row["attendance_mean"] = new if only else row["attendance_mean"] + step / terms
    row["attendance_change"] += step


def _arrears(row: dict, old: float, new: float) -> None:
    row["arrears_terms"] += float(new > 0) - float(old > 0)
    only = row["arrears_terms"] <= float(new > 0)  # the last term is the only one in arrears, or none is
    row["arrears_longest"] = new if only else max(row["arrears_longest"], new)


def _failed(row: dict, old: float, new: float) -> None:
    row["failed_total"] += new - old
    passed = row["credits_last"]
    if np.isnan(passed):
        return
    taken, course = _taken(row, passed), _credits_per_course(row, old)
    row["credits_last"] = max(passed - course * (new - old), 0.0)
    _earned(row, passed, row["credits_last"])
    _graded(row, row["credits_last"] - passed, passed, taken)


def _graded(row: dict, gained: float, passed: float, taken: float) -> None:
    """The GPA moves by the least it must: a failed course counted 0 and a passed one counts at least 1.

    A course failed instead of passed takes an average course's share of the points along.
    """
    gpa = row["gpa_last"]
    if np.isnan(gpa) or not taken:
        return
    step = LEAST_PASS * gained / taken if gained > 0 else gpa * gained / passed if passed else 0.0
    row["gpa_last"] = float(np.clip(gpa + step, 0.0, 4.0))
    _gpa(row, gpa, row["gpa_last"])


def _credits(row: dict, old: float, new: float) -> None:
    failed = row["failed_last"]
    if not np.isnan(failed):
        taken = _taken(row, old)
        course = _credits_per_course(row, failed, passed=old)
        row["failed_last"] = max(failed - (new - old) / course, 0.0)
        if new >= taken:  # everything taken is passed
            row["failed_last"] = 0.0
        row["failed_total"] += row["failed_last"] - failed
    _earned(row, old, new)


def _gpa(row: dict, old: float, new: float) -> None:
    step, terms = new - old, max(row["as_of_index"], 1.0)
    if np.isnan(row["gpa_change"]):  # the only GPA on record
        row["gpa_cum"] += step
        row["gpa_first"] = row["gpa_lowest"] = new
        return
    row["gpa_cum"] += step / terms
    row["gpa_change"] += step
    row["gpa_lowest"] = min(row["gpa_lowest"], new)
    row["gpa_trend"] += step * 6.0 / (terms * (terms + 1.0))  # weight of the last point of a slope


def _earned(row: dict, old: float, new: float) -> None:
    """What follows from passing ``new`` credits of those taken instead of ``old``."""
    step, taken = new - old, _taken(row, old)
    left, done = max(row["terms_left"], 1.0), row["as_of_index"]
    missing = row["credits_needed"] * left
    if missing > 0:
        required = row["credits_cum"] + missing
        planned = required * done / (row["terms_left"] + done)
    else:  # more was earned than the programme asks: the plan is known from the pace
        planned = row["credits_cum"] / row["credit_pace"] if row["credit_pace"] else np.nan
        required = planned * (row["terms_left"] + done) / max(done, 1.0)
    share_of_plan = row.get("plan_passed", np.nan)
    if not np.isnan(share_of_plan) and planned > 0:  # as if the course belonged to the plan so far
        row["plan_passed"] = float(np.clip(share_of_plan + step / planned, 0.0, 1.0))
    row["credits_cum"] += step
    row["credit_pace"] = row["credits_cum"] / planned if planned > 0 else row["credit_pace"]
    row["credits_needed"] = float(np.maximum(required - row["credits_cum"], 0.0) / left)
    if taken:
        row["pass_ratio_last"] = min(new / taken, 1.0)
        usual = row.get("load_mean", np.nan)  # of all terms: the last one may have been light or heavy
        share = row["pass_ratio"] + step / ((taken if np.isnan(usual) else usual) * max(done, 1.0))
        row["pass_ratio"] = float(np.clip(share, 0.0, 1.0))


def _taken(row: dict, passed: float) -> float:
    """Credits taken last term: from those passed and their share, else the usual load."""
    ratio = row["pass_ratio_last"]
    taken = passed / ratio if ratio and ratio > 0 else row["load_mean"]
    return passed if np.isnan(taken) else max(taken, passed)


def _credits_per_course(row: dict, failed: float, passed: float | None = None) -> float:
    """Credits of one course: those not passed over the courses failed, else the usual size."""
    passed = row["credits_last"] if passed is None else passed
    lost = _taken(row, passed) - passed
    return lost / failed if failed > 0 and lost > 0 else USUAL_COURSE


LEVERS = {
    lever.name: lever
    for lever in (
        Lever("attendance_last", 0.0, 1.0, 1, _attendance),
        Lever("arrears_last", 0.0, 2000.0, -1, _arrears),
        Lever("failed_last", 0.0, 20.0, -1, _failed),
        Lever("gpa_last", 0.0, 4.0, 1, _gpa),
        Lever("credits_last", 0.0, 24.0, 1, _credits),
    )
}


def possible(row: pd.Series) -> dict[str, tuple[float, float, float]]:
    """Levers of one feature row whose present value is known: name → (present, low, high).

    None of a term in which nothing was studied: what stands in the row is older. Courses failed and credits
    passed are one thing: credits are a lever only where no failed course tells how many were lost.
    """
    found = {}
    if row.get("status_last") in NOT_STUDIED:
        return found
    for name, lever in LEVERS.items():
        value = row.get(name, np.nan)
        if value is None or np.isnan(value):
            continue
        high = lever.high
        if name == "credits_last":
            if row.get("failed_last", np.nan) > 0:
                continue
            high = float(_taken(row, float(value)))
        if name == "failed_last" and not np.isnan(row.get("credits_last", np.nan)):
            more = row["credits_last"] / _credits_per_course(row, float(value))
            high = float(np.clip(value + np.floor(more + 1e-9), value, max(lever.high, value)))
        found[name] = (float(value), lever.low, high)
    return found


def applied(record: dict, changes: dict[str, float]) -> dict:
    """The record after the changes, in the levers' own order whatever theirs; in place."""
    for name in [name for name in LEVERS if name in changes]:
        old, record[name] = record[name], float(changes[name])
        LEVERS[name].follow(record, old, record[name])
    return record
