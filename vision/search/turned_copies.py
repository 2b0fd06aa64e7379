"""Is one scan the other's ink, turned, scaled and shifted? Two signings never coincide, two scans of one do.

Outlines say which pairs are worth a look. Of those both drawings are laid on sheets of one size, the angle is
searched over a range of degrees, and the best is fitted once more with shift, angle and scale free
(Evangelidis and Psarakis 2008, enhanced correlation coefficient).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vision.descriptor.outlines import HEIGHT, WIDTH, placed, unit
from vision.search.duplicates import SAMPLED, Duplicate, Tail

SAME_IMAGE = 0.97
"""Correlation of two fitted drawings from which they count as one image; two signings stay below it."""
LIKE_OUTLINE = 0.9
"""Correlation of two outlines from which the drawings are looked at."""
MOST_LOOKED = 3_000
"""Pairs of drawings that one search looks at, those with the likest outlines."""
MOST_TURN, STEP = 12.0, 1.5
"""Degrees to either side that are searched, and between the angles that are tried first."""
_SOFT = 1.5
"""Pixels of blur: half a stroke, so that another scanner changes little."""
_WORTH_FITTING = 0.6
"""Correlation at the best tried angle below which no finer fit can make a copy of it."""
_MOST_STEPS = 30
KEPT = 500
"""Drawings kept as they were scanned for the pairs to come: 256 KiB each."""
_BLOCK = 512


@dataclass(frozen=True)
class Sheet:
    """A drawing in the common size, ready to be compared.

    Attributes
    ----------
    level : float32 (HEIGHT, WIDTH)
        As it was scanned, blurred.
    turned : float32 (k, HEIGHT · WIDTH)
        Turned by each angle that is tried, the middle one as it was scanned; less its mean and at length 1.
    """

    level: np.ndarray
    turned: np.ndarray

    @property
    def straight(self) -> np.ndarray:
        """As it was scanned, less its mean and at length 1."""
        return self.turned[len(self.turned) // 2]

    def unturned(self) -> Sheet:
        """The same without the other angles: one that others are laid on needs them not."""
        return Sheet(self.level, self.straight[None].copy())


@dataclass(frozen=True)
class Fit:
    """How well one drawing covers another.

    Attributes
    ----------
    correlation : float, −1 to 1
    degrees : float
        By how much the second was turned to the left to cover the first best, among the angles tried.
    """

    correlation: float
    degrees: float


def sheet_of(ink: np.ndarray, *, turned: bool = True) -> Sheet | None:
    """Lay a drawing on a sheet.

    Parameters
    ----------
    ink : uint8 (h, w)
        Ink bright on 0.
    turned : bool
        Whether it is to be laid on others, turned by every angle.

    Returns
    -------
    Sheet or None
        None without ink.
    """
    place = placed(ink)
    if place is None:
        return None
    angles = _angles() if turned else (0.0,)
    drawn = [cv2.GaussianBlur(place.sheet(angle), (0, 0), _SOFT) for angle in angles]
    return Sheet(drawn[len(drawn) // 2], np.array([unit(one) for one in drawn]))


def fit_of(first: Sheet, second: Sheet) -> Fit:
    """The best fit of two drawings over angles, shifts and small changes of size.

    Parameters
    ----------
    first, second : Sheet

    Returns
    -------
    Fit
    """
    tried = second.turned @ first.straight
    best = int(tried.argmax())
    start, degrees = float(tried[best]), float(_angles()[best])
    if start < _WORTH_FITTING:
        return Fit(start, degrees)
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), -degrees, 1.0).astype(np.float32)
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, _MOST_STEPS, 1e-4)
    try:
        _, matrix = cv2.findTransformECC(
            first.level, second.level, matrix, cv2.MOTION_AFFINE, criteria, None, 1
        )
    except cv2.error:  # nothing better near the angle tried
        return Fit(start, degrees)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(second.level, matrix, (WIDTH, HEIGHT), flags=how)
    return Fit(max(start, float(unit(moved) @ first.straight)), degrees)


def _angles() -> np.ndarray:
    steps = round(MOST_TURN / STEP)
    return STEP * np.arange(-steps, steps + 1)


def like_outlines(
    outlines: np.ndarray, owners: Sequence, least: float = LIKE_OUTLINE
) -> list[tuple[int, int]]:
    """Pairs of different students' outlines worth a look, the likest `MOST_LOOKED` of them.

    Parameters
    ----------
    outlines : float32 (n, d)
        Of :class:`vision.descriptor.outlines.Outlines`.
    owners : sequence (n,)
        The student of each.
    least : float
        Correlation.
    """
    _, whose = np.unique(np.asarray(owners), return_inverse=True)
    rows, columns, found = [], [], []
    for start in range(0, len(outlines), _BLOCK):
        part = outlines[start : start + _BLOCK] @ outlines[start:].T
        row, column = np.nonzero(part >= least)
        wanted = (column > row) & (whose[row + start] != whose[column + start])
        row, column = row[wanted], column[wanted]
        rows.append(row + start)
        columns.append(column + start)
        found.append(part[row, column])
    if not found:
        return []
    order = np.argsort(-np.concatenate(found), kind="stable")[:MOST_LOOKED]
    pairs = zip(np.concatenate(rows)[order].tolist(), np.concatenate(columns)[order].tolist(), strict=True)
    return sorted(pairs)


def same_images(
    outlines: np.ndarray,
    owners: Sequence,
    ink: Callable[[int], np.ndarray],
    told: Callable[[int, int], None] = lambda done, total: None,
) -> list[Duplicate]:
    """Specimens of different students that are scans of one signature.

    Parameters
    ----------
    outlines : float32 (n, d)
    owners : sequence (n,)
        The student of each.
    ink : callable
        Index → ink image; called only for those with like outlines, and as a rule once for each.
    told : callable
        Called with how many pairs of drawings are compared, of how many.

    Returns
    -------
    list of Duplicate
        Best first.
    """
    pairs = like_outlines(outlines, owners)
    found: list[Duplicate] = []
    drawings = _Drawings(ink)
    told(0, len(pairs))
    # A drawing is laid on those before it, so it has been turned before others are laid on it.
    for done, (first, second) in enumerate(sorted(pairs, key=lambda pair: pair[::-1]), start=1):
        laid, under = drawings.turned(second), drawings.unturned(first)
        measure = fit_of(under, laid).correlation if under and laid else 0.0
        if measure >= SAME_IMAGE:
            found.append(Duplicate("same_image", first, second, measure))
        told(done, len(pairs))
    return sorted(found, key=lambda hit: (-hit.measure, hit.first, hit.second))


class _Drawings:
    """Drawings on their sheets: the last one turned by every angle, and `KEPT` as they were scanned.

    Parameters
    ----------
    ink : callable
        Index → ink image.
    """

    def __init__(self, ink: Callable[[int], np.ndarray]):
        self._ink = ink
        self._last: tuple[int, Sheet | None] = (-1, None)
        self._kept: OrderedDict[int, Sheet | None] = OrderedDict()

    def turned(self, row: int) -> Sheet | None:
        """By every angle; None without ink."""
        if self._last[0] != row:
            self._last = row, sheet_of(self._ink(row))
            self._keep(row, self._last[1] and self._last[1].unturned())
        return self._last[1]

    def unturned(self, row: int) -> Sheet | None:
        """As it was scanned; None without ink."""
        if row not in self._kept:
            self._keep(row, sheet_of(self._ink(row), turned=False))
        self._kept.move_to_end(row)
        return self._kept[row]

    def _keep(self, row: int, sheet: Sheet | None) -> None:
        self._kept[row] = sheet
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


@dataclass(frozen=True)
class OutlineChance:
    """How often chance brings strangers' outlines so close.

    Attributes
    ----------
    pairs : int
        Specimens of different students, compared with each other.
    tail : Tail
        Of Fisher's transformation of their correlations.
    """

    pairs: int
    tail: Tail

    @classmethod
    def of(cls, outlines: np.ndarray, owners: Sequence) -> OutlineChance:
        """From a register's own outlines, float32 (n, d), and the student of each; of many pairs a sample
        that is always the same."""
        _, whose, counts = np.unique(np.asarray(owners), return_inverse=True, return_counts=True)
        count = len(outlines)
        if count * (count - 1) // 2 <= SAMPLED:
            first, second = np.triu_indices(count, 1)
        else:
            rng = np.random.default_rng(0)
            first = rng.integers(0, count, SAMPLED)
            second = (first + rng.integers(1, count, SAMPLED)) % count
        strangers = whose[first] != whose[second]
        first, second = first[strangers], second[strangers]
        alike = np.empty(len(first), outlines.dtype)
        for start in range(0, len(first), _BLOCK):  # copies of all rows at once would fill the memory
            part = slice(start, start + _BLOCK)
            alike[part] = np.einsum("ij,ij->i", outlines[first[part]], outlines[second[part]])
        pairs = stranger_pairs(counts)
        return cls(pairs, Tail.fit(_unlike(alike)))

    def expected(self, first: np.ndarray, second: np.ndarray) -> float:
        """Pairs of strangers that chance would bring as close as these two outlines."""
        return self.tail.expected(self.pairs, float(_unlike(first @ second)))


def stranger_pairs(counts: np.ndarray) -> int:
    """Pairs of specimens of different students, from how many specimens each student has."""
    counts = np.asarray(counts, dtype=np.int64)
    return int((counts.sum() ** 2 - (counts**2).sum()) // 2)


def _unlike(correlation):
    """Fisher's transformation of correlations, lower for the likest."""
    return -np.arctanh(np.clip(correlation, -0.999999, 0.999999))
