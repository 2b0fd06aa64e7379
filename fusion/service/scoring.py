"""Every enrolled student at every as-of term up to now, by one model; a later run completes a broken one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pandas as pd

from data import queries
from data.columns import AS_OF_INDEXES
from data.consents.consent import without_outcome_consent
from data.engine.database import Store
from data.engine.progress import Progress, Steps
from data.engine.spread import HERE, Spread
from data.store import show_scores, write_scores
from data.trust.erase import withdraw_outcome_model
from fusion.features.assemble import may_be_scored, rows_as_of
from fusion.features.build import last_completed_term
from fusion.features.fuse import no_signatures
from fusion.features.rows import Rows
from fusion.model.risk_model import RiskModel, Scores
from fusion.monitoring.monitor import sides
from fusion.service.sources import Parts, Sampled, load_model, read_signatures
from fusion.service.upkeep import note_watch, taught_until
from fusion.validation.fitness import unfit

CHUNK = 5_000
"""Rows that are scored together: as many here as on a worker, so that the scores are the same."""


def score(
    store: Store,
    version: str | None = None,
    *,
    progress: Progress | None = None,
    spread: Spread = HERE,
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
    spread : Spread
        Where to score; the register is read, and the scores are written, in this process.
    """
    model = load_model(store, version)
    for key in without_outcome_consent(store):  # a withdrawal that was cut short, or came in by another way
        withdraw_outcome_model(store, key, actor="scoring")
    encoder_id = None if model.manifest.records_only else model.manifest.encoder_id
    register = Parts(store)
    today, people = register.today, register.people
    until = taught_until(model.manifest, today)
    sample = np.concatenate(sides(people, until, np.random.default_rng(0)))
    gone = set(people.outcomes.loc[people.outcomes["exit_type"].notna(), "student_key"])
    watched = Sampled(sample)
    say = Steps(progress, len(AS_OF_INDEXES) * len(register) + 1)

    def parts() -> Iterator[tuple[_Part, tuple[Rows, str]]]:
        for number, (span, read) in enumerate(register.each(), 1):
            which = "" if len(register) == 1 else f", part {number} of {len(register)} of the students"
            signatures = read_signatures(store, encoder_id, span) if encoder_id else no_signatures()
            for index in AS_OF_INDEXES:
                say(f"scoring as of {index} terms{which}")
                records = read.until(index)
                rows = rows_as_of(records, index, signatures, today=today, context=register.context())
                watched.note(rows)
                rows = rows.take(~rows.meta["student_key"].isin(gone).to_numpy())
                for part in _open_parts(store, model, rows, index, span):
                    yield part, (part.rows.without_keys(), part.target)

    written = 0
    scored = spread.over(scores_of, parts(), model)
    for _, together in groupby(scored, key=lambda pair: (pair[0].span, pair[0].index)):
        written += _write(store, model.version, list(together))
    show_scores(store, model.version)
    say("watching for drift")
    note_watch(store, model, people, watched.rows())
    return written


@dataclass(frozen=True)
class _Part:
    """Rows of one as-of term that have no score for a target yet."""

    rows: Rows
    index: int
    target: str
    span: queries.Span


def scores_of(model: RiskModel, asked: tuple[Rows, str]) -> Scores:
    """Risk, range, band and explanation of some rows for a target: one chunk, wherever it is worked on."""
    rows, target = asked
    return model.score(rows, target)


def _open_parts(
    store: Store, model: RiskModel, rows: Rows, index: int, span: queries.Span
) -> Iterator[_Part]:
    silent = unfit(model.manifest)
    for target in model.targets:
        if target in silent:
            continue
        done = queries.scored_keys(store, model.version, target, index, span)
        open_rows = ~rows.meta["student_key"].isin(done).to_numpy() & may_be_scored(rows, target)
        places = np.flatnonzero(open_rows)
        for start in range(0, len(places), CHUNK):
            yield _Part(rows.take(places[start : start + CHUNK]), index, target, span)


def _write(store: Store, version: str, scored: list[tuple[_Part, Scores]]) -> int:
    """Write the scores of one part at one as-of term; returns how many are new."""
    frames = []
    for part, scores in scored:
        entered = part.rows.meta["cohort_term"]
        terms = {c: last_completed_term(int(c), part.index) for c in entered.unique()}
        frames.append(
            scores.frame.assign(
                student_key=part.rows.students,
                as_of_index=part.index,
                as_of_term=entered.map(terms).to_numpy(),
                target=part.target,
                model_version=version,
            )
        )
    return write_scores(
        store,
        pd.concat(frames, ignore_index=True),
        np.vstack([scores.phi for _, scores in scored]),
        np.vstack([scores.inputs for _, scores in scored]),
        np.concatenate([scores.base_values for _, scores in scored]),
        rebuild=False,
    )
