"""The lots: the same secret gives the same lots, every block is halved, every student is equally likely."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.trial.lottery import OFFERED, draw_lots, lots_that_differ, ticket


def near(sizes: dict[str, int]) -> pd.DataFrame:
    """Candidates: list → how many."""
    rows = [
        (f"{name}{place:03d}", name, place) for name, size in sizes.items() for place in range(1, size + 1)
    ]
    return pd.DataFrame(rows, columns=["student_key", "list_name", "place"])


SIZES = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 12).map(lambda n: 2 * n), min_size=1)
BLOCKS = st.sampled_from([2, 4, 6, 8])


@given(SIZES, st.binary(min_size=32, max_size=32), st.integers(1, 9), BLOCKS, st.randoms())
@settings(max_examples=25)
def test_the_same_secret_gives_the_same_lots_in_whatever_order_students_come(sizes, seed, draw, block, rng):
    candidates = near(sizes)
    lots = draw_lots(candidates, seed, draw, block=block)
    order = list(candidates.index)
    rng.shuffle(order)
    again = draw_lots(candidates.loc[order], seed, draw, block=block)
    pd.testing.assert_frame_equal(lots, again)
    assert lots_that_differ(lots.assign(draw=draw), seed, block=block) == []


@given(SIZES, st.binary(min_size=32, max_size=32), BLOCKS)
@settings(max_examples=25)
def test_half_of_every_block_is_offered_help(sizes, seed, block):
    lots = draw_lots(near(sizes), seed, 1, block=block)
    parts = lots.groupby(["list_name", "block"])["arm"]
    assert (parts.apply(lambda arms: (arms == OFFERED).mean()) == 0.5).all()
    assert parts.size().max() <= block
    for _, one in lots.groupby("list_name"):  # blocks are neighbours on the list
        assert one["block"].is_monotonic_increasing and one["place"].is_monotonic_increasing


def test_every_student_is_equally_likely_and_no_pair_goes_together():
    candidates, draws = near({"a": 6, "b": 8}), 1000
    chosen = np.zeros((draws, 14), bool)
    for number in range(draws):
        lots = draw_lots(candidates, hashlib.sha256(str(number).encode()).digest(), 1, block=4)
        chosen[number] = lots["arm"] == OFFERED
    shares = chosen.mean(axis=0)
    assert np.abs(shares - 0.5).max() < 4 * 0.5 / draws**0.5
    together = (chosen[:, 0] & chosen[:, 1]).mean()  # two of four, both: 1/2 × 1/3
    assert together == pytest.approx(1 / 6, abs=4 * (5 / 36 / draws) ** 0.5)
    apart = (chosen[:, 0] & chosen[:, 7]).mean()  # of different lists: 1/4
    assert apart == pytest.approx(1 / 4, abs=4 * (3 / 16 / draws) ** 0.5)


def test_another_draw_and_another_secret_give_other_lots():
    candidates, seed = near({"a": 40}), b"s" * 32
    first = draw_lots(candidates, seed, 1, block=4)["arm"].tolist()
    assert draw_lots(candidates, seed, 2, block=4)["arm"].tolist() != first
    assert draw_lots(candidates, b"t" * 32, 1, block=4)["arm"].tolist() != first


def test_a_ticket_is_the_published_construction():
    """HMAC-SHA-256 by its definition (RFC 2104), key shorter than a block."""
    seed, text = b"k" * 32, b"2:abc"
    inner, outer = (bytes(b ^ pad for b in seed.ljust(64, b"\0")) for pad in (0x36, 0x5C))
    assert ticket(seed, 2, "abc") == hashlib.sha256(outer + hashlib.sha256(inner + text).digest()).hexdigest()


def test_lots_changed_by_hand_are_found_and_erased_students_accuse_nobody():
    seed = b"s" * 32
    lots = draw_lots(near({"a": 8, "b": 4}), seed, 1, block=4).assign(draw=1)
    changed = lots.copy()
    first = changed[changed["arm"] == OFFERED].index[0]
    changed.loc[first, "arm"] = "usual"
    assert changed.loc[first, "student_key"] in lots_that_differ(changed, seed, block=4)
    turned = lots.assign(arm=lots["arm"].map({"offered": "usual", "usual": "offered"}))
    assert len(lots_that_differ(turned, seed, block=4)) == 12
    assert lots_that_differ(lots.drop(index=[1, 6]), seed, block=4) == []


@pytest.mark.parametrize("block", [0, 1, 3])
def test_an_odd_block_or_an_odd_list_is_refused(block):
    with pytest.raises(ValueError, match="block"):
        draw_lots(near({"a": 4}), b"s" * 32, 1, block=block)
    with pytest.raises(ValueError, match="even number of each list"):
        draw_lots(near({"a": 3}), b"s" * 32, 1, block=4)
