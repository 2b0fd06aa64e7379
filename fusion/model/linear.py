"""The linear half of the records model: logistic regression whose share of a margin is known exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fusion.features.splits import grouped_folds

if TYPE_CHECKING:
    from fusion.model.peers import Peers

PENALTY = 1.0  # C of the logistic regression on standardised columns
LEAST_OF_CLASS = 10  # rows of the rarer outcome below which no line is drawn
MUCH_MISSING = 0.1  # share of the rows that is told however few they are
LEAST_MARKED = 150  # rows that lack a value, some 25 students at six terms
FOLDS = 5
BLOCK = 50_000  # rows weighted at a time
STEPS = 50  # Newton's steps at most; about ten are taken


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

    def usual(self, group: int, peers: Peers) -> np.ndarray:
        """What every column adds for the typical peer of a group, float64 (columns,)."""
        one, nought, gone, median = self.contributions(
            np.stack([*(np.full(len(self.slope), value) for value in (1, 0, np.nan)), peers.usual[group]])
        ).astype(float)
        share, missing = peers.usual[group], peers.missing[group]
        mix = np.where(missing < 1, share * one + (1 - share) * nought, 0.0)
        return np.where(peers.shares, missing * gone + (1 - missing) * mix, median)

    def margin(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds of every row, (n,)."""
        return self.intercept + self.contributions(matrix).sum(axis=1, dtype=float)


ARRAYS = ("low", "high", "centre", "slope", "absent_slope", "absent_share")


def fit_linear(matrix: np.ndarray, outcome: np.ndarray, signs: np.ndarray | None = None) -> LinearPart | None:
    """Ridge-penalised logistic regression on standardised columns and marks of the missing ones.

    That a value is missing is told only where enough rows lack it: of a few it would say who they were, and
    "not recorded" would be a reason. A missing value without a mark counts as the mean.

    Parameters
    ----------
    matrix : ndarray float32 (n, columns)
        NaN is missing.
    outcome : ndarray (n,)
        0 or 1.
    signs : ndarray of int (columns,), optional
        1: the column's slope may not fall, -1: not rise; 0: free. Of a column with a direction a missing
        value never counts for more than the worst value seen, nor for less than the best.

    Returns
    -------
    LinearPart or None
        None with too few rows of either outcome, or without columns.
    """
    outcome = np.asarray(outcome, float)
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
    enough = (absent.sum(axis=0) >= LEAST_MARKED) | (share >= MUCH_MISSING)
    marked = np.flatnonzero(spread * enough)
    columns = np.hstack([filled / scale, (absent[:, marked] - share[marked]) / spread[marked]])
    bounds = [np.where(absent, edge, matrix) for edge in (np.inf, -np.inf)]
    low, high = bounds[0].min(axis=0).astype(float), bounds[1].max(axis=0).astype(float)
    empty = absent.all(axis=0)
    low[empty], high[empty] = 0.0, 0.0
    signs = np.zeros(matrix.shape[1], int) if signs is None else np.asarray(signs, int)
    edges = np.stack([low - centre, high - centre]) / scale
    turn, least, most = _allowed(signs, edges, marked, spread[marked])
    for mark, column in enumerate(marked, matrix.shape[1]):
        if signs[column]:  # the only columns that ``turn`` changes; in place, as there may be a million rows
            pair = [column, mark]
            columns[:, pair] = columns[:, pair] @ turn[np.ix_(pair, pair)]
    found, intercept = bounded_logistic(columns, outcome, turn.T @ turn / PENALTY, least, most)
    slopes, absent_slope = turn @ found, np.zeros(matrix.shape[1])
    absent_slope[marked] = slopes[matrix.shape[1] :] / spread[marked]
    slope = slopes[: matrix.shape[1]] / scale
    return LinearPart(intercept, low, high, centre, slope, absent_slope, share)


def _allowed(signs, edges, marked, spread) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The directions as bounds of single numbers: slopes = ``turn`` @ x, ``least`` <= x <= ``most``.

    A column that is never missing has its slope bounded. Of one that is, let a be how much worse the worst
    value is than a missing one, and b how much worse a missing one is than the best: both at least 0, and
    slope (best to worst) = a + b, slope of the mark = b + slope × (best - centre).
    """
    width = len(signs)
    turn = np.eye(width + len(marked))
    least = np.full(width + len(marked), -np.inf)
    most = -least
    least[np.flatnonzero(signs > 0)], most[np.flatnonzero(signs < 0)] = 0.0, 0.0
    for mark, column in enumerate(marked, width):
        if not signs[column]:
            continue
        best, worst = edges[:, column][:: signs[column]]
        span, unit = worst - best, spread[mark - width]
        least[[column, mark]], most[[column, mark]] = 0.0, np.inf if span else 0.0
        turn[column, [column, mark]] = 1.0 / span if span else 0.0
        # the mark's slope is on its own scale: one standard deviation of the mark
        turn[mark, column] = best / span * unit if span else 0.0
        turn[mark, mark] = (1.0 + best / span) * unit if span else 0.0
    return turn, least, most


def bounded_logistic(
    columns: np.ndarray, outcome: np.ndarray, penalty: np.ndarray, least: np.ndarray, most: np.ndarray
) -> tuple[np.ndarray, float]:
    """Penalised logistic regression with bounds: Newton's steps, each a quadratic problem by L-BFGS-B.

    Minimises ``sum(log loss) + w' penalty w / 2`` over ``least <= w <= most`` and a free intercept. The
    quadratic problems have the size of the columns, so the rows are passed over some ten times only.

    Parameters
    ----------
    columns : ndarray (n, k)
    outcome : ndarray (n,)
        0 or 1.
    penalty : ndarray (k, k)
        Symmetric, not negative.
    least, most : ndarray (k,)
        May be infinite.

    Returns
    -------
    ndarray (k,)
        Weights.
    float
        Intercept.
    """
    k = columns.shape[1]
    state = np.r_[np.zeros(k), np.log(outcome.sum() / (1 - outcome).sum())]
    ridge = np.zeros((k + 1, k + 1))
    ridge[:k, :k] = penalty
    low, high = np.r_[least, -np.inf], np.r_[most, np.inf]

    def loss(at: np.ndarray) -> float:
        margin = columns @ at[:k] + at[k]
        return float((np.logaddexp(0.0, margin) - outcome * margin).sum() + at @ ridge @ at / 2)

    now = loss(state)
    for _ in range(STEPS):
        step = _newton_step(columns, outcome, state, ridge, low - state, high - state)
        length, new = 1.0, np.clip(state + step, low, high)
        while (then := loss(new)) > now and length > 1e-4:
            length /= 2
            new = np.clip(state + length * step, low, high)
        if then >= now:
            break
        gained, state, now = now - then, new, then
        if gained <= 1e-10 * (1.0 + now):
            break
    return state[:k], float(state[k])


def _newton_step(columns, outcome, state, ridge, least, most) -> np.ndarray:
    """The step to the lowest point, within bounds, of the parabola that touches the loss at ``state``."""
    from scipy.optimize import Bounds, minimize

    k = columns.shape[1]
    chance = 1.0 / (1.0 + np.exp(-(columns @ state[:k] + state[k])))
    curve = chance * (1 - chance)
    slope = np.r_[columns.T @ (chance - outcome), (chance - outcome).sum()] + ridge @ state
    bend = ridge.copy()
    for start in range(0, len(columns), BLOCK):
        part = columns[start : start + BLOCK]
        weighted = part * curve[start : start + BLOCK, None]
        bend[:k, :k] += part.T @ weighted
        bend[k, :k] += weighted.sum(axis=0)
    bend[:k, k] = bend[k, :k]
    bend[k, k] += curve.sum()
    unit = 1.0 / np.sqrt(np.maximum(np.diag(bend), 1e-12))
    bend, slope = bend * np.outer(unit, unit), slope * unit
    found = minimize(
        lambda d: (d @ bend @ d / 2 + slope @ d, bend @ d + slope),
        np.zeros(k + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(least / unit, most / unit),
        options={"maxiter": 2000, "maxfun": 4000, "maxcor": 30, "ftol": 1e-15, "gtol": 1e-9},
    )
    return unit * found.x


def linear_out_of_fold(
    matrix: np.ndarray,
    outcome: np.ndarray,
    students,
    rng: np.random.Generator,
    signs: np.ndarray | None = None,
) -> np.ndarray | None:
    """Margin (n,) of every row by a line that did not see its student; None when a fold cannot be fitted."""
    margin = np.zeros(len(outcome))
    for train, test in grouped_folds(students, outcome, FOLDS, rng):
        line = fit_linear(matrix[train], outcome[train], signs) if train.any() else None
        if line is None:
            return None
        margin[test] = line.margin(matrix[test])
    return margin
