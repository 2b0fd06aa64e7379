"""The records model: boosted trees and logistic regression, averaged on the log-odds.

Trees find steps and interactions; a line carries over better to cohorts that differ from the past. The
weight is chosen out of fold and then drawn half-way to equal weights, because folds of the same cohorts
cannot show that advantage. Both keep the directions of :mod:`fusion.features.directions`. The SHAP
values of the average are the average of the two parts' exact values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from data.engine.spread import HERE, Spread
from fusion.model.booster import TreeSettings, cross_fit, fit_trees, tree_margin, tree_shap
from fusion.model.linear import LinearPart, fit_linear, linear_out_of_fold
from fusion.model.peers import Peers, peer_shap

if TYPE_CHECKING:
    import pandas as pd
    import xgboost

WEIGHTS = np.linspace(0.0, 1.0, 11)


@dataclass(frozen=True)
class RecordsModel:
    """``weight`` × trees + (1 - ``weight``) × line; trees alone when there is no line (weight 1).

    Parameters
    ----------
    trees : xgboost.Booster
    line : LinearPart or None
    weight : float
    instead : ndarray (columns,), optional
        What trees see instead of a missing value, NaN: the missing value itself. XGBoost may part the missing
        from all others, so that for a column with a direction it could not be said what a missing value does.
    peers : Peers, optional
        None in models from before every feature had a direction: their reasons may run against it.
    """

    trees: xgboost.Booster
    line: LinearPart | None
    weight: float
    instead: np.ndarray | None = None
    peers: Peers | None = None

    def seen(self, matrix: np.ndarray) -> np.ndarray:
        """The matrix as the trees see it, float32."""
        return matrix if self.instead is None else replace_missing(matrix, self.instead)

    def margin(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds of every row, float64 (n,); a category's value that is not listed counts for nothing."""
        if self.peers is None:
            return self._margin(matrix)
        mixed = self.peers.without_unlisted(matrix)
        return mixed.back(self._margin(mixed.matrix))

    def _margin(self, matrix: np.ndarray) -> np.ndarray:
        margin = tree_margin(self.trees, self.seen(matrix)).astype(float)
        if self.line is None:
            return margin
        return self.weight * margin + (1 - self.weight) * self.line.margin(matrix)

    def shap_against_peers(self, matrix: np.ndarray, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Exact SHAP values (n, columns) and base values (n,) against the typical peer of each row.

        A value worse than the peers' usual one adds nothing below 0, a better one nothing above.

        Parameters
        ----------
        matrix : ndarray float32 (n, columns)
        table : DataFrame
            The same rows as features: they say who the peers are.
        """
        if self.peers is None:
            values, base = self.shap(matrix)
            return values, np.full(len(matrix), base)
        mixed, of = self.peers.without_unlisted(matrix), self.peers.group_of(table)
        values, base = self._against(mixed.matrix, of[mixed.owner])
        return mixed.back(values), mixed.back(base)

    def _against(self, matrix: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert self.peers is not None
        usual = self.peers
        if self.instead is not None:  # what trees see of a missing value, they see of the peers' too
            seen = self.seen(usual.usual)
            filled = np.isnan(usual.usual) & ~np.isnan(seen)
            usual = replace(usual, usual=seen, missing=np.where(filled, 0.0, usual.missing))
        values, base = peer_shap(self.trees, self.seen(matrix), group, usual)
        if self.line is None:
            return values, base
        terms = self.line.contributions(matrix).astype(float)
        starts = np.full(len(matrix), self.line.intercept)
        for number in np.unique(group):
            usual, mine = self.line.usual(number, self.peers), group == number
            terms[mine] -= usual
            starts[mine] += usual.sum()
        values = self.weight * values + (1 - self.weight) * terms
        return values, self.weight * base + (1 - self.weight) * starts

    def shap(self, matrix: np.ndarray) -> tuple[np.ndarray, float]:
        """Exact SHAP values (n, columns) against the average, and the base value; they sum to the margin."""
        if self.peers is None:
            return self._shap(matrix)
        mixed = self.peers.without_unlisted(matrix)
        values, base = self._shap(mixed.matrix)
        return mixed.back(values), base

    def _shap(self, matrix: np.ndarray) -> tuple[np.ndarray, float]:
        values, base = tree_shap(self.trees, self.seen(matrix))
        if self.line is None:
            return values, base
        values = self.weight * values + (1 - self.weight) * self.line.contributions(matrix)
        return values, self.weight * base + (1 - self.weight) * self.line.intercept


def fit_records(
    matrix: np.ndarray,
    outcome: np.ndarray,
    students,
    settings: TreeSettings,
    rng: np.random.Generator,
    signs: np.ndarray | None = None,
    spread: Spread = HERE,
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
    signs : ndarray of int (columns,), optional
        1: the margin may only rise with the column, -1: only fall, 0: free. The weight is between 0 and 1, so
        the mean of the two parts keeps what both keep.
    spread : Spread
        Where the folds of the trees are fitted.

    Returns
    -------
    RecordsModel
    ndarray (n,)
        Out-of-fold margin of every row.
    """
    instead = usual_values(matrix, signs)
    filled = matrix if instead is None else replace_missing(matrix, instead)
    folds = cross_fit(filled, outcome, students, settings, rng, signs=signs, spread=spread)
    rounds = folds.best_rounds()
    margin = folds.margin(rounds)
    settings = replace(settings, rounds=rounds)
    trees = fit_trees(filled, outcome, settings, int(rng.integers(2**31)), signs=signs)
    straight = linear_out_of_fold(matrix, outcome, students, rng, signs)
    if straight is None:
        return RecordsModel(trees, None, 1.0, instead), margin
    weight = choose_weight(margin, straight, outcome)
    blended = weight * margin + (1 - weight) * straight
    return RecordsModel(trees, fit_linear(matrix, outcome, signs), weight, instead), blended


def usual_values(matrix: np.ndarray, signs: np.ndarray | None) -> np.ndarray | None:
    """Median of every column with a direction, NaN of the free ones; None when all are free."""
    if signs is None or not np.any(signs):
        return None
    instead = np.full(matrix.shape[1], np.nan)
    for column in np.flatnonzero(signs):
        known = matrix[~np.isnan(matrix[:, column]), column]
        instead[column] = np.quantile(known, 0.5, method="inverted_cdf") if len(known) else 0.0
    return instead


def replace_missing(matrix: np.ndarray, instead: np.ndarray) -> np.ndarray:
    """The matrix, float32, with ``instead`` where a value is missing; NaN there leaves it missing."""
    return np.where(np.isnan(matrix), instead, matrix).astype(np.float32)


def choose_weight(trees: np.ndarray, line: np.ndarray, outcome: np.ndarray) -> float:
    """Weight of the trees: that of the smallest out-of-fold log loss, half-way to equal weights."""
    mixed = [weight * trees + (1 - weight) * line for weight in WEIGHTS]
    loss = [float(np.mean(np.logaddexp(0.0, margin) - outcome * margin)) for margin in mixed]
    return float((WEIGHTS[int(np.argmin(loss))] + 0.5) / 2)
