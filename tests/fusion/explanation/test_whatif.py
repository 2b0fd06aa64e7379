import numpy as np
import pandas as pd
import pytest

from data.records.course_results import GradeRules
from fusion.explanation.levers import applied, courses_for, gpa_room, possible
from fusion.explanation.whatif import moved, score_changes, smallest_change, what_if
from fusion.features.assemble import rows_as_of, training_set
from fusion.features.splits import mature_labels
from fusion.model.booster import TreeSettings
from fusion.model.fit import fit_model


@pytest.fixture(scope="module")
def scored(simulated):
    rows = training_set(simulated.rows, mature_labels(simulated.register), "late")
    model = fit_model({"late": rows}, seed=2, settings=TreeSettings(rounds=60))
    return model, rows.rows


def rows_at(rows, index):
    return np.flatnonzero((rows.as_of == index) & rows.table["attendance_last"].notna().to_numpy())


def test_nothing_changed_gives_the_score_as_it_is(scored):
    model, rows = scored
    row = rows.take(rows_at(rows, 3)[:1])
    present = {name: value[0] for name, value in possible(row.table.iloc[0]).items()}
    same = what_if(model, row, "late", present)
    assert same.risk == pytest.approx(model.score(row, "late").frame["risk"][0], abs=1e-6)
    assert same.low <= same.risk <= same.high and "association" in same.note


@pytest.fixture
def third_term(hand_register):
    """Student a after three terms: 16 of 20 credits passed, one course failed, GPA 2.5 after 3.0 and 2.0."""
    return rows_as_of(hand_register, 3).take(np.array([0])).table.iloc[0].to_dict()


def test_a_failed_course_passed_is_credits_passed_and_all_that_follows(third_term):
    changed = applied(dict(third_term), {"failed_last": 0.0})
    assert changed["failed_total"] == 3 and changed["credits_last"] == 20  # the one course was the 4 credits
    assert changed["credits_cum"] == 50 and changed["credit_pace"] == pytest.approx(50 / 54)
    assert changed["credits_needed"] == pytest.approx((144 - 50) / 5)
    assert changed["pass_ratio_last"] == 1 and changed["pass_ratio"] == pytest.approx(50 / 60)
    # it counted 0 and counts at least 1.00: 4 of 20 credits
    assert changed["gpa_last"] == pytest.approx(2.7) and changed["gpa_change"] == pytest.approx(0.7)
    assert changed["gpa_cum"] == pytest.approx((3.0 + 2.0 + 2.7) / 3)


def test_the_share_passed_is_of_all_that_was_taken_and_not_of_so_many_last_terms(third_term):
    heavier = dict(third_term, load_mean=25.0, pass_ratio=46 / 75)  # 25 credits a term, 20 in the last
    assert applied(heavier, {"failed_last": 0.0})["pass_ratio"] == pytest.approx(50 / 75)


def test_one_course_failed_more_takes_its_credits_and_points_along(third_term):
    changed = applied(dict(third_term), {"failed_last": 2.0})
    assert changed["failed_total"] == 5 and changed["credits_last"] == 12
    assert changed["credits_cum"] == 42 and changed["pass_ratio_last"] == pytest.approx(0.6)
    assert changed["gpa_last"] == pytest.approx(2.5 * 12 / 16)  # an average course's share of the points


def test_credits_passed_are_courses_failed_less(third_term):
    changed = applied(dict(third_term), {"credits_last": 20.0})
    assert changed["failed_last"] == 0 and changed["failed_total"] == 3
    assert changed["credits_cum"] == 50 and changed["pass_ratio_last"] == 1


def test_attendance_and_grades_move_their_means_changes_and_trend(third_term):
    changed = applied(dict(third_term), {"gpa_last": 3.1, "attendance_last": 0.9})
    assert changed["attendance_mean"] == pytest.approx((0.9 + 0.7 + 0.9) / 3)
    assert changed["attendance_change"] == pytest.approx(0.2)
    assert changed["gpa_cum"] == pytest.approx((3.0 + 2.0 + 3.1) / 3)
    assert changed["gpa_trend"] == pytest.approx(np.polyfit([0, 1, 2], [3.0, 2.0, 3.1], 1)[0])
    assert changed["gpa_lowest"] == 2.0


def test_after_the_first_term_its_grade_is_also_the_first_and_the_lowest(hand_register):
    row = rows_as_of(hand_register, 1).take(np.array([0])).table.iloc[0].to_dict()
    changed = applied(dict(row), {"gpa_last": 3.6, "attendance_last": 0.5})
    assert [changed[n] for n in ("gpa_first", "gpa_lowest", "gpa_cum")] == pytest.approx([3.6] * 3)
    assert changed["attendance_mean"] == 0.5 and np.isnan(changed["attendance_change"])


@pytest.mark.parametrize(
    ("terms", "longest", "now", "then", "expected"),
    [
        (1, 30, 30, 0, (0, 0)),  # the only term in arrears is none
        (1, 30, 30, 90, (1, 90)),
        (2, 60, 30, 0, (1, 60)),  # another term was longer
        (1, 60, 0, 90, (2, 90)),
        (0, 0, 0, 5, (1, 5)),
    ],
)
def test_arrears_move_their_count_and_the_longest(third_term, terms, longest, now, then, expected):
    row = dict(
        third_term, arrears_last=float(now), arrears_terms=float(terms), arrears_longest=float(longest)
    )
    changed = applied(row, {"arrears_last": float(then)})
    assert (changed["arrears_terms"], changed["arrears_longest"]) == expected


def test_courses_and_credits_of_one_term_are_one_lever(third_term):
    found = possible(pd.Series(third_term))
    assert "credits_last" not in found
    assert found["failed_last"] == (1, 0, 5)  # 16 credits passed are four courses of 4 that can be lost
    lost = possible(pd.Series(dict(third_term, failed_last=0.0)))
    assert lost["credits_last"] == (16, 0, 20)  # credits lost without a failed course


@pytest.mark.parametrize("status", ["C", "N"])
def test_of_a_term_without_courses_nothing_can_be_tried(third_term, status):
    assert possible(pd.Series(dict(third_term, status_last=status))) == {}


def test_what_moves_along_is_told(hand_register):
    row = rows_as_of(hand_register, 3).take(np.array([0]))
    told = moved(row, {"failed_last": 0.0})
    assert told["credits_cum"] == (46, 50) and told["failed_total"] == (4, 3)
    assert "failed_last" not in told and "attendance_mean" not in told
    assert moved(row, {}) == {}


def test_the_order_of_the_changes_does_not_matter(third_term):
    one = applied(dict(third_term), {"failed_last": 0.0, "gpa_last": 3.0})
    two = applied(dict(third_term), {"gpa_last": 3.0, "failed_last": 0.0})
    assert one == two and one["gpa_last"] == 3.0


def test_the_gpa_is_what_the_courses_passed_can_give(third_term):
    best = applied(dict(third_term), {"gpa_last": 4.0})  # 16 of 20 credits
    assert best["gpa_last"] == pytest.approx(3.2) and best["gpa_cum"] <= 4.0
    assert gpa_room(third_term, {}) == pytest.approx((0.8, 3.2, True))
    assert gpa_room(third_term, {"failed_last": 5.0}) == (0.0, 0.0, True)
    assert gpa_room(third_term, {"failed_last": 0.0}, GradeRules(pass_points=2.0)) == (2.0, 4.0, True)
    assert courses_for(third_term, {"gpa_last": 3.9}, "failed_last") == 0.0
    assert courses_for(third_term, {"gpa_last": 1.0}, "failed_last") == 1.0  # possible as it stands
    assert courses_for(third_term, {"gpa_last": 0.0}, "failed_last") == 5.0


def test_where_credits_are_not_told_the_usual_load_stands_for_them(third_term):
    row = dict(third_term, credits_last=np.nan, pass_ratio_last=np.nan, load_mean=18.0, gpa_last=2.5)
    assert possible(pd.Series(row))["failed_last"] == (1, 0, 6)
    assert applied(dict(row), {"failed_last": 6.0, "gpa_last": 4.0})["gpa_last"] == 0.0
    unknown = dict(row, load_mean=np.nan)
    assert gpa_room(unknown, {}) == (0.0, 4.0, True) and gpa_room(unknown, {"failed_last": 0.0})[0] == 1.0


def test_the_cumulative_gpa_stays_on_the_scale(third_term):
    row = dict(third_term, gpa_cum=3.9, failed_last=0.0, credits_last=20.0, pass_ratio_last=1.0)
    assert applied(row, {"gpa_last": 4.0})["gpa_cum"] == 4.0


def test_what_cannot_be_changed_or_reached_is_refused(scored):
    model, rows = scored
    row = rows.take(rows_at(rows, 3)[:1])
    with pytest.raises(ValueError, match="sex"):
        what_if(model, row, "late", {"sex": 1.0})
    with pytest.raises(ValueError, match="attendance_last must lie in 0…1"):
        what_if(model, row, "late", {"attendance_last": 1.2})
    with pytest.raises(ValueError, match="exactly one"):
        what_if(model, rows, "late", {})
    apart = dict.fromkeys(("gpa_last",), 4.0) | {"failed_last": possible(row.table.iloc[0])["failed_last"][2]}
    with pytest.raises(ValueError, match="gpa_last must be possible together"):
        what_if(model, row, "late", apart)
    first_day = rows.take(np.flatnonzero(rows.as_of == 0)[:1])
    with pytest.raises(ValueError, match="missing"):
        what_if(model, first_day, "late", {"gpa_last": 3.0})


def test_the_smallest_change_gets_below_the_cut_off_with_the_fewest_levers(scored):
    model, rows = scored
    some = rows.take(rows_at(rows, 4)[:60])
    risk = model.score(some, "late").frame["risk"].to_numpy()
    row = some.take(np.array([int(np.argsort(risk)[-8])]))
    best = smallest_change(model, row, "late", float(np.sort(risk)[-8]) - 0.03)
    assert best is not None and 1 <= len(best.changes) <= 3
    assert best.risk < best.before
    smaller = [{n: v} for n, v in best.changes.items()] if len(best.changes) > 1 else []
    assert all(score_changes(model, row, "late", [c])["risk"][0] >= best.risk for c in smaller)
    assert smallest_change(model, row, "late", 1.01).changes == {}
    assert smallest_change(model, row, "late", 0.0) is None
