"""What keeps a model in service honest: the watch over drift, and its level moved to matured cohorts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

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
from fusion.monitoring.monitor import look
from fusion.monitoring.recalibrate import recalibrate
from fusion.service.sources import PURPOSE, find_model, load_model, read_rows, read_signatures


def taught_until(manifest: Manifest, otherwise: date) -> date:
    """How far the register reached when the model was trained."""
    return manifest.trained_on.until or otherwise


def keep_level(store: Store, model: RiskModel, records) -> RiskModel:
    """The model with its intercepts moved to cohorts that matured since training; what was done is kept in
    its manifest under ``recalibrated``."""
    today = register_date(records)
    until = taught_until(model.manifest, today)
    labels = mature_labels(records)
    labels = labels[~labels.index.isin(mature_labels(records, seen_on=until).index)]
    if labels.empty:
        return model
    use = not model.manifest.records_only
    rows = read_rows(store, read_signatures(store, model.manifest.encoder_id))
    moved, notes = recalibrate(model, rows.of_students(labels.index), labels, use_signature=use)
    if notes:
        note_in_manifest(store, model.version, recalibrated=Recalibrated(today, notes))
    return moved


def watch_served(store: Store, version: str | None = None, *, seed: int = 0) -> Watch:
    """Look at the drift of a model (default: the served one) and keep what was found in its manifest."""
    model = load_model(store, version)
    rows = read_rows(store, read_signatures(store, model.manifest.encoder_id))
    return note_watch(store, model, queries.records_until(store), rows, seed)


def note_watch(store: Store, model: RiskModel, records, rows: Rows, seed: int = 0) -> Watch:
    """Look at drift in rows that were read already, and keep what was found in the manifest."""
    until = taught_until(model.manifest, register_date(records))
    rng = np.random.default_rng([seed, 60])
    found = look(records, rows, until, rng, queries.specimen_table(store, PURPOSE))
    note_in_manifest(store, model.version, monitor=found)
    return found


def note_in_manifest(store: Store, version: str, **notes) -> None:
    """Change entries of a registered model's manifest, by the names of its fields."""
    stored = find_model(store, version)
    if stored is not None:
        manifest = write_manifest(replace(stored.manifest, **notes))
        save_model(store, version, stored.folder, manifest, stored.status)
