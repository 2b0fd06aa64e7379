"""The linear half of the records model: logistic regression whose share of a margin is known exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fusion.splits import grouped_folds

PENALTY = 1.0  # C of the logistic regression on standardised columns
LEAST_OF_CLASS = 10  # rows of the rarer outcome below which no line is drawn
FOLDS = 5


@dataclass(frozen=True)
class LinearPart:
    """A sum over matrix columns, so that each column's term is its exact SHAP value.

    A present value contributes ``slope * (value - centre)``, the value first brought into the range that was
    seen in training; a missing one nothing. Columns that were sometimes missing in training also contribute
    ``absent_slope * (1 - absent_share)`` when missing and ``-absent_slope * absent_share`` when not. Every
    term is 0 on average over the training rows, so ``intercept`` is the base value.

    Parameters
    ----------
    intercept : float
    low, high, centre, slope, absent_slope, absent_share : ndarray (columns,)
    """

    intercept: float
    low: np.ndarray
    high: np.ndarray
    centre: np.ndarray
    slope: np.ndarray
    absent_slope: np.ndarray
    absent_share: np.ndarray

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds that every column adds to the intercept, float32 (n, columns)."""
        matrix = np.asarray(matrix, np.float32)
        single = {name: getattr(self, name).astype(np.float32) for name in ARRAYS}
        terms = np.clip(matrix, single["low"], single["high"])
        terms -= single["centre"]
        terms *= single["slope"]
        np.nan_to_num(terms, copy=False, nan=0.0)
        told = np.flatnonzero(self.absent_slope)
        terms[:, told] += single["absent_slope"][told] * (
            np.isnan(matrix[:, told]) - single["absent_share"][told]
        )
        return terms

    def margin(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds of every row, (n,)."""
        return self.intercept + self.contributions(matrix).sum(axis=1, dtype=float)


ARRAYS = ("low", "high", "centre", "slope", "absent_slope", "absent_share")


def fit_linear(matrix: np.ndarray, outcome: np.ndarray) -> LinearPart | None:
    """Ridge-penalised logistic regression on standardised columns and marks of the missing ones.

    Parameters
    ----------
    matrix : ndarray float32 (n, columns)
        NaN is missing.
    outcome : ndarray (n,)
        0 or 1.

    Returns
    -------
    LinearPart or None
        None with too few rows of either outcome, or without columns.
    """
    from sklearn.linear_model import LogisticRegression

    outcome = np.asarray(outcome)
    if min(outcome.sum(), (1 - outcome).sum()) < LEAST_OF_CLASS or not matrix.shape[1]:
        return None
    absent = np.isnan(matrix)
    seen = np.maximum((~absent).sum(axis=0), 1)
    filled = np.where(absent, 0.0, matrix).astype(float)
    centre = filled.sum(axis=0) / seen
    filled = np.where(absent, 0.0, filled - centre)
    scale = np.sqrt((filled**2).sum(axis=0) / seen)
    scale[scale < 1e-9] = np.inf  # a column that never varies gets no slope
    share = absent.mean(axis=0)
    spread = np.sqrt(share * (1 - share))
    marked = np.flatnonzero(spread)
    columns = np.hstack([filled / scale, (absent[:, marked] - share[marked]) / spread[marked]])
    line = LogisticRegression(C=PENALTY, solver="newton-cholesky", tol=1e-6, max_iter=100).fit(
        columns, outcome
    )
    slopes, absent_slope = line.coef_[0], np.zeros(matrix.shape[1])
    absent_slope[marked] = slopes[matrix.shape[1] :] / spread[marked]
    bounds = [np.where(absent, edge, matrix) for edge in (np.inf, -np.inf)]
    low, high = bounds[0].min(axis=0).astype(float), bounds[1].max(axis=0).astype(float)
    empty = absent.all(axis=0)
    low[empty], high[empty] = 0.0, 0.0
    slope = slopes[: matrix.shape[1]] / scale
    return LinearPart(float(line.intercept_[0]), low, high, centre, slope, absent_slope, share)


def linear_out_of_fold(
    matrix: np.ndarray, outcome: np.ndarray, students, rng: np.random.Generator
) -> np.ndarray | None:
    """Margin (n,) of every row by a line that did not see its student; None when a fold cannot be fitted."""
    margin = np.zeros(len(outcome))
    for train, test in grouped_folds(students, outcome, FOLDS, rng):
        line = fit_linear(matrix[train], outcome[train]) if train.any() else None
        if line is None:
            return None
        margin[test] = line.margin(matrix[test])
    return margin
