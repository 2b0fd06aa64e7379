"""One fact is one reason, and nothing is lost by it."""

import pytest

from fusion.explanation.explain import Contribution, Explanation
from fusion.explanation.facts import FACT_OF, NO_COURSES, in_facts
from fusion.features.feature_list import FEATURES


def part(name, value, phi):
    f = FEATURES[name]
    return Contribution(name, f.label_key, f.label, f.group, f.modality, f.unit, value, phi, f.changeable)


def told(*parts) -> Explanation:
    return in_facts(Explanation("late", -1.0, -1.0 + sum(p.phi for p in parts), parts))


def test_results_of_one_term_are_one_reason_shown_by_the_one_that_tells_most():
    found = told(
        part("failed_last", 2.0, 0.2), part("credits_last", 12.0, 0.3), part("pass_ratio_last", 0.6, 0.1)
    )
    assert [(c.name, c.value, c.phi) for c in found.contributions] == [
        ("credits_last", 12.0, pytest.approx(0.6))
    ]


def test_a_fact_is_shown_by_a_feature_of_its_own_direction():
    found = told(part("gpa_cum", 3.1, -0.4), part("gpa_lowest", 1.2, 0.3), part("gpa_first", 1.2, 0.3))
    assert [c.name for c in found.contributions] == ["gpa_lowest"]
    assert found.contributions[0].phi == pytest.approx(0.2)


def test_not_registered_inactive_and_nothing_passed_are_one_reason():
    parts = (part("status_last", "N", 0.1), part("inactive_terms", 1.0, 0.4), part("credits_last", 0.0, 0.5))
    found = told(*parts)
    assert [(c.name, c.value) for c in found.contributions] == [("status_last", "N")]
    assert found.contributions[0].phi == pytest.approx(1.0)
    present = told(part("status_last", "A", -0.1), *parts[1:])
    assert [c.name for c in present.contributions] == ["credits_last", "inactive_terms"]


def test_a_light_load_of_the_terms_studied_does_not_turn_a_leave_into_good_news():
    """A free feature once lowered a risk under the name of the leave that it had been computed over."""
    found = told(part("status_last", "C", 0.2), part("credits_last", 0.0, 0.1), part("load_mean", 15.0, -0.9))
    assert [(c.name, c.value, round(c.phi, 6)) for c in found.contributions] == [
        ("load_mean", 15.0, -0.9),
        ("status_last", "C", 0.3),
    ]


def test_who_is_not_registered_now_is_told_so_and_not_what_nobody_can_change():
    """Trees may have learned it from the count alone: the status then moved the score by nothing."""
    found = told(
        part("status_last", "N", 0.0), part("inactive_terms", 1.0, 0.9), part("gpa_missing", 1.0, 0.1)
    )
    assert [(c.name, c.value, c.changeable) for c in found.contributions] == [("status_last", "N", True)]
    assert found.contributions[0].phi == pytest.approx(1.0)


def test_a_leave_that_the_model_has_no_column_for_is_told_all_the_same():
    """In a small register few were ever on leave: the status is one of the others, the empty term tells."""
    parts = (
        part("status_last", "another", 0.1),
        part("leave_terms", 1.0, 0.5),
        part("credits_last", 0.0, 0.4),
    )
    found = told(*parts, part("pass_ratio_last", None, 0.0)).contributions
    assert [(c.name, c.value, c.changeable) for c in found] == [("status_last", NO_COURSES, True)]
    taken = (part("credits_last", 0.0, 0.4), part("pass_ratio_last", 0.0, 0.1))
    studied = told(part("status_last", "another", 0.1), *taken)
    assert [c.name for c in studied.contributions] == ["credits_last", "status_last"]


def test_a_term_of_leave_is_told_as_leave_and_not_as_a_term_without_a_gpa():
    parts = (part("status_last", "A", 0.0), part("leave_terms", 1.0, 0.0), part("gpa_missing", 1.0, 0.4))
    assert [c.name for c in told(*parts).contributions] == ["leave_terms"]
    more = (part("leave_terms", 1.0, 0.1), part("gpa_missing", 3.0, 0.4))
    assert [c.name for c in told(*more).contributions] == ["gpa_missing"]  # two of them are no leave


@pytest.mark.parametrize(("last", "shown"), [(45.0, "arrears_last"), (0.0, "arrears_longest")])
def test_a_number_that_can_still_change_is_not_called_one_that_cannot(last, shown):
    found = told(part("arrears_last", last, 0.02), part("arrears_longest", 45.0, 0.13))
    assert [(c.name, c.phi) for c in found.contributions] == [(shown, pytest.approx(0.15))]


def test_nothing_recorded_is_no_number_that_can_change():
    found = told(part("arrears_last", None, 0.02), part("arrears_longest", None, 0.13))
    assert [c.name for c in found.contributions] == ["arrears_longest"]


def test_a_risk_lowered_by_the_past_is_not_said_to_be_lowered_by_arrears_of_now():
    """The longest arrears are shorter than peers usually had: that lowers, and the 27 days of now do not."""
    found = told(part("arrears_last", 27.0, 0.0), part("arrears_longest", 27.0, -0.06))
    assert [(c.name, c.phi) for c in found.contributions] == [("arrears_longest", pytest.approx(-0.06))]


def test_what_is_recorded_shows_a_fact_before_what_is_not():
    found = told(part("attendance_change", None, 0.15), part("attendance_last", 0.8, 0.02))
    assert [(c.name, c.told) for c in found.contributions] == [("attendance_last", True)]
    alone = told(part("attendance_change", None, 0.15), part("attendance_last", 0.95, -0.04))
    assert [(c.name, c.told) for c in alone.contributions] == [("attendance_change", False)]


def test_credits_earned_are_told_against_the_plan_where_both_move_the_score():
    found = told(part("credits_cum", 24.0, 0.3), part("credit_pace", 0.67, 0.1))
    assert [c.name for c in found.contributions] == ["credit_pace"]
    other = told(part("credits_cum", 72.0, 0.3), part("credit_pace", 1.0, -0.1))
    assert [c.name for c in other.contributions] == ["credits_cum"]


def test_one_grade_is_not_told_twice_in_both_directions():
    """The last term was the lowest: "2.99 raises, lowest 2.99 lowers" are two readings of one number."""
    grades = (part("gpa_lowest", 2.99, -0.2), part("gpa_cum", 3.26, -0.1), part("gpa_last", 2.99, 0.1))
    assert [(c.name, c.value) for c in told(*grades).contributions] == [("gpa_cum", 3.26), ("gpa_last", 2.99)]


def test_after_one_term_what_was_reached_so_far_is_what_the_term_brought():
    first = part("as_of_index", 1.0, 0.0)
    grades = (part("gpa_last", 2.4, 0.2), part("gpa_cum", 2.4, 0.3), part("gpa_lowest", 2.4, 0.1))
    results = (part("failed_last", 2.0, 0.1), part("failed_total", 2.0, 0.1), part("credits_cum", 15.0, 0.2))
    found = told(first, *grades, *results).contributions
    assert [c.name for c in found] == ["gpa_cum", "credits_cum", "as_of_index"]
    later = told(part("as_of_index", 2.0, 0.0), *grades, *results).contributions
    assert len(later) == 6


@pytest.mark.parametrize(("left", "key"), [(2.0, "feature.credits_needed"), (0.0, "reasons.credits_to_go")])
def test_past_the_normal_time_no_remaining_term_is_spoken_of(left, key):
    found = told(part("terms_left", left, 0.0), part("credits_needed", 15.0, 0.3)).contributions
    assert found[0].label_key == key


def test_the_sum_stays_and_the_largest_comes_first():
    parts = tuple(part(name, 2.0, 0.01 * n) for n, name in enumerate(FACT_OF))
    found = told(*parts)
    assert sum(c.phi for c in found.contributions) == pytest.approx(sum(p.phi for p in parts))
    sizes = [abs(c.phi) for c in found.contributions]
    assert sizes == sorted(sizes, reverse=True) and len(sizes) == len(set(FACT_OF.values()))
    assert set(FACT_OF) <= set(FEATURES)


def test_credits_and_courses_of_the_plan_are_one_reason():
    """72 % of the credits and 72 % of the courses stood as two reasons, one below the other."""
    found = told(
        part("credit_pace", 0.72, 0.3), part("credits_needed", 33.0, 0.1), part("plan_passed", 0.72, 0.2)
    )
    assert [(c.name, c.phi) for c in found.contributions] == [("credit_pace", pytest.approx(0.6))]
    apart = told(part("credit_pace", 1.0, 0.05), part("plan_passed", 0.56, 0.3))  # credits of other courses
    assert [(c.name, c.value) for c in apart.contributions] == [("plan_passed", 0.56)]
