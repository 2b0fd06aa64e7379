"""What is measured at each ink pixel: ink, slopes and bends at two scales, direction, width, place.

Derivatives are those of the image smoothed by a Gaussian of ``scale`` pixels and are multiplied by
scale^order, so that a stroke drawn twice as large and seen at twice the scale gives the same numbers
(Lindeberg's normalised derivatives). Directions enter as the cosine and sine of the **doubled** angle: a
stroke has no front and back, and 179° is next to 1°.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SCALES = (1.5, 5.0)
"""Pixels: half a stroke's width, and the size of a letter's bends, on a drawing 400 pixels wide."""

CHANNELS = (
    "ink",
    *(
        f"{name}@{scale:g}"
        for scale in SCALES
        for name in ("dx", "dy", "dxx", "dyy", "dxy", "slope", "cos2", "sin2", "bend")
    ),
    "grain_cos2",
    "grain_sin2",
    "width",
    "x",
    "y",
)
"""Names of the columns of :attr:`Strokes.values`."""


@dataclass(frozen=True)
class Strokes:
    """The ink pixels of one drawing.

    Attributes
    ----------
    rows, columns : int (n,)
        Where the pixels lie on the drawing.
    values : float32 (n, len(CHANNELS))
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray

    @property
    def grain(self) -> np.ndarray:
        """Cosine and sine of the doubled stroke direction, times its certainty, float32 (n, 2)."""
        first = CHANNELS.index("grain_cos2")
        return self.values[:, first : first + 2]


def measure_strokes(drawing: np.ndarray, threshold: int = 20) -> Strokes:
    """Every channel at every ink pixel.

    Parameters
    ----------
    drawing : uint8 (h, w)
        Ink bright on 0, with a margin wide enough for the filters.
    threshold : int, 0 to 254
        Pixels above it are ink.

    Returns
    -------
    Strokes
    """
    rows, columns = np.nonzero(drawing > threshold)
    image = drawing.astype(np.float32) / np.float32(255)
    found = [image[rows, columns]]
    for scale in SCALES:
        found += _at_scale(cv2.GaussianBlur(image, (0, 0), scale), scale, rows, columns)
    found += _grain(image, rows, columns)
    inside = cv2.distanceTransform((drawing > threshold).astype(np.uint8), cv2.DIST_L2, 3)
    found.append(np.log1p(inside[rows, columns]))
    height, width = drawing.shape
    found += [columns / np.float32(width), rows / np.float32(height)]
    return Strokes(rows, columns, np.stack(found, axis=1).astype(np.float32))


def _at_scale(smooth: np.ndarray, scale: float, rows: np.ndarray, columns: np.ndarray) -> list[np.ndarray]:
    """First and second derivatives, slope, doubled direction and bend of the level lines."""
    first, second = np.float32(scale / 8), np.float32(scale * scale / 4)
    dx, dy, dxx, dyy, dxy = (
        factor * cv2.Sobel(smooth, cv2.CV_32F, a, b, ksize=3)[rows, columns]
        for a, b, factor in ((1, 0, first), (0, 1, first), (2, 0, second), (0, 2, second), (1, 1, second))
    )
    square = dx * dx + dy * dy
    safe = square + np.float32(1e-12)
    bend = (dxx * dy * dy - 2 * dx * dy * dxy + dyy * dx * dx) / (square + np.float32(1e-3))
    return [dx, dy, dxx, dyy, dxy, np.sqrt(square), (dx * dx - dy * dy) / safe, 2 * dx * dy / safe, bend]


def _grain(image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> list[np.ndarray]:
    """The structure tensor's doubled direction, near 0 where strokes cross or end."""
    smooth = cv2.GaussianBlur(image, (0, 0), 1.0)
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)
    xx, yy, xy = (cv2.GaussianBlur(m, (0, 0), 3.0)[rows, columns] for m in (dx * dx, dy * dy, dx * dy))
    total = xx + yy + np.float32(6.4e-3)
    return [(xx - yy) / total, 2 * xy / total]
