"""One image filed twice, and one hand signing for several students, over a whole register."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vision.descriptor.common_scale import squared_distances
from vision.scans.fingerprint import near_pairs
from vision.search.identify import FalseHits, expected_false_hits, limit_for

KINDS = ("same_image", "same_hand")
MOST_BITS = 40
"""Of 256; copies differ by fewer, two signings by one writer by more (see the tests)."""
SAME_IMAGE = 0.93
"""Correlation of two aligned drawings from which they count as one image; two signings stay below it."""
_SIDE = 256


@dataclass(frozen=True)
class Duplicate:
    """Two specimens of different students that may have one origin.

    Attributes
    ----------
    kind : {"same_image", "same_hand"}
    first, second : int
        Indices of the specimens.
    measure : float
        Correlation after alignment (same_image) or distance (same_hand).
    """

    kind: str
    first: int
    second: int
    measure: float


def aligned_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation of two drawings after they were cropped, scaled alike and shifted onto each other.

    Parameters
    ----------
    first, second : uint8 (h, w)
        Ink bright on 0.

    Returns
    -------
    float, −1 to 1
        0 when one of them has no ink.
    """
    drawings = [_common_size(image) for image in (first, second)]
    if any(drawing is None for drawing in drawings):
        return 0.0
    shift, _ = cv2.phaseCorrelate(*(cv2.GaussianBlur(d, (0, 0), 2.0) for d in drawings))
    limited = np.clip(shift, -0.1 * _SIDE, 0.1 * _SIDE)
    found = []
    for step in (limited, np.zeros(2)):
        matrix = np.array([[1, 0, -step[0]], [0, 1, -step[1]]], dtype=np.float32)
        moved = cv2.warpAffine(drawings[1], matrix, (drawings[1].shape[1], drawings[1].shape[0]))
        found.append(np.corrcoef(drawings[0].ravel(), moved.ravel())[0, 1])
    return float(np.nan_to_num(max(found)))


def _common_size(image: np.ndarray) -> np.ndarray | None:
    left, top, width, height = cv2.boundingRect((image > 20).astype(np.uint8))
    if not width:
        return None
    crop = image[top : top + height, left : left + width]
    drawing = cv2.resize(crop, (_SIDE, _SIDE // 2), interpolation=cv2.INTER_AREA).astype(np.float32)
    return cv2.copyMakeBorder(cv2.GaussianBlur(drawing, (0, 0), 1.0), *([16] * 4), cv2.BORDER_CONSTANT)


def same_images(
    prints: Sequence[str], owners: Sequence, image: Callable[[int], np.ndarray], most_bits: int = MOST_BITS
) -> list[Duplicate]:
    """Specimens of different students that are copies of one image.

    Parameters
    ----------
    prints : sequence of str
        :func:`vision.scans.fingerprint.image_fingerprint` of each specimen.
    owners : sequence
        The student of each.
    image : callable
        Index → ink image; called only for near fingerprints.
    most_bits : int

    Returns
    -------
    list of Duplicate
        Best first.
    """
    found = []
    for first, second in near_pairs(prints, most_bits):
        if owners[first] == owners[second]:
            continue
        measure = aligned_correlation(image(first), image(second))
        if measure >= SAME_IMAGE:
            found.append(Duplicate("same_image", first, second, measure))
    return sorted(found, key=lambda hit: (-hit.measure, hit.first, hit.second))


@dataclass(frozen=True)
class HandSearch:
    """Students whose signatures look like one hand's.

    Attributes
    ----------
    hits : tuple of Duplicate
        Indices are those of ``students``; nearest first.
    students : ndarray (s,)
    limit : float
        Distance at or below which a pair is a hit.
    chance : FalseHits
        What chance alone would give at this limit.
    """

    hits: tuple[Duplicate, ...]
    students: np.ndarray
    limit: float
    chance: FalseHits


def student_means(placed: np.ndarray, owners) -> tuple[np.ndarray, np.ndarray]:
    """Mean placed descriptor of each student: the log-Euclidean mean of the references.

    Returns
    -------
    students : ndarray (s,)
    means : float32 (s, d)
    """
    owners = np.asarray(owners)
    students, which = np.unique(owners, return_inverse=True)
    order = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[order], np.arange(len(students)))
    sums = np.add.reduceat(placed[order].astype(np.float64), starts, axis=0)
    return students, (sums / np.bincount(which)[:, None]).astype(np.float32)


def same_hands(
    placed: np.ndarray, owners, between_writers, expected: float = 1.0, most: int = 200
) -> HandSearch:
    """Pairs of students whose mean signatures lie closer than different writers' do.

    Parameters
    ----------
    placed : float32 (n, d)
        Placed descriptors of the specimens.
    owners : sequence (n,)
        The student of each.
    between_writers : array_like of float
        Distances between the means of writers known to be different, made the same way.
    expected : float
        Hits that chance may give over the whole search.
    most : int
        At most so many hits are returned.

    Returns
    -------
    HandSearch
    """
    students, means = student_means(placed, owners)
    pairs = len(students) * (len(students) - 1) // 2
    limit = limit_for(between_writers, max(pairs, 1), expected)
    found = pairs_within(means, limit)
    return HandSearch(
        tuple(found[:most]), students, limit, expected_false_hits(pairs, between_writers, limit)
    )


def pairs_within(means: np.ndarray, limit: float) -> list[Duplicate]:
    """Pairs of rows of ``means`` (s, d) at most ``limit`` apart, the nearest first; memory grows with s."""
    found: list[Duplicate] = []
    for start in range(0, len(means), 512):
        near = np.sqrt(squared_distances(means[start : start + 512], means))
        rows, columns = np.nonzero(near <= limit)
        found += [
            Duplicate("same_hand", int(row) + start, int(column), float(near[row, column]))
            for row, column in zip(rows, columns, strict=True)
            if row + start < column
        ]
    return sorted(found, key=lambda hit: (hit.measure, hit.first, hit.second))


@dataclass(frozen=True)
class Tail:
    """How often two strangers lie closer than anything measured: a normal tail on a transformed scale.

    Location and scale are the median and the median absolute deviation, which a few planted pairs among
    thousands do not move; beyond the measured distances the rate is extrapolated and says so by its name.

    Attributes
    ----------
    middle, spread : float
        Of the values, or of their logarithms.
    logarithmic : bool
        Whether the logarithms are taken to be normal.
    """

    middle: float
    spread: float
    logarithmic: bool

    @classmethod
    def fit(cls, values: np.ndarray, *, logarithmic: bool) -> Tail:
        """From values of pairs of strangers, at least 10 and not all alike."""
        values = np.asarray(values, dtype=np.float64)
        values = np.log(values[values > 0]) if logarithmic else values
        if len(values) < 10:
            raise ValueError(f"values: need at least 10 pairs of strangers, got {len(values)}")
        middle = float(np.median(values))
        spread = 1.4826 * float(np.median(np.abs(values - middle)))
        if spread <= 0:
            raise ValueError("values: pairs of strangers must differ, all are alike")
        return cls(middle, spread, logarithmic)

    def expected(self, pairs: int, value: float) -> float:
        """Pairs of strangers, among so many, that chance would bring at least this close."""
        from scipy.special import ndtr

        if self.logarithmic and value <= 0:
            return 0.0
        place = np.log(value) if self.logarithmic else value
        return float(pairs * ndtr((place - self.middle) / self.spread))

    def limit(self, pairs: int, expected: float) -> float:
        """The value at which chance gives so many of the pairs."""
        from scipy.special import ndtri

        if pairs < 1 or not 0 < expected:
            raise ValueError(f"pairs, expected: must be positive, got {pairs}, {expected}")
        place = self.middle + self.spread * float(ndtri(min(expected / pairs, 0.5)))
        return float(np.exp(place)) if self.logarithmic else place
