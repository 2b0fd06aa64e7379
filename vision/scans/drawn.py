"""A signature drawn on a screen as a picture: ink on white paper, as a scanner would give it back."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

import numpy as np
from PIL import Image

from data.signatures.strokes import Point, Stroke, Strokes

DPI = 300
UNITS_PER_INCH = 96.0
"""Of a pad's units, nominally: the pad may be shown smaller or larger, and no screen states its true size."""
LINE_MM = 0.5
"""Width of the line at middle pressure, of a ball-point pen; from half of it at none to half as much again at
full pressure."""
_PIECE = (
    64.0  # pixels of a line that are drawn at once, so that a long one costs its length and not its square
)


def drawn_picture(drawn: Strokes) -> np.ndarray:
    """Draw strokes, anti-aliased: from point to point a line with round ends, as wide as the pressure says.

    Only a pen's pressure is followed: mice report one value, and fingers none or the size of the touch.

    Parameters
    ----------
    drawn : Strokes

    Returns
    -------
    ndarray of uint8, shape (h, w)
        The whole pad at `DPI`, 255 white, 0 ink: ``w = round(width · 300 / 96)``, h likewise.
    """
    scale = DPI / UNITS_PER_INCH
    shape = (max(1, round(drawn.height * scale)), max(1, round(drawn.width * scale)))
    cover = np.zeros(shape, dtype=np.float32)
    for stroke in drawn.strokes:
        radii = [_radius(stroke, point) for point in stroke.points]
        ends = [
            (point.x * scale, point.y * scale, radius)
            for point, radius in zip(stroke.points, radii, strict=True)
        ]
        for first, second in zip(ends, ends[1:] or ends, strict=False):
            for piece in _pieces(first, second):
                _draw(cover, *piece)
    return np.round(255.0 * (1.0 - cover)).astype(np.uint8)


def as_scan(drawn: Strokes) -> bytes:
    """:func:`drawn_picture` as a PNG that states its resolution."""
    file = io.BytesIO()
    Image.fromarray(drawn_picture(drawn)).save(file, format="PNG", dpi=(DPI, DPI))
    return file.getvalue()


def _radius(stroke: Stroke, point: Point) -> float:
    """Pixels."""
    pressure = point.p if stroke.pointer == "pen" else 0.5
    return (0.5 + pressure) * LINE_MM / 25.4 * DPI / 2.0


def _pieces(first: tuple, second: tuple) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A line as pieces of at most `_PIECE` pixels: (x, y, radius) of both ends of each."""
    start, end = np.array(first), np.array(second)
    count = max(1, math.ceil(math.hypot(*(end - start)[:2]) / _PIECE))
    for k in range(count):
        yield start + (end - start) * (k / count), start + (end - start) * ((k + 1) / count)


def _draw(cover: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
    """Cover the pixels of one piece, each by how far its centre lies inside the line, 0 to 1."""
    reach = max(start[2], end[2]) + 1.0
    low = np.floor(np.minimum(start[:2], end[:2]) - reach).astype(int)
    high = np.ceil(np.maximum(start[:2], end[:2]) + reach).astype(int)
    left, top = np.maximum(low, 0)
    right, bottom = np.minimum(high, cover.shape[::-1])
    if left >= right or top >= bottom:
        return
    x, y = np.arange(left, right) + 0.5, (np.arange(top, bottom) + 0.5)[:, None]
    way = end[:2] - start[:2]
    along = ((x - start[0]) * way[0] + (y - start[1]) * way[1]) / max(float(way @ way), 1e-12)
    along = np.clip(along, 0.0, 1.0)
    far = np.hypot(x - start[0] - along * way[0], y - start[1] - along * way[1])
    inside = np.clip(start[2] + along * (end[2] - start[2]) - far + 0.5, 0.0, 1.0)
    part = cover[top:bottom, left:right]
    np.maximum(part, inside, out=part)
