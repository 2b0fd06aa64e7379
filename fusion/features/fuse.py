"""Signatures beside records: one embedding per student and date, reduced inside the training data.

A student's signature at a date is the mean of the specimens captured by then. Students without one are scored
from records; neither its absence nor a refusal is ever a feature.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

COMPONENTS = 16
CANDIDATES = 64  # principal components among which the supervised direction is sought
FOLDS = 5


@dataclass(frozen=True)
class Signatures:
    """Running mean embeddings: what was known of each student's hand after each specimen.

    Parameters
    ----------
    keys : ndarray of str (m,)
        Student of each state, sorted.
    days : ndarray of datetime64 (m,)
        Date from which the state holds; ascending within a student.
    states : ndarray of float32 (m, d)
        Mean of the unit-length embeddings captured up to that date.
    encoder_id : str
        Encoder that made the embeddings.
    """

    keys: np.ndarray
    days: np.ndarray
    states: np.ndarray
    encoder_id: str = ""

    def rows(self, student_keys, cutoffs) -> np.ndarray:
        """Position of each (student, cut-off) in ``states``; -1 when no specimen was captured by then."""
        keys = np.asarray(student_keys, dtype=object).astype(str)
        cutoffs = np.asarray(cutoffs, dtype="datetime64[ns]")
        if not len(self.keys):
            return np.full(len(keys), -1)
        first = np.searchsorted(self.keys, keys, side="left")
        last = np.searchsorted(self.keys, keys, side="right")
        position = np.full(len(keys), -1)
        for step in range(int((last - first).max(initial=0))):
            here = first + step
            inside = here < last
            seen = np.zeros(len(keys), bool)
            seen[inside] = self.days[here[inside]] <= cutoffs[inside]
            position[seen] = here[seen]
        return position

    def of_students(self, keys: Collection[str]) -> Signatures:
        """The states of some students."""
        mine = (
            np.isin(self.keys, np.array(sorted(keys), dtype=str))
            if len(keys)
            else np.zeros(len(self.keys), bool)
        )
        return replace(self, keys=self.keys[mine], days=self.days[mine], states=self.states[mine])


def joined(parts: Iterable[Signatures]) -> Signatures:
    """The signatures of several parts of a register, by one encoder; every student is in one of them."""
    every = list(parts)
    held = [part for part in every if len(part.keys)] or every[:1]
    if len(held) < 2:
        return held[0] if held else no_signatures()
    keys = np.concatenate([part.keys for part in held])
    order = np.argsort(keys, kind="stable")
    return Signatures(
        keys[order],
        np.concatenate([part.days for part in held])[order],
        np.concatenate([part.states for part in held])[order],
        held[0].encoder_id,
    )


def mean_signatures(specimens: pd.DataFrame, vectors: np.ndarray, encoder_id: str = "") -> Signatures:
    """Running mean embedding per student.

    Parameters
    ----------
    specimens : DataFrame
        ``student_key``, ``captured_on``; one row per vector. Only specimens whose student consents to the
        outcome model belong here (``queries.embeddings(..., purpose="outcome_model")``).
    vectors : ndarray (n, d)
        Embeddings in the same order.

    Raises
    ------
    ValueError
        When the two differ in length or a vector is not finite.
    """
    if len(specimens) != len(vectors):
        raise ValueError(f"specimens and vectors must match, got {len(specimens)} and {len(vectors)}")
    vectors = np.asarray(vectors, np.float32)
    if not len(vectors):
        return replace(no_signatures(), encoder_id=encoder_id)
    if not np.isfinite(vectors).all():
        raise ValueError("vectors must be finite, got NaN or infinity")
    keys = specimens["student_key"].to_numpy(object).astype(str)
    days = pd.to_datetime(specimens["captured_on"]).to_numpy("datetime64[ns]")
    order = np.lexsort((days, keys))
    keys, days, vectors = keys[order], days[order], vectors[order]
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    running = np.cumsum(np.where(length > 0, vectors / np.maximum(length, 1e-12), 0.0), axis=0, dtype=float)
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    count = np.arange(len(keys)) - np.repeat(starts, np.diff(np.r_[starts, len(keys)])) + 1
    before = np.zeros_like(running)
    for start, stop in zip(starts, np.r_[starts[1:], len(keys)], strict=True):
        before[start:stop] = running[start - 1] if start else 0.0
    states = ((running - before) / np.maximum(count, 1)[:, None]).astype(np.float32)
    return Signatures(keys, days, states, encoder_id)


def no_signatures() -> Signatures:
    """The store of a register without specimens."""
    return Signatures(np.zeros(0, "U1"), np.zeros(0, "datetime64[ns]"), np.zeros((0, 0), np.float32))


@dataclass(frozen=True)
class Reduction:
    """A linear map from embedding to at most 16 standardised numbers.

    The first is the supervised one: the direction in which the training labels, less what the records
    already say, change most. The others are principal components.

    Parameters
    ----------
    mean : ndarray (d,)
    weights : ndarray (d, k)
        ``z = (embedding - mean) @ weights``; each column has standard deviation 1 over training students.
    """

    mean: np.ndarray
    weights: np.ndarray

    @property
    def components(self) -> int:
        """Number of components k."""
        return self.weights.shape[1]

    def apply(self, embeddings: np.ndarray) -> np.ndarray:
        """Components of embeddings, float32 (n, k)."""
        return ((np.asarray(embeddings) - self.mean) @ self.weights).astype(np.float32)


def fit_reduction(
    embeddings: np.ndarray, residuals: np.ndarray, rng: np.random.Generator, components: int = COMPONENTS
) -> tuple[Reduction, np.ndarray]:
    """Fit the reduction on training students, and give their components without self-influence.

    Parameters
    ----------
    embeddings : ndarray (n, d)
        One row per training student, all finite.
    residuals : ndarray (n,)
        Label minus the risk that the records gave out of fold.
    rng : Generator
        Makes the folds in which the supervised direction is cross-fitted.
    components : int
        At most this many, 1…16.

    Returns
    -------
    Reduction
    ndarray of float32 (n, k)
        The training students' components; the supervised one comes, for each student, from a direction
        fitted without that student's fold.

    Raises
    ------
    ValueError
        For fewer than 8 students.
    """
    count, width = embeddings.shape
    if count < 8:
        raise ValueError(f"embeddings must hold at least 8 students, got {count}")
    mean = embeddings.mean(axis=0, dtype=float)
    centred = (embeddings - mean).astype(np.float32)
    scores, axes = _principal(centred, min(CANDIDATES, width, count // 4), rng)
    kept = min(components - 1, scores.shape[1])
    fold = rng.permutation(count) % min(FOLDS, count)
    held_out = np.zeros(count)
    for number in range(int(fold.max()) + 1):
        out = fold == number
        direction = _supervised(scores[~out], residuals[~out])
        held_out[out] = scores[out] @ direction
    direction = _supervised(scores, residuals)
    weights = np.column_stack([axes @ direction, axes[:, :kept]])
    z = np.column_stack([held_out, scores[:, :kept]]).astype(np.float32)
    return Reduction(mean, weights), z


def _principal(centred: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Whitened principal scores (n, m) and the axes (d, m) that make them."""
    from sklearn.utils.extmath import randomized_svd

    if min(centred.shape) <= 2 * count:
        left, values, right = np.linalg.svd(centred.astype(float), full_matrices=False)
        left, values, right = left[:, :count], values[:count], right[:count]
    else:
        left, values, right = randomized_svd(
            centred.astype(float), count, n_iter=4, random_state=int(rng.integers(2**31))
        )
    real = values > 1e-8 * max(values.max(initial=0.0), 1e-30)
    left, values, right = left[:, real], values[real], right[real]
    scale = np.sqrt(len(centred))
    return left * scale, right.T * (scale / values)


def _supervised(scores: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    """Unit direction among whitened scores; coefficients no larger than chance are shrunk to nothing."""
    centred = residuals - residuals.mean()
    strength = scores.T @ centred / len(scores)
    chance = centred.var() / len(scores)
    shrink = np.clip(1.0 - 2.0 * chance / np.maximum(strength**2, 1e-30), 0.0, None)
    direction = strength * shrink
    if not np.any(direction):  # nothing beyond chance: keep the strongest, the trees decide its worth
        direction = np.where(np.abs(strength) == np.abs(strength).max(initial=0.0), strength, 0.0)
    length = np.linalg.norm(direction)
    return direction / length if length > 0 else np.zeros_like(direction)
