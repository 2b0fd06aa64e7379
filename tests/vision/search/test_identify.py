"""Nearest writers, false hits to expect, and duplicates planted among strangers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vision.scans.fingerprint import image_fingerprint
from vision.search import duplicates, identify


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


def test_false_hits_of_two_thousand_students_by_hand():
    # 5 of 10,000 strangers' distances lie at or below 1: 1,999,000 pairs × 0.0005
    between = np.concatenate([np.full(5, 0.9), np.full(9_995, 2.0)])
    chance = identify.expected_false_hits(2000 * 1999 // 2, between, 1.0)
    assert chance.pairs == 1_999_000
    assert chance.expected == pytest.approx(999.5)
    assert chance.at_most > chance.expected


def test_no_hit_seen_does_not_mean_none_to_come():
    chance = identify.expected_false_hits(1_999_000, np.full(1000, 2.0), 1.0)
    assert chance.expected == 0
    assert chance.at_most == pytest.approx(1_999_000 * 3 / 1000, rel=0.01)  # rule of three


def test_the_limit_lets_through_as_many_as_asked():
    between = np.arange(1, 1001) / 1000
    limit = identify.limit_for(between, pairs=500, expected=5)  # 1 in 100, so 10 of 1000
    assert (between <= limit).sum() == 10
    assert (between <= identify.limit_for(between, pairs=10**9)).sum() == 0


def drawing(seed, size=(120, 300)):
    rng = np.random.default_rng(seed)
    canvas = np.zeros(size, np.uint8)
    points = np.stack([np.linspace(20, 280, 14), 60 + 35 * rng.normal(size=14).clip(-1.4, 1.4)], axis=1)
    cv2.polylines(canvas, [points.astype(np.int32)], False, 255, 4, cv2.LINE_AA)
    return canvas


def test_a_copied_image_is_found_even_rescaled_and_saved_as_jpeg():
    images = [drawing(seed) for seed in range(12)]
    copy = cv2.resize(images[3], None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    ok, data = cv2.imencode(".jpg", copy, [cv2.IMWRITE_JPEG_QUALITY, 60])
    images.append(np.where(cv2.imdecode(data, 0) > 30, cv2.imdecode(data, 0), 0))
    owners = [f"s{k}" for k in range(13)]
    prints = [image_fingerprint(image) for image in images]
    found = duplicates.same_images(prints, owners, lambda index: images[index])
    assert ok and [(hit.first, hit.second) for hit in found] == [(3, 12)]
    assert found[0].measure > duplicates.SAME_IMAGE


def test_two_specimens_of_one_student_are_no_duplicate():
    prints = [image_fingerprint(drawing(1))] * 2
    assert duplicates.same_images(prints, ["s1", "s1"], lambda index: drawing(1)) == []


def test_correlation_survives_a_shift_and_is_low_for_another_drawing():
    moved = np.roll(drawing(5), (6, 10), axis=(0, 1))
    assert duplicates.aligned_correlation(drawing(5), moved) > 0.95
    assert duplicates.aligned_correlation(drawing(5), drawing(6)) < 0.7
    assert duplicates.aligned_correlation(drawing(5), np.zeros((9, 9), np.uint8)) == 0


def test_one_hand_for_two_students_is_found_among_strangers():
    rng = np.random.default_rng(4)
    centres = rng.normal(size=(40, 60)) / np.sqrt(60)
    centres[17] = centres[5]  # one person signs for both
    placed = (centres[:, None] + rng.normal(size=(40, 4, 60)) * 0.03).reshape(-1, 60).astype(np.float32)
    strangers = rng.normal(size=(200, 60)) / np.sqrt(60)
    between = identify.distances(strangers[:100], strangers[100:]).ravel()
    search = duplicates.same_hands(placed, np.repeat(np.arange(40), 4), between, expected=0.05)
    assert [(search.students[hit.first], search.students[hit.second]) for hit in search.hits] == [(5, 17)]
    assert search.chance.pairs == 780 and search.chance.expected <= 0.05


def test_the_mean_of_a_student_is_the_mean_of_the_specimens():
    placed = np.array([[0.0], [2.0], [10.0]], np.float32)
    students, means = duplicates.student_means(placed, ["b", "b", "a"])
    assert students.tolist() == ["a", "b"] and means[:, 0].tolist() == [10, 1]
