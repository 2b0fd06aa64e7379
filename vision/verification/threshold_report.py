"""What the thresholds in use cost: errors with random and skilled forgeries apart, reviews per 1,000 forms.

Ratios are cross-fitted: each half of the held-out writers is judged by a calibration of the other half, so
that no figure rests on the writers that its own calibration was learned from. Intervals resample writers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vision import metrics
from vision.intervals import Figure, bootstrap_by_writer, rule_of_three
from vision.verification.ground import Ground
from vision.verification.likelihood import doubted, fit_logistic
from vision.verification.verify import decisive_limit

FORGED_SHARE = 0.01
"""Share of forms assumed forged where a figure needs one; an assumption, not a finding."""
LAYPEOPLE = {"far_skilled": 0.065, "frr": 0.26}
"""Laypeople comparing signatures: forgeries taken for genuine, genuine taken for forged (Kam et al. 2001)."""
DRAWS = 100
SOURCES = {"register": ("register", "register", "forgers"), "synthetic": ("synthetic",) * 3}
"""Whose genuine, random and skilled trials stand behind a ground of each source."""


@dataclass(frozen=True)
class ThresholdReport:
    """Error rates of the calibration in use.

    Attributes
    ----------
    source : {"register", "synthetic"}
        Whose genuine signatures and strangers these are; forgers are borrowed, see
        :mod:`vision.verification.forger_share`.
    version : str
    decisive : float
        |log10 LR| from which an outcome is given.
    counts : DataFrame
        ``kind`` (genuine, random, skilled), ``source``, ``writers``, ``trials``.
    curves : DataFrame
        ``kind`` (random, skilled), ``threshold`` (log10 LR), ``far``, ``frr``.
    points : DataFrame
        ``kind``, ``at`` ("consistent", "review"), ``threshold``, ``far``, ``frr``: the thresholds in use.
    rates : DataFrame
        ``name, value, low, high``, fractions: ``far_skilled`` and ``far_random`` (called consistent),
        ``missed_skilled`` (not sent to review), ``frr`` (genuine sent to review), ``inconclusive`` (genuine),
        ``eer_skilled``, ``eer_random``; ``cllr`` and ``cllr_min`` in bits.
    workload : DataFrame
        ``threshold`` (|log10 LR|), ``reviews`` and ``missed`` per 1,000 forms if `forged_share` are forged.
    reviews_per_1000 : Figure
        Genuine forms in 1,000 that go to review at the threshold in use.
    forged_share : float
    """

    source: str
    version: str
    decisive: float
    counts: pd.DataFrame
    curves: pd.DataFrame
    points: pd.DataFrame
    rates: pd.DataFrame
    workload: pd.DataFrame
    reviews_per_1000: Figure
    forged_share: float


def threshold_report(ground: Ground, forged_share: float = FORGED_SHARE) -> ThresholdReport:
    """Measure the thresholds of a ground on its own held-out writers.

    Parameters
    ----------
    ground : Ground
    forged_share : float, 0 to 1
        Share of forms assumed forged, for the workload.
    """
    if not 0 <= forged_share <= 1:
        raise ValueError(f"forged_share: must lie between 0 and 1, got {forged_share}")
    trials = cross_fitted(ground)
    limit = min(decisive_limit(one) for one in ground.calibrations.values())
    ratios = {kind: rows["log10_lr"].to_numpy() for kind, rows in trials.groupby("kind")}
    rates = _rates(trials, limit)
    found = rates.set_index("name").loc["frr"]
    return ThresholdReport(
        source=ground.source,
        version=ground.version,
        decisive=limit,
        counts=_counts(trials, ground.source),
        curves=_curves(ratios),
        points=_points(ratios, limit),
        rates=rates,
        workload=_workload(ratios, forged_share),
        reviews_per_1000=Figure(*(1000 * found[["value", "low", "high"]].to_numpy(float))),
        forged_share=forged_share,
    )


@dataclass(frozen=True)
class RatesAt:
    """Error rates at one number of references.

    Attributes
    ----------
    references : int
        That the rates were measured with: the largest number with a calibration that is not above the asked.
    writers : int
        With genuine trials behind them.
    consistent, review : Figure
        Shares of genuine signatures.
    passed : Figure
        Share of skilled forgeries called consistent.
    """

    references: int
    writers: int
    consistent: Figure
    review: Figure
    passed: Figure


def rates_at(ground: Ground, references: int) -> RatesAt | None:
    """Error rates of a ground at a number of references; None where it has no trials of both kinds.

    Parameters
    ----------
    ground : Ground
    references : int
    """
    counts = sorted(ground.calibrations)
    count = max([one for one in counts if one <= references], default=counts[0])
    trials = cross_fitted(ground)
    rows = trials[trials["references"] == count]
    if not {"genuine", "skilled"} <= set(rows["kind"]):
        return None
    limit = decisive_limit(ground.calibrations[count])
    writers = [
        {kind: part["log10_lr"].to_numpy() for kind, part in one.groupby("kind")}
        for _, one in rows.groupby("writer")
    ]
    return RatesAt(
        count,
        int(rows.loc[rows["kind"] == "genuine", "writer"].nunique()),
        _figure(writers, ("genuine",), lambda own: float(np.mean(own >= limit))),
        _figure(writers, ("genuine",), lambda own: float(np.mean(own <= -limit))),
        _figure(writers, ("skilled",), lambda forged: float(np.mean(forged >= limit))),
    )


def cross_fitted(ground: Ground) -> pd.DataFrame:
    """The trials with ``log10_lr``, uncapped, by a calibration from the other half of the writers."""
    parts = []
    for references, rows in ground.trials.groupby("references"):
        if int(references) not in ground.calibrations:
            continue
        half = rows["writer"].to_numpy() % 2
        for side in (0, 1):
            other, own = rows[half != side], rows[half == side]
            scores = [other.loc[other["kind"] == kind, "score"] for kind in ("genuine", "skilled")]
            fitted = fit_logistic(*scores, writers=1)
            raw = fitted.slope * own["score"].to_numpy() + fitted.offset
            doubt = ground.calibrations[int(references)].doubt
            parts.append(own.assign(log10_lr=doubted(raw, doubt)))
    return pd.concat(parts, ignore_index=True)


def _counts(trials: pd.DataFrame, source: str) -> pd.DataFrame:
    kinds = ("genuine", "random", "skilled")
    rows = [
        (
            kind,
            whose,
            trials.loc[trials["kind"] == kind, "writer"].nunique(),
            int((trials["kind"] == kind).sum()),
        )
        for kind, whose in zip(kinds, SOURCES[source], strict=True)
    ]
    return pd.DataFrame(rows, columns=["kind", "source", "writers", "trials"])


def _curves(ratios: dict[str, np.ndarray]) -> pd.DataFrame:
    parts = []
    for kind in ("random", "skilled"):
        curve = metrics.error_curve(ratios["genuine"], ratios[kind])
        values = {"threshold": curve.thresholds[:-1], "far": curve.far[:-1], "frr": curve.frr[:-1]}
        parts.append(pd.DataFrame(values).assign(kind=kind))
    return pd.concat(parts, ignore_index=True)


def _points(ratios: dict[str, np.ndarray], limit: float) -> pd.DataFrame:
    rows = [
        (kind, at, threshold, metrics.far(ratios[kind], threshold), metrics.frr(ratios["genuine"], threshold))
        for kind in ("random", "skilled")
        for at, threshold in (("consistent", limit), ("review", -limit))
    ]
    return pd.DataFrame(rows, columns=["kind", "at", "threshold", "far", "frr"])


def _rates(trials: pd.DataFrame, limit: float) -> pd.DataFrame:
    writers = [
        {kind: part["log10_lr"].to_numpy() for kind, part in rows.groupby("kind")}
        for _, rows in trials.groupby("writer")
    ]
    measures: dict[str, tuple[tuple[str, ...], Callable]] = {
        "far_skilled": (("skilled",), lambda forged: float(np.mean(forged >= limit))),
        "far_random": (("random",), lambda forged: float(np.mean(forged >= limit))),
        "missed_skilled": (("skilled",), lambda forged: float(np.mean(forged > -limit))),
        "frr": (("genuine",), lambda own: float(np.mean(own <= -limit))),
        "inconclusive": (("genuine",), lambda own: float(np.mean(np.abs(own) < limit))),
        "eer_skilled": (("genuine", "skilled"), metrics.eer),
        "eer_random": (("genuine", "random"), metrics.eer),
        "cllr": (("genuine", "skilled"), _cllr),
        "cllr_min": (("genuine", "skilled"), metrics.min_cllr),
    }
    rows = []
    for name, (kinds, measure) in measures.items():
        figure = _figure(writers, kinds, measure)
        rows.append((name, figure.value, figure.low, figure.high))
    return pd.DataFrame(rows, columns=["name", "value", "low", "high"])


def _figure(writers: list[dict], kinds: tuple[str, ...], measure: Callable) -> Figure:
    """A measure on pooled trials, its interval over writers; draws without a kind do not count.

    A rate without a single error is bounded by the rule of three, counted on writers.
    """
    able = [one for one in writers if any(kind in one for kind in kinds)]

    def pooled(drawn) -> float:
        parts = [[one[kind] for one in drawn if kind in one] for kind in kinds]
        return measure(*map(np.concatenate, parts)) if all(parts) else float("nan")

    figure = bootstrap_by_writer(pooled, able, np.random.default_rng(0), DRAWS)
    if len(kinds) == 1 and figure.value == 0:  # no draw can show an error that was never seen
        return Figure(0.0, 0.0, rule_of_three(len(able)))
    return figure


def _cllr(genuine: np.ndarray, skilled: np.ndarray) -> float:
    return metrics.cllr(genuine * np.log(10), skilled * np.log(10))


def _workload(ratios: dict[str, np.ndarray], forged_share: float) -> pd.DataFrame:
    thresholds = np.round(np.arange(0, 1.55, 0.05), 2)
    genuine = np.array([np.mean(ratios["genuine"] <= -one) for one in thresholds])
    caught = np.array([np.mean(ratios["skilled"] <= -one) for one in thresholds])
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "reviews": 1000 * ((1 - forged_share) * genuine + forged_share * caught),
            "missed": 1000 * forged_share * (1 - caught),
        }
    )
