"""Pairs of signatures: how many, of whom, and never a writer on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.networks.pairs import (
    all_pairs,
    at_most,
    balanced_pairs,
    grouped_batches,
    pair_batches,
    split_writers,
)

counts = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=5)


def signatures(per_writer):
    """Writers and kinds for (genuine, forged) numbers per writer, mixed up."""
    writers = [f"w{i}" for i, (own, fake) in enumerate(per_writer) for _ in range(own + fake)]
    forged = [kind for own, fake in per_writer for kind in [False] * own + [True] * fake]
    order = np.random.default_rng(len(writers)).permutation(len(writers))
    return np.array(writers, dtype=str)[order], np.array(forged, dtype=bool)[order]


def keys(pairs):
    return sorted(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


def test_cedar_gives_the_numbers_of_pairs_that_the_paper_trains_on():
    writers, forged = signatures([(24, 24)] * 33)
    pairs = all_pairs(writers, forged)
    assert len(pairs) == 28_116 == 33 * (276 + 576)
    assert int(pairs.different.sum()) == 33 * 576


@given(counts)
def test_every_pair_is_unique_of_one_writer_and_starts_with_a_genuine_signature(per_writer):
    writers, forged = signatures(per_writer)
    pairs = all_pairs(writers, forged)
    assert len(pairs) == sum(own * (own - 1) // 2 + own * fake for own, fake in per_writer)
    assert len(set(keys(pairs))) == len(pairs)
    assert (writers[pairs.first] == writers[pairs.second]).all()
    assert not forged[pairs.first].any()
    np.testing.assert_array_equal(forged[pairs.second], pairs.different)
    same = ~pairs.different
    assert (pairs.first[same] < pairs.second[same]).all()


@given(st.integers(3, 60), st.integers(0, 99), st.lists(st.floats(0.01, 1), min_size=1, max_size=3))
def test_no_writer_is_on_two_sides_of_a_split_and_none_is_lost(number, seed, shares):
    names = [f"{i:03}" for i in range(number)] * 2
    groups = split_writers(names, np.random.default_rng(seed), tuple(shares))
    assert all(groups)
    assert sorted(name for group in groups for name in group) == sorted(set(names))


def test_cedars_writers_are_dealt_33_11_11():
    groups = split_writers(range(55), np.random.default_rng(0))
    assert [len(group) for group in groups] == [33, 11, 11]


@given(counts, st.integers(1, 7), st.integers(0, 9))
def test_batches_hold_every_pair_once(per_writer, size, seed):
    pairs = all_pairs(*signatures(per_writer))
    batches = list(pair_batches(pairs, size, np.random.default_rng(seed)))
    assert sorted(key for batch in batches for key in keys(batch)) == keys(pairs)
    assert all(len(batch) == size for batch in batches[:-1])


@given(counts, st.integers(0, 9))
def test_grouped_batches_hold_only_pairs_of_the_protocol_and_none_twice(per_writer, seed):
    writers, forged = signatures(per_writer)
    chosen = sorted(set(writers.tolist()))[::2]
    known = set(keys(all_pairs(writers, forged, chosen)))
    batches = grouped_batches(writers, forged, chosen, np.random.default_rng(seed), images=8, together=2)
    found = [key for batch in batches for key in keys(batch)]
    assert len(found) == len(set(found)) and set(found) <= known


def test_balanced_pairs_hold_as_many_of_both_kinds_and_a_cap_is_kept():
    pairs, rng = all_pairs(*signatures([(4, 6), (3, 2)])), np.random.default_rng(1)
    balanced = balanced_pairs(pairs, rng)  # 6 + 3 genuine pairs, 24 + 6 forged ones
    assert int(balanced.different.sum()) == 9 == int((~balanced.different).sum())
    assert set(keys(balanced)) < set(keys(pairs))
    assert len(at_most(pairs, 5, rng)) == 5
    assert at_most(pairs, 39, rng) is pairs


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: split_writers(["a", "b"], rng), "writers: need at least 3"),
        (lambda rng: split_writers(["a", "b"], rng, (1.0, 0.0)), "shares: every share must be above 0"),
        (lambda rng: all_pairs(["a", "b"], [False]), "forged: need one value per signature"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0))
