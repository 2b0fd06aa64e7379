"""Descriptors as one signed byte per number, with what is lost told for each.

A descriptor is turned so that all its numbers vary alike, which loses least when each is rounded to steps of
one size. Of a long one only the directions are kept in which signatures differ most (principal components);
the length of what lies in none of them, the rest, is the last number, since two descriptors lie at least as
far apart as their rests differ. So the distance between two codes, in steps, misses the distance of the
descriptors, or falls short of it, by no more than both are rounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision.descriptor.common_scale import squared_lengths

CODED = 128
"""Numbers of a code at most."""
SAMPLED = 1_000
"""Descriptors that directions and step are learned from."""
_UNIT = 32
"""Codes have a multiple of so many numbers, that a processor reads them whole."""
_USUAL, _ROOM = 0.999, 1.3
"""The step lets the number that varies most keep this share of the sample, times this. What lies farther is
cut off, and told as lost."""
_MOST = 127
_ROUNDING = 1e-5
"""Of a length: more than sums in float32 are wrong by."""


@dataclass(frozen=True)
class Coded:
    """Codes of descriptors.

    Attributes
    ----------
    codes : int8 (n, width)
    squares : int32 (n,)
        Squared lengths of the codes.
    errors : float32 (n,)
        No code lies farther from its descriptor.
    """

    codes: np.ndarray
    squares: np.ndarray
    errors: np.ndarray

    def parts(self) -> tuple[np.ndarray, ...]:
        """Everything that is known of each descriptor."""
        return self.codes, self.squares, self.errors


@dataclass(frozen=True)
class Coding:
    """How descriptors become codes.

    Attributes
    ----------
    centre : float32 (d,)
    directions : float32 (d, p)
        Orthogonal, of length 1.
    step : float
        Of the descriptors' unit, for one step of a code.
    width : int
        Numbers of a code; those beyond what there is to code are 0.
    """

    centre: np.ndarray
    directions: np.ndarray
    step: float
    width: int

    @classmethod
    def fit(cls, rows: np.ndarray, seed: int = 0) -> Coding:
        """Learn centre, directions and step from placed descriptors, float (n, d), of which a sample is
        enough."""
        rows = np.asarray(rows, np.float32)
        if rows.ndim != 2 or not len(rows) or not rows.shape[1] or not np.isfinite(rows).all():
            raise ValueError(f"rows: need shape (n, d) with n >= 1, finite, got {rows.shape}")
        if len(rows) > SAMPLED:
            rows = rows[np.sort(np.random.default_rng(seed).permutation(len(rows))[:SAMPLED])]
        centre = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        directions = _directions(rows - centre, np.random.default_rng(seed))
        made = cls(centre, directions, 1.0, 0)
        turned, _ = made.turned(rows)
        widest = float(np.quantile(np.abs(turned), _USUAL, axis=0).max())
        width = -(-turned.shape[1] // _UNIT) * _UNIT
        return cls(centre, directions, _ROOM * widest / _MOST or 1.0, width)

    @property
    def rest(self) -> int | None:
        """Place of the rest in a code; None where there is none."""
        return None if self.length <= CODED else self.directions.shape[1]

    @property
    def length(self) -> int:
        """Numbers of a descriptor."""
        return len(self.centre)

    def turned(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is coded, float32 (n, p), or (n, p + 1) with the rest, and how far rounding in float32 may
        have moved it.

        Two rows of it lie no farther apart than their descriptors do, and as far where there is no rest.
        """
        apart = np.asarray(rows, np.float32) - self.centre
        squares = squared_lengths(apart)
        along, doubt = apart @ self.directions, np.sqrt(squares) * _ROUNDING
        if self.rest is None:
            return along, doubt
        left = np.maximum(squares - squared_lengths(along), 0.0)
        rest = np.sqrt(left)
        doubt += np.sqrt(left + _ROUNDING * squares) - rest
        return np.hstack([along, rest[:, None].astype(np.float32)]), doubt

    def encode(self, rows: np.ndarray) -> Coded:
        """Codes of placed descriptors, float (n, d)."""
        turned, doubt = self.turned(rows)
        codes = np.zeros((len(turned), self.width), np.int8)
        rounded = np.clip(np.rint(turned / np.float32(self.step)), -_MOST, _MOST)
        codes[:, : turned.shape[1]] = rounded
        lost = turned - self.step * rounded.astype(np.float64)
        errors = np.sqrt(squared_lengths(lost)) + doubt
        squares = np.einsum("ij,ij->i", codes, codes, dtype=np.int32)
        return Coded(codes, squares, np.nextafter(errors.astype(np.float32), np.float32(np.inf)))


def _directions(apart: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Directions for centred rows, float32 (d, p): of short ones all, else the `CODED` − 1 in which they
    differ most; turned at random, so that the rows vary alike in each."""
    kept = np.eye(apart.shape[1])
    if apart.shape[1] > CODED:
        wide = apart.astype(np.float64)
        variances, mixed = np.linalg.eigh(wide @ wide.T)
        order = np.argsort(-variances)[: CODED - 1]
        order = order[variances[order] > 1e-9 * max(variances.max(), 1e-300)]
        kept = np.linalg.qr(wide.T @ (mixed[:, order] / np.sqrt(variances[order])))[0]
    turn = np.linalg.qr(rng.standard_normal((kept.shape[1], kept.shape[1])))[0]
    return (kept @ turn).astype(np.float32)
