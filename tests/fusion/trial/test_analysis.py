"""The interval against Newcombe's own table, and the figures of a result."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from fusion.trial.analysis import analyse, difference


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [  # Newcombe 1998, table II, method 10, 95 %
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0000),
        ((10, 10, 0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_is_the_published_one(counts, low, high):
    found = difference(*counts)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_one_interval_by_hand():
    """12 of 60 against 21 of 60, from Wilson's formula written out."""

    def wilson(events, n):
        z = norm.isf(0.025)
        middle, half = (
            events / n + z**2 / (2 * n),
            z * ((events / n * (1 - events / n) + z**2 / (4 * n)) / n) ** 0.5,
        )
        return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)

    (l1, u1), (l2, u2) = wilson(12, 60), wilson(21, 60)
    low = -0.15 - ((0.2 - l1) ** 2 + (u2 - 0.35) ** 2) ** 0.5
    high = -0.15 + ((u1 - 0.2) ** 2 + (0.35 - l2) ** 2) ** 0.5
    found = difference(12, 60, 21, 60)
    assert (found.value, found.low, found.high) == pytest.approx((-0.15, low, high))
    assert not found.found


@given(st.integers(1, 200), st.integers(1, 200), st.data())
def test_the_interval_holds_the_difference_and_turns_with_the_groups(n, m, data):
    x, y = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    found, turned = difference(x, n, y, m), difference(y, m, x, n)
    assert -1 - 1e-12 <= found.low <= found.value + 1e-12 and found.value - 1e-12 <= found.high <= 1 + 1e-12
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-12)


def test_a_result_is_kept_as_numbers_and_an_empty_group_is_refused():
    counts = {"offered": {"students": 60, "events": 12}, "usual": {"students": 60, "events": 21}}
    kept = analyse(counts)
    assert kept["value"] == pytest.approx(-0.15) and kept["confidence"] == 0.95
    with pytest.raises(ValueError, match="empty"):
        analyse(counts | {"usual": {"students": 0, "events": 0}})
