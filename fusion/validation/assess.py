"""One honest examination of the method: learn from the past, be judged on the later cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from data.columns import TARGETS
from data.engine.progress import Steps
from data.engine.spread import HERE, Spread
from fusion.features.assemble import training_set
from fusion.features.rows import Rows, TrainingSet
from fusion.features.splits import ForwardSplit, forward_split, mature_labels
from fusion.model.booster import TreeSettings
from fusion.model.conformal import ANSWERS, coverage
from fusion.model.examined import (
    BASE,
    FORWARD,
    FUSED,
    HELD_OUT,
    LOGISTIC,
    RECORDS,
    RULE,
    Ablation,
    Choice,
    CohortRisk,
    DecisionPoint,
    Evaluation,
    Examination,
    ListPoint,
    ListWorth,
    Reliability,
    SetCoverage,
    TermFigure,
)
from fusion.model.fit import fit_model
from fusion.model.risk_model import RiskModel
from fusion.model.tune import tune_settings
from fusion.monitoring.drift import calibration_by_cohort, embeddings_of
from fusion.monitoring.probe import given_away
from fusion.validation import baselines
from fusion.validation.ablation import ablate
from fusion.validation.evaluate import (
    DRAWS,
    LEAST_CLUSTERS,
    by_as_of,
    evaluate_risk,
    precision_recall,
    reliability,
)
from fusion.validation.fairness import Fairness, audit
from fusion.validation.kept import Row, rounded, rows_of
from fusion.validation.lists import ListReport, examine_lists
from fusion.validation.worth import choose, decision_curve, list_worth

BESIDE = (
    *("sex", "program_code", "cohort_term", "entry_type", "admission_path", "funding_at_entry", "region"),
    *("parental_education", "parental_income", "special_needs"),
)
"""What a gain from signatures may stand for: attributes of the register, whether or not they are features."""
CURVES = (FUSED, LOGISTIC)  # arms whose precision is kept at every length of the list


@dataclass(frozen=True)
class TargetAssessment:
    """How the method did on one target.

    Parameters
    ----------
    evaluations : dict of str to Evaluation
        Arm (:data:`fusion.model.examined.ARMS`) → figures.
    ablation : Ablation
        Records / signature / fused on the same students.
    by_as_of : DataFrame
        Figures of the fused arm by as-of term, long form.
    calibration : DataFrame
        Reliability table of the fused arm.
    precision_recall : DataFrame
        Precision and recall of the fused arm and of logistic regression by length of the list: arm, share,
        precision, recall.
    cohorts : DataFrame
        Mean risk against observed share by cohort.
    lists : ListReport
        Lead time, stability and cost of the list.
    sets : DataFrame
        Coverage of the conformal sets: ``program_code`` ("" all), rows, covered, share of each answer.
    fairness : Fairness
        Errors by group.
    risks : DataFrame
        One row per test row: meta, outcome and the risk of each arm. Not for a manifest.
    worth, decision, choice
        Real lists, the decision curve, and which to use (:mod:`fusion.validation.worth`).
    """

    evaluations: dict[str, Evaluation]
    ablation: Ablation
    by_as_of: pd.DataFrame
    calibration: pd.DataFrame
    precision_recall: pd.DataFrame
    cohorts: pd.DataFrame
    lists: ListReport
    sets: pd.DataFrame
    fairness: Fairness
    risks: pd.DataFrame = field(repr=False)
    worth: tuple[ListWorth, ...] = ()
    decision: tuple[DecisionPoint, ...] = ()
    choice: Choice = Choice()


@dataclass(frozen=True)
class Assessment:
    """How the method did on students it had not seen.

    Parameters
    ----------
    protocol : str
        :data:`FORWARD`, or :data:`HELD_OUT` when the register has no two cohorts of known outcome.
    simulated_date : date or None
        Day up to which the training part was known.
    train_students, test_students : int
    settings : TreeSettings
        What the trees were grown with; tuned inside the training part if asked.
    targets : dict of str to TargetAssessment
    """

    protocol: str
    simulated_date: date | None
    train_students: int
    test_students: int
    settings: TreeSettings
    targets: dict[str, TargetAssessment]

    @property
    def ablations(self) -> dict[str, Ablation]:
        """Ablation per target."""
        return {target: part.ablation for target, part in self.targets.items()}

    def examination(self) -> Examination:
        """As a manifest keeps it: figures only, no student."""
        parts = self.targets
        return Examination(
            protocol=self.protocol,
            simulated_date=self.simulated_date,
            train_students=self.train_students,
            test_students=self.test_students,
            settings=self.settings,
            evaluations={
                target: {arm: replace(e, figures=rounded(e.figures)) for arm, e in part.evaluations.items()}
                for target, part in parts.items()
            },
            ablations={target: _kept(part.ablation) for target, part in parts.items()},
            by_as_of=_stack(TermFigure, {target: part.by_as_of for target, part in parts.items()}),
            calibration=_stack(Reliability, {target: part.calibration for target, part in parts.items()}),
            precision_recall=_stack(
                ListPoint, {target: part.precision_recall for target, part in parts.items()}
            ),
            cohorts=_stack(CohortRisk, {target: part.cohorts for target, part in parts.items()}),
            lists={target: part.lists.figures() for target, part in parts.items()},
            sets=_stack(SetCoverage, {target: _with_answers(part.sets) for target, part in parts.items()}),
            fairness={target: part.fairness.audit() for target, part in parts.items()},
            worth=tuple(replace(row, target=t) for t, part in parts.items() for row in part.worth),
            decision=tuple(replace(point, target=t) for t, part in parts.items() for point in part.decision),
            choices={target: part.choice for target, part in parts.items()},
        )


def assess(
    records,
    rows: Rows,
    *,
    seed: int = 0,
    settings: TreeSettings | None = None,
    targets: tuple[str, ...] = TARGETS,
    draws: int = DRAWS,
    tune_trials: int = 0,
    say: Steps | None = None,
    spread: Spread = HERE,
) -> Assessment | None:
    """Train on the past, judge on what came after.

    Parameters
    ----------
    records : Records
        The whole register (labels, programmes, cohorts).
    rows : Rows
        Every row of every as-of term.
    seed, settings
        As for :func:`fusion.model.fit.fit_model`.
    targets : tuple of str
    draws : int
        Bootstrap draws.
    tune_trials : int
        Search the tree settings with so many trials, inside the training part; 0: take ``settings``.
    say : Steps, optional
        Told before each step.
    spread : Spread
        Where the folds of the training are fitted.

    Returns
    -------
    Assessment or None
        None when fewer than two students have a known outcome.
    """
    found = split_training_sets(records, rows, targets, seed)
    if found is None:
        return None
    protocol, split, training_sets, tests = found
    say = say or Steps(None, 0)
    settings = settings or TreeSettings()
    if tune_trials:
        say("searching tree settings inside the training part")
        settings = tune_settings(training_sets, trials=tune_trials, seed=seed).settings
    say("learning from the earlier cohorts")
    model = fit_model(training_sets, seed, settings, spread=spread)
    results = {}
    for number, target in enumerate(training_sets):
        say(f"judging {target} on the later cohorts")
        rng = np.random.default_rng([seed, 91, number])
        about = given_away_by(rows, records.students, (training_sets[target], tests[target]), rng)
        judged = judge_target(model, training_sets[target], tests[target], target, rng, draws, about)
        judged = with_worth(judged, records.students, float(training_sets[target].outcome.mean()), rng, draws)
        results[target] = with_groups(judged, records.students, target, rng)
    until = split.simulated_date if protocol == FORWARD else None
    return Assessment(protocol, until, len(split.train), len(split.test), settings, results)


def split_training_sets(
    records, rows: Rows, targets: tuple[str, ...], seed: int
) -> tuple[str, ForwardSplit, dict[str, TrainingSet], dict[str, TrainingSet]] | None:
    """Protocol, split, and per target the rows that teach and the rows that judge; None without outcomes."""
    split = forward_split(records)
    final = mature_labels(records)
    protocol = FORWARD
    if split is None or not _usable(split, final):
        protocol, split = HELD_OUT, random_split(final, np.random.default_rng([seed, 90]))
    if split is None:
        return None
    until = split.simulated_date if protocol == FORWARD else None
    training_sets, tests = {}, {}
    for target in targets:
        train = training_set(rows.of_students(split.train), split.train_labels, target, until)
        test = training_set(rows.of_students(split.test), final, target)
        if len(train.rows) and len(test.rows):
            training_sets[target], tests[target] = train, test
    return (protocol, split, training_sets, tests) if training_sets else None


def judge_target(
    model: RiskModel,
    train: TrainingSet,
    test: TrainingSet,
    target: str,
    rng: np.random.Generator,
    draws: int = DRAWS,
    gives_away: Sequence[str] = (),
) -> TargetAssessment:
    """All arms on one test set; fairness is left empty (:func:`with_groups` adds it)."""
    risks = {
        FUSED: model.risk(test.rows, target),
        RECORDS: model.risk(test.rows, target, use_signature=False),
        LOGISTIC: baselines.logistic_regression(train, test.rows, model.encoder),
        RULE: baselines.on_track_rule(train, test.rows),
        BASE: baselines.base_rate(train, test.rows),
    }
    draw_seed = int(rng.integers(2**31))  # the same draws for every arm, so that arms can be compared
    evaluations = {
        arm: evaluate_risk(test.rows, test.outcome, risk, np.random.default_rng(draw_seed), draws)
        for arm, risk in risks.items()
    }
    table = test.rows.meta.assign(outcome=test.outcome, **risks)
    return TargetAssessment(
        evaluations,
        ablate(
            model,
            train,
            test,
            target,
            rng,
            draws=draws,
            permutations=max(19, draws // 2 - 1),
            gives_away=gives_away,
        ),
        by_as_of(test.rows, test.outcome, risks[FUSED], rng, max(20, draws // 2)),
        reliability(test.outcome, risks[FUSED]),
        pd.concat([precision_recall(test.outcome, risks[arm]).assign(arm=arm) for arm in CURVES]),
        calibration_by_cohort(table),
        examine_lists(table),
        set_coverage(model, test, risks[FUSED], target),
        Fairness(target, 0, 0.0, pd.DataFrame(), pd.DataFrame()),
        table,
    )


def given_away_by(
    rows: Rows, students: pd.DataFrame, sides: tuple[TrainingSet, TrainingSet], rng: np.random.Generator
) -> list[str]:
    """What the embeddings of the students compared give away of them.

    Parameters
    ----------
    rows : Rows
    students : DataFrame
        ``student_key`` and whatever attributes of :data:`BESIDE` the register has.
    sides : (TrainingSet, TrainingSet)
        Who teaches and who judges.
    rng : Generator
    """
    compared = rows.of_students(np.concatenate([side.rows.students for side in sides]))
    keys, vectors = embeddings_of(compared)
    if not len(keys):
        return []
    table = students.set_index("student_key").reindex(keys)
    table = table[[name for name in BESIDE if name in table]]
    return given_away(vectors, table.astype(object).where(table.notna(), None).reset_index(drop=True), rng)


def with_groups(
    judged: TargetAssessment, students: pd.DataFrame, target: str, rng: np.random.Generator
) -> TargetAssessment:
    """The same assessment with errors by group."""
    return replace(judged, fairness=audit(judged.risks, students, target, rng))


def with_worth(
    judged: TargetAssessment,
    students: pd.DataFrame,
    past_share: float,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> TargetAssessment:
    """The same assessment with real lists, the decision curve and which to use.

    ``past_share`` is the share of the event among the rows that taught, 0…1.
    """
    table = judged.risks
    cells = table["program_code"].astype(str) + "|" + table["cohort_term"].astype(str)
    groups = (cells if cells.nunique() >= LEAST_CLUSTERS else table["student_key"]).to_numpy(object)
    return replace(
        judged,
        worth=tuple(list_worth(table, students, groups, rng, max(20, draws // 2))),
        decision=tuple(decision_curve(table)),
        choice=choose(table, past_share, groups, rng, draws),
    )


def set_coverage(model: RiskModel, test: TrainingSet, risk: np.ndarray, target: str) -> pd.DataFrame:
    """How often the conformal sets hold the truth, over all and per programme."""
    programme = test.rows.meta["program_code"].to_numpy(object)
    answers = model.targets[target].sets.answers(risk, programme)
    rows = []
    for name in ["", *sorted(set(programme))]:
        mine = np.ones(len(risk), bool) if name == "" else programme == name
        rows.append(
            {"program_code": name, "rows": int(mine.sum())} | coverage(answers[mine], test.outcome[mine])
        )
    return pd.DataFrame(rows)


def random_split(labels: pd.Series, rng: np.random.Generator, share: float = 0.35) -> ForwardSplit | None:
    """A third of the labelled students at random, where no cohort can be held out."""
    keys = labels.index.to_numpy(object)
    if len(keys) < 4:
        return None
    order = rng.permutation(len(keys))
    cut = max(1, int(round(share * len(keys))))
    test, train = keys[order[:cut]], keys[order[cut:]]
    return ForwardSplit(date.max, train, test, labels.loc[train])


def _usable(split: ForwardSplit, final: pd.Series) -> bool:
    return split.train_labels.nunique() > 1 and final.loc[split.test].nunique() > 1


def _kept(ablation: Ablation) -> Ablation:
    arms = {arm: rounded(figures) for arm, figures in ablation.arms.items()}
    reachable = ablation.reachable
    if reachable is not None:
        reachable = rounded({"auc": reachable})["auc"]
    return replace(ablation, arms=arms, differences=rounded(ablation.differences), reachable=reachable)


def _with_answers(sets: pd.DataFrame) -> pd.DataFrame:
    """The share of each answer as one mapping per row."""
    answers = [name for name in ANSWERS if name in sets]
    return sets.assign(answers=sets[answers].round(6).to_dict("records"))


def _stack(kind: type[Row], frames: dict[str, pd.DataFrame]) -> tuple[Row, ...]:
    parts = [frame.assign(target=target) for target, frame in frames.items() if len(frame)]
    return rows_of(kind, pd.concat(parts, ignore_index=True), 6) if parts else ()
