"""How soft the edges of strokes are, from the pixels alone."""

from __future__ import annotations

import cv2
import numpy as np

from vision.scans.pen import PenTrace

SOFT, BLURRED = 0.6, 1.0
"""Softness of edges from which a signature is a little soft, and from which it is too blurred to compare: 1
where an edge is as wide as `EDGE_OF_SIZE` of the signature's size and more than `EDGE_OF_STROKE` of its
stroke."""
EDGE_OF_STROKE, EDGE_OF_SIZE = 0.5, 0.065


def softness(flat: np.ndarray, writing: np.ndarray, pen: PenTrace) -> float:
    """How wide the edges of strokes are, 1 at the limit; the same for a picture and its enlargement.

    An edge's width is the ink's darkness over its steepest slope. It counts beside the signature's size, at
    which signatures are compared, unless it is small beside the stroke: a marker's edge spoils nothing.

    Parameters
    ----------
    flat : ndarray of uint8, shape (h, w)
        From :func:`vision.scans.preprocess.flatten_paper`.
    writing : ndarray of uint8, shape (h, w)
        Its ink.
    pen : PenTrace
    """
    mask = writing > 0
    dark = float(np.percentile(flat[mask], 90))
    slope = np.hypot(cv2.Sobel(flat, cv2.CV_32F, 1, 0), cv2.Sobel(flat, cv2.CV_32F, 0, 1)) / 8
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    edge = max(dark, 1.0) / max(float(np.percentile(slope[near], 90)), 1e-6)
    if pen.width <= 0 or pen.spread <= 0:
        return 0.0
    return float(min(edge / (EDGE_OF_STROKE * pen.width), edge / (EDGE_OF_SIZE * pen.spread)))
