"""A found group of ink → the whole signature: strokes of the same pen that stand apart in its row or box.

Every length is in pixels of :func:`vision.scans.form_regions.read_page`'s size, about 120 dpi on A4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision.scans.form_regions import SIDE, TEXT_HEIGHT, Group, Page, Stroke

REACH, MOST_REACH = 0.6, 0.05 * SIDE
"""Gap to the next stroke of one signature at most: in its heights, and in pixels (15 mm)."""
DOUBTED, MOST_DOUBTED = 1.0, 0.07 * SIDE
"""Gap up to which a stroke that was not taken in may still belong to the signature."""
ABOVE_OR_BELOW = 0.3
"""Gap, in heights, to a dot above or a flourish below."""
TALL = 0.2
"""A stroke's height beside the signature's, below which it is a letter of a label or dirt."""
LARGE = 0.35
"""The same for strokes above or below, where a name may be written by hand."""
MOST_WIDE, MOST_TALL = 0.36 * SIDE, 0.2 * SIDE
"""Width and height of a grown signature at most (107 and 59 mm)."""
DOT = 3.5
"""Widths of its line that a dot is long at most; a letter of a label above is longer."""
LINE = 1.2
"""Times its width's share of ink that a flat line has at most; a word has more."""
RING = 60
"""Pixels; a stamp is no smaller (13 mm)."""
UNLIKE = 2.0
"""Times a stroke may be wider or thinner than the signature's."""
MOST_TONE, MOST_COLOUR = 70.0, 60.0
"""Levels of 255 by which its darkness and its colour may differ."""
LINED = 0.95
"""Share of the way between two strokes along which a line must run to part them."""


@dataclass(frozen=True)
class Box:
    """Left, top, right and bottom; right and bottom lie outside."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, one: Stroke) -> Box:
        """A stroke's."""
        return cls(one.left, one.top, one.left + one.width, one.top + one.height)

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def with_(self, other: Box) -> Box:
        """The least that holds both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def wider(self, edge: float) -> Box:
        """With an edge all round."""
        return Box(self.left - edge, self.top - edge, self.right + edge, self.bottom + edge)

    def holds(self, other: Box) -> bool:
        """Whether another lies inside."""
        return self.with_(other) == self

    def gaps(self, other: Box) -> tuple[float, float]:
        """Paper between the two across and down; negative where they share columns or rows."""
        across = max(other.left - self.right, self.left - other.right)
        return across, max(other.top - self.bottom, self.top - other.bottom)


def whole(page: Page, group: Group, margin: float) -> tuple[Box, int]:
    """A signature with its strokes that stand apart, and the ink like it that is left out.

    Parameters
    ----------
    page : Page
    group : Group
        One of the page's.
    margin : float
        Paper that is kept around a signature, in shares of its height.

    Returns
    -------
    box : Box
        In pixels of the page as it came, without the margin.
    left_out : int
        Pixels of ink, of the page as it came, that may belong to the signature and lie outside its frame or
        are cut by it.
    """
    scale = page.scale
    box = Box(group.left, group.top, group.left + group.width, group.top + group.height)
    box = Box(*(getattr(box, side) * scale for side in ("left", "top", "right", "bottom")))
    own = [one for one in page.strokes if box.wider(1.5).holds(Box.of(one))]
    if not own:
        return _on_page(box, scale), 0
    others = [
        one
        for one in page.strokes
        if one not in own and _same_pen(one, own) and not _beside_print(page, one) and not _ring(one)
    ]
    grown = True
    while grown:
        grown = False
        for one in sorted(others, key=lambda one: max(box.gaps(Box.of(one)))):
            after = box.with_(Box.of(one))
            if not _belongs(page, box, one) or after.width > MOST_WIDE or after.height > MOST_TALL:
                continue
            box, grown = after, True
            others.remove(one)
            break
    frame = box.wider(margin * box.height)
    left = sum(one.area for one in others if _may_belong(page, box, frame, one))
    return _on_page(box, scale), round(left / scale**2)


def _on_page(box: Box, scale: float) -> Box:
    return Box(box.left / scale, box.top / scale, box.right / scale, box.bottom / scale)


def _same_pen(one: Stroke, own: list[Stroke]) -> bool:
    """By width of the stroke, darkness and colour, each beside the middle of the signature's ink."""
    shares = np.array([each.area for each in own], float)
    wide = np.average([each.stroke for each in own], weights=shares)
    tone = np.average([each.tone for each in own], weights=shares)
    colour = np.average([each.colour for each in own], axis=0, weights=shares)
    return bool(
        wide / UNLIKE <= one.stroke <= UNLIKE * wide
        and abs(one.tone - tone) <= MOST_TONE
        and np.abs(np.asarray(one.colour) - colour).max() <= MOST_COLOUR
    )


def _belongs(page: Page, box: Box, one: Stroke) -> bool:
    place, tall = Box.of(one), box.height
    across, down = box.gaps(place)
    if _in_row(box, place) and across <= min(REACH * tall, MOST_REACH):
        large = one.height >= TALL * tall or across <= 0.15 * tall
        return large and not _parted(page, box, place)
    if across > 0 or down > ABOVE_OR_BELOW * tall:
        return False
    dot = place.top < box.top and max(one.width, one.height) <= DOT * one.stroke
    return (dot or _flourish(box, one)) and not _parted(page, box, place)


def _flourish(box: Box, one: Stroke) -> bool:
    """Whether it is one long flat line below, and not a word whose letters touch."""
    flat = one.width >= max(3 * one.height, 0.3 * box.width) and one.area <= LINE * one.stroke * one.width
    return flat and one.top >= box.bottom - 0.1 * box.height


def _may_belong(page: Page, box: Box, frame: Box, one: Stroke) -> bool:
    """Whether ink that was not taken in lies so near, or runs across the frame, that it may be a part."""
    place, tall = Box.of(one), box.height
    if frame.holds(place):
        return False  # it is on the piece
    across, down = box.gaps(place)
    beside = _in_row(box, place) and one.height >= TALL * tall
    large = one.height >= LARGE * tall or _flourish(box, one)
    if max(frame.gaps(place)) < 0:  # the frame runs across it
        return beside or large
    beside = beside and across <= min(DOUBTED * tall, MOST_DOUBTED)
    near = large and across <= 0 and down <= LARGE * tall
    return (beside or near) and not _parted(page, box, place)


def _in_row(box: Box, place: Box) -> bool:
    """Whether a third of its height stands in the signature's rows; beside them, nearly."""
    edge = 0.15 * box.height if box.gaps(place)[0] > 0 else 0.0
    shared = min(box.bottom + edge, place.bottom) - max(box.top - edge, place.top)
    return shared >= 0.3 * place.height


def _beside_print(page: Page, one: Stroke) -> bool:
    """Whether it stands in a row of print, no taller than its letters: a part of a word that was not read."""
    if one.height > TEXT_HEIGHT[1]:
        return False
    reach = max(one.height, TEXT_HEIGHT[0])
    rows = page.print_[
        one.top : one.top + one.height, max(one.left - reach, 0) : one.left + one.width + reach
    ]
    return bool(rows.any(axis=1).mean() >= 0.5)


def _ring(one: Stroke) -> bool:
    """Whether it is a stamp's outline: large, as wide as tall, round and empty."""
    tall, wide = one.height, one.width
    empty = one.enclosed >= 0.6 and one.area < 0.3 * tall * wide
    return empty and min(tall, wide) >= RING and 0.75 <= wide / tall <= 1.33


def _parted(page: Page, box: Box, place: Box) -> bool:
    """Whether a printed line runs between the two, past both ends of both: then they stand in two boxes."""
    across, down = box.gaps(place)
    both, past = box.with_(place), 4
    if across > 0:
        rows = both.top - past, both.bottom + past
        columns = min(box.right, place.right), max(box.left, place.left)
    elif down > 0:
        rows = min(box.bottom, place.bottom), max(box.top, place.top)
        columns = both.left - past, both.right + past
    else:
        return False
    top, bottom = max(int(rows[0]), 0), int(np.ceil(rows[1]))
    left, right = max(int(columns[0]), 0), int(np.ceil(columns[1]))
    between = page.lined[top:bottom, left:right]
    return bool(between.size) and between.any(axis=1 if across > 0 else 0).mean() >= LINED
