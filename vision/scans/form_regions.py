"""A page → groups of ink, each with measures by which a signature is told from print, stamps and dirt.

Everything is measured at one size, `SIDE` pixels along the page's longer side (about 120 dpi on A4), in
shares of the page and in sizes of the group itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vision.scans.preprocess import flatten_paper, ink_mask, to_gray
from vision.scans.stamp import on_outline

SIDE = 1400
_LINE = 61
"""Pixels: a straight run so long is no pen's, unless something joins it on both sides."""
TEXT_HEIGHT = (4, 40)
"""Pixels; the height of a printed letter."""
_WORD_HEIGHT = 20
"""Pixels; words whose letters touch are print where they are no taller."""
_FEWEST_LETTERS = 5
_GAP_ACROSS, _GAP_DOWN = 27, 13
"""Pixels between pieces of one group."""
_LEAST = 45, 12
"""Pixels: width and height of the smallest group that is looked at."""
_LEAST_INK = 12
"""Pixels of ink; less is a speck."""

MEASURES = (
    "width",
    "height",
    "aspect",
    "filled",
    "stroke",
    "stroke_spread",
    "largest",
    "pieces",
    "letters",
    "heights_spread",
    "slanted",
    "darkness",
    "colour",
    "outline",
    "from_top",
    "length",
)
"""Names of a group's measures, in order."""


@dataclass(frozen=True)
class Group:
    """Ink that lies together on a page.

    Attributes
    ----------
    left, top, width, height : int
        In pixels of the page as it came.
    measures : float64 (16,)
        As `MEASURES`.
    """

    left: int
    top: int
    width: int
    height: int
    measures: np.ndarray


@dataclass(frozen=True)
class Stroke:
    """One piece of connected ink that is no print, in pixels at the page's `scale`.

    Attributes
    ----------
    left, top, width, height : int
    area : int
    stroke : float
        Width of its line.
    tone : float
        Darkness, from 0 (paper) to 255.
    colour : tuple of float
        Middle red, green and blue, 0 to 255; three times 0 on a gray page.
    enclosed : float
        Share of its box that lies within its outer edge: about 0.79 of a ring, little of an open line.
    """

    left: int
    top: int
    width: int
    height: int
    area: int
    stroke: float
    tone: float
    colour: tuple[float, float, float]
    enclosed: float


@dataclass(frozen=True)
class Page:
    """What is on a page.

    Attributes
    ----------
    groups : tuple of Group
    strokes : tuple of Stroke
        All ink but print, long lines, red ink and specks, whether it lies in a group or not.
    letters : int
        Pieces of ink that stand in rows of print.
    print_ : ndarray of bool, shape (h', w')
        Where print lies, at `scale`.
    lined : ndarray of bool, shape (h', w')
        Where long straight lines lie, at `scale`.
    scale : float
        Pixels here per pixel of the page.
    """

    groups: tuple[Group, ...]
    strokes: tuple[Stroke, ...]
    letters: int
    print_: np.ndarray
    lined: np.ndarray
    scale: float


def read_page(pixels: np.ndarray) -> Page:
    """Groups of ink of a page.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (h, w) or (h, w, 3)
        A decoded scan, upright, 255 paper.
    """
    scale = min(1.0, SIDE / max(pixels.shape[:2]))
    small = (
        cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    )
    gray = to_gray(small)
    flat = flatten_paper(gray)
    mask = ink_mask(flat).astype(np.uint8)
    if mask.all():
        mask[:] = 0  # without paper nothing is written on it, and no line has a width
    if small.ndim == 3:
        mask[red_ink(small, mask)] = 0  # a stamp's; pens that sign are black or blue
    writing = _without_lines(mask)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(writing, connectivity=8)
    letters = _letters(stats, labels, flat)
    text = letters[labels] & (writing > 0)
    rows = cv2.dilate(text.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    own = writing * ~text
    joined = cv2.dilate(own, np.ones((_GAP_DOWN, _GAP_ACROSS), np.uint8))
    number, places, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    places = places * own  # ink alone, each pixel by its group
    found = []
    strokes = cv2.distanceTransform(writing, cv2.DIST_L2, 3)
    for one in range(1, number):
        left, top, width, height = boxes[one, :4]
        if width - _GAP_ACROSS < _LEAST[0] or height - _GAP_DOWN < _LEAST[1]:
            continue
        cut = np.s_[top : top + height, left : left + width]
        ink = places[cut] == one
        if np.count_nonzero(ink) < 60:
            continue
        ink = _core(ink, labels[cut], stats)
        x, y, w, h = cv2.boundingRect(ink.astype(np.uint8))
        if w < _LEAST[0] or h < _LEAST[1]:
            continue
        inner = np.s_[top + y : top + y + h, left + x : left + x + w]
        measures = _measure(
            ink[y : y + h, x : x + w], labels[inner], stats, strokes[inner], flat[inner], small[inner],
            rows[inner], (top + y) / gray.shape[0],
        )  # fmt: skip
        box = np.rint(np.array([left + x, top + y, w, h]) / scale).astype(int)
        found.append(Group(*map(int, box), measures))
    pens = _strokes(labels, stats, letters, strokes, flat, small)
    return Page(tuple(found), pens, int(np.count_nonzero(letters)), rows, (mask > 0) & (writing == 0), scale)


def _strokes(labels, stats, letters, radii, flat, colours) -> tuple[Stroke, ...]:
    """Pieces of ink that are no letters of print and no specks."""
    found = []
    for one in np.flatnonzero(~letters & (stats[:, cv2.CC_STAT_AREA] >= _LEAST_INK)):
        if one == 0:
            continue
        left, top, width, height, area = map(int, stats[one])
        cut = np.s_[top : top + height, left : left + width]
        ink = labels[cut] == one
        radius = radii[cut][ink]
        wide = 2 * float(radius[radius >= np.percentile(radius, 60)].mean())
        seen = np.median(colours[cut][ink], axis=0) if colours.ndim == 3 else (0.0, 0.0, 0.0)
        tone = float(np.median(flat[cut][ink]))
        edges, _ = cv2.findContours(ink.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        enclosed = sum(map(cv2.contourArea, edges)) / (width * height)
        found.append(Stroke(left, top, width, height, area, wide, tone, tuple(map(float, seen)), enclosed))
    return tuple(found)


def red_ink(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Which pixels of ink are red: they take little from the paper's red, and much from its green or blue.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
    mask : ndarray, shape (h, w)
        Not 0 in ink.
    """
    clear = mask == 0
    paper = np.median(rgb[clear][:: max(1, np.count_nonzero(clear) // 20000)], axis=0) if clear.any() else 255
    taken = np.maximum(paper - cv2.blur(rgb, (3, 3)).astype(np.float32), 0)
    most = taken[..., 1:].max(axis=2)
    return (mask > 0) & (most > 40) & (taken[..., 0] < 0.5 * most)


def _core(ink: np.ndarray, labels: np.ndarray, stats: np.ndarray) -> np.ndarray:
    """A group without small pieces above, below or beside its large ones: a label, a name in brackets."""
    pieces = np.unique(labels[ink])
    tall, area = stats[pieces, cv2.CC_STAT_HEIGHT], stats[pieces, cv2.CC_STAT_AREA]
    main = pieces[(tall >= 0.4 * tall.max()) | (area >= 0.3 * area.max())]
    left, top, width, height = cv2.boundingRect((ink & np.isin(labels, main)).astype(np.uint8))
    edge = round(0.06 * height)
    kept = np.zeros_like(ink)
    kept[max(top - edge, 0) : top + height + edge, max(left - 3 * edge, 0) : left + width + 3 * edge] = True
    inside = np.unique(labels[ink & kept])
    outside = np.unique(labels[ink & ~kept])
    return ink & np.isin(labels, np.union1d(np.setdiff1d(inside, outside), main))


def _without_lines(mask: np.ndarray) -> np.ndarray:
    """Ink without long straight lines; what crosses them is joined again."""
    out = mask.copy()
    for size in ((1, _LINE), (_LINE, 1)):
        runs = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones(size, np.uint8))
        thick = cv2.morphologyEx(runs, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
        runs &= ~cv2.dilate(thick, np.ones((9, 9), np.uint8))
        if not runs.any():
            continue
        wider = cv2.dilate(runs, np.ones((3, 3), np.uint8))
        out &= ~wider & 1
        across = np.ones((7, 1) if size[0] == 1 else (1, 7), np.uint8)
        out |= cv2.morphologyEx(out, cv2.MORPH_CLOSE, across) & wider & mask
    return out


def _letters(stats: np.ndarray, labels: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """Which pieces of ink stand in a row of print: many of like height on one line, close together."""
    x, y, w, h, area = stats.T
    low, high = TEXT_HEIGHT
    small = (h >= low) & (h <= high) & (w <= 12 * h) & (area >= 6)
    small[0] = False
    found = np.zeros(len(stats), bool)
    order = np.flatnonzero(small)
    if len(order) < _FEWEST_LETTERS:
        return found
    foot, middle = (y + h).astype(float), x + w / 2
    order = order[np.argsort(middle[order])]
    for one in order:
        if found[one] or h[one] < 6:
            continue
        near = order[np.abs(foot[order] - foot[one]) <= 0.3 * h[one] + 1]
        alike = near[(h[near] >= 0.55 * h[one]) & (h[near] <= 1.6 * h[one])]
        # A row is a run without a gap wider than two letters.
        gaps = np.diff(x[alike]) - w[alike][:-1]
        run = np.concatenate([[0], np.cumsum(gaps > 2.2 * h[one])])
        mine = alike[run == run[np.flatnonzero(alike == one)[0]]]
        wide = x[mine].max() + w[mine].max() - x[mine].min()
        letters = w[mine] <= 2 * h[mine]
        words = len(mine) >= 3 and wide > 12 * h[one] and h[one] <= _WORD_HEIGHT
        if (np.count_nonzero(letters) >= _FEWEST_LETTERS and wide > 3 * h[one]) or words:
            found[mine] = True
            span = (x >= x[mine].min() - 2 * h[one]) & (x + w <= x[mine].max() + w[mine].max() + 2 * h[one])
            inside = (y >= foot[one] - 1.9 * h[one]) & (y + h <= foot[one] + 0.8 * h[one])
            found |= span & inside & (h <= 2.2 * h[one]) & (w <= 12 * h[one])
    found[0] = False
    return found


def _measure(ink, labels, stats, strokes, flat, colours, rows, from_top: float) -> np.ndarray:
    height, width = ink.shape
    amount = np.count_nonzero(ink)
    radius = strokes[ink]
    ridge = radius >= np.percentile(radius, 60)
    stroke = 2 * float(radius[ridge].mean())
    pieces = np.unique(labels[ink])
    areas, tall = stats[pieces, cv2.CC_STAT_AREA], stats[pieces, cv2.CC_STAT_HEIGHT]
    big = tall[areas >= 0.02 * areas.max()]
    step = np.stack([cv2.Sobel(flat, cv2.CV_32F, 1, 0)[ink], cv2.Sobel(flat, cv2.CV_32F, 0, 1)[ink]])
    slanted = np.abs(step).min(axis=0).sum() / max(float(np.abs(step).sum()), 1e-6)
    seen = colours[ink].astype(np.float32) if colours.ndim == 3 else np.zeros((1, 3), np.float32)
    return np.array(
        [
            np.log(width / SIDE),
            np.log(height / SIDE),
            np.log(width / height),
            amount / (width * height),
            stroke,
            float(radius[ridge].std()) / max(stroke, 1e-6),
            areas.max() / max(areas.sum(), 1),
            np.log(len(big)),
            np.count_nonzero(rows & ink) / amount,
            float(big.std() / big.mean()),
            slanted,
            float(np.median(flat[ink])) / 255,
            float(np.ptp(np.median(seen, axis=0))) / 255,
            on_outline(ink),
            from_top,
            np.log(amount / max(stroke, 1.0) / SIDE),
        ]
    )
