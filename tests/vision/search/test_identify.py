"""Nearest writers under every metric."""

from __future__ import annotations

import numpy as np
import pytest

from vision.search import identify


def test_distances_by_hand():
    query, gallery = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])
    assert identify.distances(query, gallery)[0, 0] == pytest.approx(5)
    assert identify.distances(query, gallery, "manhattan")[0, 0] == pytest.approx(7)
    assert identify.distances(query, gallery, "minkowski")[0, 0] == pytest.approx((27 + 64) ** (1 / 3))
    across = identify.distances(np.array([[1.0, 0.0]]), np.array([[0.0, 2.0], [5.0, 0.0]]), "cosine")
    assert across[0] == pytest.approx([1, 0])


@pytest.mark.parametrize("metric", identify.METRICS)
def test_the_nearest_writer_is_found_under_every_metric(metric):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(5, 30))
    gallery = (centres[:, None] + 0.2 * rng.normal(size=(5, 3, 30))).reshape(-1, 30)
    queries = centres + 0.2 * rng.normal(size=(5, 30))
    found = identify.identify(queries, gallery, np.repeat(list("abcde"), 3), metric, best=2)
    assert found.owners[:, 0].tolist() == list("abcde")
    assert found.owners.shape == (5, 2) and (np.diff(found.distances, axis=1) >= 0).all()


def test_one_query_gives_the_same_as_a_batch():
    rng = np.random.default_rng(1)
    gallery, queries = rng.normal(size=(20, 8)), rng.normal(size=(300, 8))
    owners = np.arange(20) % 7
    batch = identify.identify(queries, gallery, owners)
    single = identify.identify(queries[299:], gallery, owners)
    assert single.owners.tolist() == batch.owners[299:].tolist()


def test_unknown_metrics_and_lengths_are_refused():
    with pytest.raises(ValueError, match="metric: must be one of"):
        identify.distances(np.ones((1, 2)), np.ones((1, 2)), "hamming")
    with pytest.raises(ValueError, match="gallery: descriptors must have the queries' length, 2, got 3"):
        identify.distances(np.ones((1, 2)), np.ones((1, 3)))
