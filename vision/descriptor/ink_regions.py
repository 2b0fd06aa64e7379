"""Parts of a signature that hold equal shares of its ink, and drawings brought to one size.

A grid of equal *ink* follows the writing where a grid of equal area would not: when a genuine signature is
stretched or its last flourish runs longer, the same letters still fall into the same part.
"""

from __future__ import annotations

import cv2
import numpy as np

MARGIN = 8
"""Empty pixels around a drawing, so that filters see paper beyond the outermost stroke."""


def without_specks(ink: np.ndarray, share: float = 0.35, threshold: int = 20) -> np.ndarray:
    """Remove blobs too small to be a dot of the pen, and crop again.

    One speck beside a signature stretches its bounding box, and with it every measure of place.

    Parameters
    ----------
    ink : uint8 (h, w)
        Ink bright on 0.
    share : float
        A blob stays when it has at least this share of the area of a square as wide as the stroke, or four
        pixels.

    Returns
    -------
    uint8 (h', w')
        The same array when nothing had to go.
    """
    mask = (ink > threshold).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count <= 2:
        return ink
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    stroke = max(1.0, 4 * float(np.median(inside[inside > 0])) - 1)
    keep = stats[:, cv2.CC_STAT_AREA] >= max(4.0, share * stroke * stroke)
    keep[0] = False
    if keep[1:].all() or not keep.any():
        return ink
    keep[0] = True  # paper, and the faint fringe of strokes
    return crop(np.where(keep[labels], ink, 0).astype(np.uint8), threshold)


def crop(ink: np.ndarray, threshold: int = 20) -> np.ndarray:
    """The smallest rectangle that holds all ink; the array itself when there is none."""
    left, top, width, height = cv2.boundingRect((ink > threshold).astype(np.uint8))
    return ink[top : top + height, left : left + width] if width else ink


def slope_of(ink: np.ndarray, threshold: int = 20) -> float:
    """Tilt of the writing line in degrees, positive downhill, from the second moments of the ink.

    A signature nearly as tall as wide has no such line; its tilt counts for nothing below an elongation of
    1.5 and fully from 3.
    """
    moments = cv2.moments((ink > threshold).astype(np.uint8), binaryImage=True)
    if not moments["m00"]:
        return 0.0
    wide, tall, both = (moments[name] / moments["m00"] for name in ("mu20", "mu02", "mu11"))
    root = np.hypot(wide - tall, 2 * both)
    elongation = np.sqrt((wide + tall + root) / max(wide + tall - root, 1e-6))
    tilt = 0.5 * np.degrees(np.arctan2(2 * both, wide - tall))
    return float(tilt * np.clip((elongation - 1.5) / 1.5, 0.0, 1.0))


def levelled(ink: np.ndarray, natural: float = 12.0) -> np.ndarray:
    """Turn a steep signature back until its line tilts by ``natural`` degrees.

    A gentle slope is a writer's habit and stays; a steep one is mostly how the paper lay.

    Parameters
    ----------
    ink : uint8 (h, w)
        Ink bright on 0.
    natural : float
        Degrees.
    """
    tilt = slope_of(ink)
    turn = np.sign(tilt) * max(0.0, abs(tilt) - natural)
    if abs(turn) < 1:
        return ink
    height, width = ink.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
    along, across = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = int(height * across + width * along) + 4, int(height * along + width * across) + 4
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return crop(cv2.warpAffine(ink, matrix, size, flags=cv2.INTER_LINEAR))


def to_drawing(ink: np.ndarray, side: int) -> np.ndarray:
    """Clean, levelled ink with its longer side at most ``side`` pixels, and a margin.

    Parameters
    ----------
    ink : uint8 (h, w)
        Ink bright on 0.
    side : int
        Pixels.

    Returns
    -------
    uint8 (h', w')
    """
    ink = levelled(without_specks(crop(ink)))
    scale = side / max(ink.shape)
    if scale < 1:
        size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
        ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(ink, *([MARGIN] * 4), cv2.BORDER_CONSTANT, value=0)


def equal_ink_parts(
    rows: np.ndarray, columns: np.ndarray, grids: tuple[tuple[int, int], ...]
) -> list[np.ndarray]:
    """Indices of the ink pixels in each cell of each grid.

    Parameters
    ----------
    rows, columns : int (n,)
        Places of the ink pixels.
    grids : tuple of (int, int)
        Bands from top to bottom, and cells per band from left to right; each band has the same ink, and each
        cell of a band the same ink. Pixels on a border belong to both sides.

    Returns
    -------
    list of int arrays
        Cell after cell, band after band, grid after grid.
    """
    parts = []
    for bands, cells in grids:
        edges = np.quantile(rows, np.linspace(0, 1, bands + 1))
        for band in range(bands):
            inside = np.flatnonzero((rows >= edges[band]) & (rows <= edges[band + 1]))
            across = columns[inside]
            borders = (
                np.quantile(across, np.linspace(0, 1, cells + 1)) if len(inside) else np.zeros(cells + 1)
            )
            parts += [
                inside[(across >= borders[cell]) & (across <= borders[cell + 1])] for cell in range(cells)
            ]
    return parts


def ink_rank(places: np.ndarray) -> np.ndarray:
    """Share of the ink that lies before each pixel along one axis, float32 (n,), 0 to 1."""
    counts = np.bincount(places)
    middle = np.cumsum(counts) - 0.5 * counts
    return (middle / len(places)).astype(np.float32)[places]


def soft_windows(rank: np.ndarray, count: int, width: float = 0.6) -> np.ndarray:
    """Overlapping Gaussian windows along a rank.

    Parameters
    ----------
    rank : float (n,), 0 to 1
    count : int
        Number of windows, centred at (k + ½) / count.
    width : float
        Standard deviation in units of 1 / count.

    Returns
    -------
    float32 (count, n), 0 to 1
    """
    centres = (np.arange(count, dtype=np.float32)[:, None] + 0.5) / count
    return np.exp(-0.5 * ((rank[None] - centres) * (count / width)) ** 2).astype(np.float32)
