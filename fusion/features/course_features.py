"""Course attempts → two numbers per student: courses of the plan that are passed, and bottlenecks repeated.

Both compare a student with the programme's students of the same and the three intakes before, as far as these
had come at the same point of their studies: nothing of it can be later than the student's own cut-off.

*The plan so far* are the courses that at least half of those students have taken by then; where the register
says which courses are required, only those. A *bottleneck* is a course in which at least one of five of their
attempts failed, of at least twenty (:mod:`data.records.bottlenecks` has the same line for the pages).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
INTAKE = ["program_code", "entered"]


@dataclass(frozen=True)
class CourseCounts:
    """What the students of each intake had taken by an as-of term: counts, so that those of parts of a
    register add up to those of the whole.

    Parameters
    ----------
    courses : DataFrame
        Index ``program_code, entered, course_code`` (``entered``: ordinal of the entry term). Integers:
        ``taken`` (students), ``decided`` and ``failed`` (attempts), ``said`` and ``required`` (attempts that
        say whether the course is compulsory, and that it is).
    students : Series
        Students with an attempt; index ``program_code, entered``.
    """

    courses: pd.DataFrame
    students: pd.Series

    def of_intakes(self, program: str, entered: int) -> tuple[pd.DataFrame, int]:
        """Counts by course of an intake of a programme and those before it, and their students."""
        first, last = (program, entered - INTAKES_BEFORE), (program, entered)
        courses = self.courses.loc[first:last]  # both ends included; the index is sorted
        return courses.groupby("course_code").sum(), int(self.students.loc[first:last].sum())


def course_counts(attempts: pd.DataFrame) -> CourseCounts:
    """Count judged attempts (:func:`completed_attempts`) by intake and course."""
    by_course = [*INTAKE, "course_code"]
    compulsory = attempts["compulsory"]
    counted = attempts[by_course].assign(
        taken=~attempts.duplicated(["student_key", "course_code"]),
        decided=attempts["passed"] | attempts["failed"],
        failed=attempts["failed"],
        said=compulsory.notna(),
        required=(compulsory == "required").fillna(False),
    )
    names = ["taken", "decided", "failed", "said", "required"]
    courses = counted.astype(dict.fromkeys(names, "int64")).groupby(by_course)[names].sum()
    students = attempts.drop_duplicates("student_key").groupby(INTAKE).size()
    return CourseCounts(courses, students)


def added(counts: Iterable[CourseCounts]) -> CourseCounts:
    """The counts of a register from those of its parts."""
    every = list(counts)
    courses = pd.concat([one.courses for one in every])
    students = pd.concat([one.students for one in every])
    return CourseCounts(
        courses.groupby(level=[*INTAKE, "course_code"]).sum(), students.groupby(level=INTAKE).sum()
    )


def course_features(
    records: Records, risk_set: pd.DataFrame, as_of_index: int, counts: CourseCounts | None = None
) -> pd.DataFrame:
    """The features of :data:`fusion.features.feature_list.COURSE_FEATURES`.

    Parameters
    ----------
    records : Records
        As known at that index; ``attempts`` hold nothing later than each student's cut-off.
    risk_set : DataFrame
        Who is scored: ``program_code``, ``cohort_term``; index ``student_key``.
    as_of_index : int
        Completed terms.
    counts : CourseCounts, optional
        Of the whole register, where ``records`` are a part of it. Default: those of ``records``.

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
    rows = completed_attempts(records, as_of_index)
    counts = counts or course_counts(rows)
    own = rows[rows["student_key"].isin(risk_set.index)]
    for (program, entered), mine in own.groupby(INTAKE, sort=False):
        courses, among = counts.of_intakes(program, entered)
        students = mine["student_key"].unique()
        plan, narrow = plan_of(courses, among), bottlenecks_of(courses)
        if len(plan):
            passed = mine[mine["passed"] & mine["course_code"].isin(plan)]
            count = passed.groupby("student_key")["course_code"].nunique().reindex(students, fill_value=0)
            table.loc[students, "plan_passed"] = (count / len(plan)).to_numpy()
        again = mine[(mine["number"] > 1) & mine["course_code"].isin(narrow)]
        count = again.groupby("student_key")["course_code"].nunique().reindex(students, fill_value=0)
        table.loc[students, "bottlenecks_repeated"] = count.to_numpy(float)
    return table


def plan_of(courses: pd.DataFrame, students: int) -> pd.Index:
    """Courses of the plan so far, of the counts of one programme's intakes with so many students."""
    common = courses["taken"] / max(students, 1) >= COMMON
    if not courses["said"].any():
        return courses.index[common]
    required = courses["required"] / courses["said"].where(courses["said"] > 0) > 0.5
    return courses.index[common & required]


def bottlenecks_of(courses: pd.DataFrame) -> pd.Index:
    """Bottleneck courses, of the counts of one programme's intakes."""
    decided = courses["decided"]
    rate = courses["failed"] / decided.where(decided > 0)
    return courses.index[(decided >= LEAST_ATTEMPTS) & (rate >= BOTTLENECK_RATE)]


def completed_attempts(records: Records, as_of_index: int) -> pd.DataFrame:
    """Judged attempts of completed terms, with programme, entry and its place among the terms."""
    about = records.students.set_index("student_key")[["program_code", "cohort_term"]]
    rows = judged(records.attempts, records.grade_rules)
    rows = rows.join(about, on="student_key", how="inner")
    places = {term: ordinal(int(term)) for term in {*rows["term_id"].unique(), *rows["cohort_term"].unique()}}
    entered = rows["cohort_term"].map(places)
    slot = rows["term_id"].map(places) - entered + 1
    # Credits taken over may be older than the entry.
    return rows.assign(entered=entered)[slot <= as_of_index]
