"""What can be tried on a record, and all that moves along: the arithmetic behind what-if.

A lever moves one thing that a student and an advisor can influence, together with every feature that follows
from it: a course failed is credits not passed, and so credits earned, the pace, the credits still needed, the
shares passed and the GPA move along. What cannot be derived stays: the signature, entry facts and everything
older than the last term. Of a course passed or failed it is taken that it belongs to the plan. As every
feature keeps its direction and all that follow move the same way, for better or for worse, no lever runs
against common sense.

The levers of one term must be possible together. A course failed counts 0 in the GPA, a course passed at
least the least grade that passes and at most the greatest of the scale: with a share of the credits passed,
the GPA lies between that share of the one and of the other (:func:`gpa_room`). A register that counts
otherwise, say without failed courses, is believed: its own average of the courses passed widens the scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.records.course_results import GradeRules

USUAL_COURSE = 3.0  # credits of a course where the record does not tell
GREATEST = 4.0  # grade points of the best grade
OF_COURSES = ("failed_last", "credits_last")  # levers that say how much of what was taken was passed
USUAL = GradeRules()
_TOLD = 0.005  # grade points that two decimals cannot tell apart
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
    row["credits_last"] = max(passed - _credits_per_course(row, old) * (new - old), 0.0)
    _earned(row, passed, row["credits_last"])


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
    only = np.isnan(row["gpa_change"])  # the only GPA on record
    row["gpa_cum"] = float(np.clip(row["gpa_cum"] + (step if only else step / terms), 0.0, GREATEST))
    if only:
        row["gpa_first"] = row["gpa_lowest"] = new
        return
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
        Lever("credits_last", 0.0, 24.0, 1, _credits),
        Lever("gpa_last", 0.0, GREATEST, 1, _gpa),  # last: what it can be follows from the courses
    )
}


def _most_failed(row: pd.Series, failed: float, most: float) -> float:
    """How many courses can have been failed: as many as the credits passed are, or the usual load is."""
    passed, load = row.get("credits_last", np.nan), row.get("load_mean", np.nan)
    if not np.isnan(passed):
        courses = failed + np.floor(passed / _credits_per_course(row, failed) + 1e-9)
    else:
        courses = most if np.isnan(load) else np.floor(load / USUAL_COURSE + 1e-9)
    return float(np.clip(courses, failed, max(most, failed)))


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
        if name == "failed_last":
            high = _most_failed(row, float(value), lever.high)
        found[name] = (float(value), lever.low, high)
    return found


@dataclass(frozen=True)
class Grading:
    """How the courses of a term and its GPA hang together in one record.

    Parameters
    ----------
    least, greatest : float
        Between which the average of the courses passed lies: of the scale, or as the record has it.
    graded : float
        Credits with a grade, those passed and those failed: a course still open is neither.
    """

    least: float
    greatest: float
    graded: float

    @classmethod
    def of(cls, row: dict, rules: GradeRules) -> Grading:
        """Of a record as it is."""
        known = cls(rules.pass_points, GREATEST, _graded(row))
        gpa, share = row.get("gpa_last", np.nan), known.share(row)
        if np.isnan(gpa) or np.isnan(share):
            return known
        if share > 0:
            return cls(min(known.least, gpa / share), max(GREATEST, gpa / share), known.graded)
        # Nothing was passed: whoever has points all the same is counted in a way that is not told.
        return known if gpa <= _TOLD else cls(0.0, np.inf, known.graded)

    def share(self, row: dict) -> float:
        """The share of the graded credits that was passed; missing where the record does not tell."""
        passed, failed = row.get("credits_last", np.nan), row.get("failed_last", np.nan)
        if not np.isnan(passed):
            return min(passed / self.graded, 1.0) if self.graded > 0 else np.nan
        if not failed or np.isnan(failed):
            return np.nan if failed else 1.0
        load = row.get("load_mean", np.nan)  # what is usually taken, where the credits are not told
        return max(1.0 - USUAL_COURSE * failed / load, 0.0) if load > 0 else np.nan

    def room(self, row: dict) -> tuple[float, float]:
        """The least and the greatest GPA that is possible with the courses passed of a row."""
        share = self.share(row)
        if np.isnan(share) or np.isinf(self.greatest):
            return 0.0, GREATEST
        return min(self.least * share, GREATEST), min(self.greatest * share, GREATEST)

    def regraded(self, row: dict, share: float, rules: GradeRules) -> None:
        """Move the GPA by the least it must since ``share`` was passed.

        A failed course counted 0 and a passed one counts at least the least grade that passes; one failed
        instead of passed takes an average course's share of the points along.
        """
        gpa, now = row.get("gpa_last", np.nan), self.share(row)
        if np.isnan(gpa) or np.isnan(now) or np.isnan(share) or now == share:
            return
        new = gpa * now / share if now < share else gpa + rules.pass_points * (now - share)
        row["gpa_last"] = float(np.clip(new, *self.room(row)))
        _gpa(row, gpa, row["gpa_last"])


def applied(record: dict, changes: dict[str, float], rules: GradeRules = USUAL) -> dict:
    """The record after the changes, in the levers' own order whatever theirs; in place.

    A GPA that the courses passed cannot give is taken to the nearest one that they can.

    Parameters
    ----------
    record : dict
        A row of features.
    changes : dict of str to float
        Lever → value.
    rules : GradeRules
        Of the institution: which grade is the least that passes.
    """
    grading = Grading.of(record, rules)
    for name in [name for name in LEVERS if name in changes]:
        old, new, share = record[name], float(changes[name]), grading.share(record)
        if name == "gpa_last" and new != old:
            new = float(np.clip(new, *grading.room(record)))
        if new == old:
            continue
        record[name] = new
        LEVERS[name].follow(record, old, new)
        if name in OF_COURSES:
            grading.regraded(record, share, rules)
    return record


def gpa_room(record: dict, changes: dict[str, float], rules: GradeRules = USUAL) -> tuple[float, float, bool]:
    """The least and the greatest GPA of the term that is possible with the courses passed after the changes.

    Parameters
    ----------
    record, changes, rules
        As for :func:`applied`; the record stays as it is.

    Returns
    -------
    (low, high, by_the_scale)
        ``by_the_scale``: whether both follow from the scale alone, not from a record that counts otherwise.
    """
    grading = Grading.of(record, rules)
    low, high = grading.room(applied(dict(record), changes, rules))
    return low, high, (grading.least, grading.greatest) == (rules.pass_points, GREATEST)


def courses_for(record: dict, changes: dict[str, float], lever: str, rules: GradeRules = USUAL) -> float:
    """What the courses must be for a GPA to be possible: the nearest value of a lever.

    Parameters
    ----------
    record, rules
        As for :func:`applied`; the record stays as it is.
    changes : dict of str to float
        With ``gpa_last``. Where no value makes it possible, the one that comes nearest to it.
    lever : str
        Of :data:`OF_COURSES`.
    """
    now, low, high = possible(pd.Series(record))[lever]
    others = {name: value for name, value in changes.items() if name != "gpa_last"}
    stands, found = applied(dict(record), others, rules)[lever], []
    for value in {now, stands, *map(float, range(math.ceil(low), math.floor(high) + 1))}:
        then = applied(dict(record), changes | {lever: value}, rules)
        off = abs(then["gpa_last"] - changes["gpa_last"])
        found.append((off if off > _TOLD else 0.0, abs(value - stands), value))
    return min(found)[2]


def _graded(row: dict) -> float:
    """Credits with a grade; missing where the credits passed are."""
    passed, failed = row.get("credits_last", np.nan), row.get("failed_last", np.nan)
    if np.isnan(passed) or not failed:
        return passed
    return _taken(row, passed) if np.isnan(failed) else passed + failed * _credits_per_course(row, failed)
