"""What the pipelines read from a store: the register by as-of term, consenting signatures, models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd

from data import queries
from data.engine.database import Store
from fusion.features.assemble import all_rows
from fusion.features.build import register_date
from fusion.features.fuse import Signatures, mean_signatures, no_signatures
from fusion.features.rows import Rows
from fusion.model.manifest import Manifest, read_manifest
from fusion.model.model_files import load_model_folder
from fusion.model.risk_model import RiskModel
from fusion.monitoring.recalibrate import at_level

PURPOSE = "outcome_model"


def choose_encoder(store: Store) -> str | None:
    """The encoder that has embedded the most specimens of this store; None when none has."""
    known = queries.encoders(store)
    if known.empty:
        return None
    open_work = {e: len(queries.specimens_without_embedding(store, e)) for e in known["encoder_id"]}
    return min(sorted(open_work), key=lambda encoder_id: open_work[encoder_id])


def read_signatures(store: Store, encoder_id: str | None = None) -> Signatures:
    """Running mean embeddings of the students who consent to the outcome model."""
    encoder_id = encoder_id or choose_encoder(store)
    if encoder_id is None:
        return no_signatures()
    specimens, vectors = queries.embeddings(store, encoder_id, PURPOSE)
    return mean_signatures(specimens, vectors, encoder_id) if len(specimens) else no_signatures()


def read_rows(register: queries.WholeRegister, signatures: Signatures, *, protected: bool = False) -> Rows:
    """The rows of every as-of term that the register reaches, each as it was known then."""
    today = register_date(register.until())
    return all_rows(register.until, signatures, today=today, protected=protected)


@dataclass(frozen=True)
class RegisteredModel:
    """A model of the registry with its manifest.

    Parameters
    ----------
    version : str
    created_at : datetime
        UTC.
    status : {"candidate", "served", "retired"}
    folder : str
        Below the store's folder of models.
    manifest : Manifest
    """

    version: str
    created_at: datetime
    status: str
    folder: str
    manifest: Manifest


_newest: list[tuple[queries.StoredModel, RegisteredModel]] = []  # at most one: what was read last


def served_model(store: Store) -> RegisteredModel | None:
    """The model in service; None when there is none. A manifest that has not changed is not read again."""
    stored = queries.served_model(store)
    if stored is None:
        return None
    for row, registered in _newest[:1]:
        if row == stored:
            return registered
    registered = _registered(stored)
    _newest[:] = [(stored, registered)]
    return registered


def _registered(stored: queries.StoredModel) -> RegisteredModel:
    manifest = read_manifest(stored.manifest)
    return RegisteredModel(stored.version, stored.created_at, stored.status, stored.folder, manifest)


def registered_models(store: Store) -> list[RegisteredModel]:
    """Every model of the registry, the newest first."""
    return _read(queries.models(store).sort_values("created_at", ascending=False, kind="stable"))


def find_model(store: Store, version: str) -> RegisteredModel | None:
    """A registered model by name."""
    table = queries.models(store)
    return next(iter(_read(table[table["model_version"] == version])), None)


def _read(table: pd.DataFrame) -> list[RegisteredModel]:
    rows = table[["model_version", "created_at", "status", "folder", "manifest"]]
    return [_registered(queries.StoredModel(*row)) for row in rows.itertuples(index=False, name=None)]


def the_model(store: Store, version: str) -> RegisteredModel:
    """A registered model by name.

    Raises
    ------
    LookupError
        When there is no such model.
    """
    found = find_model(store, version)
    if found is None:
        raise LookupError(f"no model {version!r}")
    return found


def load_model(store: Store, version: str | None = None) -> RiskModel:
    """The served model, or a named one, every file checked against the registry's hashes.

    Raises
    ------
    LookupError
        When there is no such model.
    fusion.model.model_files.ModelFileError
        When a file was changed.
    """
    stored = served_model(store) if version is None else the_model(store, version)
    if stored is None:
        raise LookupError("no model is served; train one first")
    model = load_model_folder(store.models_folder / stored.folder, stored.manifest.files)
    return at_level(replace(model, manifest=stored.manifest), stored.manifest.level)
