"""How much a signature could add at most: the other half of a verdict.

That a model which was given signatures did no better proves little: it may have learned to leave them out.
Here nothing is shrunk. Beside the records' margin the principal components of the embedding, all at once, are
given
to one logistic regression of the outcome; its likelihood ratio says how large the signal among them can be at
most (an upper bound on the non-centrality of chi-squared), and that signal is turned into the ROC-AUC that it
would add. Programme and entry cohort stand beside the margin, so that what they explain is no signal.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fusion.features.rows import Rows, TrainingSet
from fusion.metrics import Estimate
from fusion.model.risk_model import RiskModel
from fusion.monitoring.drift import FIRST_YEAR

SURE = 0.05  # one-sided, of either bound
DRAWN = 20_000  # simulated students by which a signal is turned into AUC
LEAST_PER_NUMBER = 10  # students of the rarer outcome per number that is estimated


def reachable_gain(model: RiskModel, train: TrainingSet, test: TrainingSet, target: str) -> Estimate:
    """ROC-AUC that the embedding's components could add to the records: the likely value and its bounds.

    Students count once, at the as-of term nearest to the end of their first year: those who taught by the
    margin that the records gave them out of fold, those who judge by the model's.

    Parameters
    ----------
    model : RiskModel
        Fitted on ``train``; with a signature stage for the target.
    train, test : TrainingSet
    target : {"late", "dropout"}

    Returns
    -------
    Estimate
        ``low`` and ``high`` are one-sided 95 % bounds; NaN where too few students or no components are there.
    """
    nothing = Estimate(np.nan, np.nan, np.nan)
    part = model.targets[target]
    if part.signature is None or part.out_of_fold is None:
        return nothing
    sides = [(train, part.out_of_fold), (test, part.records.margin(model.encoder.matrix(test.rows.table)))]
    pieces = [_once(side, np.asarray(margin, float)) for side, margin in sides]
    rows, outcome, margin = (
        [piece[0] for piece in pieces],
        np.concatenate([piece[1] for piece in pieces]),
        np.concatenate([piece[2] for piece in pieces]),
    )
    z = np.vstack([part.signature.reduction.apply(r.signatures.states[r.position])[:, 1:] for r in rows])
    z = z[:, z.std(axis=0) > 1e-6]
    about = _dummies(pd.concat([r.meta for r in rows], ignore_index=True))
    numbers = z.shape[1] + about.shape[1] + 2
    if not z.shape[1] or min(outcome.sum(), (1 - outcome).sum()) < LEAST_PER_NUMBER * numbers / 2:
        return nothing
    plain = np.column_stack([margin, about])
    without, chance = _fit(plain, outcome)
    ratio = max(0.0, 2 * (_fit(np.column_stack([plain, z]), outcome)[0] - without))
    information = float((chance * (1 - chance)).sum())
    bounds = [_centre(ratio, z.shape[1], level) for level in (0.5, 1 - SURE, SURE)]
    value, low, high = (gain_of(bound / information, chance) for bound in bounds)
    return Estimate(value, low, high)


def gain_of(variance: float, chance: np.ndarray) -> float:
    """ROC-AUC added by an independent signal of so much variance on the log-odds.

    Parameters
    ----------
    variance : float
        Of the signal.
    chance : ndarray (n,)
        What is known without it, 0…1.
    """
    rng = np.random.default_rng(0)
    known = np.log(chance / (1 - chance))[rng.integers(0, len(chance), DRAWN)]
    both = known + rng.normal(size=DRAWN) * np.sqrt(max(variance, 0.0))
    outcome = 1 / (1 + np.exp(-both))  # in expectation: no coin is thrown
    return float(_soft_auc(outcome, both) - _soft_auc(outcome, known))


def _soft_auc(chance: np.ndarray, score: np.ndarray) -> float:
    """ROC-AUC when every student meets the outcome with a known chance."""
    order = np.argsort(score, kind="stable")
    event, other = chance[order], 1 - chance[order]
    return float((event * (np.cumsum(other) - other / 2)).sum() / (event.sum() * other.sum()))


def _centre(ratio: float, freedom: int, level: float) -> float:
    """The non-centrality under which a ratio as small as this one comes up with probability ``level``."""
    from scipy.optimize import brentq
    from scipy.stats import ncx2

    def above(centre: float) -> float:
        return float(ncx2.cdf(ratio, freedom, centre)) - level

    return float(brentq(above, 1e-9, 20 * (ratio + freedom + 10))) if above(1e-9) > 0 else 0.0


def _once(side: TrainingSet, margin: np.ndarray) -> tuple[Rows, np.ndarray, np.ndarray]:
    signed = np.flatnonzero(side.rows.signed)
    far = np.abs(side.rows.as_of[signed] - FIRST_YEAR)
    order = signed[np.argsort(far, kind="stable")]
    first = order[np.unique(side.rows.students[order].astype(str), return_index=True)[1]]
    return side.rows.take(first), np.asarray(side.outcome, float)[first], margin[first]


def _dummies(meta: pd.DataFrame) -> np.ndarray:
    named = meta[["program_code", "cohort_term"]].astype(str)
    return pd.get_dummies(named, drop_first=True).to_numpy(float)


def _fit(x: np.ndarray, outcome: np.ndarray) -> tuple[float, np.ndarray]:
    """Log-likelihood of a logistic regression that shrinks next to nothing, and its chances."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    x = StandardScaler().fit_transform(x)
    chance = LogisticRegression(C=1e4, max_iter=1000).fit(x, outcome).predict_proba(x)[:, 1]
    chance = np.clip(chance, 1e-9, 1 - 1e-9)
    likelihood = float((outcome * np.log(chance) + (1 - outcome) * np.log(1 - chance)).sum())
    return likelihood, chance


__all__ = ["gain_of", "reachable_gain"]
