"""What a list is worth to whoever works through it: judged as it is used, beside every simpler way.

A list is one advisor's, at one as-of term: so many of the students with the highest risk as the advisor can
talk
to. Net benefit weighs those found against those listed for nothing: at a threshold t a talk for nothing costs
t / (1 - t) of what a talk with somebody at risk brings (A. J. Vickers and E. B. Elkin, "Decision curve
analysis", Medical Decision Making 26 (2006) 565–574).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fusion import metrics
from fusion.metrics import Estimate
from fusion.model.examined import (
    ARMS,
    BASE,
    EITHER,
    EVERYBODY,
    FUSED,
    MODEL,
    RULE,
    Choice,
    DecisionPoint,
    ListWorth,
)

SHARE = 0.2  # of an advisor's students
THRESHOLDS = tuple(np.round(np.arange(0.05, 0.65, 0.05), 2))
SIMPLE = (RULE, BASE)  # what could be served without a model
NEAREST, FURTHEST = 0.05, 0.5  # the threshold of the choice lies between


def listed(owner: np.ndarray, risk: np.ndarray, share: float = SHARE) -> np.ndarray:
    """How much of each row is on its owner's list, 0…1; equal risks at its end share the places left.

    Parameters
    ----------
    owner : ndarray (n,)
        Whose list each row may be on.
    risk : ndarray (n,)
    share : float
        Length of each list as a share of the owner's rows, at least one.
    """
    frame = pd.DataFrame({"owner": owner, "risk": np.asarray(risk, float)})
    groups = frame.groupby("owner")["risk"]
    room = np.ceil(share * groups.transform("size")).to_numpy()
    above = groups.rank(ascending=False, method="min").to_numpy() - 1
    tied = frame.groupby(["owner", "risk"])["risk"].transform("size").to_numpy()
    return np.clip((room - above) / tied, 0, 1)


def net_benefit(outcome: np.ndarray, treat: np.ndarray, threshold: float, weight: np.ndarray) -> np.ndarray:
    """Net benefit per student of listing ``treat`` (n,) of each row, for every weighting (b, n): (b,)."""
    gain = treat * (outcome - (1 - outcome) * threshold / (1 - threshold))
    return weight @ gain / np.maximum(weight.sum(axis=1), 1e-300)


def owners(meta: pd.DataFrame, students: pd.DataFrame) -> np.ndarray:
    """Whose list each row may be on: the advisor's at the as-of term, else the programme and cohort's."""
    advisor = pd.Series(np.nan, index=meta.index, dtype=object)
    if "advisor" in students:
        advisor = meta["student_key"].map(students.set_index("student_key")["advisor"])
    otherwise = meta["program_code"].astype(str) + "|" + meta["cohort_term"].astype(str)
    named = advisor.where(advisor.notna(), otherwise).astype(str)
    return (named + "|" + meta["as_of_index"].astype(str)).to_numpy(object)


def list_worth(
    table: pd.DataFrame, students: pd.DataFrame, groups: np.ndarray, rng: np.random.Generator, draws: int
) -> list[ListWorth]:
    """Precision, recall and lift of every arm's lists, as-of term by as-of term.

    Parameters
    ----------
    table : DataFrame
        ``student_key, program_code, cohort_term, as_of_index, outcome`` and the risk of each arm
        (:attr:`fusion.validation.assess.TargetAssessment.risks`).
    students : DataFrame
        ``student_key`` and, where known, ``advisor``.
    groups : ndarray (n,)
        What the bootstrap draws (:func:`fusion.validation.evaluate.clusters`).
    rng : Generator
    draws : int
    """
    owner = owners(table, students)
    weight = metrics.bootstrap_weights(groups, draws, rng)
    found = []
    for arm in ARMS:
        on = listed(owner, table[arm].to_numpy(float))
        for index in np.unique(table["as_of_index"]):
            mine = (table["as_of_index"] == index).to_numpy()
            y, w, part = table["outcome"].to_numpy(float)[mine], weight[:, mine], on[mine]
            caught, rows, events = w @ (part * y), w @ part, w @ y
            precision, rate = _ratio(caught, rows), _ratio(events, w.sum(axis=1))
            found.append(
                ListWorth(
                    arm=arm,
                    as_of_index=int(index),
                    lists=len(np.unique(owner[mine])),
                    students=int(mine.sum()),
                    events=int(y.sum()),
                    precision=_kept(precision),
                    recall=_kept(_ratio(caught, events)),
                    lift=_kept(_ratio(precision, rate)),
                )
            )
    return found


def decision_curve(table: pd.DataFrame) -> list[DecisionPoint]:
    """Net benefit of every arm, and of talking to everybody, at the thresholds of :data:`THRESHOLDS`."""
    outcome, once = table["outcome"].to_numpy(float), np.ones((1, len(table)))
    points = []
    for threshold in THRESHOLDS:
        arms = {arm: (table[arm].to_numpy(float) >= threshold).astype(float) for arm in ARMS}
        for arm, treat in (arms | {EVERYBODY: np.ones(len(table))}).items():
            value = float(net_benefit(outcome, treat, threshold, once)[0])
            points.append(DecisionPoint(arm=arm, threshold=float(threshold), net_benefit=round(value, 6)))
    return points


def choose(
    table: pd.DataFrame, past_share: float, groups: np.ndarray, rng: np.random.Generator, draws: int
) -> Choice:
    """Which to use: the model, or the better of the rule and the base rate.

    Judged by the net benefit at the share of past students who met the outcome, the model less the better
    simple way, on the same draws. The model is chosen when the whole interval lies above 0, the simple way
    when it lies below, and either will do when 0 is inside.

    Parameters
    ----------
    table, groups, rng, draws
        As for :func:`list_worth`.
    past_share : float
        Of the event among the students who taught, 0…1.
    """
    threshold = float(np.clip(past_share, NEAREST, FURTHEST))
    outcome = table["outcome"].to_numpy(float)
    weight = metrics.bootstrap_weights(groups, draws, rng)
    values = {
        arm: net_benefit(outcome, (table[arm].to_numpy(float) >= threshold).astype(float), threshold, weight)
        for arm in ARMS
    }
    best = max(SIMPLE, key=lambda arm: values[arm][0])
    gaps = {arm: _kept(values[FUSED] - values[arm]) for arm in ARMS if arm != FUSED}
    use = MODEL if gaps[best].low > 0 else best if gaps[best].high < 0 else EITHER
    benefits: Mapping[str, Estimate] = {arm: _kept(value) for arm, value in values.items()}
    return Choice(threshold=threshold, best_simple=best, use=use, net_benefit=dict(benefits), gain_over=gaps)


def _kept(values: np.ndarray) -> Estimate:
    e = metrics.estimate(values)
    return Estimate(*(round(float(value), 6) for value in (e.value, e.low, e.high)))


def _ratio(over, under) -> np.ndarray:
    over, under = np.asarray(over, float), np.asarray(under, float)
    return np.divide(over, under, out=np.full(np.shape(under), np.nan), where=under > 0)
