"""Do signatures add anything? The same students scored three ways, and one verdict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fusion import metrics
from fusion.features.rows import Rows, TrainingSet
from fusion.metrics import Estimate
from fusion.model.booster import TOKEN_ROUNDS, tree_margin
from fusion.model.examined import ADDS, FEW, NOTHING, STANDS_FOR, Ablation
from fusion.model.fit import base_margin, fit_signature
from fusion.model.risk_model import RiskModel, SignatureStage
from fusion.validation.equivalence import reachable_gain
from fusion.validation.evaluate import DRAWS, clusters, few_figures

LEAST_STUDENTS = 100
LEAST_CASES = 30  # students with, and students without, the event
EQUIVALENT = 0.01  # AUC; "nothing measurable" is said only where no more than this can be there
PERMUTATIONS = 199


def ablate(
    model: RiskModel,
    train: TrainingSet,
    test: TrainingSet,
    target: str,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    permutations: int = PERMUTATIONS,
    gives_away: Sequence[str] = (),
) -> Ablation:
    """Score the signed test students by records, by signature and by both.

    Parameters
    ----------
    model : RiskModel
        Fitted on ``train``.
    train, test : TrainingSet
        Of different students.
    target : {"late", "dropout"}
    rng : Generator
    draws, permutations : int
        Bootstrap draws; permutations of the signatures.
    gives_away : sequence of str
        Attributes that the embeddings were found to predict (:func:`fusion.monitoring.probe.given_away`).
    """
    keep = test.rows.signed
    rows, outcome = test.rows.take(keep), test.outcome[keep]
    if model.targets[target].signature is None or not len(rows):
        return _nothing(target, rows)
    stage = _at_full_strength(model, train, target, rng)
    part = model.targets[target]
    base = part.records.margin(model.encoder.matrix(rows.table))
    added = tree_margin(stage.booster, stage.matrix(rows.signatures.states[rows.position], rows.as_of))
    risks = {
        "records": model.risk(rows, target, use_signature=False),
        "signature": _signature_alone(train, rows, rng),
        "fused": stage.calibrator.risk(base + added),
    }
    weight = metrics.bootstrap_weights(clusters(rows)[0], draws, rng)
    values = {arm: few_figures(outcome, risk, weight) for arm, risk in risks.items()}
    arms = {arm: {k: metrics.estimate(v) for k, v in figures.items()} for arm, figures in values.items()}
    differences = {k: metrics.estimate(values["fused"][k] - values["records"][k]) for k in values["fused"]}
    p_value = permutation_p(stage, base, rows, outcome, rng, permutations)
    students = len(np.unique(rows.students))
    reachable = reachable_gain(model, train, test, target)
    verdict = judge(
        differences["roc_auc"], p_value, students, _fewest_cases(rows, outcome), reachable, gives_away
    )
    return Ablation(
        target, students, len(rows), arms, differences, p_value, verdict, tuple(gives_away), reachable
    )


def judge(
    gain: Estimate,
    p_value: float,
    students: int,
    fewest_cases: int,
    reachable: Estimate,
    gives_away: Sequence[str] = (),
) -> str:
    """The verdict: one of :data:`fusion.model.examined.VERDICTS`.

    "adds" needs three things: on the later cohorts a gain above 0 and a permutation p of at most 0.05; over
    all
    students a signal above chance (the lower bound of what could be added; where that cannot be worked out,
    the lower bound of the gain itself); and embeddings that give away nothing else. If they do, the gain may
    stand for that ("stands_for"). "nothing" is decided by
    equivalence: the most that the embedding could add lies below :data:`EQUIVALENT`. Whatever is neither
    cannot be told ("few").
    """
    if students < LEAST_STUDENTS or fewest_cases < LEAST_CASES or not np.isfinite(gain.low):
        return FEW
    signal = reachable.low if np.isfinite(reachable.low) else gain.low
    if gain.value > 0 and p_value <= 0.05 and signal > 0:
        return STANDS_FOR if gives_away else ADDS
    return NOTHING if reachable.high < EQUIVALENT else FEW


def _at_full_strength(
    model: RiskModel, train: TrainingSet, target: str, rng: np.random.Generator
) -> SignatureStage:
    """The signature stage of the comparison: the model's own unless that was shrunk to next to nothing."""
    part = model.targets[target]
    own = part.signature
    assert own is not None  # the caller has looked
    if own.rounds > TOKEN_ROUNDS or part.out_of_fold is None:
        return own
    stage, _ = fit_signature(
        train.rows, np.asarray(train.outcome, float), part.out_of_fold, rng, shrink=False
    )
    return stage or own


def permutation_p(
    stage: SignatureStage,
    base: np.ndarray,
    rows: Rows,
    outcome: np.ndarray,
    rng: np.random.Generator,
    count: int,
) -> float:
    """Chance that other people's signatures, from the same programme and intake, do as well.

    The fitted trees are kept; every student is given the newest signature of another of the same cell.

    Parameters
    ----------
    stage : SignatureStage
    base : ndarray (n,)
        Records margin of the rows.
    rows : Rows
        All of them signed.
    outcome : ndarray (n,)
    rng : Generator
    count : int
        Permutations.
    """
    once = np.ones((1, len(rows)))
    signed, own = np.unique(rows.position, return_inverse=True)
    components = stage.reduction.apply(rows.signatures.states[signed])

    def auc(place: np.ndarray) -> float:
        matrix = np.column_stack([components[place], rows.as_of]).astype(np.float32)
        return float(metrics.roc_auc(outcome, base + tree_margin(stage.booster, matrix), once)[0])

    observed = auc(own)
    swapped = (np.searchsorted(signed, shuffle_positions(rows, rng)) for _ in range(count))
    as_good = sum(auc(place) >= observed for place in swapped)
    return (as_good + 1) / (count + 1)


def shuffle_positions(rows: Rows, rng: np.random.Generator) -> np.ndarray:
    """Signature positions after students swapped signatures within programme × intake."""
    codes = np.unique(rows.students.astype(str), return_inverse=True)[1]
    count = codes.max(initial=-1) + 1
    newest = np.full(count, -1)
    np.maximum.at(newest, codes, rows.position)
    cell = np.empty(count, dtype=object)
    cell[codes] = (
        rows.meta["program_code"].astype(str) + "|" + rows.meta["cohort_term"].astype(str)
    ).to_numpy(object)
    order = np.argsort(cell.astype(str), kind="stable")
    shuffled = np.lexsort((rng.random(count), cell.astype(str)))
    given = np.empty(count, int)
    given[order] = newest[shuffled]
    return given[codes]


def _signature_alone(train: TrainingSet, test: Rows, rng: np.random.Generator) -> np.ndarray:
    start = base_margin(train.outcome, train.rows.as_of)
    stage, _ = fit_signature(train.rows, train.outcome, start, rng)
    rates = {index: start[train.rows.as_of == index][0] for index in np.unique(train.rows.as_of)}
    begin = np.array([rates.get(index, 0.0) for index in test.as_of])
    if stage is None:
        return 1 / (1 + np.exp(-begin))
    added = tree_margin(stage.booster, stage.matrix(test.signatures.states[test.position], test.as_of))
    return stage.calibrator.risk(begin + added)


def _fewest_cases(rows: Rows, outcome: np.ndarray) -> int:
    """Students of the rarer outcome."""
    events = len(np.unique(rows.students[outcome == 1]))
    return min(events, len(np.unique(rows.students[outcome == 0])))


def _nothing(target: str, rows: Rows) -> Ablation:
    return Ablation(target, len(np.unique(rows.students)), len(rows), {}, {}, float("nan"), FEW)
