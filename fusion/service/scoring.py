"""Every enrolled student at every as-of term up to now, by one model; a later run completes a broken one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data import queries
from data.columns import AS_OF_INDEXES
from data.consents.consent import without_outcome_consent
from data.engine.database import Store
from data.engine.progress import Progress, Steps
from data.store import write_scores
from data.trust.erase import withdraw_outcome_model
from fusion.features.assemble import may_be_scored, rows_as_of
from fusion.features.build import last_completed_term, register_date
from fusion.features.fuse import no_signatures
from fusion.features.rows import Rows, make_rows
from fusion.model.risk_model import RiskModel
from fusion.monitoring.monitor import sides
from fusion.service.sources import load_model, read_signatures
from fusion.service.upkeep import note_watch, taught_until
from fusion.validation.fitness import unfit


def score(
    store: Store,
    version: str | None = None,
    *,
    progress: Progress | None = None,
) -> int:
    """Score every enrolled student at every as-of term up to now; returns how many scores are new.

    Scores in which the signature of a student took part who has withdrawn the consent are erased first, and
    made again from records. A target that the model's register could not teach
    (:mod:`fusion.validation.fitness`) is not scored.

    Parameters
    ----------
    store : Store
    version : str, optional
        Default: the served model.
    progress : Progress, optional
    """
    model = load_model(store, version)
    for key in without_outcome_consent(store):  # a withdrawal that was cut short, or came in by another way
        withdraw_outcome_model(store, key, actor="scoring")
    signatures = no_signatures()
    if model.manifest.encoder_id and not model.manifest.records_only:
        signatures = read_signatures(store, model.manifest.encoder_id)
    everything = queries.records_until(store)
    today, written, watched = register_date(everything), 0, []
    until = taught_until(model.manifest, today)
    sample = np.concatenate(sides(everything, until, np.random.default_rng(0)))
    say = Steps(progress, len(AS_OF_INDEXES) + 1)
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
    silent = unfit(model.manifest)
    for target in model.targets:
        if target in silent:
            continue
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
