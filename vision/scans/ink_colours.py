"""Inks of two colours on one scan, however dark each of them is."""

from __future__ import annotations

import cv2
import numpy as np

_LEAST_SHARE = 0.1
_LEAST_GAP, _LEAST_STEP = 2.5, 0.25
_FEWEST = 200  # pixels of ink


def two_colours(rgb: np.ndarray, ink: np.ndarray) -> float | None:
    """Gap between two colours of ink in standard deviations, or None when there is one colour.

    What each pixel takes away from the paper's red, green and blue, as shares of the most that it takes away
    from any, is its colour, whatever its darkness.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
    ink : ndarray of uint8, shape (h, w)
        0 on paper.
    """
    sides = _sides(rgb, ink)
    if sides is None:
        return None
    return max((one[0] for one in map(_gap, sides[1]) if one is not None), default=None)


def split_colours(rgb: np.ndarray, ink: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Cores of strokes in each of two colours, or None when there is one colour.

    Parameters
    ----------
    rgb, ink : ndarray
        As for :func:`two_colours`.

    Returns
    -------
    tuple of two ndarray of bool, shape (h, w)
    """
    sides = _sides(rgb, ink)
    if sides is None:
        return None
    places, values = sides
    found = [(gap[0], gap[1], one) for one in values if (gap := _gap(one)) is not None]
    if not found:
        return None
    _, level, best = max(found, key=lambda one: one[0])
    low, high = np.zeros(ink.shape, bool), np.zeros(ink.shape, bool)
    low[places] = _coded(best) <= level
    high[places] = _coded(best) > level
    return low, high


def _sides(rgb: np.ndarray, ink: np.ndarray):
    """Places of coloured ink, as two index arrays, and two measures of its colour there, from -1 to 1."""
    mask = ink > 0
    core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    chosen = core if np.count_nonzero(core) >= _FEWEST else mask
    if np.count_nonzero(chosen) < _FEWEST:
        return None
    paper = np.median(rgb[~mask], axis=0) if (~mask).any() else np.full(3, 255.0)
    soft = cv2.blur(rgb, (3, 3))  # cameras and JPEG spread colours over neighbouring pixels
    taken = np.maximum(paper - soft[chosen].astype(np.float32), 0)
    most = taken.max(axis=1)
    clear = most > 40
    taken = taken[clear] / most[clear, None]
    if len(taken) < _FEWEST:
        return None
    places = tuple(one[clear] for one in np.nonzero(chosen))
    return places, (taken[:, 0] - taken[:, 2], taken[:, 1] - taken[:, [0, 2]].mean(axis=1))


def _coded(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint((values + 1) * 127.5), 0, 255).astype(np.uint8)


def _gap(values: np.ndarray) -> tuple[float, float] | None:
    """Distance of two groups of values, from -1 to 1, where both are large, narrow and apart; and the code
    between them."""
    codes = _coded(values)
    level, _ = cv2.threshold(codes.reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)
    low, high = values[codes <= level], values[codes > level]
    if min(len(low), len(high)) < _LEAST_SHARE * len(values):
        return None
    step = float(high.mean() - low.mean())
    gap = step / (float(np.sqrt((low.var() + high.var()) / 2)) + 0.02)
    return (gap, level) if step > _LEAST_STEP and gap > _LEAST_GAP else None
