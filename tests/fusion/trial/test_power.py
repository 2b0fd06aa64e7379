"""Power against figures worked out by hand and against published sample sizes, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from fusion.trial.analysis import difference
from fusion.trial.power import needed, power_of, smallest_found


@pytest.mark.parametrize(
    ("base", "other", "power", "each"),
    [
        # students of one group; 5 % two-sided, without correction, as tables and calculators give it
        (0.60, 0.50, 0.80, 388),
        (0.60, 0.50, 0.90, 519),
        (0.20, 0.10, 0.80, 199),
        (0.50, 0.25, 0.80, 58),
        (0.30, 0.25, 0.80, 1251),
        (0.30, 0.20, 0.80, 294),
        (0.85, 0.65, 0.80, 73),
    ],
)
def test_the_number_needed_is_that_of_the_tables(base, other, power, each):
    assert needed(base, base - other, power) == 2 * each


def test_one_figure_by_hand():
    """0.20 against 0.10: (1.95996 √(2·0.15·0.85) + 0.84162 √(0.16 + 0.09))² / 0.01 = 198.9 a group."""
    by_hand = (1.95996 * (2 * 0.15 * 0.85) ** 0.5 + 0.84162 * (0.16 + 0.09) ** 0.5) ** 2 / 0.01
    assert by_hand == pytest.approx(198.9, abs=0.3)
    assert needed(0.2, 0.1) == 2 * np.ceil(by_hand)


def test_power_and_number_needed_agree():
    for base, fall in ((0.3, 0.05), (0.5, 0.1), (0.12, 0.06), (0.9, 0.2)):
        count = needed(base, fall)
        assert power_of(count, base, fall) >= 0.8 > power_of(count - 4, base, fall)


def test_without_a_difference_the_chance_of_finding_one_is_five_in_a_hundred():
    assert power_of(600, 0.3, 0.0) == pytest.approx(0.05)


def test_power_rises_with_students_and_with_the_difference():
    by_count = [power_of(count, 0.3, 0.05) for count in (100, 400, 1600, 6400)]
    by_fall = [power_of(600, 0.3, fall) for fall in (0.0, 0.05, 0.1, 0.2)]
    assert by_count == sorted(by_count) and by_fall == sorted(by_fall)


def test_the_smallest_fall_found_is_found_with_the_power_asked_for():
    least = smallest_found(1200, 0.3)
    assert 0.06 < least < 0.08
    assert power_of(1200, 0.3, least) == pytest.approx(0.8, abs=1e-6)
    assert smallest_found(10, 0.05) is None


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: power_of(1, 0.3, 0.1), "students"),
        (lambda: power_of(100, 1.0, 0.1), "base_rate"),
        (lambda: power_of(100, 0.3, 0.4), "difference"),
        (lambda: needed(0.3, 0.0), "difference"),
        (lambda: needed(0.3, 0.1, 0.01), "power"),
    ],
)
def test_what_cannot_be_is_refused(ask, said):
    with pytest.raises(ValueError, match=said):
        ask()


def test_the_planned_power_is_reached_by_the_analysis_that_is_used():
    """The interval leaves out zero in about as many simulated trials as was worked out before."""
    rng, base, fall, trials = np.random.default_rng(7), 0.3, 0.1, 1000
    each = needed(base, fall) // 2
    found = 0
    for _ in range(trials):
        ours, theirs = rng.binomial(each, base - fall), rng.binomial(each, base)
        found += difference(int(ours), each, int(theirs), each).high < 0
    assert found / trials == pytest.approx(0.8, abs=3 * (0.8 * 0.2 / trials) ** 0.5 + 0.01)
