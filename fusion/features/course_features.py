"""Course attempts → two numbers per student: courses of the plan that are passed, and bottlenecks repeated.

Both compare a student with the programme's students of the same and the three intakes before, as far as these
had come at the same point of their studies: nothing of it can be later than the student's own cut-off.

*The plan so far* are the courses that at least half of those students have taken by then; where the register
says which courses are required, only those. A *bottleneck* is a course in which at least one of five of their
attempts failed, of at least twenty (:mod:`data.records.bottlenecks` has the same line for the pages).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.calendar.term_calendar import ordinal
from data.records.bottlenecks import BOTTLENECK_RATE, LEAST_ATTEMPTS
from data.records.course_results import judged

if TYPE_CHECKING:
    from data.queries import Records

COMMON = 0.5  # share of a programme's students who have taken a course that belongs to the plan so far
INTAKES_BEFORE = 6  # regular terms: the intakes of three years before


def course_features(records: Records, risk_set: pd.DataFrame, as_of_index: int) -> pd.DataFrame:
    """The features of :data:`fusion.features.feature_list.COURSE_FEATURES`.

    Parameters
    ----------
    records : Records
        As known at that index; ``attempts`` hold nothing later than each student's cut-off.
    risk_set : DataFrame
        Who is scored: ``program_code``, ``cohort_term``; index ``student_key``.
    as_of_index : int
        Completed terms.

    Returns
    -------
    DataFrame
        float64 ``plan_passed`` (0–1) and ``bottlenecks_repeated``, index as ``risk_set``; missing for
        students of whom no attempt is known.
    """
    table = pd.DataFrame(
        {"plan_passed": np.nan, "bottlenecks_repeated": np.nan}, index=risk_set.index, dtype="float64"
    )
    if records.attempts is None or records.attempts.empty or not as_of_index:
        return table
    rows = _completed(records, as_of_index)
    own = rows[rows["student_key"].isin(risk_set.index)]
    by_group = {group: part for group, part in own.groupby(["program_code", "cohort_term"], sort=False)}
    programmes = dict(list(rows.groupby("program_code", sort=False)))
    for (program, cohort), mine in by_group.items():
        alike = programmes[program]
        back = ordinal(int(cohort)) - alike["entered"]
        alike = alike[(back >= 0) & (back <= INTAKES_BEFORE)]
        students = mine["student_key"].unique()
        plan, narrow = plan_of(alike), bottlenecks_of(alike)
        if len(plan):
            passed = mine[mine["passed"] & mine["course_code"].isin(plan)]
            count = passed.groupby("student_key")["course_code"].nunique().reindex(students, fill_value=0)
            table.loc[students, "plan_passed"] = (count / len(plan)).to_numpy()
        again = mine[(mine["number"] > 1) & mine["course_code"].isin(narrow)]
        count = again.groupby("student_key")["course_code"].nunique().reindex(students, fill_value=0)
        table.loc[students, "bottlenecks_repeated"] = count.to_numpy(float)
    return table


def plan_of(attempts: pd.DataFrame) -> pd.Index:
    """Courses of the plan so far, of the attempts of one programme's students."""
    taken = attempts.drop_duplicates(["student_key", "course_code"])
    share = taken["course_code"].value_counts() / max(taken["student_key"].nunique(), 1)
    common = share.index[share >= COMMON]
    said = attempts[attempts["compulsory"].notna()]
    if said.empty:
        return common
    required = (said["compulsory"] == "required").groupby(said["course_code"]).mean() > 0.5
    return common.intersection(required.index[required])


def bottlenecks_of(attempts: pd.DataFrame) -> pd.Index:
    """Bottleneck courses, of the attempts of one programme's students."""
    decided = attempts[attempts["passed"] | attempts["failed"]]
    by_course = decided.groupby("course_code")["failed"].agg(["size", "mean"])
    narrow = (by_course["size"] >= LEAST_ATTEMPTS) & (by_course["mean"] >= BOTTLENECK_RATE)
    return by_course.index[narrow]


def _completed(records: Records, as_of_index: int) -> pd.DataFrame:
    """Judged attempts of completed terms, with programme, entry and its place among the terms."""
    about = records.students.set_index("student_key")[["program_code", "cohort_term"]]
    rows = judged(records.attempts, records.grade_rules)
    rows = rows.join(about, on="student_key", how="inner")
    places = {term: ordinal(int(term)) for term in {*rows["term_id"].unique(), *rows["cohort_term"].unique()}}
    entered = rows["cohort_term"].map(places)
    slot = rows["term_id"].map(places) - entered + 1
    # Credits taken over may be older than the entry.
    return rows.assign(entered=entered)[slot <= as_of_index]
