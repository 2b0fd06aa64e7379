"""A descriptor of signatures that needs no training: how stroke measures vary together, part by part.

In each part of a signature the covariance of two dozen measures per ink pixel (ink, slopes, bends,
directions, stroke width, place) says how this hand draws. Covariance matrices live on a curved space; their
logarithm lays it flat (log-Euclidean metric, Arsigny et al. 2006), so that plain distances are meaningful.
Parts are cells of equal ink, and strokes of one direction. Contour hinges (Bulacu and Schomaker 2007), the
joint distribution of the directions before and after a contour point, add what covariances cannot see.

Every image is described on its own: one image gives the same numbers as a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vision.descriptor.ink_regions import equal_ink_parts, ink_rank, soft_windows, to_drawing
from vision.descriptor.stroke_channels import CHANNELS, Strokes, measure_strokes

GRIDS = ((1, 1), (2, 2), (1, 3), (1, 4), (3, 3), (2, 4))
SIDE = 400
DIRECTIONS = 4
RIDGE = 1e-4  # of a squared channel unit; keeps the logarithm finite where a part hardly varies
FEWEST = 20  # ink pixels in a part; below, the part counts as unknown
HINGE_BINS = 16
HINGE_LEGS = (5, 10)  # pixels along the contour, on a drawing of SIDE pixels
HINGE_PARTS = 4
_TRIANGLE = np.triu_indices(len(CHANNELS))
_ROOT_TWO = np.where(_TRIANGLE[0] == _TRIANGLE[1], 1.0, np.sqrt(2.0))


@dataclass(frozen=True)
class Block:
    """A stretch of the descriptor that belongs together.

    Attributes
    ----------
    name : str
    start, stop : int
        Columns of the descriptor.
    weight : float
        Share of the squared distance that a comparison should give the block.
    """

    name: str
    start: int
    stop: int
    weight: float


def _blocks() -> tuple[Block, ...]:
    triangle = len(_TRIANGLE[0])
    lengths = (
        ("cells", sum(bands * cells for bands, cells in GRIDS) * triangle, 1.0),
        ("directions", DIRECTIONS * 3 * triangle, 2.0),
        *((f"hinge{leg}", HINGE_PARTS * HINGE_BINS**2, 0.2) for leg in HINGE_LEGS),
    )
    blocks, start = [], 0
    for name, length, weight in lengths:
        blocks.append(Block(name, start, start + length, weight))
        start += length
    return tuple(blocks)


@dataclass(frozen=True)
class CovarianceDescriptor:
    """The training-free descriptor.

    Examples
    --------
    >>> CovarianceDescriptor().describe([]).shape[0]
    0
    """

    name: str = "covariance"
    version: str = "2"
    side: int = SIDE

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Stretches of the descriptor, in order."""
        return _BLOCKS

    @property
    def dim(self) -> int:
        """Length of a descriptor."""
        return _BLOCKS[-1].stop

    def describe(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Descriptors of ink images.

        Parameters
        ----------
        images : sequence of uint8 (h, w)
            Ink bright on 0, as :func:`vision.scans.preprocess.to_ink` gives it.

        Returns
        -------
        float32 (n, dim)
            A row of zeros for an image without ink.

        Raises
        ------
        ValueError
            If an image is not a two-dimensional uint8 array.
        """
        return (
            np.stack([self._one(image) for image in images]) if len(images) else np.zeros((0, self.dim), "f4")
        )

    def _one(self, image: np.ndarray) -> np.ndarray:
        if image.ndim != 2 or image.dtype != np.uint8:
            raise ValueError(f"images: each must be uint8 (h, w), got {image.dtype} {image.shape}")
        drawing = to_drawing(image, self.side)
        strokes = measure_strokes(drawing)
        if len(strokes.rows) < FEWEST:
            return np.zeros(self.dim, dtype=np.float32)
        found = [
            _cell_covariances(strokes),
            _direction_covariances(strokes, ink_rank(strokes.columns)),
            *contour_hinges(drawing),
        ]
        return np.concatenate([values.ravel() for values in found]).astype(np.float32)


def _cell_covariances(strokes: Strokes) -> np.ndarray:
    parts = equal_ink_parts(strokes.rows, strokes.columns, GRIDS)
    covariances = np.zeros((len(parts), len(CHANNELS), len(CHANNELS)))
    known = np.zeros(len(parts), dtype=bool)
    for index, part in enumerate(parts):
        if len(part) < FEWEST:
            continue
        values = strokes.values[part]
        values = values - values.mean(axis=0)
        covariances[index] = values.T @ values / len(part)
        known[index] = True
    return log_covariance(covariances) * known[:, None]


def _direction_covariances(strokes: Strokes, across: np.ndarray) -> np.ndarray:
    """Strokes of four directions, each in three overlapping windows from left to right."""
    angles = np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)
    toward = strokes.grain @ np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    weights = np.maximum(0.0, 0.5 + 0.5 * toward.T) ** 2
    weights = (weights[:, None] * soft_windows(across, 3)[None]).reshape(-1, len(across))
    return log_covariance(np.stack([_weighted_covariance(strokes.values, row) for row in weights]))


def _weighted_covariance(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = weights.sum() + np.float32(1e-6)
    centred = (values - (weights @ values) / total) * np.sqrt(weights)[:, None]
    return centred.T @ centred / total


def log_covariance(covariances: np.ndarray, ridge: float = RIDGE) -> np.ndarray:
    """Matrix logarithms, their upper triangles as vectors with the same distances.

    Parameters
    ----------
    covariances : float (k, c, c)
        Symmetric, positive semidefinite.
    ridge : float
        Added to the diagonal before the logarithm.

    Returns
    -------
    float64 (k, c (c + 1) / 2)
        Off-diagonal entries times √2, so that Euclidean distance equals the Frobenius distance of the logs.
    """
    size = covariances.shape[-1]
    values, vectors = np.linalg.eigh(covariances.astype(np.float64) + ridge * np.eye(size))
    logs = (vectors * np.log(np.maximum(values, 1e-9))[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    rows, columns = np.triu_indices(size)
    return logs[..., rows, columns] * np.where(rows == columns, 1.0, np.sqrt(2.0))


def contour_hinges(drawing: np.ndarray) -> list[np.ndarray]:
    """Square-rooted joint distributions of the directions before and after each contour point.

    Parameters
    ----------
    drawing : uint8 (h, w)

    Returns
    -------
    list of float32 (HINGE_PARTS, HINGE_BINS²)
        One per leg length: the whole contour and its three thirds from left to right, softly windowed. The
        square root makes Euclidean distance the Hellinger distance.
    """
    contours, _ = cv2.findContours((drawing > 60).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return [_hinges(contours, leg) for leg in HINGE_LEGS]


def _hinges(contours, leg: int) -> np.ndarray:
    points, codes = [], []
    for contour in contours:
        line = contour[:, 0, :]
        if len(line) < 2 * leg + 2:
            continue
        ahead, behind = np.roll(line, -leg, axis=0) - line, np.roll(line, leg, axis=0) - line
        codes.append(_bin(ahead) * HINGE_BINS + _bin(behind))
        points.append(line)
    if not points:
        return np.zeros((HINGE_PARTS, HINGE_BINS**2), dtype=np.float32)
    points, codes = np.concatenate(points), np.concatenate(codes)
    across = ink_rank(points[:, 0])
    windows = np.concatenate([np.ones_like(across)[None], soft_windows(across, HINGE_PARTS - 1)])
    counts = np.stack([np.bincount(codes, weights=row, minlength=HINGE_BINS**2) for row in windows])
    return np.sqrt(counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)


def _bin(steps: np.ndarray) -> np.ndarray:
    turn = (np.arctan2(steps[:, 1], steps[:, 0]) + np.pi) / (2 * np.pi)
    return np.floor(turn * HINGE_BINS).astype(np.int64) % HINGE_BINS


_BLOCKS = _blocks()
