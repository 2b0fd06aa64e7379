"""A student's courses in words, in both languages."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboard.shell.wording import Words
from dashboard.students.courses import course_lines
from data.records.course_results import GradeRules, judged


@pytest.fixture
def rows():
    frame = pd.DataFrame(
        [
            ("MK1", "Kalkulus", 20201, 0.0, "E", "graded"),
            ("MK1", "Kalkulus I", 20211, 3.0, "B", "graded"),
            ("MK2", "Fisika", 20201, 0.0, "E", "graded"),
            ("MK3", None, 20211, None, "T", "open"),
            ("MK4", "Olahraga", 20211, None, None, "failed"),
            ("MK5", "Seni", 20211, 4.0, "A", "graded"),
        ],
        columns=["course_code", "course_name", "term_id", "grade_points", "grade", "result"],
    )
    return judged(frame.assign(student_key="a", attempt=1, credits=3), GradeRules())


def test_failed_repeated_and_open_courses_in_words(rows):
    told = course_lines(rows, Words("en"))
    term = Words("en").term
    assert told.failed == (
        f"Fisika (MK2): {term(20201)}: E",
        f"Olahraga (MK4): {term(20211)}: failed",
    )
    assert told.repeated == (f"Kalkulus I (MK1): {term(20201)}: E, {term(20211)}: B",)
    assert told.open == (f"MK3: {term(20211)}",)


def test_the_same_in_the_other_language_and_nothing_where_all_is_well(rows):
    assert course_lines(rows, Words("id")).failed[1].endswith("tidak lulus")
    assert not course_lines(rows[rows["course_code"] == "MK5"], Words("id"))
