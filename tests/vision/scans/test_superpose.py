"""Two drawings on one sheet: scaled alike, shifted onto each other, told apart by colour."""

import cv2
import numpy as np
import pytest

from vision.scans.superpose import FIRST, HEIGHT, SECOND, WIDTH, superpose


def drawing(scale: float = 1.0, place: tuple[int, int] = (10, 10)) -> np.ndarray:
    """A hook of three strokes, anywhere on the paper and at any size."""
    sheet = np.zeros((round(200 * scale) + place[1], round(420 * scale) + place[0]), np.uint8)
    points = np.array([(0, 90), (120, 10), (180, 95), (380, 40)], float) * scale + place
    return cv2.polylines(sheet, [points.astype(np.int32)], False, 255, max(2, round(4 * scale)))


def overlap(pair) -> float:
    return float(np.minimum(pair.first, pair.second).sum() / pair.first.sum())


def test_the_same_drawing_at_another_size_and_place_lies_on_itself():
    assert overlap(superpose(drawing(), drawing(2.0, (90, 40)))) > 0.7


def test_another_drawing_does_not_lie_on_it():
    other = np.flipud(drawing()).copy()
    assert overlap(superpose(drawing(), other)) < 0.4


def test_a_sheet_has_its_size_and_keeps_the_proportions():
    pair = superpose(drawing(), drawing(0.5))
    assert pair.first.shape == pair.second.shape == (HEIGHT, WIDTH)
    rows, columns = np.nonzero(pair.first > 0.2)
    assert np.ptp(columns) / np.ptp(rows) == pytest.approx(380 / 85, rel=0.1)


@pytest.mark.parametrize(("share", "colour", "name"), [(0.0, FIRST, "first"), (1.0, SECOND, "second")])
def test_at_either_end_only_one_drawing_is_seen_in_its_colour(share, colour, name):
    pair = superpose(drawing(), np.flipud(drawing()).copy())
    shown = pair.mixed(share)
    ink = getattr(pair, name)
    assert shown[ink.argmax() // WIDTH, ink.argmax() % WIDTH].tolist() == list(colour)
    assert (shown[ink == 0] == 255).all()


def test_where_both_have_ink_it_is_darker_than_either_colour():
    pair = superpose(drawing(), drawing())
    both = np.minimum(pair.first, pair.second)
    middle = pair.mixed(0.5)[both.argmax() // WIDTH, both.argmax() % WIDTH]
    assert middle.sum() < min(sum(FIRST), sum(SECOND))


def test_no_ink_leaves_the_sheet_when_the_second_is_shifted_onto_the_first():
    """A stroke that was cut off would change the proportions of what is left."""
    hook = np.zeros((200, 300), np.uint8)
    cv2.polylines(hook, [np.array([(20, 10), (20, 190), (280, 180)], np.int32)], False, 255, 5)
    for other in (drawing(), np.rot90(hook, 2).copy()):
        rows, columns = np.nonzero(superpose(other, hook).second > 0.3)
        assert np.ptp(columns) / np.ptp(rows) == pytest.approx(260 / 180, rel=0.05)


def test_an_empty_drawing_is_refused_by_name():
    with pytest.raises(ValueError, match="second must hold ink"):
        superpose(drawing(), np.zeros((50, 50), np.uint8))


def test_a_share_outside_its_range_is_refused():
    with pytest.raises(ValueError, match=r"share must be within 0..1, got 1.5"):
        superpose(drawing(), drawing()).mixed(1.5)
