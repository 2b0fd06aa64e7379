"""Answers with a promised error rate: "will", "will not" or "either", per programme.

Split-conformal classification: on past students scored out of fold, the threshold is set so that the true
answer is in the set for at least 1 - alpha of them, within each programme that has enough students.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ALPHA = 0.1
LEAST_ROWS = 100  # rows of a programme below which the threshold of all programmes is used
ANSWERS = ("neither", "will not", "will", "either")


@dataclass(frozen=True)
class ConformalSets:
    """Thresholds on ``1 - probability of the answer``.

    Parameters
    ----------
    alpha : float
        Promised rate of sets that miss the truth.
    pooled : float
        Threshold over all programmes.
    by_programme : dict of str to float
        Own thresholds.
    """

    alpha: float
    pooled: float
    by_programme: dict[str, float]

    def answers(self, risk: np.ndarray, programmes) -> np.ndarray:
        """One of :data:`ANSWERS` per row, (n,)."""
        limit = np.array([self.by_programme.get(str(p), self.pooled) for p in programmes], float)
        risk = np.asarray(risk, float)
        will, will_not = (1 - risk) <= limit, risk <= limit
        return np.asarray(ANSWERS, dtype=object)[2 * will + will_not]


def fit_conformal(risk, outcome, programmes, alpha: float = ALPHA) -> ConformalSets:
    """Set the thresholds.

    Parameters
    ----------
    risk, outcome : ndarray (n,)
        Risks of models that had not seen the row's student; 0 or 1.
    programmes : array-like (n,)
    alpha : float
        0…1.

    Notes
    -----
    The threshold is the ``ceil((n + 1)(1 - alpha)) / n`` quantile of ``1 - p(truth)``; with too few rows it
    is 1, and every answer is "either".
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, got {alpha}")
    risk, outcome = np.asarray(risk, float), np.asarray(outcome, float)
    strangeness = np.where(outcome == 1, 1 - risk, risk)
    programmes = np.asarray(programmes, dtype=object).astype(str)
    own = {}
    for name in np.unique(programmes):
        mine = strangeness[programmes == name]
        if len(mine) >= LEAST_ROWS:
            own[str(name)] = _threshold(mine, alpha)
    return ConformalSets(alpha, _threshold(strangeness, alpha), own)


def coverage(answers: np.ndarray, outcome: np.ndarray) -> dict[str, float]:
    """Share of sets that hold the truth, and share of each answer; NaN without rows."""
    if not len(answers):
        return {"covered": float("nan"), **dict.fromkeys(ANSWERS, float("nan"))}
    truth = np.where(np.asarray(outcome) == 1, "will", "will not")
    held = (answers == truth) | (answers == "either")
    return {"covered": float(held.mean()), **{name: float((answers == name).mean()) for name in ANSWERS}}


def _threshold(strangeness: np.ndarray, alpha: float) -> float:
    rank = int(np.ceil((len(strangeness) + 1) * (1 - alpha)))
    if rank > len(strangeness):
        return 1.0
    return float(np.sort(strangeness)[rank - 1])
