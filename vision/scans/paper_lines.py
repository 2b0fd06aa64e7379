"""Printed lines on a form: found as thin, straight runs that go on past the handwriting, and taken away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import cv2
import numpy as np

from vision.scans.pieces import boxes_of

_LEAST_SPAN = 0.6
"""Share of the scan's width (height for upright lines) that a printed line covers at least."""
_CROSSING_SPAN = 0.85
"""The same for a line along which strokes lie."""
_LEAST_SIDE = 0.15
"""The same for the side of a printed box, which its corners give away."""
_DARKER = 1.5
"""Times as dark as a line from which the pen is told by its tone."""
_BLANK_SPAN = 0.3
"""The same on a sheet with nothing else on it: a straight line alone is no signature."""


@dataclass(frozen=True)
class PrintedLine:
    """A straight printed line.

    Attributes
    ----------
    upright : bool
        Vertical rather than horizontal.
    positions : ndarray of int, shape (n, 2)
        Along and across the line: for a horizontal one column and row of its centre.
    thickness : int
        Pixels.
    clear : bool
        Seen in short pieces already, as a line is that no stroke lies along.
    """

    upright: bool
    positions: np.ndarray
    thickness: int
    clear: bool = True

    @property
    def length(self) -> int:
        """Pixels from end to end."""
        return len(self.positions)

    @property
    def corners(self) -> tuple[np.ndarray, np.ndarray]:
        """Column and row of both ends on the scan."""
        ends = self.positions[[0, -1]]
        first, last = ends[:, ::-1] if self.upright else ends
        return first, last


def find_printed_lines(ink: np.ndarray) -> list[PrintedLine]:
    """Lines of a form.

    A line is a run of ink that is thin, straight, covers at least 60 % of the scan and reaches past the rest
    of the ink on both sides or to both borders. A headline or an underline of the signature itself ends with
    it and is kept. Shorter ones count where four of them make a box, or where there is no other ink.

    Parameters
    ----------
    ink : ndarray of uint8, shape (h, w)
        0 on paper.

    Returns
    -------
    list of PrintedLine
    """
    mask = (ink > 0).astype(np.uint8)
    turned = np.ascontiguousarray(mask.T)
    runs = _straight_runs(mask, upright=False) + _straight_runs(turned, upright=True)
    if not runs:
        return []
    rest = mask.copy()
    for line in runs:
        _erase(rest, line, reach=line.thickness // 2 + 2)
    if np.count_nonzero(rest) < 0.0002 * rest.size:
        return [line for line in runs if line.length >= _BLANK_SPAN * _room(line, mask)]
    boxed = _box_sides(runs)
    long = [line for line in runs if line.length >= _least_span(line) * _room(line, mask)]
    rest = mask.copy()  # short straight strokes are handwriting, which a headline does not go past
    for line in long:
        _erase(rest, line, reach=line.thickness // 2 + 2)
    return [
        line
        for line in runs
        if any(line is side for side in boxed)
        or (any(line is one for one in long) and _goes_past(line, rest.T if line.upright else rest))
    ]


def touching(ink: np.ndarray, writing: np.ndarray, lines: list[PrintedLine]) -> float:
    """Share of a printed line's length along which strokes of the handwriting lie on it or end at it, most
    touched line first. Lines that are clearly paler than the pen are told apart by that and do not count.

    Parameters
    ----------
    ink : ndarray of uint8, shape (h, w)
        0 on paper.
    writing : ndarray of uint8, shape (h, w)
        The same from :func:`without_printed_lines`.
    lines : list of PrintedLine
    """
    most = 0.0
    pen = float(np.percentile(writing[writing > 0], 75)) if writing.any() else 0.0
    for line in lines:
        if _told_by_tone(_tone(ink, line), pen):
            continue
        view = writing.T if line.upright else writing
        along, across = line.positions.T
        reach = line.thickness // 2 + 3
        seen = np.zeros(len(along), bool)
        for shift in range(-reach, reach + 1):
            rows = across + shift
            inside = (rows >= 0) & (rows < view.shape[0])
            seen[inside] |= view[rows[inside], along[inside]] > 0
        # The remains of other lines that cross this one are no handwriting.
        seen[:reach] = seen[-reach:] = False
        most = max(most, float(seen.mean()))
    return most


def _least_span(line: PrintedLine) -> float:
    """A script's headline, with letters hanging from it, is no printed line unless it crosses the scan."""
    return _LEAST_SPAN if line.clear else _CROSSING_SPAN


def _room(line: PrintedLine, mask: np.ndarray) -> int:
    return mask.shape[0] if line.upright else mask.shape[1]


def _box_sides(runs: list[PrintedLine]) -> list[PrintedLine]:
    """Lines that close a rectangle with three others. A headline with two long strokes hanging from it has no
    lower side, and is no box."""
    level, upright = ([one for one in runs if one.upright is way] for way in (False, True))
    found = []
    for above, below in combinations(level, 2):
        for left, right in combinations(upright, 2):
            sides = (above, below, left, right)
            if all(_meets(one, other) for one in sides[:2] for other in sides[2:]):
                found += [one for one in sides if not any(one is held for held in found)]
    return found


def _meets(line: PrintedLine, other: PrintedLine) -> bool:
    """Whether two lines have an end in the same place."""
    near = 4 * line.thickness + 0.03 * max(line.length, other.length)
    return any(np.hypot(*(a - b)) <= near for a in line.corners for b in other.corners)


def without_printed_lines(ink: np.ndarray, lines: list[PrintedLine] | None = None) -> np.ndarray:
    """Remove printed lines but leave strokes that cross them.

    Where the pen is clearly darker than the line its pixels are told by that; else what comes from above and
    goes on below is joined straight across the line.

    Parameters
    ----------
    ink : ndarray of uint8, shape (h, w)
    lines : list of PrintedLine, optional
        Those of `ink`, when they have been found already.

    Returns
    -------
    ndarray of uint8, shape (h, w)
        `ink` itself when there is no line.
    """
    lines = find_printed_lines(ink) if lines is None else lines
    if not lines:
        return ink
    out = ink.copy()
    tones = [_tone(ink, line) for line in lines]
    for line in lines:
        _erase(out, line, reach=line.thickness // 2 + 1)
    pen = float(np.percentile(out[out > 0], 75)) if out.any() else 0.0
    bare = out.copy()
    for line, tone in zip(lines, tones, strict=True):
        _restore(out, ink, bare, line, tone, pen)
    return out


def _tone(ink: np.ndarray, line: PrintedLine) -> float:
    """How dark a line is where no stroke lies on it: in the paler half of its length."""
    view = ink.T if line.upright else ink
    along, across = line.positions.T
    return float(np.percentile(view[np.clip(across, 0, view.shape[0] - 1), along], 40))


def _restore(out: np.ndarray, ink: np.ndarray, bare: np.ndarray, line: PrintedLine, tone: float, pen: float):
    """Give back, in place, what strokes have lost in a line's place."""
    view, before, left = (one.T if line.upright else one for one in (out, ink, bare))
    along, across = line.positions.T
    reach, last = line.thickness // 2 + 1, view.shape[0] - 1
    if _told_by_tone(tone, pen):
        limit = (tone + pen) / 2
        for shift in range(-reach, reach + 1):
            rows = across + shift
            inside = (rows >= 0) & (rows <= last)
            rows, columns = rows[inside], along[inside]
            own = before[rows, columns] > limit
            view[rows[own], columns[own]] = before[rows[own], columns[own]]
        return
    above, below = across - reach - 1, across + reach + 1
    if above.min() < 0 or below.max() > last:
        return
    upper, lower = _runs(left[above, along] > 0), _runs(left[below, along] > 0)
    slack = 2 * reach + 2
    strokes = np.ascontiguousarray(np.zeros_like(view))
    for start, stop in upper:
        for first, end in lower:
            if first > stop + slack or end < start - slack:
                continue
            # Of a stroke that runs along the line only what is near the other side's stroke goes across.
            a, b = max(start, first - slack), min(stop, end + slack)
            c, d = max(first, start - slack), min(end, stop + slack)
            corners = [(along[a], above[a]), (along[b], above[b]), (along[d], below[d]), (along[c], below[c])]
            tones = view[above[a : b + 1], along[a : b + 1]]
            cv2.fillConvexPoly(strokes, np.array(corners, np.int32), int(tones.max(initial=1)))
    np.maximum(view, strokes, out=view)


def _told_by_tone(tone: float, pen: float) -> bool:
    return pen > _DARKER * max(tone, 1.0)


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(start), int(stop) - 1) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def _erase(image: np.ndarray, line: PrintedLine, reach: int) -> None:
    """Clear a line in place."""
    view = image.T if line.upright else image
    along, across = line.positions.T
    for shift in range(-reach, reach + 1):
        rows = across + shift
        inside = (rows >= 0) & (rows < view.shape[0])
        view[rows[inside], along[inside]] = 0


def _straight_runs(mask: np.ndarray, upright: bool) -> list[PrintedLine]:
    """Thin straight runs. Short pieces first; long ones find what strokes lie along for a while."""
    width = mask.shape[1]
    # A skewed line breaks into steps: runs of a sixteenth of the width survive two degrees of skew.
    found = _runs_of(mask, upright, max(12, width // 16))
    hidden = _runs_of(mask, upright, max(12, width // 5))
    return found + [replace(line, clear=False) for line in hidden if not _known(line, found)]


def _known(line: PrintedLine, found: list[PrintedLine]) -> bool:
    """Whether a line runs where one of the others does."""
    middle = line.positions[line.length // 2]
    return any(
        len(there) and abs(int(there[0]) - int(middle[1])) <= one.thickness + line.thickness
        for one in found
        for there in [one.positions[one.positions[:, 0] == middle[0], 1]]
    )


def _runs_of(mask: np.ndarray, upright: bool, piece: int) -> list[PrintedLine]:
    height, width = mask.shape
    if width < 40 or height < 8 or not mask.any():
        return []
    runs = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, piece), np.uint8))
    least = max(40, _LEAST_SIDE * width)
    if cv2.countNonZero(runs) < least:
        return []
    joined = cv2.dilate(runs, np.ones((3, max(3, width // 60)), np.uint8))
    _, first, _, rows = cv2.boundingRect(joined)
    band = np.s_[first : first + rows]
    long = [
        box
        for box in boxes_of(joined[band])
        if box.width >= least and box.height <= max(12, 0.05 * box.width)
    ]
    if not long:
        return []
    _, labels = cv2.connectedComponents(joined[band], connectivity=8)
    found = []
    for label, box in sorted((int(labels[box.pixel]), box) for box in long):
        part = np.s_[box.top : box.top + box.height]
        line = _measure(runs[band][part] * (labels[part] == label), upright, least, first + box.top)
        if line is not None:
            found.append(line)
    return found


def _measure(run: np.ndarray, upright: bool, least: float, top: int) -> PrintedLine | None:
    """Fit a straight line to one candidate; None when it bends, is thick or uneven.

    `run` holds the scan's rows from `top` on.

    Where it is uneven a stroke may lie along it: the line is what its thin parts say, if they reach from end
    to end, and it is not `clear`.
    """
    height, width = run.shape
    thickness = run.sum(axis=0)
    columns = np.flatnonzero(thickness)
    typical = float(np.median(thickness[columns]))
    uneven = np.percentile(thickness[columns], 85) > 1.8 * typical + 1
    if uneven:
        columns = columns[thickness[columns] <= 1.8 * typical + 1]
        if columns[-1] - columns[0] < _CROSSING_SPAN * width:
            return None
    rows = (run * np.arange(top, top + height)[:, None]).sum(axis=0)[columns] / thickness[columns]
    slope, start = np.polyfit(columns, rows, 1)
    bent = np.percentile(np.abs(rows - (slope * columns + start)), 90)
    if len(columns) < 0.85 * least or bent > max(1.5, 0.6 * typical) or typical > max(6, 0.03 * width):
        return None
    whole = np.arange(columns[0], columns[-1] + 1)
    centers = np.stack([whole, np.rint(np.interp(whole, columns, rows)).astype(int)], axis=1)
    return PrintedLine(upright, centers, max(1, round(typical)), clear=not uneven)


def _goes_past(line: PrintedLine, rest: np.ndarray) -> bool:
    """Whether a line reaches past the handwriting, or the border, on both sides."""
    width = rest.shape[1]
    first, last = line.positions[0, 0], line.positions[-1, 0]
    others = np.flatnonzero(rest.sum(axis=0))
    margin = 0.02 * width
    if not len(others):
        return last - first >= 0.9 * width
    tight = others[0] <= margin and others[-1] >= width - 1 - margin
    if tight:  # cropped to the handwriting: its own headline, too, would reach both borders
        return False
    left = first <= margin or first < np.percentile(others, 1) - margin
    right = last >= width - 1 - margin or last > np.percentile(others, 99) + margin
    return bool(left and right)
