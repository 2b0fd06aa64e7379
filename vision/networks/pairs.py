"""Pairs of signatures for Siamese networks: genuine with genuine, genuine with forged, split by writer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

SHARES = (0.6, 0.2, 0.2)
"""Training, validation and test writers of the DeepSign paper."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of signatures, as indices into a set.

    Attributes
    ----------
    first, second : int64 arrays (n,)
        ``first`` is always genuine; for two genuine signatures first < second.
    different : ndarray of bool (n,)
        False for two genuine signatures of a writer, True for a genuine and a forged one (or a stranger's).
    """

    first: np.ndarray
    second: np.ndarray
    different: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def take(self, rows) -> Pairs:
        """Some of the pairs."""
        return Pairs(self.first[rows], self.second[rows], self.different[rows])


def split_writers(
    writers, rng: np.random.Generator, shares: tuple[float, ...] = SHARES
) -> tuple[list[str], ...]:
    """Writers dealt at random into disjoint groups, each with at least one.

    Parameters
    ----------
    writers : sequence of str
        Repetitions count once.
    rng : numpy.random.Generator
    shares : tuple of float
        Relative sizes of the groups, each above 0.

    Raises
    ------
    ValueError
        With fewer writers than groups.
    """
    unique = np.unique(np.asarray(writers))
    if len(unique) < len(shares):
        raise ValueError(f"writers: need at least {len(shares)}, one per group, got {len(unique)}")
    if not shares or min(shares) <= 0:
        raise ValueError(f"shares: every share must be above 0, got {shares}")
    order = rng.permutation(len(unique))
    sizes = _sizes(len(unique), np.asarray(shares, dtype=np.float64))
    return tuple(sorted(unique[part].tolist()) for part in np.split(order, np.cumsum(sizes)[:-1]))


def _sizes(count: int, shares: np.ndarray) -> np.ndarray:
    """Whole numbers that add up to ``count``, nearest to the shares, none of them 0."""
    exact = shares / shares.sum() * count
    sizes = np.maximum(1, np.floor(exact).astype(int))
    while sizes.sum() < count:
        sizes[np.argmax(exact - sizes)] += 1
    while sizes.sum() > count:
        sizes[np.argmax(np.where(sizes > 1, sizes - exact, -np.inf))] -= 1
    return sizes


def all_pairs(writers, forged, chosen=None) -> Pairs:
    """Every unique pair of the DeepSign protocol.

    A writer with g genuine signatures and f forgeries gives g (g − 1) / 2 genuine and g · f forged pairs: 276
    and 576 on CEDAR.

    Parameters
    ----------
    writers : ndarray of str (n,)
        Who signed, or who is imitated.
    forged : ndarray of bool (n,)
    chosen : collection of str, optional
        Only these writers; all by default.
    """
    writers, forged = np.asarray(writers), np.asarray(forged, dtype=bool)
    if len(writers) != len(forged):
        raise ValueError(f"forged: need one value per signature, {len(writers)}, got {len(forged)}")
    names = np.unique(writers) if chosen is None else np.unique(np.asarray(list(chosen)))
    parts = [_pairs_of(*_rows_of(writers, forged, name)) for name in names]
    return _joined(parts)


def _rows_of(writers, forged, name) -> tuple[np.ndarray, np.ndarray]:
    own = writers == name
    return np.flatnonzero(own & ~forged), np.flatnonzero(own & forged)


def _pairs_of(genuine: np.ndarray, forged: np.ndarray) -> Pairs:
    upper, lower = np.triu_indices(len(genuine), 1)
    first = np.concatenate([genuine[upper], np.repeat(genuine, len(forged))])
    second = np.concatenate([genuine[lower], np.tile(forged, len(genuine))])
    return Pairs(first, second, np.arange(len(first)) >= len(upper))


def _joined(parts: list[Pairs]) -> Pairs:
    if not parts:
        return Pairs(np.empty(0, int), np.empty(0, int), np.empty(0, bool))
    return Pairs(
        *(np.concatenate([getattr(part, field) for part in parts]) for field in ("first", "second")),
        np.concatenate([part.different for part in parts]),
    )


def balanced_pairs(pairs: Pairs, rng: np.random.Generator) -> Pairs:
    """As many pairs of both kinds, the more frequent kind thinned at random (Dey and others 2017)."""
    kinds = [np.flatnonzero(~pairs.different), np.flatnonzero(pairs.different)]
    size = min(len(rows) for rows in kinds)
    rows = np.concatenate([rng.choice(rows, size, replace=False) for rows in kinds])
    return pairs.take(np.sort(rows))


def at_most(pairs: Pairs, count: int, rng: np.random.Generator) -> Pairs:
    """So many of the pairs, drawn without replacement; all of them if there are no more."""
    if len(pairs) <= count:
        return pairs
    return pairs.take(np.sort(rng.choice(len(pairs), count, replace=False)))


def pair_batches(pairs: Pairs, size: int, rng: np.random.Generator) -> Iterator[Pairs]:
    """Each pair once, in random order, in batches of ``size``; the last one may be smaller."""
    order = rng.permutation(len(pairs))
    for start in range(0, len(order), size):
        yield pairs.take(order[start : start + size])


def grouped_batches(
    writers, forged, chosen, rng: np.random.Generator, images: int = 32, together: int = 2
) -> Iterator[Pairs]:
    """All pairs among a few signatures of a few writers: many pairs for few passes through the network.

    An epoch deals every writer's signatures out once. A batch holds about ``images`` signatures of
    ``together`` writers, half of them genuine, so its shares of genuine and forged pairs are near those of
    :func:`all_pairs`.

    Parameters
    ----------
    writers, forged : ndarrays (n,)
    chosen : collection of str
        The training writers.
    rng : numpy.random.Generator
    images : int
        Signatures per batch, at least 4 per writer.
    together : int
        Writers per batch.
    """
    each = max(2, images // (2 * together))
    writers, forged = np.asarray(writers), np.asarray(forged, dtype=bool)
    hands = []
    for name in sorted(chosen):
        genuine, false = (rng.permutation(rows) for rows in _rows_of(writers, forged, name))
        for start in range(0, len(genuine) - 1, each):
            part = _pairs_of(np.sort(genuine[start : start + each]), false[start : start + each])
            if len(part):
                hands.append(part)
    order = rng.permutation(len(hands))
    for start in range(0, len(order), together):
        yield _joined([hands[place] for place in order[start : start + together]])
