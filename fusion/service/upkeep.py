"""What keeps a model in service honest: the watch over drift, and its level moved to matured cohorts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from hashlib import sha256

import numpy as np

from data import queries
from data.engine.database import Store
from data.store import save_model
from fusion.features.build import register_date
from fusion.features.rows import Rows
from fusion.features.splits import mature_labels
from fusion.model.manifest import Manifest, write_manifest
from fusion.model.risk_model import RiskModel
from fusion.model.watched import Recalibrated, Watch
from fusion.monitoring.monitor import look, sides
from fusion.monitoring.recalibrate import recalibrate
from fusion.service.sources import (
    PURPOSE,
    Parts,
    find_model,
    load_model,
    read_rows,
    the_model,
)

LEVEL = "-level-"  # between a model's name and what its level is called


def taught_until(manifest: Manifest, otherwise: date) -> date:
    """How far the register reached when the model was trained."""
    return manifest.trained_on.until or otherwise


def levelled(store: Store, version: str) -> str:
    """The name under which a model is to be scored: its own, or that of the same model at another level.

    Where cohorts that matured since training came clearly out above or below what was expected, the level
    moves. Scores name the model that made them and are never rewritten, so a model whose level moved gets a
    name of its own, is registered as a candidate under it and scores every as-of term anew: no name stands
    for two levels. What was found is kept in the manifest under ``recalibrated``.

    Parameters
    ----------
    store : Store
    version : str
        A registered model.
    """
    model, register = load_model(store, version), Parts(store)
    records, today = register.people, register.today
    labels = mature_labels(records)
    until = taught_until(model.manifest, today)
    labels = labels[~labels.index.isin(mature_labels(records, seen_on=until).index)]
    if labels.empty:
        return version
    use = not model.manifest.records_only
    rows = read_rows(register, model.manifest.encoder_id, of=labels.index)
    _, notes = recalibrate(model, rows, labels, use_signature=use)
    if not notes:
        return version
    found = Recalibrated(today, notes)
    if not any(note.step for note in notes.values()):
        note_in_manifest(store, version, recalibrated=found)
        return version
    level = dict(model.manifest.level)
    for target, note in notes.items():
        level[target] = round(level.get(target, 0.0) + note.step, 4)
    stored, name = the_model(store, version), levelled_name(version, level)
    known = find_model(store, name)
    manifest = replace(
        stored.manifest,
        version=name,
        level=level,
        recalibrated=found,
        served=() if known is None else known.manifest.served,
    )
    status = "candidate" if known is None else known.status
    save_model(store, name, stored.folder, write_manifest(manifest), status)
    return name


def levelled_name(version: str, level: dict[str, float]) -> str:
    """The name of a model at a level: the same for the same move, another for another."""
    told = ",".join(f"{target}={step:+.4f}" for target, step in sorted(level.items()))
    base = re.sub(f"{LEVEL}[0-9a-f]{{6}}", "", version)  # what else is said of it stays, as "-records"
    return f"{base}{LEVEL}{sha256(told.encode()).hexdigest()[:6]}"


def watch_served(store: Store, version: str | None = None, *, seed: int = 0) -> Watch:
    """Look at the drift of a model (default: the served one) and keep what was found in its manifest."""
    model = load_model(store, version)
    register = Parts(store)
    until = taught_until(model.manifest, register.today)
    sample = np.concatenate(sides(register.people, until, np.random.default_rng(0)))
    rows = read_rows(register, model.manifest.encoder_id, of=sample)
    return note_watch(store, model, register.people, rows, seed)


def note_watch(store: Store, model: RiskModel, records, rows: Rows, seed: int = 0) -> Watch:
    """Look at drift in rows that were read already, and keep what was found in the manifest."""
    until = taught_until(model.manifest, register_date(records))
    rng = np.random.default_rng([seed, 60])
    found = look(records, rows, until, rng, queries.specimen_table(store, PURPOSE), model)
    note_in_manifest(store, model.version, monitor=found)
    return found


def note_in_manifest(store: Store, version: str, **notes) -> None:
    """Change entries of a registered model's manifest, by the names of its fields."""
    stored = find_model(store, version)
    if stored is not None:
        manifest = write_manifest(replace(stored.manifest, **notes))
        save_model(store, version, stored.folder, manifest, stored.status)
