"""Do signatures add anything? The same students scored three ways, and one verdict."""

from __future__ import annotations

import numpy as np

from fusion import metrics
from fusion.features.rows import Rows, TrainingSet
from fusion.metrics import Estimate
from fusion.model.booster import tree_margin
from fusion.model.examined import ADDS, FEW, NOTHING, Ablation
from fusion.model.fit import base_margin, fit_signature
from fusion.model.risk_model import RiskModel
from fusion.validation.evaluate import DRAWS, clusters, few_figures

LEAST_STUDENTS = 100
LEAST_CASES = 30  # students with, and students without, the event
UNSEEN_GAIN = 0.03  # AUC; an interval that still allows more than this has not ruled a gain out
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
    """
    keep = test.rows.signed
    rows, outcome = test.rows.take(keep), test.outcome[keep]
    if model.targets[target].signature is None or not len(rows):
        return _nothing(target, rows)
    risks = {
        "records": model.risk(rows, target, use_signature=False),
        "signature": _signature_alone(train, rows, rng),
        "fused": model.risk(rows, target),
    }
    weight = metrics.bootstrap_weights(clusters(rows)[0], draws, rng)
    values = {arm: few_figures(outcome, risk, weight) for arm, risk in risks.items()}
    arms = {arm: {k: metrics.estimate(v) for k, v in figures.items()} for arm, figures in values.items()}
    differences = {k: metrics.estimate(values["fused"][k] - values["records"][k]) for k in values["fused"]}
    p_value = permutation_p(model, rows, outcome, target, rng, permutations)
    students = len(np.unique(rows.students))
    verdict = judge(differences["roc_auc"], p_value, students, _fewest_cases(rows, outcome))
    return Ablation(target, students, len(rows), arms, differences, p_value, verdict)


def judge(gain: Estimate, p_value: float, students: int, fewest_cases: int) -> str:
    """The verdict: one of :data:`fusion.model.examined.VERDICTS`.

    "adds" needs the whole interval of the AUC gain above 0 and a permutation p of at most 0.05. "few"
    is the answer when students or cases are too few, or when the interval reaches beyond a gain that would
    matter.
    """
    if students < LEAST_STUDENTS or fewest_cases < LEAST_CASES or not np.isfinite(gain.low):
        return FEW
    if gain.low > 0 and p_value <= 0.05:
        return ADDS
    return FEW if gain.high > UNSEEN_GAIN else NOTHING


def permutation_p(
    model: RiskModel, rows: Rows, outcome: np.ndarray, target: str, rng: np.random.Generator, count: int
) -> float:
    """Chance that other people's signatures, from the same programme and intake, do as well.

    The fitted model is kept; every student is given the newest signature of another of the same cell.

    Raises
    ------
    ValueError
        When the model has no signature stage for the target.
    """
    stage = model.targets[target].signature
    if stage is None:
        raise ValueError(f"the model must have a signature stage for {target!r}, it has none")
    base = model.targets[target].records.margin(model.encoder.matrix(rows.table))
    once = np.ones((1, len(rows)))

    def auc(position: np.ndarray) -> float:
        matrix = stage.matrix(rows.signatures.states[position], rows.as_of)
        return float(metrics.roc_auc(outcome, base + tree_margin(stage.booster, matrix), once)[0])

    observed = auc(rows.position)
    as_good = sum(auc(shuffle_positions(rows, rng)) >= observed for _ in range(count))
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
