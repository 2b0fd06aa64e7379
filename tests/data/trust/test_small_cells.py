"""What of small counts is told: cases worked out by hand, and an attacker who tries every count that fits."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from data.trust.small_cells import TOTAL, CountSystem, bounds, hidden_counts, hidden_groups, hidden_of_group


def hidden(low: int, moderate: int, high: int) -> set[str]:
    return set(hidden_of_group({"low": low, "moderate": moderate, "high": high}))


def test_large_counts_and_zeros_are_told():
    assert hidden(10, 0, 7) == set()
    assert hidden(5, 5, 5) == set()
    assert hidden(0, 0, 0) == set()
    assert hidden(0, 6, 0) == set()


def test_a_small_count_takes_the_next_smallest_with_it():
    assert hidden(10, 4, 20) == {"low", "moderate"}  # 34 − 10 − 20 would give the 4 away
    assert hidden(10, 0, 3) == {"low", "high"}  # a zero stays, and hides nothing


def test_two_small_counts_hide_each_other_when_together_they_could_be_five_things():
    assert hidden(3, 4, 20) == {"low", "moderate"}  # 0 + 7 … 7 + 0
    assert hidden(2, 3, 20) == {"low", "moderate"}  # 0 + 5 … 5 + 0
    assert hidden(1, 2, 20) == {"low", "moderate", "high"}  # 0 + 3 … 3 + 0: four are too few
    assert hidden(1, 1, 20) == {"low", "moderate", "high"}


def test_a_group_that_is_small_as_a_whole_tells_nothing_not_even_who_it_lacks():
    assert hidden(0, 3, 0) == {"low", "moderate", "high", TOTAL}
    assert hidden(1, 1, 2) == {"low", "moderate", "high", TOTAL}
    assert hidden(2, 1, 2) == {"low", "moderate", "high"}  # five may be told, and who of them is what may not


def test_a_part_that_leaves_few_of_its_whole_is_not_told():
    assert hidden(1, 3, 20) == {"low", "moderate", "high"}  # 20 of 24: four are left, whatever they are
    assert hidden(11, 2, 2) == {"low", "moderate", "high"}
    assert hidden(0, 4, 11) == {"moderate", "high"}


def test_the_rest_that_nobody_prints_is_not_left_by_what_is_printed():
    values = {"on time": 11, "left": 2, "rest": 2, "entered": 15}
    whole = {"on time": 1, "left": 1, "rest": 1, "entered": -1}
    counts = system(values, whole)
    printed = counts.printed - {("", "rest")}
    found = hidden_counts(CountSystem(counts.values, printed, counts.sums))
    assert found == {("", "on time"), ("", "left")}


@given(st.tuples(*[st.integers(0, 9)] * 3))
def test_whoever_tries_all_counts_that_fit_is_left_with_five_for_every_small_one(counts):
    names = ("low", "moderate", "high")
    gone = hidden(*counts)
    fitting = [
        guess
        for guess in product(range(30), repeat=3)
        if all(name in gone or guess[at] == counts[at] for at, name in enumerate(names))
        and (TOTAL in gone or sum(guess) == sum(counts))
    ]
    for at, count in enumerate(counts):
        if 0 < count < 5:
            assert len({guess[at] for guess in fitting}) >= 5
        if 0 < sum(counts) - count < 5:
            assert len({sum(guess) - guess[at] for guess in fitting}) >= 5


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([-2, -1, 1, 2])), min_size=1, max_size=4))
def test_ends_within_one_sum_are_those_of_the_linear_programme(unknown):
    values = {("", str(place)): count for place, (count, _) in enumerate(unknown)}
    factors = {address: float(factor) for address, (_, factor) in zip(values, unknown, strict=True)}
    known = sum(count * factor for count, factor in unknown)
    values["", "known"], factors["", "known"] = known, -1.0
    system = CountSystem(values, frozenset(values), (factors,))
    addresses = [address for address in values if address[1] != "known"]
    ends = []
    for sign in (1.0, -1.0):
        goal = np.eye(len(addresses))[0] * sign
        row = np.array([[factors[address] for address in addresses]])
        answer = linprog(goal, A_eq=row, b_eq=[known], bounds=(0, None))
        ends.append(sign * answer.fun if answer.status == 0 else -sign * np.inf)
    assert bounds(system, frozenset(addresses), addresses[0]) == pytest.approx(tuple(ends))


def system(values: dict[str, int], *sums: dict[str, float]) -> CountSystem:
    addresses = {("", name): count for name, count in values.items()}
    tied = tuple({("", name): factor for name, factor in total.items()} for total in sums)
    return CountSystem(addresses, frozenset(addresses), tied)


@pytest.mark.parametrize(
    ("sums", "ends"),
    [
        ((), {"a": (0, np.inf)}),  # nothing ties it
        (({"a": 2, "b": -1, "k": -1},), {"a": (2, np.inf)}),  # 2a = 4 + b
        (({"a": 2, "b": 1, "m": -1},), {"a": (0, 4)}),  # 2a = 8 − b
        # a + b = 7 and b + c = 5: b reaches from 0 to 5, and a from 2 to 7
        (({"a": 1, "b": 1, "s": -1}, {"b": 1, "c": 1, "f": -1}), {"a": (2, 7), "b": (0, 5), "c": (0, 5)}),
        # a = b + 3 and b = c + 1: nothing holds them from above
        (({"a": 1, "b": -1, "d": -1}, {"b": 1, "c": -1, "e": -1}), {"a": (4, np.inf), "b": (1, np.inf)}),
    ],
)
def test_how_far_a_count_can_be_narrowed_worked_out_by_hand(sums, ends):
    known = {"k": 4, "m": 8, "s": 7, "f": 5, "d": 3, "e": 1}
    counts = system({"a": 3, "b": 4, "c": 1, **known}, *sums)
    unknown = frozenset(("", name) for name in "abc")
    for name, expected in ends.items():
        assert bounds(counts, unknown, ("", name)) == pytest.approx(expected)


def test_a_small_count_is_hidden_behind_its_own_sum_and_not_behind_a_smaller_count_elsewhere():
    counts = system(
        {"a": 4, "b": 20, "t": 24, "c": 6, "d": 30, "u": 36},
        {"t": 1, "a": -1, "b": -1},
        {"u": 1, "c": -1, "d": -1},
    )
    assert hidden_counts(counts) == {("", "a"), ("", "b")}


def test_one_alone_is_a_small_group():
    assert hidden(0, 1, 0) == {"low", "moderate", "high", TOTAL}


def groups(**counts: tuple[int, int]) -> dict[str, dict[str, int]]:
    return {name: {"with": yes, "without": no} for name, (yes, no) in counts.items()}


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        (groups(a=(30, 70), b=(5, 5)), ""),
        (groups(a=(30, 70), b=(4, 4), d=(20, 25)), "bd"),  # b alone would follow from the totals
        (groups(a=(30, 70), b=(4, 9), c=(3, 20)), "bc"),  # 7 with the outcome: anything from 0 to 7
        (groups(a=(30, 70), b=(1, 9), c=(3, 40), d=(20, 25)), "bc"),  # 4 with it: five values, just enough
        (groups(a=(30, 70), b=(1, 9), c=(2, 40), d=(20, 25)), "bcd"),  # 3 with it: four values are too few
        (groups(a=(30, 70), b=(0, 50), c=(0, 60), d=(20, 100)), "abc"),  # "nobody of b" is told by a rate too
        (groups(a=(30, 70), b=(50, 3)), "ab"),  # nobody is left to hide it behind: nothing is told
        ({}, ""),
    ],
)
def test_groups_whose_rates_are_published(given, gone):
    assert hidden_groups(given) == set(gone)
