"""The common scale of descriptors: every number compared in units of how much signatures differ in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class HasStretch(Protocol):
    """Anything with ``start``, ``stop`` and ``weight``, such as
    :class:`vision.descriptor.covariance.Block`."""

    start: int
    stop: int
    weight: float


@dataclass(frozen=True)
class DescriptorSpace:
    """Centre and scale of each number of a descriptor.

    Placed descriptors of two different writers lie about √2 apart, whatever the descriptor's length; each
    block of it contributes its weight.

    Attributes
    ----------
    centre, scale : float32 (d,)
        A placed descriptor is (descriptor − centre) × scale.
    """

    centre: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, descriptors: np.ndarray, blocks: Sequence[HasStretch] | None = None) -> DescriptorSpace:
        """Learn centre and scale from genuine specimens of several writers.

        Parameters
        ----------
        descriptors : float (n, d)
            At least two.
        blocks : sequence of HasStretch, optional
            Stretches with weights; one stretch of weight 1 by default.
        """
        descriptors = np.asarray(descriptors)
        if descriptors.ndim != 2 or len(descriptors) < 2:
            raise ValueError(f"descriptors: need shape (n, d) with n >= 2, got {descriptors.shape}")
        centre = descriptors.mean(axis=0, dtype=np.float64)
        spread = descriptors.std(axis=0, dtype=np.float64)
        scale = np.zeros(len(centre))
        stretches = [(b.start, b.stop, b.weight) for b in blocks or ()] or [(0, len(centre), 1.0)]
        total = sum(weight for _, _, weight in stretches)
        for start, stop, weight in stretches:
            known = spread[start:stop] > 1e-4  # a number that never varies tells nobody apart
            if known.any():
                share = weight / total / known.sum()
                scale[start:stop][known] = np.sqrt(share) / spread[start:stop][known]
        return cls(centre.astype(np.float32), scale.astype(np.float32))

    def place(self, descriptors: np.ndarray) -> np.ndarray:
        """Descriptors on the common scale, float32 (n, d)."""
        return ((np.asarray(descriptors, dtype=np.float32) - self.centre) * self.scale).astype(np.float32)


def squared_distances(first: np.ndarray, second: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
    """Squared Euclidean distances between the rows of two arrays, float64 (n, m).

    Sums are kept in float64, as the difference of two large squares loses digits in float32.

    Parameters
    ----------
    first : float (n, d)
    second : float (m, d)
    lengths : float64 (m,), optional
        :func:`squared_lengths` of `second`, where they are known already.
    """
    first, second = np.asarray(first), np.asarray(second)
    squares = squared_lengths(first)[:, None]
    others = (squared_lengths(second) if lengths is None else lengths)[None]
    return np.maximum(squares + others - 2.0 * (first @ second.T).astype(np.float64), 0.0)


def squared_lengths(rows: np.ndarray) -> np.ndarray:
    """Squared Euclidean length of each row, float64 (n,)."""
    return np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
