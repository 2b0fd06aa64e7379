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
    mask = ink > 0
    core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    places = core if np.count_nonzero(core) >= _FEWEST else mask
    if np.count_nonzero(places) < _FEWEST:
        return None
    paper = np.median(rgb[~mask], axis=0) if (~mask).any() else np.full(3, 255.0)
    soft = cv2.blur(rgb, (3, 3))  # cameras and JPEG spread colours over neighbouring pixels
    taken = np.maximum(paper - soft[places].astype(np.float32), 0)
    most = taken.max(axis=1)
    taken = taken[most > 40] / most[most > 40, None]
    if len(taken) < _FEWEST:
        return None
    sides = (taken[:, 0] - taken[:, 2], taken[:, 1] - taken[:, [0, 2]].mean(axis=1))
    return max((gap for gap in map(_gap, sides) if gap is not None), default=None)


def _gap(values: np.ndarray) -> float | None:
    """Distance of two groups of values, from -1 to 1, where both are large, narrow and apart."""
    codes = np.clip(np.rint((values + 1) * 127.5), 0, 255).astype(np.uint8)
    level, _ = cv2.threshold(codes.reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)
    low, high = values[codes <= level], values[codes > level]
    if min(len(low), len(high)) < _LEAST_SHARE * len(values):
        return None
    step = float(high.mean() - low.mean())
    gap = step / (float(np.sqrt((low.var() + high.var()) / 2)) + 0.02)
    return gap if step > _LEAST_STEP and gap > _LEAST_GAP else None
