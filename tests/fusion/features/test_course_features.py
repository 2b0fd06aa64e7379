"""Features of course attempts, worked out by hand: nothing later than the cut-off, nothing where none are."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.calendar.term_calendar import ordinal
from fusion.explanation.levers import applied
from fusion.features.build import LeakageError, build_features
from fusion.features.course_features import (
    added,
    bottlenecks_of,
    completed_attempts,
    course_counts,
    plan_of,
)
from fusion.features.encode import fit_encoder
from fusion.features.feature_list import COURSE_FEATURES
from fusion.features.term_grid import grid_features

NAMES = [feature.name for feature in COURSE_FEATURES]
KNOWN = {20201: date(2021, 3, 3), 20202: date(2021, 8, 31), 20211: date(2022, 3, 3)}


def attempt(student, course, term, points, compulsory=None, result="graded", known_at=None):
    return {
        "student_key": student,
        "course_code": course,
        "term_id": term,
        "attempt": 1,
        "credits": 3,
        "grade_points": points,
        "result": result,
        "compulsory": compulsory,
        "known_at": pd.Timestamp(known_at or KNOWN[term]),
    }


def with_attempts(register, *rows):
    frame = pd.DataFrame(rows) if rows else None
    return dataclasses.replace(register, attempts=frame)


@pytest.fixture
def studied(hand_register):
    """Students a and b: X failed then passed by a, Y by both, Z by b alone (no course of the plan)."""
    return with_attempts(
        hand_register,
        attempt("a", "X", 20201, 0.0),
        attempt("a", "Y", 20201, 3.0),
        attempt("b", "X", 20201, 3.0),
        attempt("b", "Y", 20201, 2.0),
        attempt("c", "X", 20201, 2.0),
        attempt("c", "Y", 20201, 2.0),
        attempt("b", "Z", 20202, 4.0),
        attempt("a", "X", 20202, 2.0),
    )


def test_a_register_without_grades_has_no_such_features(hand_register):
    assert not set(NAMES) & set(build_features(hand_register, 2).columns)


def test_the_share_of_the_plan_counts_what_most_have_taken(studied):
    first = build_features(_until(studied, 1), 1)["plan_passed"]
    assert first[["a", "b", "c"]].tolist() == [0.5, 1.0, 1.0]
    second = build_features(studied, 2)["plan_passed"]
    assert second[["a", "b", "c"]].tolist() == [1.0, 1.0, 1.0]


def test_required_courses_are_the_plan_where_the_register_says_which(studied):
    kinds = studied.attempts["course_code"].map({"X": "required", "Y": "elective", "Z": "required"})
    said = dataclasses.replace(studied, attempts=studied.attempts.assign(compulsory=kinds))
    assert build_features(_until(said, 1), 1)["plan_passed"][["a", "b"]].tolist() == [0.0, 1.0]
    counts = course_counts(completed_attempts(said, 1))
    assert plan_of(*counts.of_intakes("IF", ordinal(20201))).tolist() == ["X"]


def test_nothing_is_zero_where_nothing_is_known(studied):
    table = build_features(dataclasses.replace(studied, attempts=studied.attempts.iloc[:0]), 0)
    assert table[NAMES].isna().all(axis=None)
    alone = dataclasses.replace(studied, attempts=studied.attempts[studied.attempts["student_key"] != "b"])
    assert np.isnan(build_features(_until(alone, 1), 1).loc["b", "plan_passed"])


def test_a_bottleneck_needs_twenty_attempts_and_one_of_five_failed():
    def course(code, failed, passed):
        return pd.DataFrame(
            {
                "course_code": code,
                "failed": [True] * failed + [False] * passed,
                "passed": [False] * failed + [True] * passed,
            }
        )

    rows = pd.concat(
        [course("few", 4, 15), course("narrow", 4, 16), course("wide", 4, 17)], ignore_index=True
    )
    whose = {"student_key": rows.index.astype(str), "program_code": "IF", "entered": 0, "compulsory": None}
    counts, students = course_counts(rows.assign(**whose)).of_intakes("IF", 0)
    assert students == 60 and bottlenecks_of(counts).tolist() == ["narrow"]


def test_counts_of_parts_add_up_to_those_of_the_whole(studied):
    rows = completed_attempts(studied, 2)
    whole = course_counts(rows)
    parts = added(course_counts(rows[rows["student_key"].isin(keys)]) for keys in (["a"], ["b", "c"]))
    pd.testing.assert_frame_equal(parts.courses, whole.courses)
    pd.testing.assert_series_equal(parts.students, whole.students)
    x = whole.courses.loc[("IF", ordinal(20201), "X")]
    assert x[["taken", "decided", "failed", "said"]].tolist() == [3, 4, 1, 0]  # a twice, b and c once


def test_only_the_six_intakes_before_and_the_own_one_count():
    places = [0, 1, 6, 7]
    rows = pd.DataFrame(
        {
            "student_key": [f"s{place}" for place in places],
            "program_code": "IF",
            "entered": places,
            "course_code": "X",
            "compulsory": None,
            "passed": True,
            "failed": False,
        }
    )
    counts = course_counts(pd.concat([rows, rows.assign(program_code="SI")], ignore_index=True))
    assert [counts.of_intakes("IF", place)[1] for place in places] == [1, 2, 3, 3]


def test_repeats_of_a_bottleneck_are_counted_once_a_course(studied):
    many = [attempt(f"s{n}", "X", 20201, 0.0 if n < 8 else 3.0) for n in range(24)]
    students = pd.concat(
        [studied.students, studied.students.iloc[[0] * 24].assign(student_key=[f"s{n}" for n in range(24)])],
        ignore_index=True,
    )
    frame = pd.concat([studied.attempts, pd.DataFrame(many)], ignore_index=True)
    register = dataclasses.replace(studied, students=students, attempts=frame)
    told = build_features(register, 2)["bottlenecks_repeated"]
    assert told[["a", "b"]].tolist() == [1.0, 0.0]


def test_a_grade_known_after_the_cut_off_is_refused_and_later_intakes_say_nothing(studied):
    late = studied.attempts.assign(known_at=pd.Timestamp("2022-01-01"))
    with pytest.raises(LeakageError, match="known_at"):
        build_features(dataclasses.replace(studied, attempts=late), 2)
    younger = studied.students.iloc[[0]].assign(student_key="young", cohort_term=20221)
    students = pd.concat([studied.students, younger], ignore_index=True)
    more = [attempt("young", f"N{n}", 20221, 4.0, known_at=date(2023, 3, 3)) for n in range(3)]
    frame = pd.concat([studied.attempts, pd.DataFrame(more)], ignore_index=True)
    register = dataclasses.replace(studied, students=students, attempts=frame)
    before, after = build_features(studied, 2)[NAMES], build_features(register, 2)[NAMES]
    pd.testing.assert_frame_equal(before, after.loc[before.index])


def test_a_model_has_the_features_only_where_some_row_says_something(studied, hand_register):
    without = fit_encoder(build_features(hand_register, 2)).names
    graded = build_features(studied, 2)
    assert fit_encoder(graded).names == (*without, *NAMES)
    assert fit_encoder(graded.assign(**dict.fromkeys(NAMES, np.nan))).names == without
    # A model of a register with grades meets one without: missing, not refused.
    matrix = fit_encoder(graded).matrix(build_features(hand_register, 2))
    assert np.isnan(matrix[:, -2:]).all()


def test_a_course_passed_in_what_if_is_one_of_the_plan(studied):
    row = build_features(studied, 2).loc["a"].to_dict()
    row |= {"plan_passed": 0.5, "failed_last": 1.0, "failed_total": 1.0, "credits_last": 16.0}
    better = applied(dict(row), {"failed_last": 0.0})["plan_passed"]
    worse = applied(dict(row), {"failed_last": 2.0})["plan_passed"]
    assert worse < 0.5 < better <= 1.0


def test_waiting_for_the_competency_exam_is_no_term_without_results(hand_register):
    """Status U: the courses are done; zeros of such a term are no failure and no missing average."""
    values = ("gpa_term", "gpa_cum", "credits_attempted", "credits_passed", "courses_failed")
    values += ("credits_cum", "courses_repeated", "attendance_rate", "tuition_arrears_days")
    rows = pd.DataFrame(
        {
            "student_key": ["a", "a"],
            "term_id": [20201, 20202],
            "slot": [1, 2],
            "status": ["A", "U"],
            "gpa_term": [3.2, np.nan],
            "gpa_cum": [3.2, 3.2],
            "credits_attempted": [20, 0],
            "credits_passed": [20, 0],
            "credits_cum": [20, 20],
            "courses_failed": [0, 0],
        }
    )
    told = grid_features(rows, pd.Index(["a"]), 2, values).loc["a"]
    assert (told["gpa_missing"], told["inactive_terms"], told["leave_terms"]) == (0, 0, 0)
    assert (told["credits_last"], told["load_mean"], told["pass_ratio_last"]) == (20, 20, 1)
    assert (told["status_last"], told["terms_missing"]) == ("U", 0)
    still = grid_features(
        rows.assign(credits_attempted=[20, 3], credits_passed=[20, 3]), pd.Index(["a"]), 2, values
    )
    assert still.loc["a", "credits_last"] == 3


def _until(register, index):
    """What was known of the attempts by then."""
    last = {1: date(2021, 3, 3), 2: date(2021, 8, 31)}[index]
    rows = register.attempts
    return dataclasses.replace(register, attempts=rows[rows["known_at"] <= pd.Timestamp(last)])
