"""How good a risk is, with 95 % intervals that respect who belongs together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fusion import metrics
from fusion.features.rows import Rows
from fusion.metrics import Estimate
from fusion.model.examined import Evaluation

CAPACITIES = (0.1, 0.2)  # shares of students that advisors can talk to
DRAWS = 400
PARTS = 5  # of the students, for the mean of the calibration error over parts
LEAST_CLUSTERS = 10  # fewer cohort × programme cells than this: draw students instead


def clusters(rows: Rows) -> tuple[np.ndarray, str]:
    """What a bootstrap draws: cohort × programme, or students when there are too few of those."""
    cells = rows.meta["program_code"].astype(str) + "|" + rows.meta["cohort_term"].astype(str)
    if cells.nunique() >= LEAST_CLUSTERS:
        return cells.to_numpy(object), "cohort × programme"
    return rows.students, "student"


def evaluate_risk(
    rows: Rows, outcome: np.ndarray, risk: np.ndarray, rng: np.random.Generator, draws: int = DRAWS
) -> Evaluation:
    """Every figure of one risk.

    Parameters
    ----------
    rows : Rows
        Test rows (for programme, cohort and student).
    outcome, risk : ndarray (n,)
        0 or 1; 0…1.
    rng : Generator
    draws : int
        Bootstrap draws.

    Returns
    -------
    Evaluation
        With no rows every figure is NaN.
    """
    groups, name = clusters(rows)
    if len(rows):
        weight = metrics.bootstrap_weights(groups, draws, rng)
        programme = rows.meta["program_code"].to_numpy(object)
        figures = {
            key: metrics.estimate(values, recentre=key.startswith("ece"), clusters=len(np.unique(groups)))
            for key, values in _with_folds(rows, outcome, np.asarray(risk, float), weight, programme).items()
        }
    else:
        nothing = Estimate(np.nan, np.nan, np.nan)
        figures = {name: nothing for name in ("roc_auc", "pr_auc", "brier", "ece")}
    return Evaluation(len(rows), len(np.unique(rows.students)), int(np.sum(outcome)), name, figures)


def _with_folds(rows: Rows, outcome, risk, weight, programme) -> dict[str, np.ndarray]:
    figures = all_figures(outcome, risk, weight, programme)
    parts = np.unique(rows.students.astype(str), return_inverse=True)[1] % PARTS
    return figures | {"ece_folds": metrics.calibration_error_of_parts(outcome, risk, weight, parts)}


def few_figures(outcome, risk, weight) -> dict[str, np.ndarray]:
    """What two sets of risks of the same rows are compared by, for every weighting, each (b,)."""
    ranking = metrics.Ranking(outcome, risk, weight)
    return {
        "roc_auc": ranking.auc(),
        "pr_auc": ranking.average_precision(),
        "brier": metrics.brier(outcome, risk, weight),
        "precision_at_10": ranking.precision_at(0.1),
        "precision_at_20": ranking.precision_at(0.2),
    }


def all_figures(outcome, risk, weight, programme) -> dict[str, np.ndarray]:
    """Every figure for every weighting, each (b,)."""
    slope, intercept = metrics.calibration_line(outcome, risk, weight)
    ranking = metrics.Ranking(outcome, risk, weight)
    figures = {
        "roc_auc": ranking.auc(),
        "roc_auc_within_programme": metrics.within_groups(outcome, risk, weight, programme),
        "pr_auc": ranking.average_precision(),
        "base_rate": weight @ outcome / weight.sum(axis=1),
        "brier": metrics.brier(outcome, risk, weight),
        "ece": metrics.calibration_error(outcome, risk, weight),
        "slope": slope,
        "intercept": intercept,
    }
    for share in CAPACITIES:
        name = f"{share * 100:.0f}"
        figures[f"precision_at_{name}"] = ranking.precision_at(share)
        figures[f"recall_at_{name}"] = ranking.recall_at(share)
        figures[f"lift_at_{name}"] = ranking.lift_at(share)
    return figures


def by_as_of(rows: Rows, outcome, risk, rng: np.random.Generator, draws: int = 200) -> pd.DataFrame:
    """The figures per as-of term in long form: as_of_index, students, events, figure, value, low, high."""
    parts = []
    for index in np.unique(rows.as_of):
        mine = rows.as_of == index
        result = evaluate_risk(rows.take(mine), outcome[mine], risk[mine], rng, draws)
        for figure, e in result.figures.items():
            parts.append((int(index), result.students, result.events, figure, e.value, e.low, e.high))
    columns = ["as_of_index", "students", "events", "figure", "value", "low", "high"]
    return pd.DataFrame(parts, columns=columns)


def precision_recall(outcome, risk, steps: int = 20) -> pd.DataFrame:
    """Precision and recall of lists of every twentieth of the rows: share, precision, recall."""
    ranking = metrics.Ranking(np.asarray(outcome, float), risk, np.ones((1, len(risk))))
    shares = np.arange(1, steps + 1) / steps
    return pd.DataFrame(
        {
            "share": shares,
            "precision": [float(ranking.precision_at(share)[0]) for share in shares],
            "recall": [float(ranking.recall_at(share)[0]) for share in shares],
        }
    )


def reliability(outcome, risk, bins: int = 10) -> pd.DataFrame:
    """Calibration plot as a table: mean risk, observed share with its Jeffreys interval, size per decile."""
    from scipy.stats import beta

    parts = []
    for members in np.array_split(np.argsort(risk, kind="stable"), bins):
        if len(members):
            events = float(outcome[members].sum())
            others = len(members) - events
            low, high = beta.ppf([0.025, 0.975], events + 0.5, others + 0.5)
            parts.append((risk[members].mean(), events / len(members), low, high, len(members)))
    return pd.DataFrame(parts, columns=["risk", "observed", "low", "high", "rows"])
