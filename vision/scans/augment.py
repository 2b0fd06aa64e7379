"""Variations of ink images that leave the writer the same: pen, contrast, blur, placement."""

import cv2
import numpy as np


def vary_ink(ink, rng):
    """Change how an ink image looks, not who wrote it.

    Parameters
    ----------
    ink : ndarray of uint8, shape (h, w)
        Ink bright on 0.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of uint8, shape (h, w)
    """
    height, width = ink.shape
    stretch_x, stretch_y = np.exp(rng.normal(0, 0.035, 2))
    turn, lean = np.radians(rng.normal(0, 2.0)), rng.normal(0, 0.03)
    matrix = np.array([[np.cos(turn), -np.sin(turn) + lean], [np.sin(turn), np.cos(turn)]])
    matrix = matrix * (np.array([stretch_x, stretch_y]) * rng.uniform(0.88, 1.03))
    center = np.array([width / 2, height / 2])
    move = center - matrix @ center + rng.normal(0, 0.012, 2) * (width, width)
    ink = cv2.warpAffine(ink, np.column_stack([matrix, move]), (width, height), flags=cv2.INTER_LINEAR)
    choice = rng.random()
    if choice < 0.22:
        ink = _mix(ink, cv2.dilate(ink, _CROSS), rng.random())
    elif choice < 0.34:
        ink = _mix(ink, cv2.erode(ink, _CROSS), rng.uniform(0, 0.6))
    elif choice < 0.5:
        ink = cv2.GaussianBlur(ink, (0, 0), float(rng.uniform(0.3, 0.9)))
    return _vary_tone(ink, rng)


_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def _mix(first, second, share):
    return cv2.addWeighted(first, 1 - share, second, share, 0)


def _vary_tone(ink, rng):
    """Binary ink, or another contrast curve with grain inside the strokes."""
    if rng.random() < 0.25:
        return np.where(ink > rng.uniform(60, 120), 255, 0).astype(np.uint8)
    levels = (np.arange(256, dtype=np.float32) / 255) ** np.exp(rng.normal(0, 0.3)) * rng.uniform(0.75, 1.25)
    ink = cv2.LUT(ink, np.clip(levels * 255, 0, 255).astype(np.uint8))
    if rng.random() < 0.4:
        grain = rng.integers(-32, 33, ink.shape, dtype=np.int16)
        ink = np.where(ink > 20, np.clip(ink + grain, 0, 255), ink).astype(np.uint8)
    return ink
