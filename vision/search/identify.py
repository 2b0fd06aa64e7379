"""Who signed this? Nearest references over a whole register."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision.descriptor.common_scale import squared_distances

METRICS = ("euclidean", "manhattan", "minkowski", "cosine")
MINKOWSKI_POWER = 3
_BLOCK = 256
_CACHED = 100_000
"""Numbers of the gallery compared at once."""


def distances(queries: np.ndarray, gallery: np.ndarray, metric: str = "euclidean") -> np.ndarray:
    """Distances between descriptors.

    Parameters
    ----------
    queries : float (m, d)
    gallery : float (n, d)
    metric : str
        One of `METRICS`; Minkowski has power 3.

    Returns
    -------
    float64 (m, n)

    Raises
    ------
    ValueError
        If the metric is unknown or the lengths differ.
    """
    if metric not in METRICS:
        raise ValueError(f"metric: must be one of {', '.join(METRICS)}, got {metric!r}")
    queries, gallery = np.atleast_2d(queries), np.atleast_2d(gallery)
    if queries.shape[1] != gallery.shape[1]:
        raise ValueError(
            f"gallery: descriptors must have the queries' length, {queries.shape[1]}, got {gallery.shape[1]}"
        )
    if metric == "euclidean":
        return np.sqrt(squared_distances(queries, gallery))
    if metric == "cosine":
        return 1.0 - (_unit(queries) @ _unit(gallery).T).astype(np.float64)
    return _by_difference(queries, gallery, 1 if metric == "manhattan" else MINKOWSKI_POWER)


def _by_difference(queries: np.ndarray, gallery: np.ndarray, power: int) -> np.ndarray:
    """Sums of |difference|^power, to the power's root, a few gallery rows at a time to stay in the cache."""
    out = np.empty((len(queries), len(gallery)))
    rows = max(1, _CACHED // max(1, gallery.shape[1]))
    for start in range(0, len(gallery), rows):
        some = gallery[start : start + rows]
        for index, query in enumerate(queries):
            apart = np.abs(some - query)
            if power == 1:
                out[index, start : start + rows] = apart.sum(axis=1, dtype=np.float64)
            else:
                out[index, start : start + rows] = np.einsum("ij,ij->i", apart * apart, apart)
    return out if power == 1 else np.cbrt(out)


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, lengths.dtype.type(1))


@dataclass(frozen=True)
class Identification:
    """Best writers for each query.

    Attributes
    ----------
    owners : ndarray (m, k)
        The k nearest writers, best first.
    distances : float64 (m, k)
        Distance to each one's nearest reference.
    """

    owners: np.ndarray
    distances: np.ndarray


def identify(
    queries: np.ndarray, gallery: np.ndarray, owners, metric: str = "euclidean", best: int = 5
) -> Identification:
    """The writers of the nearest references.

    Parameters
    ----------
    queries : float (m, d)
    gallery : float (n, d)
        Placed descriptors of the references.
    owners : sequence (n,)
        Their writers.
    metric : str
    best : int
        Number of different writers wanted per query.
    """
    owners = np.asarray(owners)
    if len(owners) != len(gallery) or not len(owners):
        raise ValueError(f"owners: need one per reference ({len(gallery)}, at least 1), got {len(owners)}")
    writers, which = np.unique(owners, return_inverse=True)
    best = min(best, len(writers))
    names, values = [], []
    for start in range(0, len(queries), _BLOCK):
        between = distances(queries[start : start + _BLOCK], gallery, metric)
        nearest = writer_distances(between, which, len(writers))
        order = np.argsort(nearest, axis=1, kind="stable")[:, :best]
        names.append(writers[order])
        values.append(np.take_along_axis(nearest, order, axis=1))
    if not names:
        return Identification(np.empty((0, best), owners.dtype), np.empty((0, best)))
    return Identification(np.concatenate(names), np.concatenate(values))


def writer_distances(between: np.ndarray, which: np.ndarray, writers: int) -> np.ndarray:
    """Distance of each query to each writer's nearest reference, (m, writers), from (m, n) distances."""
    order = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[order], np.arange(writers))
    return np.minimum.reduceat(between[:, order], starts, axis=1)
