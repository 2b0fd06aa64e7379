"""Closer than strangers: planted pairs are found, chance is counted honestly, style leaves out the place."""

from __future__ import annotations

import numpy as np
import pytest

from vision.descriptor.covariance import CovarianceDescriptor
from vision.descriptor.stroke_channels import CHANNELS
from vision.search import duplicates
from vision.search.duplicates import Tail, close_pairs, compared, scores_between, stranger_scores
from vision.search.hand_style import style_of
from vision.search.one_hand import Register, foreign_specimens, same_hands, told_apart

STUDENTS, EACH, WIDTH = 60, 5, 40


def register(seed: int):
    """Specimens of writers of different steadiness, some near the middle, as simple signatures are."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(STUDENTS, WIDTH)) * rng.uniform(0.5, 1.5, (STUDENTS, 1))
    owners = np.repeat(np.arange(STUDENTS), EACH)
    return centres, owners, (centres[owners] + 0.3 * rng.normal(size=(len(owners), WIDTH))).astype("f4")


def means_of(vectors, owners):
    return np.array([vectors[owners == one].mean(axis=0) for one in range(STUDENTS)], np.float32)


def test_two_specimens_by_anothers_hand_are_found_and_nobody_elses():
    centres, owners, vectors = register(1)
    rng = np.random.default_rng(2)
    vectors[[0, 1]] = centres[7] + 0.3 * rng.normal(size=(2, WIDTH))  # student 7 signed twice for student 0
    means, places = means_of(vectors, owners), np.arange(STUDENTS)
    specimens = compared(vectors, owners, means, places)
    writers = compared(means, places, vectors, owners)
    tail = Tail.fit(stranger_scores(specimens, writers))
    pairs = len(owners) * (STUDENTS - 1)
    hits = close_pairs("foreign_specimen", specimens, writers, tail.limit(pairs, 0.5))
    assert {(hit.first, hit.second) for hit in hits} == {(0, 7), (1, 7)}
    assert all(tail.expected(pairs, hit.measure) <= 0.5 for hit in hits)


def test_one_hand_for_two_students_is_found_among_strangers():
    centres, owners, vectors = register(3)
    vectors[owners == 17] = centres[5] + 0.3 * np.random.default_rng(4).normal(size=(EACH, WIDTH))
    places, means = np.arange(STUDENTS), means_of(vectors, owners)
    rows = compared(means, places, means, places)
    tail = Tail.fit(stranger_scores(rows, rows))
    hits = close_pairs("same_hand", rows, rows, tail.limit(STUDENTS * (STUDENTS - 1) // 2, 0.05))
    assert [(hit.kind, hit.first, hit.second) for hit in hits] == [("same_hand", 5, 17)]


def test_chance_brings_about_as_many_pairs_of_strangers_as_it_says():
    found, asked = 0, 3.0
    for seed in range(20):
        _, owners, vectors = register(100 + seed)
        places, means = np.arange(STUDENTS), means_of(vectors, owners)
        rows = compared(means, places, means, places)
        tail = Tail.fit(stranger_scores(rows, rows))
        found += len(close_pairs("same_hand", rows, rows, tail.limit(STUDENTS * (STUDENTS - 1) // 2, asked)))
    assert found <= 1.5 * 20 * asked  # nobody signed for anybody: at most about what is told


def test_a_heavy_tail_widens_what_chance_may_bring():
    rng = np.random.default_rng(5)
    body = rng.normal(0, 1, 20_000)
    heavy = np.concatenate([body, rng.normal(-4, 0.5, 600)])
    assert Tail.fit(body).expected(10**6, -6) < 0.1 * Tail.fit(heavy).expected(10**6, -6)


@pytest.mark.parametrize("sampled", [duplicates.SAMPLED, 4_000])
def test_strangers_scored_by_matrix_products_score_as_they_do_pair_by_pair(monkeypatch, sampled):
    """Of all pairs and of a sample, of one set of rows and of two, whatever the rows' order."""
    monkeypatch.setattr(duplicates, "SAMPLED", sampled)
    _, owners, vectors = register(11)
    places, means = np.arange(STUDENTS), means_of(vectors, owners)
    writers = compared(means, places, vectors, owners)
    specimens = compared(vectors, owners, means, places)
    for first, second in ((writers, writers), (specimens, writers), (specimens, specimens)):
        asked = []

        def noted(one, rows, other, columns, asked=asked):
            asked.append((rows, columns))
            return scores_between(one, rows, other, columns)

        monkeypatch.setattr(duplicates, "PRODUCT_PAYS", 0)
        monkeypatch.setattr(duplicates, "scores_between", noted)
        expected = stranger_scores(first, second)
        monkeypatch.setattr(duplicates, "PRODUCT_PAYS", 50)
        found = stranger_scores(first, second)
        assert len(asked) == 1 and len(found) == len(asked[0][0]) > 1_500
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_a_row_without_strangers_cannot_be_compared():
    with pytest.raises(ValueError, match="no row has a stranger"):
        compared(np.ones((3, 2), "f4"), [1, 1, 1], np.ones((2, 2), "f4"), [1, 1])


def test_style_does_not_see_where_strokes_stand_and_needs_covariances():
    blocks = CovarianceDescriptor().blocks
    placed = np.zeros((2, CovarianceDescriptor().dim), np.float32)
    rows, columns = np.triu_indices(len(CHANNELS))
    by_place = np.flatnonzero((rows == CHANNELS.index("x")) | (columns == CHANNELS.index("y")))
    placed[1, by_place] = 9.0  # of the whole signature: the first cell
    assert (style_of(placed, blocks)[0] == style_of(placed, blocks)[1]).all()
    placed[1, 0] = 1.0  # ink's own variance
    assert (style_of(placed, blocks)[0] != style_of(placed, blocks)[1]).any()
    assert style_of(placed, blocks[2:]) is None


def filed(vectors, owners) -> Register:
    return Register(owners, vectors, means_of(vectors, owners), None)


def test_a_mean_drawn_near_by_a_few_specimens_is_told_from_one_hand_for_all():
    centres, owners, vectors = register(6)
    rng = np.random.default_rng(7)
    vectors[[10, 11]] = centres[9] + 0.3 * rng.normal(size=(2, WIDTH))  # two of student 2's five
    vectors[owners == 30] = centres[31] + 0.3 * rng.normal(size=(EACH, WIDTH))  # all of student 30's
    one = filed(vectors, owners)
    hands, foreign = told_apart(one, same_hands(one, 1000.0), foreign_specimens(one, 1.0))
    assert {(2, 9), (9, 2)} & {(hit.first, hit.second) for hit in same_hands(one, 1000.0).hits}
    assert (30, 31) in {(hit.first, hit.second) for hit in hands.hits}
    assert not {(2, 9), (9, 2)} & {(hit.first, hit.second) for hit in hands.hits}
    assert {(int(owners[hit.first]), hit.second) for hit in foreign.hits} == {(2, 9)}


def test_one_signature_near_to_all_is_no_finding_with_everybody():
    rng, count = np.random.default_rng(8), 400
    means = rng.normal(size=(count, 800)).astype(np.float32)  # nearly equally far from each other
    means[0] *= 0.4
    means[21] = means[20] + 0.3 * rng.normal(size=800)
    rows = compared(means, np.arange(count), means, np.arange(count))
    tail = Tail.fit(stranger_scores(rows, rows))
    hits = close_pairs("same_hand", rows, rows, tail.limit(count * (count - 1) // 2, 1.0))
    assert (20, 21) in {(hit.first, hit.second) for hit in hits}
    assert sum(0 in (hit.first, hit.second) for hit in hits) < 0.2 * count
