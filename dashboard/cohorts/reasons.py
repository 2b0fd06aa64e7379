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

    Parameters
    ----------
    counted : DataFrame
        :func:`data.scores.reasons_cube.reasons_of_risk`, of one programme or of several.

    Returns
    -------
    DataFrame
        ``reason``; ``n``, the students at risk; ``rate`` in 0–1 with its interval (Wilson) ``low``, ``high``,
        which are missing where nearly all have the reason.

    Notes
    -----
    What is told of several programmes is worked out from what is told of each by itself, and from nothing
    else (:func:`_told_by_program`): a difference of two figures can only be one that may be told. A programme
    with fewer than :data:`FEWEST` at risk is left out of the sum as well; fewer than
    :data:`data.trust.small_cells.THRESHOLD` with a reason count as none, all but fewer than so many as all.
    """
    told = _told_by_program(counted)
    sums = told.groupby("reason")["students"].sum()
    n = int(sums.get(ALL, 0))
    sums = sums.drop(ALL, errors="ignore").sort_values(ascending=False, kind="stable")
    sums = sums[sums > 0]
    known = sums.where(sums < n).astype(float)
    low, high = wilson(known, pd.Series(n, sums.index))
    table = {"reason": sums.index, "n": n, "rate": known.to_numpy() / max(n, 1), "low": low, "high": high}
    return pd.DataFrame(table).reset_index(drop=True)


def _told_by_program(counted: pd.DataFrame) -> pd.DataFrame:
    """``program_code, reason, students`` as they may be told: nothing of a programme with few at risk, few
    with a reason as none, all but few as all."""
    sums = counted.groupby(["program_code", "reason"], as_index=False)["students"].sum()
    everybody = sums[sums["reason"] == ALL].set_index("program_code")["students"]
    n = sums["program_code"].map(everybody).astype(float).fillna(0)  # of no row: no text either
    few, nearly = sums["students"] < THRESHOLD, n - sums["students"] < THRESHOLD
    told = sums.assign(students=sums["students"].mask(few, 0).mask(nearly, n).astype(int))
    return told[n >= FEWEST]


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
