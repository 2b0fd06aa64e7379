"""Closer than strangers: pairs of rows over a whole register, and how many such pairs chance alone gives.

How far strangers lie from a signature differs from signature to signature: a simple one is near to many. So a
distance is told in that signature's own strangers' distances, from both ends (symmetric score normalisation,
Auckenthaler, Carey and Lloyd-Thomas 2000), and chance is read off the scores of strangers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision.descriptor.common_scale import squared_distances, squared_lengths

SAMPLED = 200_000
"""Pairs of strangers that a tail is fitted to."""
COMPARED = 400
"""Strangers that a row's usual distance is taken from."""
PRODUCT_PAYS = 50
"""Pairs of rows for each one that is scored, up to which the product of all rows is sooner there than the
difference of those."""
NEAR_BOTH = -1.0
"""Spreads: from either end a pair lies at least so much nearer than strangers' middle, so that one signature
near to all is no finding with everybody."""
_TOWARDS_ALL = 5, 20
"""Strangers' distances that the middle and the spread of all rows stand for in a row's own: of few strangers
a row's own are no more than a guess."""
_NEAREST = 1e-6
"""Distance that stands for none: of two equal rows."""
_FARTHEST = 40.0
"""Logarithm of a distance beyond which none is told apart: its square still fits into float32."""
_ROUNDING = 1e-5
"""Of squared lengths: more than sums in float32 are wrong by."""
_BLOCK = 512
_LOWER = 0.05, 0.01, 0.001, 0.0001
"""Shares of strangers whose places tell how heavy the tail is, where at least `_BELOW` lie below."""
_BELOW = 10


@dataclass(frozen=True)
class Duplicate:
    """Two specimens, or students, that may have one origin.

    Attributes
    ----------
    kind : str
        One of :data:`data.columns.DUPLICATE_KINDS`.
    first, second : int
        Indices of the specimens or students.
    measure : float
        Correlation of the fitted drawings (same_image), or the score, in spreads of strangers' distances,
        negative where nearer (the other kinds).
    """

    kind: str
    first: int
    second: int
    measure: float


@dataclass(frozen=True)
class Usual:
    """How far strangers lie from each row.

    Attributes
    ----------
    middle, spread : float64 (n,)
        Median of the logarithms of the distances, and their median absolute deviation as a standard one.
    """

    middle: np.ndarray
    spread: np.ndarray


@dataclass(frozen=True)
class Rows:
    """Rows to compare.

    Attributes
    ----------
    vectors : float32 (n, d)
    owners : int (n,)
        Whose each is; rows of one owner are never a pair.
    usual : Usual
    """

    vectors: np.ndarray
    owners: np.ndarray
    usual: Usual


def compared(vectors: np.ndarray, owners, others: np.ndarray, other_owners, seed: int = 0) -> Rows:
    """Rows with their usual distances from strangers among other rows.

    Parameters
    ----------
    vectors : float32 (n, d)
    owners : int (n,)
    others : float32 (m, d)
        Strangers are drawn from these, at most `COMPARED` of them.
    other_owners : int (m,)

    Raises
    ------
    ValueError
        If no row has a stranger.
    """
    owners, other_owners = np.asarray(owners), np.asarray(other_owners)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(others))[:COMPARED])
    counts, middle, spread = (np.zeros(len(vectors)) for _ in range(3))
    for start in range(0, len(vectors), _BLOCK):
        part = slice(start, start + _BLOCK)
        own = owners[part, None] == other_owners[drawn]
        held = np.ma.masked_array(_logs(vectors[part], others[drawn]), own)
        counts[part] = (~own).sum(axis=1)
        middle[part] = np.ma.median(held, axis=1).filled(0.0)
        spread[part] = 1.4826 * np.ma.median(np.ma.abs(held - middle[part, None]), axis=1).filled(0.0)
    if not counts.any():
        raise ValueError("owners: no row has a stranger to be compared with")
    middle_all, spread_all = (float(np.median(of[counts > 0])) for of in (middle, spread))
    few, fewer = _TOWARDS_ALL
    middle = (counts * middle + few * middle_all) / (counts + few)
    spread = np.sqrt((counts * spread**2 + fewer * spread_all**2) / (counts + fewer))
    return Rows(vectors, owners, Usual(middle, np.maximum(spread, 1e-6)))


def _logs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return 0.5 * np.log(np.maximum(squared_distances(first, second), _NEAREST**2))


def stranger_scores(first: Rows, second: Rows, seed: int = 0) -> np.ndarray:
    """Scores of pairs of different owners: of all when they are few, else of a sample that is always the
    same."""
    count = len(first.vectors) * len(second.vectors)
    places = np.arange(count) if count <= SAMPLED else np.random.default_rng(seed).integers(0, count, SAMPLED)
    row, column = np.divmod(places, len(second.vectors))
    strangers = first.owners[row] != second.owners[column]
    if first is second:  # a pair once, not from both sides
        strangers &= (row < column) | (count > SAMPLED)
    row, column = row[strangers], column[strangers]
    if count > PRODUCT_PAYS * len(row):
        return scores_between(first, row, second, column)
    return _mean_parts(first, row, second, column, _logs_of_pairs(first, row, second, column))


def scores_between(first: Rows, rows: np.ndarray, second: Rows, columns: np.ndarray) -> np.ndarray:
    """Scores of chosen pairs: row ``rows[k]`` of ``first`` with row ``columns[k]`` of ``second``."""
    found = np.empty(len(rows))
    for start in range(0, len(rows), _BLOCK):
        row, column = rows[start : start + _BLOCK], columns[start : start + _BLOCK]
        apart = first.vectors[row].astype(np.float64) - second.vectors[column]
        logs = np.log(np.maximum(np.linalg.norm(apart, axis=1), _NEAREST))
        found[start : start + _BLOCK] = _mean_parts(first, row, second, column, logs)
    return found


def _logs_of_pairs(first: Rows, rows: np.ndarray, second: Rows, columns: np.ndarray) -> np.ndarray:
    """Logarithms of the distances of chosen pairs, picked out of the products of all rows: good enough for
    strangers, and of equal rows no more than that they are near."""
    order = np.argsort(rows, kind="stable")
    starts = range(0, len(first.vectors), _BLOCK)
    bounds = np.searchsorted(rows[order], [*starts, len(first.vectors)])
    lengths, found = squared_lengths(second.vectors), np.empty(len(rows))
    for start, low, high in zip(starts, bounds[:-1], bounds[1:], strict=True):
        squares = squared_distances(first.vectors[start : start + _BLOCK], second.vectors, lengths)
        pairs = order[low:high]
        found[pairs] = squares[rows[pairs] - start, columns[pairs]]
    return 0.5 * np.log(np.maximum(found, _NEAREST**2))


def _mean_parts(first: Rows, rows, second: Rows, columns, logs: np.ndarray) -> np.ndarray:
    """Scores from logarithms of distances: the mean of both ends' parts."""
    ours, theirs = _parts(first, rows, second, columns, logs)
    return 0.5 * (ours + theirs)


def _parts(first: Rows, rows, second: Rows, columns, logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of distances in spreads of the strangers' of either end."""
    ours = (logs - first.usual.middle[rows]) / first.usual.spread[rows]
    return ours, (logs - second.usual.middle[columns]) / second.usual.spread[columns]


def close_pairs(kind: str, first: Rows, second: Rows, limit: float) -> list[Duplicate]:
    """Pairs of different owners that score at most ``limit`` and are near from both ends, the nearest first.

    Parameters
    ----------
    kind : str
    first, second : Rows
        The same object twice: each pair once.
    limit : float
    """
    found: list[Duplicate] = []
    lengths, others = squared_lengths(first.vectors), squared_lengths(second.vectors)
    reach, reached = _reach(first.usual, limit), _reach(second.usual, limit)
    for start in range(0, len(first.vectors), _BLOCK):
        part, after = slice(start, start + _BLOCK), start if first is second else 0
        alike = first.vectors[part] @ second.vectors[after:].T
        row, column = _within(alike, lengths[part], others[after:], reach[part], reached[after:])
        squares = lengths[part][row] + others[after:][column] - 2.0 * alike[row, column].astype(np.float64)
        row, column = row + start, column + after
        logs = 0.5 * np.log(np.maximum(squares, _NEAREST**2))
        ours, theirs = _parts(first, row, second, column, logs)
        scores = 0.5 * (ours + theirs)
        close = (scores <= limit) & (np.maximum(ours, theirs) <= NEAR_BOTH)
        close &= first.owners[row] != second.owners[column]
        if first is second:
            close &= row < column
        hits = zip(row[close].tolist(), column[close].tolist(), scores[close].tolist(), strict=True)
        found += [Duplicate(kind, *hit) for hit in hits]
    return sorted(found, key=lambda hit: (hit.measure, hit.first, hit.second))


def _reach(usual: Usual, limit: float) -> np.ndarray:
    """Squared distance from each row at which its own part of a score is at the limit."""
    return np.exp(2.0 * np.minimum(usual.middle + limit * usual.spread, _FARTHEST))


def _within(alike, lengths, others, reach, reached) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of a block of inner products that lie near enough to be scored.

    A score is the mean of both ends' parts, so at one end at least the part is at the limit too: whatever is
    farther than both reach needs no logarithm. In float32, with room for its rounding.
    """
    room = _ROUNDING * (float(lengths.max(initial=0.0)) + float(others.max(initial=0.0)))
    apart = others.astype(np.float32) - np.float32(2) * alike
    near = np.maximum(reach.astype(np.float32)[:, None], reached.astype(np.float32))
    near += (room - lengths).astype(np.float32)[:, None]
    return np.nonzero(apart <= near)


@dataclass(frozen=True)
class Tail:
    """How often two strangers lie closer than a value: as measured, and beyond it by a normal tail.

    The middle and the places below which the shares `_LOWER` of the strangers lie are drawn against the
    normal distribution's places of the same shares, with straight lines between them: a heavy tail is told
    from what was seen of it, and a few planted pairs among thousands move none of the places. Above the
    middle the spread is the median absolute deviation. Below the deepest place the rate is extrapolated, and
    says so by its name: with the widest spread that any of the places has, and never as more than was
    measured there.

    Attributes
    ----------
    places : tuple of float
        Values from the deepest place up to the middle, rising.
    normal : tuple of float
        Where a standard normal distribution has the same shares, rising to 0.
    spread, beyond : float
        How far one standard deviation reaches above the middle, and below the deepest place.
    """

    places: tuple[float, ...]
    normal: tuple[float, ...]
    spread: float
    beyond: float

    @classmethod
    def fit(cls, values: np.ndarray) -> Tail:
        """From values of pairs of strangers, at least 10 and not all alike; lower is closer."""
        from scipy.special import ndtri

        values = np.asarray(values, dtype=np.float64)
        if len(values) < 10:
            raise ValueError(f"values: need at least 10 pairs of strangers, got {len(values)}")
        middle = float(np.median(values))
        spread = 1.4826 * float(np.median(np.abs(values - middle)))
        if spread <= 0:
            raise ValueError("values: pairs of strangers must differ, all are alike")
        places, normal = [middle], [0.0]
        for share in _LOWER:
            place, deviate = float(np.quantile(values, share)), float(ndtri(share))
            if share * len(values) >= _BELOW and place < places[0]:
                places.insert(0, place)
                normal.insert(0, deviate)
        reached = [(place - middle) / deviate for place, deviate in zip(places[:-1], normal, strict=False)]
        return cls(tuple(places), tuple(normal), spread, max([spread, *reached]))

    def expected(self, pairs: int, value: float) -> float:
        """Pairs of strangers, among so many, that chance would bring at least this close."""
        from scipy.special import ndtr

        if value >= self.places[-1]:
            deviate = (value - self.places[-1]) / self.spread
        elif value <= self.places[0]:
            deviate = min(self.normal[0], (value - self.places[-1]) / self.beyond)
        else:
            deviate = float(np.interp(value, self.places, self.normal))
        return float(pairs * ndtr(deviate))

    def limit(self, pairs: int, expected: float) -> float:
        """The value at which chance gives so many of the pairs, at most half of them."""
        from scipy.special import ndtri

        if pairs < 1 or not 0 < expected:
            raise ValueError(f"pairs, expected: must be positive, got {pairs}, {expected}")
        deviate = float(ndtri(min(expected / pairs, 0.5)))
        if deviate <= self.normal[0]:
            return self.places[-1] + self.beyond * deviate
        return float(np.interp(deviate, self.normal, self.places))
