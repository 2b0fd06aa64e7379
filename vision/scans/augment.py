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
        ink = _mix(ink, cv2.dilate(ink, _nib(height, rng)), rng.random())
    elif choice < 0.34:
        ink = _mix(ink, cv2.erode(ink, _nib(height, rng)), rng.uniform(0, 0.6))
    elif choice < 0.5:
        ink = cv2.GaussianBlur(ink, (0, 0), float(rng.uniform(0.3, 0.9)) * max(1.0, height / _USUAL))
    return _vary_tone(ink, rng)


_USUAL = 64
"""Height in pixels of the images for which changes of the pen are stated."""


def _nib(height, rng):
    """What the pen is widened or narrowed by: about a pixel on either side on an image of usual height."""
    reach = max(1, round(height / _USUAL * rng.uniform(0.5, 1.6)))
    shape = cv2.MORPH_CROSS if reach == 1 else cv2.MORPH_ELLIPSE
    return cv2.getStructuringElement(shape, (2 * reach + 1,) * 2)


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
