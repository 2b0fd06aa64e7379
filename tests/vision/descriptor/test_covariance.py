"""The training-free descriptor: what it must not depend on, and what it must tell apart."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from data.signatures.encoder_info import EncoderInfo
from vision.descriptor.common_scale import DescriptorSpace, squared_distances
from vision.descriptor.covariance import Block, CovarianceDescriptor, log_covariance
from vision.descriptor.descriptors import CovarianceOnly, Fused, load_descriptor
from vision.descriptor.ink_regions import (
    equal_ink_parts,
    ink_rank,
    levelled,
    slope_of,
    soft_windows,
    without_specks,
)
from vision.descriptor.stroke_channels import CHANNELS, measure_strokes

DESCRIPTOR = CovarianceDescriptor()


def drawing(seed=0, slant=0.0, thickness=4, size=(140, 420), jitter=0.0, jitter_seed=0):
    """A wavy line through the writer's own points."""
    points = np.random.default_rng(seed).normal(size=(16, 2)) * [6, 26]
    points += np.stack([np.linspace(30, 390, 16), np.full(16, 70.0)], axis=1)
    points += jitter * np.random.default_rng(jitter_seed).normal(size=points.shape)
    points[:, 0] += slant * (70 - points[:, 1])
    canvas = np.zeros(size, np.uint8)
    cv2.polylines(canvas, [points.clip(5, [414, 134]).astype(np.int32)], False, 230, thickness, cv2.LINE_AA)
    return canvas


def test_one_image_gives_the_same_numbers_as_a_batch_and_as_another_run():
    images = [drawing(1), drawing(2)]
    both = DESCRIPTOR.describe(images)
    assert both.dtype == np.float32 and both.shape == (2, DESCRIPTOR.dim)
    assert np.array_equal(DESCRIPTOR.describe(images[1:])[0], both[1])
    assert np.array_equal(DESCRIPTOR.describe(images), both)
    assert np.isfinite(both).all()


def test_paper_around_the_ink_does_not_matter():
    wide = cv2.copyMakeBorder(drawing(1), 40, 10, 70, 30, cv2.BORDER_CONSTANT, value=0)
    assert np.array_equal(DESCRIPTOR.describe([wide]), DESCRIPTOR.describe([drawing(1)]))


def test_a_speck_beside_the_signature_does_not_matter():
    speck = cv2.copyMakeBorder(drawing(1), 0, 60, 0, 200, cv2.BORDER_CONSTANT, value=0)
    speck[-3:-1, -3:-1] = 200
    assert np.array_equal(DESCRIPTOR.describe([speck]), DESCRIPTOR.describe([drawing(1)]))


def test_dots_of_the_pen_stay():
    ink = drawing(1)
    cv2.circle(ink, (210, 12), 4, 230, -1)
    assert np.array_equal(without_specks(ink), ink)


def test_an_image_without_ink_gives_zeros():
    assert not DESCRIPTOR.describe([np.zeros((20, 30), np.uint8)]).any()
    assert DESCRIPTOR.describe([]).shape == (0, DESCRIPTOR.dim)


def test_other_arrays_are_refused_by_name():
    with pytest.raises(ValueError, match="images: each must be uint8"):
        DESCRIPTOR.describe([np.zeros((20, 30), np.float32)])


def test_signatures_of_one_writer_lie_nearer_than_those_of_two():
    images = [drawing(writer, jitter=1.5, jitter_seed=k) for writer in range(6) for k in range(3)]
    found = DESCRIPTOR.describe(images)
    placed = DescriptorSpace.fit(found, DESCRIPTOR.blocks).place(found)
    distance = squared_distances(placed, placed)
    same = np.kron(np.eye(6), np.ones((3, 3))).astype(bool)
    assert distance[same & ~np.eye(18, dtype=bool)].max() < distance[~same].min()


def test_a_thicker_pen_and_another_slant_are_seen():
    base, thick, slanted = DESCRIPTOR.describe([drawing(3), drawing(3, thickness=7), drawing(3, slant=0.5)])
    assert np.linalg.norm(base - thick) > 1 and np.linalg.norm(base - slanted) > 1


def test_logarithm_of_a_diagonal_covariance_by_hand():
    logs = log_covariance(np.diag([1.0, np.e])[None], ridge=0.0)
    assert logs[0] == pytest.approx([0, 0, 1], abs=1e-12)


def test_distances_of_log_vectors_are_frobenius_distances():
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(2, 5, 5))
    matrices = factors @ factors.transpose(0, 2, 1) + np.eye(5)
    logs = []
    for matrix in matrices:
        values, vectors = np.linalg.eigh(matrix)
        logs.append((vectors * np.log(values)) @ vectors.T)
    vectors = log_covariance(matrices, ridge=0.0)
    assert np.linalg.norm(vectors[0] - vectors[1]) == pytest.approx(np.linalg.norm(logs[0] - logs[1]))


def test_doubled_angles_of_a_horizontal_and_a_vertical_stroke_are_opposite():
    canvas = np.zeros((60, 60), np.uint8)
    cv2.line(canvas, (10, 30), (50, 30), 255, 5)
    flat = measure_strokes(canvas).grain.mean(axis=0)
    upright = measure_strokes(np.ascontiguousarray(canvas.T)).grain.mean(axis=0)
    assert flat[0] < -0.5 < 0.5 < upright[0]  # the gradient of a flat stroke points up and down
    assert measure_strokes(canvas).values.shape[1] == len(CHANNELS)


def test_parts_hold_equal_ink():
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, 500, 4000), (rng.random(4000) ** 3 * 900).astype(int)
    parts = equal_ink_parts(rows, columns, ((2, 2),))
    assert [len(part) for part in parts] == pytest.approx([1000] * 4, rel=0.05)


def test_rank_is_the_share_of_ink_before_a_pixel():
    assert ink_rank(np.array([0, 0, 3, 3])).tolist() == pytest.approx([0.25, 0.25, 0.75, 0.75])


def test_windows_are_highest_at_their_centres():
    assert soft_windows(np.array([1 / 6, 0.5, 5 / 6], np.float32), 3).argmax(axis=0).tolist() == [0, 1, 2]


@pytest.mark.parametrize(("tilt", "left"), [(30, 12), (-35, -12), (5, 5)])
def test_a_steep_signature_is_turned_back_and_a_gentle_slope_kept(tilt, left):
    canvas = np.zeros((400, 500), np.uint8)
    away = 200 * np.array([np.cos(np.radians(tilt)), np.sin(np.radians(tilt))])
    ends = [tuple((np.array([250, 200]) + side * away).astype(int).tolist()) for side in (-1, 1)]
    cv2.line(canvas, *ends, 255, 6)
    assert slope_of(canvas) == pytest.approx(tilt, abs=1)
    assert slope_of(levelled(canvas)) == pytest.approx(left, abs=1)


def test_descriptors_side_by_side_keep_their_blocks_and_one_image_gives_what_a_batch_gives():
    class Mean:
        info = EncoderInfo("mean", "1", "a" * 64, "here", 2)
        blocks = (Block("mean", 0, 2, 1.0),)

        def describe(self, inks, progress=None):
            return np.array([[ink.mean(), ink.std()] for ink in inks], np.float32)

    fused = Fused((CovarianceOnly(), Mean()), (1.0, 0.5))
    both = fused.describe([drawing(1), drawing(2)])
    assert both.shape == (2, DESCRIPTOR.dim + 2) == (2, fused.info.dim)
    assert np.array_equal(fused.describe([drawing(2)])[0], both[1])
    assert np.array_equal(both[:, : DESCRIPTOR.dim], DESCRIPTOR.describe([drawing(1), drawing(2)]))
    last = fused.blocks[-1]
    assert (last.start, last.stop, last.weight) == (DESCRIPTOR.dim, DESCRIPTOR.dim + 2, 0.5)
    assert fused.blocks[:-1] == DESCRIPTOR.blocks
    assert fused.info.encoder_id == "covariance+mean@2+1"


def test_the_descriptor_says_which_code_computed_it():
    info = load_descriptor("covariance").info
    assert info.dim == DESCRIPTOR.dim and len(info.weights_sha256) == 64
    assert info.encoder_id == "covariance@2"
