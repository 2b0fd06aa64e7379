"""Several attempts at a course, what passes, and the courses that hold students up: worked out by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from data.records.bottlenecks import course_counts
from data.records.course_results import GradeRules, filled, judged, term_figures


def attempts(*rows) -> pd.DataFrame:
    """Student, course, term, credits, points, result."""
    names = ["student_key", "course_code", "term_id", "credits", "grade_points", "result"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(attempt=1, course_name=None).astype({"grade_points": "float64"})


BETTER_THEN_WORSE = attempts(
    ("a", "X", 20201, 3, 3.0, "graded"),
    ("a", "Y", 20201, 2, 4.0, "graded"),
    ("a", "X", 20202, 3, 0.0, "graded"),
)


@pytest.mark.parametrize(
    ("counts", "earned", "average"), [("best", 5, (3 * 3 + 2 * 4) / 5), ("last", 2, (0 * 3 + 2 * 4) / 5)]
)
def test_of_several_attempts_the_best_or_the_last_counts(counts, earned, average):
    second = term_figures(BETTER_THEN_WORSE, GradeRules(counts=counts)).iloc[1]
    assert (second["credits_cum"], second["gpa_cum"]) == (earned, pytest.approx(average))
    # The term itself says what happened in it, whichever attempt counts.
    assert (second["gpa_term"], second["courses_failed"], second["courses_repeated"]) == (0, 1, 1)


def test_what_passes_is_a_setting():
    rows = attempts(("a", "X", 20201, 3, 1.0, "graded"), ("a", "Y", 20201, 3, 2.0, "graded"))
    assert term_figures(rows, GradeRules())["credits_passed"].tolist() == [6]
    assert term_figures(rows, GradeRules(pass_points=2))["credits_passed"].tolist() == [3]


@pytest.mark.parametrize("wrong", [{"counts": "first"}, {"pass_points": 0}, {"pass_points": 4.5}])
def test_rules_that_there_are_not_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        GradeRules(**wrong)


def test_marks_without_points_count_in_credits_alone():
    rows = attempts(
        ("a", "L", 20201, 2, None, "passed"),
        ("a", "G", 20201, 2, None, "failed"),
        ("a", "T", 20201, 20, None, "transferred"),
        ("a", "W", 20201, 3, None, "withdrawn"),
        ("a", "O", 20201, 3, None, "open"),
    )
    told = term_figures(rows, GradeRules()).iloc[0]
    assert (told["credits_attempted"], told["credits_passed"], told["credits_cum"]) == (7, 22, 22)
    assert (told["courses_failed"], told["courses_repeated"], told["open"]) == (1, 0, 1)
    assert pd.isna(told["gpa_term"]) and pd.isna(told["gpa_cum"])


def test_a_thesis_that_goes_on_is_not_taken_again():
    rows = attempts(
        ("a", "TA", 20201, 6, None, "open"),
        ("a", "TA", 20202, 6, None, "open"),
        ("a", "TA", 20211, 6, 4.0, "graded"),
    )
    assert judged(rows, GradeRules())["number"].tolist() == [1, 1, 1]


def test_a_stated_figure_stays_and_an_empty_one_is_told():
    terms = pd.DataFrame(
        {
            "student_key": ["a", "a", "b"],
            "term_id": [20201, 20202, 20201],
            "gpa_term": [3.99, None, None],
            "credits_passed": [None, None, None],
        }
    )
    told = filled(terms, BETTER_THEN_WORSE, GradeRules())
    assert told["gpa_term"].tolist()[:2] == [3.99, 0.0] and pd.isna(told["gpa_term"][2])
    assert told["credits_passed"].tolist()[:2] == [5, 0] and pd.isna(told["credits_passed"][2])
    assert filled(terms, BETTER_THEN_WORSE.iloc[:0], GradeRules()) is terms


def test_courses_are_counted_by_attempts_and_by_students():
    rows = attempts(
        ("a", "X", 20201, 3, 0.0, "graded"),
        ("a", "X", 20202, 3, 3.0, "graded"),
        ("b", "X", 20201, 3, 3.0, "graded"),
        ("c", "X", 20201, 3, None, "failed"),
        ("d", "X", 20201, 3, None, "open"),
        ("e", "X", 20201, 3, None, "transferred"),
    )
    about = pd.DataFrame(
        {
            "student_key": list("abcde"),
            "program_code": "P",
            "label": ["delayed", "on_time", "delayed", "delayed", "on_time"],
        }
    )
    row = course_counts(judged(rows, GradeRules()), about).iloc[0].to_dict()
    assert row == {
        **{"program_code": "P", "course_code": "X", "course_name": "X"},
        **{"attempts": 4, "failed": 2, "students": 3, "failing": 2},
        **{"delayed": 2, "delayed_failing": 2, "on_time": 1, "on_time_failing": 0},
    }
    assert course_counts(judged(rows.iloc[:0], GradeRules()), about).empty


def test_a_course_is_named_wherever_the_register_has_its_name():
    """Of its own programme the newest, else that of another one where it is the only one, else the code."""
    rows = attempts(
        ("a", "X", 20201, 3, 3.0, "graded"),
        ("a", "X", 20202, 3, 3.0, "graded"),
        ("a", "Y", 20201, 3, 3.0, "graded"),
        ("a", "Z", 20201, 3, 3.0, "graded"),
        ("a", "V", 20201, 3, 3.0, "graded"),
        ("a", "V", 20202, 3, None, "open"),
        ("b", "X", 20203, 3, 3.0, "graded"),
        ("b", "Y", 20201, 3, 3.0, "graded"),
        ("b", "Z", 20201, 3, 3.0, "graded"),
        ("b", "Z", 20202, 3, 3.0, "graded"),
    )
    names = ["Algebra", "Algebra I", None, None, None, "Thesis", "Optics", "Logic", "Drawing", "Design"]
    about = pd.DataFrame({"student_key": ["a", "b"], "program_code": ["P", "Q"], "label": "censored"})
    counts = course_counts(judged(rows.assign(course_name=names), GradeRules()), about)
    told = counts.set_index(["program_code", "course_code"])["course_name"].to_dict()
    assert told == {
        **{("P", "X"): "Algebra I", ("P", "Y"): "Logic", ("P", "Z"): "Z", ("P", "V"): "Thesis"},
        **{("Q", "X"): "Optics", ("Q", "Y"): "Logic", ("Q", "Z"): "Design"},
    }
