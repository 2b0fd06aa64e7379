"""What the store already holds of the students in an import."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from data.calendar.study_time import StudyCalendar
from data.records.course_results import GradeRules

_TYPES = {"cohort_term": "int64", "term_id": "int64", "exit_date": "datetime64[us]"}
_TYPES |= {"credits_attempted": "float64", "credits_cum": "float64", "known_at": "datetime64[us]"}
_TYPES |= {"attempt": "int64", "credits": "float64", "grade_points": "float64"}
_TYPES |= {"decided_on": "datetime64[us]"}
_TYPES |= {"exit_term": "float64", "observed_until": "datetime64[us]"}


def _empty(*columns: str):
    """A factory of empty frames with typed columns."""
    return lambda: pd.DataFrame({name: pd.Series([], dtype=_TYPES.get(name, "str")) for name in columns})


@dataclass(frozen=True)
class Known:
    """What the store holds of the students in the files, keyed by ``student_number``.

    Parameters
    ----------
    programs : DataFrame
        Every programme: ``program_code, name, degree_level, normal_terms, required_credits``.
    students, terms, outcomes : DataFrame
        Stored rows; ``students`` with at least ``student_number, program_code, cohort_term``.
    grades : DataFrame
        Stored course attempts.
    grade_rules : GradeRules
        How the store counts several attempts, and what passes.
    consents : DataFrame
        Decisions on record in the order in which they were recorded.
    latest_known_at : Timestamp or None
        How far the register reaches: the newest ``terms.known_at`` of the whole store.
    sizes : dict of str to int
        Programme code → students of the whole store.
    calendar : StudyCalendar
        To which term an exit on a day belongs, by the store's settings.
    """

    programs: pd.DataFrame = field(default_factory=_empty("program_code", "degree_level"))
    students: pd.DataFrame = field(default_factory=_empty("student_number", "program_code", "cohort_term"))
    terms: pd.DataFrame = field(
        default_factory=_empty("student_number", "term_id", "credits_attempted", "credits_cum", "known_at")
    )
    outcomes: pd.DataFrame = field(
        default_factory=_empty("student_number", "exit_term", "exit_date", "observed_until")
    )
    grades: pd.DataFrame = field(
        default_factory=_empty(
            *("student_number", "course_code", "term_id", "attempt", "credits", "grade_points", "result"),
            "known_at",
        )
    )
    grade_rules: GradeRules = GradeRules()
    consents: pd.DataFrame = field(
        default_factory=_empty("student_number", "purpose", "decision", "decided_on", "source")
    )
    latest_known_at: pd.Timestamp | None = None
    calendar: StudyCalendar = StudyCalendar()
    sizes: dict[str, int] = field(default_factory=dict)
