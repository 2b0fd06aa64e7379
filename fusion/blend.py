"""The records model: boosted trees and logistic regression, averaged on the log-odds.

Trees find steps and interactions; a line carries over better to cohorts that differ from the past. The
weight is chosen out of fold and then drawn half-way to equal weights, because folds of the same cohorts
cannot show that advantage. The SHAP values of the average are the average of the two parts' exact values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fusion.booster import TreeSettings, cross_fit, fit_trees, tree_margin, tree_shap
from fusion.linear import LinearPart, fit_linear, linear_out_of_fold

if TYPE_CHECKING:
    import xgboost

WEIGHTS = np.linspace(0.0, 1.0, 11)


@dataclass(frozen=True)
class RecordsModel:
    """``weight`` × trees + (1 - ``weight``) × line; trees alone when there is no line (weight 1)."""

    trees: xgboost.Booster
    line: LinearPart | None
    weight: float

    def margin(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds of every row, float64 (n,)."""
        margin = tree_margin(self.trees, matrix).astype(float)
        if self.line is None:
            return margin
        return self.weight * margin + (1 - self.weight) * self.line.margin(matrix)

    def shap(self, matrix: np.ndarray) -> tuple[np.ndarray, float]:
        """Exact SHAP values (n, columns) and the base value; they sum to the margin."""
        values, base = tree_shap(self.trees, matrix)
        if self.line is None:
            return values, base
        values = self.weight * values + (1 - self.weight) * self.line.contributions(matrix)
        return values, self.weight * base + (1 - self.weight) * self.line.intercept


def fit_records(
    matrix: np.ndarray, outcome: np.ndarray, students, settings: TreeSettings, rng: np.random.Generator
) -> tuple[RecordsModel, np.ndarray]:
    """Fit both parts and their weight.

    Parameters
    ----------
    matrix : ndarray float32 (n, columns)
    outcome : ndarray (n,)
    students : array-like (n,)
        Student of each row; kept together in every fold.
    settings : TreeSettings
    rng : Generator

    Returns
    -------
    RecordsModel
    ndarray (n,)
        Out-of-fold margin of every row.
    """
    folds = cross_fit(matrix, outcome, students, settings, rng)
    rounds = folds.best_rounds()
    margin = folds.margin(rounds)
    trees = fit_trees(matrix, outcome, replace(settings, rounds=rounds), int(rng.integers(2**31)))
    straight = linear_out_of_fold(matrix, outcome, students, rng)
    if straight is None:
        return RecordsModel(trees, None, 1.0), margin
    weight = choose_weight(margin, straight, outcome)
    blended = weight * margin + (1 - weight) * straight
    return RecordsModel(trees, fit_linear(matrix, outcome), weight), blended


def choose_weight(trees: np.ndarray, line: np.ndarray, outcome: np.ndarray) -> float:
    """Weight of the trees: that of the smallest out-of-fold log loss, half-way to equal weights."""
    mixed = [weight * trees + (1 - weight) * line for weight in WEIGHTS]
    loss = [float(np.mean(np.logaddexp(0.0, margin) - outcome * margin)) for margin in mixed]
    return float((WEIGHTS[int(np.argmin(loss))] + 0.5) / 2)
