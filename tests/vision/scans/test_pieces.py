"""Pieces of a mask against OpenCV's own statistics."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vision.scans.pieces import boxes_of, pieces_of


@st.composite
def masks(draw):
    height, width = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    bits = draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    return np.array(bits, np.uint8).reshape(height, width)


@given(masks())
def test_labels_areas_and_boxes_are_those_of_opencv(mask):
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = pieces_of(mask)
    assert np.array_equal(found.labels, labels)
    assert found.areas.tolist() == stats[:, cv2.CC_STAT_AREA].tolist()
    boxes = {int(labels[box.pixel]): box[:4] for box in boxes_of(mask)}
    assert boxes == {label: tuple(map(int, stats[label, :4])) for label in range(1, count)}


def test_a_piece_inside_the_hole_of_another_has_a_box_of_its_own():
    ring = np.zeros((9, 9), np.uint8)
    ring[1:8, 1:8] = 1
    ring[2:7, 2:7] = 0
    ring[4, 4] = 1
    assert sorted(box[:4] for box in boxes_of(ring)) == [(1, 1, 7, 7), (4, 4, 1, 1)]
