"""What comparing all specimens finds is what the index finds; what is removed is gone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.search import nearest
from vision.search.code_scan import STRETCH, scan
from vision.search.coding import Coding
from vision.search.nearest import SpecimenIndex


def hands(writers: int, each: int, numbers: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Descriptors of writers, and whose each is."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(writers, numbers)) * (1 + np.arange(numbers)) ** -0.25
    owners = np.repeat(np.arange(writers), each)
    return (centres[owners] + 0.4 * rng.normal(size=(len(owners), numbers))).astype(np.float32), owners


def filed(rows: np.ndarray, owners, **further) -> SpecimenIndex:
    index = SpecimenIndex(Coding.fit(rows[: max(1, len(rows) // 2)]), **further)
    index.add([f"s{place}" for place in range(len(rows))], [f"w{one}" for one in owners], rows)
    return index


def comparing_all(rows: np.ndarray, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    apart = np.array([np.linalg.norm(rows - one.astype(np.float64), axis=1) for one in queries])
    order = np.argsort(apart, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(apart, order, axis=1)


@pytest.fixture
def small_shards(monkeypatch):
    """Several pieces of memory already for a few hundred specimens."""
    monkeypatch.setattr(nearest, "SHARD", 2 * STRETCH)
    monkeypatch.setattr(nearest, "_CHUNK_BYTES", 60_000)


@pytest.mark.parametrize("many", [0, 200])
@pytest.mark.parametrize("numbers", [1, 3, 40, 128, 129, 700])
@pytest.mark.parametrize("k", [1, 10])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_same_is_found_as_by_comparing_all(small_shards, monkeypatch, many, numbers, k, threads):
    monkeypatch.setattr(nearest, "_MANY", many)
    rows, owners = hands(300, 4, numbers)
    queries, _ = hands(40, 1, numbers, seed=1)
    found = filed(rows, owners, threads=threads).search(queries, k)
    order, apart = comparing_all(rows, queries, k)
    assert found.specimens.tolist() == [[f"s{place}" for place in row] for row in order]
    assert found.owners.tolist() == [[f"w{owners[place]}" for place in row] for row in order]
    assert found.distances == pytest.approx(apart) and found.proven.all()
    assert found.compared.max() < len(rows) or numbers in (1, 700)  # nothing, or too much, tells them apart


def test_descriptors_that_lie_elsewhere_are_read_for_those_few_that_are_compared():
    rows, owners = hands(300, 4, 90)
    asked = []

    def fetch(ids):
        asked.extend(ids)
        return list(ids), rows[[int(one[1:]) for one in ids]]

    queries, _ = hands(10, 1, 90, seed=1)
    index = filed(rows, owners, fetch=fetch)
    found = index.search(queries, 5)
    assert found.specimens.tolist() == filed(rows, owners).search(queries, 5).specimens.tolist()
    assert len(asked) == found.compared.sum() < 0.5 * len(queries) * len(rows)
    assert index.row_bytes == 0


def test_what_the_store_no_longer_gives_is_not_found():
    rows, owners = hands(100, 3, 30)
    order, _ = comparing_all(rows, rows[:1], 3)
    gone = f"s{order[0, 1]}"

    def fetch(ids):
        left = [one for one in ids if one != gone]
        return left, rows[[int(one[1:]) for one in left]]

    found = filed(rows, owners, fetch=fetch).search(rows[:1], 2)
    assert found.specimens[0].tolist() == [f"s{order[0, 0]}", f"s{order[0, 2]}"] and found.proven.all()
    none = filed(rows, owners, fetch=lambda ids: ([], np.empty((0, 30), np.float32))).search(rows[:1], 2)
    assert none.specimens.tolist() == [[None, None]] and np.isinf(none.distances).all()


def test_specimens_unlike_those_that_the_codes_were_learned_from_are_found_too(small_shards):
    rows, owners = hands(200, 4, 50)
    index = filed(rows, owners)
    far = (30 * np.random.default_rng(3).normal(size=(20, 50))).astype(np.float32)
    index.add([f"far{place}" for place in range(20)], ["far"] * 20, far)
    queries = np.concatenate([far + 1, rows[:20] + 0.1])
    order, apart = comparing_all(np.concatenate([rows, far]), queries, 4)
    found = index.search(queries, 4)
    assert found.distances == pytest.approx(apart) and found.proven.all()


def test_a_search_that_stops_early_says_so():
    rng = np.random.default_rng(4)  # no directions at all: every specimen is as far as every other
    rows = rng.normal(size=(2_000, 900)).astype(np.float32)
    index = filed(rows, np.arange(2_000), most=50)
    found = index.search(rng.normal(size=(5, 900)).astype(np.float32), 3)
    assert not found.proven.any() and (found.compared == 50).all()
    itself = index.search(rows[:5], 1)
    assert itself.specimens[:, 0].tolist() == [f"s{place}" for place in range(5)] and itself.proven.all()


def test_the_nearest_specimen_of_each_of_several_owners():
    rows, owners = hands(60, 25, 20)
    queries, _ = hands(15, 1, 20, seed=5)
    found = filed(rows, owners).nearest_owners(queries, best=6)
    _, apart = comparing_all(rows, queries, len(rows))
    order = np.argsort(np.array([np.linalg.norm(rows - one, axis=1) for one in queries]), axis=1)
    for place, row in enumerate(order):
        first = list(dict.fromkeys(f"w{owners[one]}" for one in row))[:6]
        assert found.owners[place].tolist() == first and found.proven[place]
    assert found.distances[:, 0] == pytest.approx(apart[:, 0])


def test_fewer_owners_or_specimens_than_wanted_leave_the_rest_empty():
    rows, owners = hands(2, 3, 10)
    index = filed(rows, owners)
    by_owner, by_specimen = index.nearest_owners(rows[:2], best=5), index.search(rows[:2], 8)
    assert (by_owner.owners != None).sum(axis=1).tolist() == [2, 2]  # noqa: E711 - element by element
    assert np.isinf(by_owner.distances[:, 2:]).all() and by_owner.proven.all()
    assert np.isfinite(by_specimen.distances).sum(axis=1).tolist() == [6, 6]


def test_an_empty_index_finds_nothing():
    index = SpecimenIndex(Coding.fit(np.ones((1, 5))))
    found = index.search(np.zeros((2, 5)), 3)
    assert found.specimens.tolist() == [[None] * 3] * 2 and found.proven.all() and len(index) == 0
    assert index.nearest_owners(np.zeros((0, 5))).owners.shape == (0, 5)
    assert index.nearest_owners(np.zeros((1, 5)), 2).owners.tolist() == [[None, None]]
    assert index.remove(["nobody"]) == 0 == index.remove_owner("nobody")


@pytest.mark.parametrize("rows", [np.ones((2, 4)), np.ones((2, 2, 3)), np.full((2, 3), np.nan)])
def test_descriptors_of_another_length_or_without_a_number_are_refused(rows):
    index = SpecimenIndex(Coding.fit(np.eye(3)))
    with pytest.raises(ValueError, match="queries: "):
        index.search(rows)
    with pytest.raises(ValueError, match="rows: "):
        index.add(["a", "b"], ["x", "y"], rows)
    assert len(index) == 0


def test_a_specimen_is_added_once_with_an_owner_or_nothing_is():
    index = SpecimenIndex(Coding.fit(np.eye(3)))
    index.add(["a"], ["x"], np.eye(3)[:1])
    with pytest.raises(ValueError, match="1 were there already"):
        index.add(["b", "a"], ["x", "x"], np.eye(3)[:2])
    with pytest.raises(ValueError, match="1 were there already"):
        index.add(["b", "b"], ["x", "x"], np.eye(3)[:2])
    with pytest.raises(ValueError, match=r"need one per row \(2\), got 2, 1"):
        index.add(["b", "c"], ["x"], np.eye(3)[:2])
    with pytest.raises(ValueError, match="k: must be at least 1"):
        index.search(np.eye(3), 0)
    with pytest.raises(ValueError, match="most: must be at least 1"):
        SpecimenIndex(index.coding, most=0)
    assert len(index) == 1 and "a" in index and "b" not in index


def held_arrays(index: SpecimenIndex) -> list[np.ndarray]:
    """All memory in which something of a specimen is held."""
    return [*(part for shard in index._shards for part in shard.parts()), *index._rows]


def test_what_is_removed_is_found_no_more_and_its_bytes_are_gone(small_shards):
    rows, owners = hands(150, 10, 96)
    index = filed(rows, owners)
    theirs = np.flatnonzero(owners == 70)
    codes = index.coding.encode(rows[theirs]).codes
    assert index.remove_owner("w70") == 10 and len(index) == len(rows) - 10
    for array in held_arrays(index):
        if array.dtype == np.float32 and array.ndim == 2:
            assert not (array[:, None, :8] == rows[theirs][None, :, :8]).all(axis=2).any()
        if array.dtype == np.int8:
            assert not (array[:, None] == codes[None]).all(axis=2).any()
        # and nothing is left behind at the end, where the last ones were
    assert all(
        (shard.worst == shard.errors.reshape(-1, STRETCH).max(axis=1)).all() for shard in index._shards
    )
    used = np.concatenate([shard.squares for shard in index._shards])
    assert (used[: len(index)] != 0).all() and (used[len(index) :] == 0).all()
    left = np.flatnonzero(owners != 70)
    order, apart = comparing_all(rows[left], rows[theirs], 5)
    found = index.search(rows[theirs], 5)
    assert found.specimens.tolist() == [[f"s{left[place]}" for place in row] for row in order]
    assert found.distances == pytest.approx(apart)


def test_the_last_one_leaves_nothing_but_zeros():
    rows, owners = hands(3, 1, 200)
    index = filed(rows, owners)
    assert index.remove(["s1", "s0", "s1", "s2"]) == 3
    assert all((array == 0).all() for array in held_arrays(index))
    index.add(["s1"], ["w1"], rows[1:2])
    assert index.search(rows[1:2]).specimens.tolist() == [["s1"]]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "remove", "owner"]), st.integers(0, 39), st.integers(0, 6)),
        max_size=60,
    ),
    st.sampled_from([6, 150]),
)
def test_whatever_is_added_and_removed_the_rest_is_found(steps, numbers):
    rng = np.random.default_rng(6)
    pool = rng.normal(size=(40, numbers)).astype(np.float32)
    index, held = SpecimenIndex(Coding.fit(pool[:10])), {}
    for act, number, owner in steps:
        if act == "add" and number not in held:
            index.add([number], [owner], pool[number : number + 1])
            held[number] = owner
        elif act == "remove":
            assert index.remove([number]) == (held.pop(number, None) is not None)
        elif act == "owner":
            theirs = [one for one, whose in held.items() if whose == owner]
            assert index.remove_owner(owner) == len(theirs)
            held = {one: whose for one, whose in held.items() if whose != owner}
    assert len(index) == len(held)
    query = rng.normal(size=(1, numbers)).astype(np.float32)
    found = index.search(query, 5)
    apart = {one: np.linalg.norm(pool[one] - query[0].astype(np.float64)) for one in held}
    wanted = sorted(apart, key=apart.get)[:5]
    assert [one for one in found.specimens[0] if one is not None] == wanted
    assert [found.owners[0, place] for place in range(len(wanted))] == [held[one] for one in wanted]


@pytest.mark.parametrize("count", [1, STRETCH - 1, STRETCH, 3 * STRETCH + 7])
@pytest.mark.parametrize("width", [32, 128])
def test_the_compiled_scan_gives_the_same_numbers_as_the_plain_one(count, width):
    rng = np.random.default_rng(7)
    codes = rng.integers(-127, 128, (4 * STRETCH, width)).astype(np.int8)
    codes[0] = 127
    query = np.full(width, -127, np.int8) if count == 1 else rng.integers(-127, 128, width).astype(np.int8)
    squares = (codes.astype(np.int32) ** 2).sum(axis=1, dtype=np.int32)
    wanted = squares - 2 * (codes.astype(np.int32) @ query.astype(np.int32))
    for compiled in (False, True):
        values, least = np.zeros(4 * STRETCH, np.int32), np.zeros(4, np.int32)
        scan(codes, squares, query, count, values, least, compiled)
        assert (values[:count] == wanted[:count]).all()
        stretches = -(-count // STRETCH)
        assert (values[count : stretches * STRETCH] == np.iinfo(np.int32).max).all()
        for one in range(stretches):
            assert least[one] == wanted[one * STRETCH : min(count, (one + 1) * STRETCH)].min()
