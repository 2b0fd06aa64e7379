"""The trees: gradient boosting on records, and a small second stage on the signature components.

The signature trees start from the records' out-of-fold margins, so they can only add what the records do not
already say; a fused margin is the sum of the two, and so are its SHAP values.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.engine.spread import HERE, Spread
from data.settings import get_settings
from fusion.features.splits import grouped_folds

if TYPE_CHECKING:
    import xgboost

TOKEN_ROUNDS, TOKEN_RATE = 5, 0.01  # signature trees kept when nothing is found: seen, but harmless


TABLE_ROWS = 5_000  # rows from which SHAP values come from tables
THREADED_CELLS = 4_000_000  # rows × columns from which several threads pay


@dataclass(frozen=True)
class TreeSettings:
    """Hyper-parameters of trees. ``rounds`` is the most that are grown; cross-validation keeps fewer."""

    rounds: int = 350
    depth: int = 4
    learning_rate: float = 0.04
    subsample: float = 0.7
    columns: float = 0.3
    child_weight: float = 1.0
    l2: float = 2.0

    def parameters(self, seed: int, cells: int) -> dict:
        """Parameters for xgboost, given the size of the matrix (rows × columns)."""
        return {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "max_depth": self.depth,
            "eta": self.learning_rate,
            "subsample": self.subsample,
            "colsample_bytree": self.columns,
            "min_child_weight": self.child_weight,
            "lambda": self.l2,
            "seed": seed,
            "nthread": threads(cells),
            "verbosity": 0,
        }

    def as_dict(self) -> dict:
        """For the manifest."""
        return asdict(self)


SIGNATURE_TREES = TreeSettings(
    rounds=150, depth=2, learning_rate=0.05, subsample=0.8, columns=0.7, child_weight=10.0, l2=20.0
)


def threads(cells: int | None = None) -> int:
    """CPU threads for the trees: the settings', but one for a matrix of few ``cells``.

    A round on a small matrix takes less than the threads' meeting at its end, and on a busy machine that
    meeting waits for the scheduler: training a demo took minutes instead of seconds.
    """
    if cells is not None and cells < THREADED_CELLS:
        return 1
    return get_settings().threads or os.cpu_count() or 1


def logit(probability) -> np.ndarray:
    """Log-odds, kept finite at 0 and 1."""
    clipped = np.clip(np.asarray(probability, float), 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped))


def sigmoid(margin) -> np.ndarray:
    """Probability of a margin."""
    return 1.0 / (1.0 + np.exp(-np.asarray(margin, float)))


def fit_trees(
    matrix: np.ndarray,
    outcome: np.ndarray,
    settings: TreeSettings,
    seed: int,
    *,
    start: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    signs: np.ndarray | None = None,
) -> xgboost.Booster:
    """Boost shallow trees on a matrix.

    Parameters
    ----------
    matrix : ndarray float32 (n, columns)
        NaN is missing.
    outcome : ndarray (n,)
        0 or 1. One class only gives a constant model at the (smoothed) base rate.
    settings : TreeSettings
    seed : int
        The same seed, data and number of threads give the same model.
    start : ndarray (n,), optional
        Margin from which each row starts.
    weight : ndarray (n,), optional
        Row weights.
    signs : ndarray of int (columns,), optional
        1: the margin may only rise with the column, -1: only fall, 0: free.
    """
    import xgboost

    if not len(outcome):
        raise ValueError("outcome must hold at least one row, got none")
    parameters = settings.parameters(seed, matrix.size)
    rounds = settings.rounds if np.ptp(outcome) else 0
    parameters |= _constraints(signs)
    if start is None:
        weights = np.ones(len(outcome)) if weight is None else weight
        rate = (weights @ outcome + 0.5) / (weights.sum() + 1.0)
        parameters["base_score"] = float(rate)
    else:
        parameters["base_score"] = 0.5
    data = xgboost.DMatrix(matrix, outcome, base_margin=start, weight=weight, nthread=threads())
    return xgboost.train(parameters, data, num_boost_round=rounds)


def tree_margin(booster: xgboost.Booster, matrix: np.ndarray) -> np.ndarray:
    """Log-odds of every row, float32 (n,)."""
    import xgboost

    return booster.predict(xgboost.DMatrix(matrix, nthread=threads()), output_margin=True)


def tree_shap(booster: xgboost.Booster, matrix: np.ndarray) -> tuple[np.ndarray, float]:
    """Exact path-dependent SHAP values (n, columns) and the base value; they sum to the margin.

    Many rows are looked up in tables (``python -m benchmarks explanations`` compares); few are left to
    XGBoost, as the tables' compiled loop has to be loaded first.
    """
    import xgboost

    from fusion.model.treeshap import NotTabular, shap_values, tabulate

    if not len(matrix):
        return np.zeros(matrix.shape, np.float32), 0.0
    if len(matrix) >= TABLE_ROWS:
        first = booster.predict(xgboost.DMatrix(matrix[:1], nthread=threads()), pred_contribs=True)
        try:
            return shap_values(tabulate(booster), matrix, threads()), float(first[0, -1])
        except NotTabular:
            pass  # XGBoost's own algorithm takes any tree
    values = booster.predict(xgboost.DMatrix(matrix, nthread=threads()), pred_contribs=True)
    return values[:, :-1], float(values[0, -1])


@dataclass(frozen=True)
class CrossFit:
    """Boosters of every fold, each judged on the students that it did not see.

    ``loss`` is (folds, rounds): log loss on the held-out rows after each round, round 0 left out.
    """

    loss: np.ndarray
    held_out: list
    start: np.ndarray

    def margin(self, rounds: int) -> np.ndarray:
        """Out-of-fold margins (n,) when only the first ``rounds`` trees count."""
        margin = self.start.astype(float).copy()
        for rows, data, booster in self.held_out:
            last = min(rounds, booster.num_boosted_rounds())
            if last:
                margin[rows] = booster.predict(data, output_margin=True, iteration_range=(0, last))
        return margin

    def best_rounds(self) -> int:
        """The number of trees with the smallest mean loss; 0 when no fold could be fitted."""
        return int(self.loss.mean(axis=0).argmin()) + 1 if len(self.loss) else 0

    def pays(self, rounds: int, outcome: np.ndarray, students) -> bool:
        """Whether the trees gain over the starting margin beyond chance.

        Beyond chance: the mean gain in log loss per student is more than two standard errors.
        """
        if not rounds:
            return False
        codes = np.unique(np.asarray(students, dtype=object).astype(str), return_inverse=True)[1]
        saved = _log_loss(self.start, outcome) - _log_loss(self.margin(rounds), outcome)
        saved = np.bincount(codes, weights=saved)
        return bool(saved.mean() > 2.0 * saved.std() / np.sqrt(len(saved)))


def _log_loss(margin: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, np.asarray(margin, float)) - outcome * margin


@dataclass(frozen=True)
class _Fold:
    """What the folds of one cross-fit share; ``threads`` are those of the process that asks."""

    matrix: np.ndarray
    outcome: np.ndarray
    start: np.ndarray
    parameters: dict
    rounds: int
    threads: int

    def data(self, part: np.ndarray) -> xgboost.DMatrix:
        """The rows of a part as XGBoost takes them."""
        import xgboost

        return xgboost.DMatrix(
            self.matrix[part], self.outcome[part], base_margin=self.start[part], nthread=self.threads
        )


def fit_fold(shared: _Fold, parts: tuple[np.ndarray, np.ndarray]) -> tuple[list[float], xgboost.Booster]:
    """Loss on the held-out rows after each round, and the booster, of one fold: wherever it is fitted."""
    import xgboost

    learn, judge = map(shared.data, parts)
    seen: dict = {}
    booster = xgboost.train(
        shared.parameters,
        learn,
        shared.rounds,
        evals=[(judge, "test")],
        evals_result=seen,
        verbose_eval=False,
    )
    return seen["test"]["logloss"], booster


def cross_fit(
    matrix: np.ndarray,
    outcome: np.ndarray,
    students,
    settings: TreeSettings,
    rng: np.random.Generator,
    *,
    start: np.ndarray | None = None,
    signs: np.ndarray | None = None,
    folds: int = 5,
    spread: Spread = HERE,
) -> CrossFit:
    """Fit one booster per fold, students kept together, and follow its loss on the held-out rows.

    Folds whose training part has one class are left out; their rows keep the starting margin. ``spread`` says
    where the folds are fitted.
    """
    if start is None:
        start = np.full(len(outcome), float(logit((outcome.sum() + 0.5) / (len(outcome) + 1.0))))
    parameters = {
        **settings.parameters(int(rng.integers(2**31)), matrix.size),
        "base_score": 0.5,
        "eval_metric": "logloss",
    }
    parameters |= _constraints(signs)
    each = (
        (test, (train, test))
        for train, test in grouped_folds(students, outcome, folds, rng)
        if train.any() and test.any() and np.ptp(outcome[train])
    )
    shared = _Fold(matrix, outcome, start, parameters, settings.rounds, threads())
    losses, parts = [], []
    for test, (loss, booster) in spread.over(fit_fold, each, shared):
        losses.append(loss)
        parts.append((test, shared.data(test), booster))
    return CrossFit(np.asarray(losses), parts, start)


def _constraints(signs: np.ndarray | None) -> dict:
    """XGBoost's monotone constraints: in each tree no leaf of the better side is above one of the worse."""
    if signs is None or not np.any(signs):
        return {}
    return {"monotone_constraints": "(" + ",".join(str(int(sign)) for sign in signs) + ")"}
