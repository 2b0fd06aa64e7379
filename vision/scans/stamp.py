"""An office stamp across a signature, parted from it by its colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vision.scans.ink_colours import split_colours

_APART = 0.5
"""Share of a red ink's darkness that it has at most in the red channel."""
_ON_OUTLINE = 0.3
"""Share of a stamp's ink that lies on its round or rectangular outline at least."""
_RIM = 0.12
"""Width of that outline beside the stamp's half size."""
_DARKER = 25
"""Levels by which the pen must be darker than the stamp in the channel in which the stamp is palest."""


@dataclass(frozen=True, eq=False)
class _Group:
    """Ink of one colour: where its cores lie, and what it takes from the paper's red, green and blue."""

    cores: np.ndarray
    takes: np.ndarray

    @property
    def is_red(self) -> bool:
        return bool(self.takes[0] < _APART * self.takes[1:].max())


def without_stamp(rgb: np.ndarray, gray: np.ndarray, ink: np.ndarray) -> np.ndarray | None:
    """Gray levels of a scan without its stamp.

    Of two colours of ink the red one is the stamp; where neither is, the one that lies on a circle or a
    rectangle. Inside the stamp's print a pixel is the pen's where it is clearly darker than the stamp in the
    channel in which the stamp is palest.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
    gray : ndarray of uint8, shape (h, w)
        The same scan's gray levels.
    ink : ndarray of uint8, shape (h, w)
        0 on paper.

    Returns
    -------
    ndarray of uint8, shape (h, w), or None
        None where there is one colour, where it cannot be said which of two is the pen's, or where the pen is
        not dark enough to be seen under the stamp.
    """
    split = split_colours(rgb, ink)
    if split is None:
        return None
    paper = np.median(rgb[ink == 0], axis=0) if (ink == 0).any() else np.full(3, 255.0)
    taken = np.maximum(paper.astype(np.float32) - rgb, 0)
    groups = [_Group(cores, np.percentile(taken[cores], 75, axis=0)) for cores in split]
    stamp = _stamp_of(groups)
    if stamp is None:
        return None
    pen = groups[1 - groups.index(stamp)]
    channel = int(np.argmax(pen.takes - stamp.takes))
    ceiling = float(np.percentile(taken[..., channel][stamp.cores], 95))
    if pen.takes[channel] < ceiling + _DARKER:
        return None
    limit = ceiling + 0.35 * (pen.takes[channel] - ceiling)
    printed = _reach(stamp.cores, pen.cores, ink)
    blank = np.uint8(np.median(gray[ink == 0])) if (ink == 0).any() else np.uint8(255)
    own = taken[..., channel] > limit
    shown = np.where(own, rgb[..., channel], blank)
    return np.where(printed, shown, gray).astype(np.uint8)


def _stamp_of(groups: list[_Group]) -> _Group | None:
    red = [one for one in groups if one.is_red]
    if len(red) == 1:
        return red[0]
    outlined = [one for one in groups if on_outline(one.cores) >= _ON_OUTLINE]
    return outlined[0] if len(outlined) == 1 else None


def on_outline(mask: np.ndarray) -> float:
    """Share of some ink that lies near the ellipse, or the rectangle, that its hull is like.

    Parameters
    ----------
    mask : ndarray of bool, shape (h, w)

    Returns
    -------
    float
        From 0 to 1; 0 where the hull is like neither.
    """
    rows, columns = np.nonzero(mask)
    if len(rows) < 50:
        return 0.0
    points = np.stack([columns, rows], axis=1).astype(np.int32)
    low, high = np.percentile(points, [1, 99], axis=0)
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 1.0)
    away = np.abs((points - middle) / half)
    round_ = np.abs(np.hypot(*away.T) - 1) < _RIM
    square = (np.abs(away.max(axis=1) - 1) < _RIM) & (away.max(axis=1) < 1 + _RIM)
    hull = cv2.convexHull(points)
    filled = cv2.contourArea(hull) / max(4 * half[0] * half[1], 1.0)
    if filled > 0.92:
        return float(square.mean())
    return float(round_.mean()) if 0.7 < filled < 0.9 else 0.0


def _reach(stamp: np.ndarray, pen: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Where a stamp's print lies: its cores, their fringe, and what of the ink lies nearer to them than to
    the pen's."""
    far_stamp, far_pen = (
        cv2.distanceTransform((~one).astype(np.uint8), cv2.DIST_L2, 5) for one in (stamp, pen)
    )
    return (far_stamp <= 2) | ((ink > 0) & (far_stamp <= far_pen) & (far_stamp <= 8))
