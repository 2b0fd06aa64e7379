"""What several files tell together of the same students: cases worked out by hand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.trust import joint_counts
from data.trust.joint_counts import Figure, Hidden, hidden_jointly, told_by_means


def people(first, last):
    return dict.fromkeys((f"s{number:03}" for number in range(first, last)), 1)


def test_of_no_figures_nothing_is_hidden():
    assert hidden_jointly([]) == Hidden(frozenset())


def test_the_same_count_a_year_later_is_hidden_where_the_difference_is_small():
    last_year = Figure("up to last year", people(0, 20), may_hide=False)
    assert hidden_jointly([last_year, Figure("up to now", people(0, 23))]).names == {"up to now"}  # 23 − 20
    assert (
        hidden_jointly([last_year, Figure("up to now", people(0, 25))]).names == frozenset()
    )  # 5 may be told
    assert hidden_jointly([last_year, Figure("up to now", people(0, 20))]).names == frozenset()  # nobody


def test_what_another_instrument_hid_stays_hidden_where_this_one_has_its_parts():
    hidden_there = Figure("there", people(0, 3), told=False, may_hide=False)
    parts = [Figure("all", people(0, 30)), Figure("others", people(3, 30))]
    assert hidden_jointly([hidden_there, *parts]).names == {"others"}  # the smaller of the two that tell


def test_a_zero_is_told_and_hides_nothing():
    figures = [Figure("left", {}), Figure("few", people(0, 2)), Figure("all", people(0, 12))]
    assert hidden_jointly(figures).names == {"few"}
    three = [*figures, Figure("rest", people(2, 12))]
    assert hidden_jointly(three).names == {"few", "rest"}  # 12 − 10 would give the 2 away


def test_what_files_that_are_out_tell_already_is_said():
    out = [Figure("all", people(0, 12), may_hide=False), Figure("rest", people(2, 12), may_hide=False)]
    found = hidden_jointly([*out, Figure("few", people(0, 2))])
    assert found.names == {"few"} and set(found.given_away) >= {"few"}


def test_a_figure_set_by_hand_stands_for_itself():
    by_hand = Figure("by hand", {"typed": 1})
    counted = Figure("counted", people(0, 9))
    assert hidden_jointly([by_hand, counted], weights={"typed": 3}).names == {"by hand"}
    assert hidden_jointly([by_hand, counted], weights={"typed": 30}).names == frozenset()


def test_a_remainder_that_nobody_prints_is_kept_too():
    admitted, graduated = people(0, 20), people(0, 17)
    rest = Figure("rest", {**dict.fromkeys(people(17, 20), 1)}, told=False, may_hide=False)
    figures = [Figure("admitted", admitted), Figure("graduated", graduated), rest]
    assert hidden_jointly(figures).names == {"graduated"}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 8), min_size=4, max_size=4))
def test_whoever_tries_all_sizes_that_fit_is_left_with_five_for_every_small_count(sizes):
    """Four atoms; figures are rows, columns and the whole of a 2 × 2 table, in two files."""
    groups = {"a": (0,), "b": (1,), "c": (2,), "d": (3,), "ab": (0, 1), "ac": (0, 2), "all": (0, 1, 2, 3)}
    start = [sum(sizes[:at]) for at in range(4)]
    who = [people(begin, begin + size) for begin, size in zip(start, sizes, strict=True)]
    figures = [
        Figure(name, {key: 1 for at in parts for key in who[at]}, may_hide=True)
        for name, parts in groups.items()
    ]
    gone = hidden_jointly(figures).names
    value = {name: sum(sizes[at] for at in parts) for name, parts in groups.items()}
    # the attacker knows which of the four groups are empty
    guesses = np.array(list(product(*(range(18) if size else (0,) for size in sizes))))
    sums = {name: guesses[:, parts].sum(axis=1) for name, parts in groups.items()}
    fits = np.ones(len(guesses), bool)
    for name in groups:
        if name not in gone:
            fits &= sums[name] == value[name]
    for name in groups:
        if 0 < value[name] < 5:
            assert len(np.unique(sums[name][fits])) >= 5, name


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=6, max_size=6),
    st.lists(st.sets(st.integers(0, 5), min_size=1), min_size=3, max_size=9, unique_by=frozenset),
    st.integers(0, 3),
)
def test_small_changes_of_the_truth_find_what_the_search_among_whole_numbers_finds(sizes, sets, out):
    start = [sum(sizes[:at]) for at in range(6)]
    who = [people(begin, begin + size) for begin, size in zip(start, sizes, strict=True)]
    figures = [
        Figure(name, {key: 1 for at in parts for key in who[at]}, may_hide=name >= out)
        for name, parts in enumerate(sets)
    ]
    found = hidden_jointly(figures)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joint_counts._Search, "_nudge", lambda *_: None)
        patch.setattr(joint_counts._Search, "_near", lambda *_: None)
        assert hidden_jointly(figures) == found


def test_means_of_sets_that_differ_by_few_are_not_told_together():
    thirty, thirty_three, forty = people(0, 30), people(0, 33), people(0, 40)
    assert told_by_means([thirty, thirty_three]) == [1]  # the sum of three students follows
    assert told_by_means([thirty, forty]) == []
    assert told_by_means([people(0, 10), people(10, 20), people(0, 22)]) == [2]  # 22 less both tens
    assert told_by_means([people(0, 3)]) == [0]
    assert told_by_means([]) == []
