"""Train, score, evaluate: the steps in order, between the store and the pure functions.

Every step can be killed and started again. A model is written in one rename and registered under a name made
from its data and code, so the same training is found again and not repeated; scores are written per as-of
term and never twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from data import queries
from data.columns import MOST_STUDENTS, TARGETS
from data.engine.database import Store
from data.engine.progress import Progress, Steps
from data.engine.spread import HERE, Spread
from data.store import save_model, set_fact
from fusion.features.assemble import training_set
from fusion.features.rows import Rows, TrainingSet
from fusion.features.splits import drawn_by_lot, mature_labels
from fusion.model.booster import TreeSettings
from fusion.model.fingerprints import code_version, hash_rows, model_version
from fusion.model.fit import fit_model
from fusion.model.manifest import Fitness, Manifest, TrainedOn, write_manifest
from fusion.model.model_files import save_model_folder
from fusion.model.risk_model import RiskModel
from fusion.model.tune import tune_settings
from fusion.monitoring.monitor import sides
from fusion.service.serving import put_into_service
from fusion.service.serving import score_now as score
from fusion.service.sources import (
    Parts,
    choose_encoder,
    find_model,
    load_model,
    read_rows,
    the_model,
)
from fusion.service.upkeep import note_watch
from fusion.validation.assess import Assessment, assess
from fusion.validation.doubts import doubts_of
from fusion.validation.evaluate import DRAWS
from fusion.validation.fitness import FACT, weigh_training_set
from fusion.validation.report import fitness_text

__all__ = ["NotTrainable", "Trained", "choose_encoder", "evaluate", "load_model", "score", "train"]


NOTHING_YET = "The register holds no term and no outcome yet."


class NotTrainable(ValueError):
    """The register has too few known outcomes to learn from.

    Parameters
    ----------
    fitness : dict of str to Fitness
        What every target lacks; empty when the register holds no students with terms or outcomes.
    """

    def __init__(self, fitness: dict[str, Fitness]):
        lacking = "\n".join(fitness_text(found) for found in fitness.values())
        super().__init__(lacking or NOTHING_YET)
        self.fitness = fitness


@dataclass(frozen=True)
class Trained:
    """What :func:`train` did: the model, its assessment (None when it was found) and whether it is new.

    ``scores`` counts those that were made before it was served; ``fitness`` says of every target whether it
    could be learned; ``doubts`` are codes of what looks wrong in the register
    (:data:`fusion.validation.doubts.DOUBTS`).
    """

    model: RiskModel
    assessment: Assessment | None
    new: bool
    served: bool
    scores: int = 0
    fitness: dict[str, Fitness] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


def train(
    store: Store,
    *,
    seed: int = 0,
    settings: TreeSettings | None = None,
    encoder_id: str | None = None,
    serve: bool = False,
    draws: int = DRAWS,
    tune_trials: int = 0,
    one_cohort: bool = False,
    most_students: int = MOST_STUDENTS,
    confirmed: bool = False,
    progress: Progress | None = None,
    spread: Spread = HERE,
) -> Trained:
    """Assess the method on the forward split, then train on every known outcome and register the model.

    A target that the register cannot teach (:mod:`fusion.validation.fitness`) is left out, and the model says
    why.

    Parameters
    ----------
    store : Store
    seed : int
    settings : TreeSettings, optional
    encoder_id : str, optional
        Whose embeddings to use; default :func:`choose_encoder`.
    serve : bool
        Score the students with the model and serve it. The first model of a store is always served, unless
        something in the register looks wrong: then it stays a candidate.
    draws : int
        Bootstrap draws of the assessment.
    tune_trials : int
        Search the tree settings with so many trials, in the assessment inside its training part, and once
        more for the final model.
    one_cohort : bool
        Learn from a register that cannot tell its entry cohorts apart.
    most_students : int
        Of more students with a known outcome, so many teach and judge, drawn by lot.
    confirmed : bool
        Somebody has looked at what looks wrong, and it is right.
    progress : Progress, optional
    spread : Spread
        Where folds are fitted and students scored.

    Raises
    ------
    NotTrainable
        When no target can be learned from what is known yet. What is missing is kept in the store's fact
        :data:`fusion.validation.fitness.FACT`, for the pages.
    """
    say = Steps(progress, 6)
    say("reading the register")
    register = Parts(store)
    everybody = register.people
    if not len(everybody.students) or everybody.day is None:
        raise NotTrainable({})
    records, every_row = _drawn(register, most_students, seed, encoder_id)
    rows = every_row if records is everybody else every_row.of_students(records.students["student_key"])
    labels = mature_labels(records)
    training_sets = _training_sets(rows, labels)
    fitness = _weighed(training_sets, one_cohort)
    training_sets = {target: part for target, part in training_sets.items() if fitness[target].fit}
    set_fact(store, FACT, {target: found.as_dict() for target, found in fitness.items()})
    if not training_sets:
        raise NotTrainable(fitness)
    settings, data_hash = settings or TreeSettings(), hash_rows(rows, labels)
    version = model_version(data_hash, seed, settings, tune_trials)
    doubts = doubts_of(part.until() for _, part in register.each())
    serve = (serve or queries.served_model(store) is None) and (confirmed or not doubts)
    if _is_there(store, version):
        written = _serve(store, version, progress, spread) if serve else 0
        return Trained(load_model(store, version), None, False, serve, written, fitness, doubts)
    assessment = assess(
        records,
        rows,
        seed=seed,
        settings=settings,
        targets=tuple(training_sets),
        draws=draws,
        tune_trials=tune_trials,
        say=say,
        spread=spread,
    )
    say("learning from every known outcome")
    if tune_trials:
        settings = tune_settings(training_sets, trials=tune_trials, seed=seed).settings
    model = fit_model(training_sets, seed, settings, spread=spread)
    manifest = _manifest(
        version,
        model,
        rows,
        labels,
        assessment,
        data_hash,
        seed,
        until=register.today,
        fitness=fitness,
        doubts=doubts,
    )
    if records is not everybody:
        drawn = replace(manifest.trained_on, drawn_from=len(mature_labels(everybody)))
        manifest = replace(manifest, trained_on=drawn)
    say("writing the model")
    manifest = save_model_folder(replace(model, manifest=manifest), store.models_folder / version)
    save_model(store, version, version, write_manifest(manifest))
    note_watch(store, replace(model, manifest=manifest), everybody, every_row)
    written = _serve(store, version, progress, spread) if serve else 0
    manifest = the_model(store, version).manifest
    return Trained(replace(model, manifest=manifest), assessment, True, serve, written, fitness, doubts)


def _drawn(
    register: Parts, most: int, seed: int, encoder_id: str | None = None
) -> tuple[queries.Records, Rows]:
    """The register that teaches, all of it or students drawn by lot; and its rows, with those of the students
    whom the watch over drift looks at."""
    records, of = drawn_by_lot(register.people, most, seed), None
    if len(register.people.students) > most:
        watched = sides(register.people, register.today, np.random.default_rng(0))
        of = {*mature_labels(records).index, *np.concatenate(watched)}
    return records, read_rows(register, encoder_id, of=of)


def _serve(store: Store, version: str, progress: Progress | None, spread: Spread) -> int:
    reason = "served when trained"
    about = {"actor": "training", "reason": reason, "confirmed": True}
    return put_into_service(store, version, **about, progress=progress, spread=spread)


def _training_sets(rows: Rows, labels: pd.Series) -> dict[str, TrainingSet]:
    """What is known of every target, whether or not that is enough."""
    return {target: training_set(rows, labels, target) for target in TARGETS}


def _weighed(training_sets: dict[str, TrainingSet], one_cohort: bool) -> dict[str, Fitness]:
    return {
        target: weigh_training_set(target, part, one_cohort=one_cohort)
        for target, part in training_sets.items()
    }


def _is_there(store: Store, version: str) -> bool:
    stored = find_model(store, version)
    return stored is not None and (store.models_folder / stored.folder).is_dir()


def evaluate(
    store: Store,
    *,
    seed: int = 0,
    draws: int = DRAWS,
    tune_trials: int = 0,
    most_students: int = MOST_STUDENTS,
    progress: Progress | None = None,
) -> Assessment | None:
    """Examine the method on this store's forward split; writes nothing.

    A target of which only one outcome is known is left out.

    Returns
    -------
    Assessment or None
        None when fewer than two students have a known outcome.

    Raises
    ------
    NotTrainable
        When the register holds no term and no outcome, or no target has students of both outcomes.
    """
    say = Steps(progress, 4)
    say("reading the register")
    register = Parts(store)
    if not len(register.people.students) or register.people.day is None:
        raise NotTrainable({})
    records, rows = _drawn(register, most_students, seed)
    if records is not register.people:
        rows = rows.of_students(records.students["student_key"])
    fitness = _weighed(_training_sets(rows, mature_labels(records)), one_cohort=True)
    targets = tuple(target for target, found in fitness.items() if 0 < found.events < found.students)
    if not targets:
        raise NotTrainable(fitness)
    return assess(records, rows, seed=seed, targets=targets, draws=draws, tune_trials=tune_trials, say=say)


def _manifest(
    version: str,
    model: RiskModel,
    rows: Rows,
    labels: pd.Series,
    assessment: Assessment | None,
    data_hash: str,
    seed: int,
    *,
    until: date | None = None,
    fitness: dict[str, Fitness] | None = None,
    doubts: tuple[str, ...] = (),
) -> Manifest:
    counts = {str(label): int(count) for label, count in labels.value_counts().items()}
    return Manifest(
        version=version,
        code_version=code_version(),
        data_hash=data_hash,
        seed=seed,
        settings=model.settings,
        encoder_id=rows.signatures.encoder_id or None,
        features=tuple(model.feature_names),
        record_features=tuple(model.encoder.names),
        categories={name: tuple(values) for name, values in model.encoder.categories.items()},
        bands={target: tuple(part.bands) for target, part in model.targets.items()},
        tree_weight={target: part.records.weight for target, part in model.targets.items()},
        signature_rounds={t: m.signature.rounds if m.signature else 0 for t, m in model.targets.items()},
        trained_on=TrainedOn(len(labels), counts, until, doubts=doubts),
        assessment=assessment.examination() if assessment else None,
        fitness=fitness or {},
        counted={target: part.calibrator.counted for target, part in model.targets.items()},
    )
