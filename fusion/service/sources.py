"""What the pipelines read from a store: the register by as-of term, consenting signatures, models."""

from __future__ import annotations

from data import queries
from data.engine.database import Store
from fusion.features.assemble import all_rows
from fusion.features.build import register_date
from fusion.features.fuse import Signatures, mean_signatures, no_signatures
from fusion.features.rows import Rows
from fusion.model.model_files import load_model_folder
from fusion.model.risk_model import RiskModel

PURPOSE = "outcome_model"


def choose_encoder(store: Store) -> str | None:
    """The encoder that has embedded the most specimens of this store; None when none has."""
    known = queries.encoders(store)
    if known.empty:
        return None
    open_work = {e: len(queries.specimens_without_embedding(store, e)) for e in known["encoder_id"]}
    return min(sorted(open_work), key=open_work.get)


def read_signatures(store: Store, encoder_id: str | None = None) -> Signatures:
    """Running mean embeddings of the students who consent to the outcome model."""
    encoder_id = encoder_id or choose_encoder(store)
    if encoder_id is None:
        return no_signatures()
    specimens, vectors = queries.embeddings(store, encoder_id, PURPOSE)
    return mean_signatures(specimens, vectors, encoder_id) if len(specimens) else no_signatures()


def read_rows(store: Store, signatures: Signatures, *, protected: bool = False) -> Rows:
    """The rows of every as-of term that the register reaches, each as it was known then."""
    today = register_date(queries.records_until(store))
    return all_rows(
        lambda index: queries.records_until(store, index), signatures, today=today, protected=protected
    )


def load_model(store: Store, version: str | None = None) -> RiskModel:
    """The served model, or a named one, every file checked against the registry's hashes.

    Raises
    ------
    LookupError
        When there is no such model.
    fusion.model.model_files.ModelFileError
        When a file was changed.
    """
    stored = queries.served_model(store) if version is None else find_model(store, version)
    if stored is None:
        raise LookupError(
            "no model is served; train one first" if version is None else f"no model {version!r}"
        )
    model = load_model_folder(store.models_folder / stored.folder, stored.manifest["files"])
    return RiskModel(model.encoder, model.targets, model.settings, stored.manifest)


def find_model(store: Store, version: str) -> queries.StoredModel | None:
    """A registered model by name."""
    table = queries.models(store)
    found = table[table["model_version"] == version]
    if found.empty:
        return None
    row = found.iloc[0]
    return queries.StoredModel(
        row["model_version"], row["created_at"], row["status"], row["folder"], row["manifest"]
    )
