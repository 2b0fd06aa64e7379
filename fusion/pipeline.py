"""Train, score, evaluate: the steps in order, between the store and the pure functions.

Every step can be killed and started again. A model is written in one rename and registered under a name made
from its data and code, so the same training is found again and not repeated; scores are written per as-of
term and never twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from data import queries
from data.columns import AS_OF_INDEXES, TARGETS
from data.consent import without_outcome_consent
from data.database import Store
from data.erase import withdraw_outcome_model
from data.store import save_model, serve_model, write_scores
from fusion.assemble import lesson, may_be_scored, rows_as_of
from fusion.assess import Assessment, assess
from fusion.booster import TreeSettings
from fusion.evaluate import DRAWS
from fusion.features import last_completed_term, register_date
from fusion.fit import Lesson, fit_model
from fusion.fuse import no_signatures
from fusion.model import RiskModel
from fusion.model_files import save_model_folder
from fusion.monitor import sides
from fusion.provenance import code_version, hash_rows, model_version
from fusion.rows import Rows, make_rows
from fusion.sources import choose_encoder, find_model, load_model, read_rows, read_signatures
from fusion.splits import mature_labels
from fusion.tune import tune_settings
from fusion.upkeep import keep_level, note_watch, taught_until

__all__ = ["NotTrainable", "Trained", "choose_encoder", "evaluate", "load_model", "score", "train"]

Progress = Callable[[str, int, int], None]


class NotTrainable(ValueError):
    """The register has too few known outcomes to learn from."""


@dataclass(frozen=True)
class Trained:
    """What :func:`train` did: the model, its assessment (None when it was found) and whether it is new."""

    model: RiskModel
    assessment: Assessment | None
    new: bool
    served: bool


def train(
    store: Store,
    *,
    seed: int = 0,
    settings: TreeSettings | None = None,
    encoder_id: str | None = None,
    serve: bool = False,
    draws: int = DRAWS,
    tune_trials: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Assess the method on the forward split, then train on every known outcome and register the model.

    Parameters
    ----------
    store : Store
    seed : int
    settings : TreeSettings, optional
    encoder_id : str, optional
        Whose embeddings to use; default :func:`choose_encoder`.
    serve : bool
        Serve the model at once. The first model of a store is always served.
    draws : int
        Bootstrap draws of the assessment.
    tune_trials : int
        Search the tree settings with so many trials, in the assessment inside its training part, and once
        more for the final model.
    progress : callable, optional
        ``progress(what, done, total)``.

    Raises
    ------
    NotTrainable
        When no cohort's outcome is known yet.
    """
    say = _steps(progress, 6)
    say("reading the register")
    records, signatures = queries.records_until(store), read_signatures(store, encoder_id)
    rows, labels = read_rows(store, signatures), mature_labels(records)
    lessons = _lessons(rows, labels)
    settings, data_hash = settings or TreeSettings(), hash_rows(rows, labels)
    version = model_version(data_hash, seed, settings, tune_trials)
    serve = serve or queries.served_model(store) is None
    if _is_there(store, version):
        if serve:
            serve_model(store, version)
        return Trained(load_model(store, version), None, False, serve)
    options = {"seed": seed, "settings": settings, "tune_trials": tune_trials}
    assessment = assess(records, rows, draws=draws, progress=say, **options)
    say("learning from every known outcome")
    if tune_trials:
        settings = tune_settings(lessons, trials=tune_trials, seed=seed).settings
    model = fit_model(lessons, seed, settings)
    manifest = _manifest(version, model, rows, labels, assessment, data_hash, seed)
    manifest["trained_on"]["until"] = register_date(records).isoformat()
    say("writing the model")
    manifest = save_model_folder(replace(model, manifest=manifest), store.models_folder / version)
    if serve:
        note = {"at": datetime.now(UTC).isoformat(), "actor": "training", "reason": "served when trained"}
        manifest = {**manifest, "served": [note]}
    save_model(store, version, version, manifest, "served" if serve else "candidate")
    model = replace(model, manifest=manifest)
    manifest = {**manifest, "monitor": note_watch(store, model, records, rows)}
    return Trained(replace(model, manifest=manifest), assessment, True, serve)


def _lessons(rows: Rows, labels: pd.Series) -> dict[str, Lesson]:
    lessons = {target: lesson(rows, labels, target) for target in TARGETS}
    lessons = {target: part for target, part in lessons.items() if len(part.rows)}
    if not lessons or labels.nunique() < 2:
        raise NotTrainable(
            f"training needs students of both outcomes whose normal time is over, got {len(labels)} labelled"
        )
    return lessons


def _is_there(store: Store, version: str) -> bool:
    stored = find_model(store, version)
    return stored is not None and (store.models_folder / stored.folder).is_dir()


def score(
    store: Store,
    version: str | None = None,
    *,
    progress: Progress | None = None,
) -> int:
    """Score every enrolled student at every as-of term up to now; returns how many scores are new.

    Scores in which the signature of a student took part who has withdrawn the consent are erased first, and
    made again from records.

    Parameters
    ----------
    store : Store
    version : str, optional
        Default: the served model.
    progress : callable, optional
    """
    model = load_model(store, version)
    for key in without_outcome_consent(store):  # a withdrawal that was cut short, or came in by another way
        withdraw_outcome_model(store, key, actor="scoring")
    signatures = no_signatures()
    if model.manifest.get("encoder_id") and not model.manifest.get("records_only", False):
        signatures = read_signatures(store, model.manifest["encoder_id"])
    everything = queries.records_until(store)
    model = keep_level(store, model, everything)
    today, written, watched = register_date(everything), 0, []
    until = taught_until(model.manifest, today)
    sample = np.concatenate(sides(everything, until, np.random.default_rng(0)))
    say = _steps(progress, len(AS_OF_INDEXES) + 1)
    for index in AS_OF_INDEXES:
        say(f"scoring as of {index} terms")
        records = queries.records_until(store, index)
        gone = records.outcomes.loc[records.outcomes["exit_type"].notna(), "student_key"]
        rows = rows_as_of(records, index, signatures, today=today)
        watched.append(rows.of_students(sample))
        rows = rows.take(~rows.meta["student_key"].isin(set(gone)).to_numpy())
        written += _score_rows(store, model, rows, index)
    say("watching for drift")
    note_watch(store, model, everything, make_rows([(r.table, r.meta) for r in watched], signatures))
    return written


def _score_rows(store: Store, model: RiskModel, rows: Rows, index: int) -> int:
    frames, phi, inputs, base_values = [], [], [], []
    for target in model.targets:
        done = set(queries.scores(store, model.version, target, index)["student_key"])
        open_rows = ~rows.meta["student_key"].isin(done).to_numpy() & may_be_scored(rows, target)
        part = rows.take(open_rows)
        if not len(part):
            continue
        scores = model.score(part, target)
        terms = {c: last_completed_term(int(c), index) for c in part.meta["cohort_term"].unique()}
        frames.append(
            scores.frame.assign(
                student_key=part.students,
                as_of_index=index,
                as_of_term=part.meta["cohort_term"].map(terms).to_numpy(),
                target=target,
                model_version=model.version,
            )
        )
        phi.append(scores.phi)
        inputs.append(scores.inputs)
        base_values.append(scores.base_values)
    if not frames:
        return 0
    return write_scores(
        store,
        pd.concat(frames, ignore_index=True),
        np.vstack(phi),
        np.vstack(inputs),
        np.concatenate(base_values),
    )


def evaluate(
    store: Store, *, seed: int = 0, draws: int = DRAWS, tune_trials: int = 0, progress=None
) -> Assessment | None:
    """Examine the method on this store's forward split; writes nothing."""
    say = _steps(progress, 4)
    say("reading the register")
    rows = read_rows(store, read_signatures(store))
    return assess(
        queries.records_until(store), rows, seed=seed, draws=draws, tune_trials=tune_trials, progress=say
    )


def _manifest(version, model, rows, labels, assessment, data_hash, seed) -> dict:
    return {
        "version": version,
        "code_version": code_version(),
        "data_hash": data_hash,
        "seed": seed,
        "settings": model.settings.as_dict(),
        "encoder_id": rows.signatures.encoder_id or None,
        "features": model.feature_names,
        "record_features": list(model.encoder.names),
        "categories": {name: list(values) for name, values in model.encoder.categories.items()},
        "bands": {target: list(part.bands) for target, part in model.targets.items()},
        "tree_weight": {target: part.records.weight for target, part in model.targets.items()},
        "signature_rounds": {t: m.signature.rounds if m.signature else 0 for t, m in model.targets.items()},
        "trained_on": {"students": len(labels), "labels": labels.value_counts().to_dict()},
        "assessment": assessment.as_dict() if assessment else None,
        "records_only": False,
    }


def _steps(progress: Progress | None, total: int) -> Callable[[str], None]:
    done = iter(range(total + 100))

    def say(text: str) -> None:
        if progress is not None:
            progress(text, min(next(done), total), total)

    return say
