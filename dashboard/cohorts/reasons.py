"""What most often raises the risk of a programme's students at risk. Pure functions of frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dashboard.cohorts.summaries import wilson
from data.scores.reasons_cube import ALL
from data.trust.small_cells import THRESHOLD
from fusion.explanation.facts import facts_of_many
from fusion.features.feature_list import FEATURES

if TYPE_CHECKING:
    from fusion.model.risk_model import RiskModel

FEWEST = 10  # students at risk; fewer are not told of
MOST = 3  # reasons of a student that are counted: those that raise the risk most
WEIGHTY = 0.02  # log-odds under which a reason is not worth a sentence


def main_reasons(model: RiskModel, phi: np.ndarray, inputs: np.ndarray) -> pd.DataFrame:
    """Which facts are among the :data:`MOST` that raise each student's risk, of those that can still change.

    Parameters
    ----------
    model : RiskModel
        The model that made the scores.
    phi, inputs : ndarray, (students, features), float32
        SHAP values and feature values as stored.

    Returns
    -------
    DataFrame of bool
        One row per student, one column per fact (:mod:`fusion.explanation.facts`).
    """
    sums = facts_of_many(model, phi, inputs, _can_change)
    weights = sums.to_numpy()
    rank = (-weights).argsort(axis=1, kind="stable").argsort(axis=1)
    return pd.DataFrame((rank < MOST) & (weights >= WEIGHTY), columns=sums.columns)


def _can_change(name: str) -> bool:
    return name in FEATURES and FEATURES[name].changeable


def commonest(counted: pd.DataFrame) -> pd.DataFrame:
    """How common each reason is among the students at risk, the commonest first.

    Nothing is told where fewer than :data:`FEWEST` are at risk, nor a reason of fewer students than
    :data:`data.trust.small_cells.THRESHOLD`. Of one that all but so few have, no figure is told.

    Parameters
    ----------
    counted : DataFrame
        :func:`data.scores.reasons_cube.reasons_of_risk`, narrowed to whom it is about.

    Returns
    -------
    DataFrame
        ``reason``; ``n``, the students at risk; ``rate`` in 0–1 with its interval (Wilson) ``low``, ``high``,
        which are missing where nearly all have the reason.
    """
    sums = counted.groupby("reason")["students"].sum()
    n = int(sums.get(ALL, 0))
    sums = sums.drop(ALL, errors="ignore").sort_values(ascending=False, kind="stable")
    sums = sums[sums >= THRESHOLD] if n >= FEWEST else sums.iloc[:0]
    known = sums.where(n - sums >= THRESHOLD).astype(float)
    low, high = wilson(known, pd.Series(n, sums.index))
    table = {"reason": sums.index, "n": n, "rate": known.to_numpy() / max(n, 1), "low": low, "high": high}
    return pd.DataFrame(table).reset_index(drop=True)


def by_program(counted: pd.DataFrame) -> pd.DataFrame:
    """The two commonest reasons of every programme of which they may be told, the programme with most at risk
    first: ``program_code`` and the columns of :func:`commonest`."""
    found = [
        commonest(rows).head(2).assign(program_code=code) for code, rows in counted.groupby("program_code")
    ]
    found = [one for one in found if len(one)]
    if not found:
        return pd.DataFrame(columns=["program_code", "reason", "n", "rate", "low", "high"])
    return pd.concat(found).sort_values("n", ascending=False, kind="stable", ignore_index=True)
