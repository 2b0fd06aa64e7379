"""Registers for the fusion tests: eight rows worked out by hand, and small simulated ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pytest

from benchmarks.registers import make_register
from data.calendar.study_time import StudyCalendar
from data.calendar.term_calendar import term_end
from data.records.course_results import GradeRules
from fusion.features import fuse
from fusion.features.assemble import all_rows


@dataclass(frozen=True)
class HandRegister:
    """The four frames of a register."""

    students: pd.DataFrame
    terms: pd.DataFrame
    outcomes: pd.DataFrame
    programs: pd.DataFrame
    calendar: StudyCalendar = StudyCalendar()
    attempts: pd.DataFrame | None = None
    grade_rules: GradeRules = GradeRules()
    day: date | None = None


@pytest.fixture
def hand_register():
    """Three students of one S1 programme, entry 20201, read on 2022-12-31: eight term rows."""
    students = pd.DataFrame(
        {
            "student_key": ["a", "b", "c"],
            "program_code": ["IF", "IF", "IF"],
            "cohort_term": [20201, 20201, 20201],
            "recognized_credits": [None, None, 20],
            "sex": ["L", "P", "P"],
            "birth_year": [2002, 2001, None],
        }
    )
    rows = [  # student, term, status, gpa, attempted, passed, failed, attendance, arrears
        ("a", 20201, "A", 3.0, 20, 20, 0, 0.9, 0),
        ("a", 20202, "A", 2.0, 20, 10, 3, 0.7, 30),
        ("a", 20211, "A", 2.5, 20, 16, 1, 0.8, 0),
        ("b", 20201, "A", 3.5, 18, 18, 0, None, None),
        ("b", 20202, "C", None, 0, 0, 0, None, None),
        ("b", 20211, "A", 3.7, 18, 18, 0, None, None),
        ("c", 20201, "A", 1.0, 20, 6, 4, 0.5, 90),
        ("c", 20202, "N", None, 0, 0, 0, None, 180),
    ]
    columns = [
        "student_key",
        "term_id",
        "status",
        "gpa_term",
        "credits_attempted",
        "credits_passed",
        "courses_failed",
        "attendance_rate",
        "tuition_arrears_days",
    ]
    terms = pd.DataFrame(rows, columns=columns)
    terms["known_at"] = [pd.Timestamp(term_end(t)) + pd.Timedelta(days=14) for t in terms["term_id"]]
    outcomes = pd.DataFrame(
        {
            "student_key": ["a", "b", "c"],
            "exit_type": [None, None, "resigned"],
            "exit_date": [pd.NaT, pd.NaT, pd.Timestamp("2021-10-01")],
            "exit_term": [None, None, 20211],
            "terms_to_exit": [None, None, 3],
            "gpa_final": [None, None, 0.9],
            "observed_until": pd.Timestamp("2022-12-31"),
        }
    )
    programs = pd.DataFrame([("IF", "Informatics", "S1", 8, 144)])
    programs.columns = ["program_code", "name", "degree_level", "normal_terms", "required_credits"]
    return HandRegister(students, terms, outcomes, programs)


@dataclass(frozen=True)
class Simulated:
    """A simulated register and all its rows."""

    register: object
    rows: object


def simulate(count: int, seed: int, **options) -> Simulated:
    register = make_register(count, np.random.default_rng(seed), **options)
    signatures = fuse.mean_signatures(register.specimens, register.vectors, "sim@1")
    return Simulated(register, all_rows(lambda index: register, signatures))


@pytest.fixture(scope="session")
def simulated():
    """Seven hundred students whose signatures carry nothing."""
    return simulate(700, 3)


@pytest.fixture(scope="session")
def make_simulated():
    """The factory behind :func:`simulated`."""
    return simulate
