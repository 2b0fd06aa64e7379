import dataclasses
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.features.build import (
    FEATURES,
    LeakageError,
    build_features,
    check_known,
    check_names,
    enrolled_at,
    known_terms,
    last_completed_term,
    register_date,
)
from fusion.features.term_grid import _change, _last, _slope


def with_terms(register, **columns):
    return dataclasses.replace(register, terms=register.terms.assign(**columns))


def test_features_after_three_terms_are_those_worked_out_by_hand(hand_register):
    a = build_features(hand_register, 3).loc["a"]
    assert a["gpa_cum"] == pytest.approx(2.5)  # no cumulative GPA in the file: mean of 3.0, 2.0, 2.5
    assert (a["gpa_last"], a["gpa_first"], a["gpa_lowest"]) == (2.5, 3.0, 2.0)
    assert a["gpa_trend"] == pytest.approx(-0.25)  # least squares through (0, 3.0), (1, 2.0), (2, 2.5)
    assert a["gpa_change"] == pytest.approx(0.5)
    assert a["credits_cum"] == 46
    assert a["credit_pace"] == pytest.approx(46 / (144 * 3 / 8))
    assert a["credits_needed"] == pytest.approx((144 - 46) / 5)
    assert a["pass_ratio"] == pytest.approx(46 / 60)
    assert (a["failed_total"], a["failed_last"]) == (4, 1)
    assert a["attendance_mean"] == pytest.approx(0.8)
    assert a["attendance_change"] == pytest.approx(0.1)
    assert (a["arrears_last"], a["arrears_longest"], a["arrears_terms"]) == (0, 30, 1)
    assert a["terms_missing"] == 0


@pytest.mark.parametrize(
    ("totals", "earned"),
    [
        ([None, None], 26),  # no total of the register: the terms' 6 credits, and the 20 recognised
        ([6, 6], 26),  # the total is that of the terms: what was recognised comes on top
        ([26, 26], 26),  # the total holds it
        ([26, 24], 24),  # and what was passed twice counts once in it
    ],
)
def test_credits_recognised_at_entry_count_once_in_every_feature_of_progress(hand_register, totals, earned):
    whose = hand_register.terms["student_key"] == "c"
    booked = pd.Series(np.nan, hand_register.terms.index)
    booked[whose] = np.array(totals, float)
    c = build_features(with_terms(hand_register, credits_cum=booked), 2).loc["c"]
    assert c["credits_cum"] == earned
    assert c["credit_pace"] == pytest.approx(earned / (144 * 2 / 8))
    assert c["credits_needed"] == pytest.approx((144 - earned) / 6)
    assert c["credits_last"] == 0 and c["pass_ratio"] == pytest.approx(6 / 20)  # terms stay what they were


def test_credits_recognised_are_taken_as_the_register_has_them_where_terms_tell_none(hand_register):
    booked = pd.Series(30.0, hand_register.terms.index)
    blank = with_terms(hand_register, credits_cum=booked, credits_passed=np.nan)
    assert build_features(blank, 2).loc["c", "credits_cum"] == 30


def test_leave_is_counted_and_leaves_the_gpa_missing_not_zero(hand_register):
    b = build_features(hand_register, 2).loc["b"]
    assert (b["leave_terms"], b["status_last"], b["gpa_missing"]) == (1, "C", 1)
    assert b["gpa_last"] == 3.5
    assert np.isnan(b["gpa_change"]) and np.isnan(b["attendance_mean"])


def test_credits_taken_per_term_are_those_of_terms_with_courses(hand_register):
    """Leave is told by its own name: halved by it, the load would tell it once more, and either way."""
    assert build_features(hand_register, 2)["load_mean"].to_dict() == {"a": 20, "b": 18, "c": 20}
    idle = with_terms(hand_register, credits_attempted=0.0)
    assert build_features(idle, 2)["load_mean"].isna().all()


def test_on_the_first_day_only_entry_is_known(hand_register):
    table = build_features(hand_register, 0)
    assert list(table.index) == ["a", "b", "c"]
    assert table["gpa_cum"].isna().all() and table["credits_cum"].isna().all()
    assert table.loc["c", "recognized_credits"] == 20
    assert table["terms_left"].eq(8).all()


def test_a_student_who_left_is_no_longer_in_the_risk_set(hand_register):
    assert "c" in build_features(hand_register, 2).index  # cut-off 2021-08-31, left 2021-10-01
    assert "c" not in build_features(hand_register, 3).index


def test_no_score_is_made_for_a_term_that_the_register_does_not_reach(hand_register):
    assert list(build_features(hand_register, 3).index) == ["a", "b"]
    assert build_features(hand_register, 4).empty
    assert enrolled_at(hand_register, 2, today=date(2021, 8, 1)).empty
    assert register_date(hand_register) == date(2022, 12, 31)


def test_a_row_known_late_changes_nothing_before_it_was_known(hand_register):
    late = hand_register.terms["known_at"].where(
        hand_register.terms["term_id"] != 20202, pd.Timestamp("2022-06-01")
    )
    before = build_features(with_terms(hand_register, known_at=late), 2)
    assert before.loc["a", "gpa_last"] == 3.0
    assert before.loc["a", "terms_missing"] == 1


def test_the_day_of_the_cut_off_still_counts_and_the_day_after_does_not(hand_register):
    second = hand_register.terms["term_id"] == 20202
    on, after = (
        with_terms(hand_register, known_at=hand_register.terms["known_at"].where(~second, pd.Timestamp(day)))
        for day in ("2021-08-31", "2021-09-01")
    )
    assert enrolled_at(hand_register, 2, today=date(2021, 8, 30)).empty
    assert list(enrolled_at(hand_register, 2, today=date(2021, 8, 31)).index) == ["a", "b", "c"]
    assert list(enrolled_at(on, 2, today=date(2021, 8, 31)).index) == ["a", "b", "c"]
    assert enrolled_at(after, 2, today=date(2021, 8, 31)).empty
    assert build_features(on, 2).loc["a", "gpa_last"] == 2.0
    assert build_features(after, 2).loc["a", "gpa_last"] == 3.0


def test_a_term_from_before_the_entry_is_none_of_the_students(hand_register):
    earlier = dict(student_key="a", term_id=20192, status="N", known_at=pd.Timestamp("2020-08-14"))
    terms = pd.concat([hand_register.terms, pd.DataFrame([earlier])], ignore_index=True)
    planted = dataclasses.replace(hand_register, terms=terms)
    pd.testing.assert_frame_equal(build_features(hand_register, 3), build_features(planted, 3))
    assert 20192 not in known_terms(planted, enrolled_at(planted, 3), 3)["term_id"].tolist()


def test_credits_are_needed_in_one_term_at_least_and_never_fewer_than_none(hand_register):
    three = dataclasses.replace(hand_register, programs=hand_register.programs.assign(normal_terms=3))
    assert build_features(three, 2).loc["a", "credits_needed"] == 144 - 30  # one term is left
    assert build_features(three, 3).loc["a", "credits_needed"] == 144 - 46  # none is
    short = dataclasses.replace(hand_register, programs=hand_register.programs.assign(required_credits=40))
    assert build_features(short, 3).loc["a", "credits_needed"] == 0  # 46 are earned


def test_who_entered_in_the_even_term_is_told_apart(hand_register):
    students = hand_register.students.assign(cohort_term=[20201, 20201, 20202])
    table = build_features(dataclasses.replace(hand_register, students=students), 0)
    assert table["even_intake"].to_dict() == {"a": 0, "b": 0, "c": 1}


def test_a_register_without_exits_is_as_new_as_its_terms_and_one_without_either_has_no_day(hand_register):
    no_exits = dataclasses.replace(hand_register, outcomes=hand_register.outcomes.iloc[:0])
    assert register_date(no_exits) == date(2022, 2, 14)  # 31 January 2022 and 14 days
    with pytest.raises(ValueError, match="neither"):
        register_date(dataclasses.replace(no_exits, terms=hand_register.terms.iloc[:0]))
    undated = hand_register.terms.drop(columns="known_at")
    assert register_date(dataclasses.replace(hand_register, terms=undated)) == date(2022, 12, 31)


def test_a_later_status_forged_to_look_early_does_not_enter(hand_register):
    forged = dict(student_key="a", term_id=20212, status="N", known_at=pd.Timestamp("2020-09-01"))
    terms = pd.concat([hand_register.terms, pd.DataFrame([forged])], ignore_index=True)
    honest = build_features(hand_register, 3)
    planted = build_features(dataclasses.replace(hand_register, terms=terms), 3)
    pd.testing.assert_frame_equal(honest, planted)


def test_a_final_gpa_planted_in_any_table_never_becomes_a_feature(hand_register):
    planted = dataclasses.replace(
        hand_register,
        students=hand_register.students.assign(gpa_final=[3.9, 3.8, 0.5]),
        terms=hand_register.terms.assign(gpa_final=3.9, exit_type="graduated"),
    )
    pd.testing.assert_frame_equal(build_features(hand_register, 2), build_features(planted, 2))


@pytest.mark.parametrize("name", ["gpa_final", "exit_type", "terms_to_exit", "employment_status", "label"])
def test_the_deny_list_stops_what_is_known_only_afterwards(name):
    with pytest.raises(LeakageError, match=name):
        check_names(["gpa_cum", name])


def test_protected_attributes_are_refused_unless_switched_on(hand_register):
    with pytest.raises(ValueError, match="sex"):
        check_names(["gpa_cum", "sex"])
    check_names(["gpa_cum", "sex"], allow_protected=True)
    assert "sex" not in build_features(hand_register, 1)
    audited = build_features(hand_register, 1, protected=True)
    assert audited.loc["a", "age_at_entry"] == 18 and np.isnan(audited.loc["c", "age_at_entry"])


def test_rows_later_than_the_cut_off_raise_with_their_number():
    frame = pd.DataFrame({"known_at": ["2021-01-01", "2021-03-02"], "cutoff": ["2021-03-01", "2021-03-01"]})
    with pytest.raises(LeakageError, match="1 rows are, up to 2021-03-02"):
        check_known(frame)
    check_known(frame.assign(known_at="2021-03-01"))  # on the day of the cut-off


def test_a_short_term_adds_its_credits_to_the_even_term(hand_register):
    short = dict(
        student_key="a",
        term_id=20203,
        status="A",
        credits_attempted=6,
        credits_passed=6,
        known_at=pd.Timestamp("2021-08-20"),
    )
    terms = pd.concat([hand_register.terms, pd.DataFrame([short])], ignore_index=True)
    table = build_features(dataclasses.replace(hand_register, terms=terms), 2)
    assert table.loc["a", "credits_last"] == 16 and table.loc["a", "credits_cum"] == 36
    assert table.loc["a", "terms_missing"] == 0


def test_an_unknown_programme_is_named(hand_register):
    broken = dataclasses.replace(hand_register, programs=hand_register.programs.assign(program_code="XX"))
    with pytest.raises(ValueError, match="IF"):
        build_features(broken, 1)


def test_an_empty_cohort_gives_an_empty_table_with_every_column(hand_register):
    nobody = dataclasses.replace(hand_register, students=hand_register.students.iloc[:0])
    table = build_features(nobody, 2)
    assert table.empty and "gpa_trend" in table


def test_every_column_is_registered(hand_register):
    table = build_features(hand_register, 2, protected=True)
    assert set(table.columns) == {name for name, feature in FEATURES.items() if not feature.optional}
    graded = pd.DataFrame({"student_key": [], "known_at": pd.to_datetime([])})
    with_grades = dataclasses.replace(hand_register, attempts=graded)
    assert set(build_features(with_grades, 2, protected=True).columns) == set(FEATURES)
    assert all(feature.label_key == f"feature.{name}" for name, feature in FEATURES.items())


def test_the_term_of_a_score_is_the_last_completed_one():
    assert [last_completed_term(20201, n) for n in (0, 1, 2, 8)] == [20201, 20201, 20202, 20232]


@given(st.lists(st.one_of(st.none(), st.floats(0, 4)), min_size=1, max_size=9))
def test_last_change_and_slope_agree_with_a_plain_computation(values):
    grid = np.array([[np.nan if v is None else v for v in values]])
    seen = [(i, v) for i, v in enumerate(values) if v is not None]
    assert np.array_equal(_last(grid), [seen[-1][1] if seen else np.nan], equal_nan=True)
    change = seen[-1][1] - seen[-2][1] if len(seen) > 1 else np.nan
    assert np.allclose(_change(grid), [change], equal_nan=True)
    slope = np.polyfit(*zip(*seen, strict=True), 1)[0] if len(seen) > 1 else np.nan
    assert np.allclose(_slope(grid), [slope], equal_nan=True, atol=1e-6)


def test_a_term_of_kampus_merdeka_counts_as_a_term_that_is_studied(hand_register):
    """Few have it last; what few have would teach a risk by chance, and stood as a reason for leaving."""
    newest = (
        hand_register.terms.groupby("student_key")["term_id"].transform("max")
        == hand_register.terms["term_id"]
    )
    studied = newest & (hand_register.terms["status"] == "A")
    away = with_terms(hand_register, status=hand_register.terms["status"].mask(studied, "M"))
    for index in (1, 2, 3):
        pd.testing.assert_frame_equal(build_features(away, index), build_features(hand_register, index))
