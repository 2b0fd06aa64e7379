"""What the pipelines read from a store: the register by as-of term, consenting signatures, models."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

import pandas as pd

from data import queries
from data.columns import AS_OF_INDEXES
from data.engine.database import Store
from data.records.spans import PART
from fusion.features.assemble import gather, rows_as_of
from fusion.features.build import register_date
from fusion.features.context import Context
from fusion.features.fuse import Signatures, joined, mean_signatures, no_signatures
from fusion.features.rows import Rows, make_rows
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


def read_signatures(
    store: Store, encoder_id: str | None = None, span: queries.Span = queries.EVERYBODY
) -> Signatures:
    """Running mean embeddings of the students who consent to the outcome model."""
    encoder_id = encoder_id or choose_encoder(store)
    if encoder_id is None:
        return no_signatures()
    specimens, vectors = queries.embeddings(store, encoder_id, PURPOSE, span)
    return mean_signatures(specimens, vectors, encoder_id) if len(specimens) else no_signatures()


class Parts:
    """A register read part by part, each part's rows as if the whole had been read.

    Of a register that is one part every row is read once and kept; of a larger one each part is read anew,
    and once more before the first for what rows take from students of other parts.

    Parameters
    ----------
    store : Store
    most : int, optional
        Students whose rows are held at a time; default :data:`PART`.
    """

    def __init__(self, store: Store, most: int | None = None) -> None:
        self.store = store
        self.people = queries.people(store)
        self._spans = queries.spans(store, most or PART)
        self._kept: list[queries.WholeRegister] = []
        self._context: list[Context] = []

    @property
    def today(self) -> date:
        """The newest day that the register speaks about.

        Raises
        ------
        ValueError
            When it has neither outcomes nor terms.
        """
        return register_date(self.people)

    def __len__(self) -> int:
        """How many parts there are."""
        return len(self._spans)

    def context(self) -> Context | None:
        """What rows take from other parts; None where there is one part."""
        if len(self._spans) < 2:
            return None
        if not self._context:
            parts = (queries.WholeRegister(self.store, span) for span in self._spans)
            self._context.append(gather((partial(part.until, fill=False) for part in parts), self.today))
        return self._context[0]

    def each(self) -> Iterator[tuple[queries.Span, queries.WholeRegister]]:
        """Every part: whose it is, and their register."""
        if len(self._spans) == 1:
            if not self._kept:
                self._kept.append(queries.WholeRegister(self.store))
            yield queries.EVERYBODY, self._kept[0]
            return
        for span in self._spans:
            yield span, queries.WholeRegister(self.store, span)


def read_rows(
    parts: Parts,
    encoder_id: str | None = None,
    *,
    of: Collection[str] | None = None,
    protected: bool = False,
) -> Rows:
    """The rows of every as-of term that the register reaches, each as it was known then.

    Parameters
    ----------
    parts : Parts
    encoder_id : str, optional
        Whose embeddings to use; default :func:`choose_encoder`.
    of : collection of str, optional
        Keys of the students whose rows are kept; default all.
    protected : bool
        Also build the protected attributes.
    """
    encoder_id = encoder_id or choose_encoder(parts.store)
    kept, today, context = Sampled(of), parts.today, parts.context()
    for span, register in parts.each():
        signatures = read_signatures(parts.store, encoder_id, span)
        for index in AS_OF_INDEXES:
            records = register.until(index)
            kept.note(
                rows_as_of(records, index, signatures, today=today, protected=protected, context=context)
            )
    return kept.rows()


class Sampled:
    """Rows of some students, or of all, collected while a register is read part by part.

    Parameters
    ----------
    of : collection of str, optional
        Their keys; default everybody's.
    """

    def __init__(self, of: Collection[str] | None = None) -> None:
        self._of = None if of is None else frozenset(of)
        self._tables: dict[int, list[tuple[pd.DataFrame, pd.DataFrame]]] = {i: [] for i in AS_OF_INDEXES}
        self._signed: list[Signatures] = []
        self._last: Signatures | None = None

    def note(self, rows: Rows) -> None:
        """Take what is wanted of the rows of one part at one as-of term."""
        if rows.signatures is not self._last:  # a part's terms share its signatures
            self._last = rows.signatures
            wanted = self._last if self._of is None else self._last.of_students(self._of)
            self._signed.append(wanted)
        rows = rows if self._of is None else rows.of_students(self._of)
        index = int(rows.as_of[0]) if len(rows) else AS_OF_INDEXES[0]
        self._tables[index].append((rows.table, rows.meta))

    def rows(self) -> Rows:
        """What was taken, by as-of term and then in the order of the parts: as one reading would have it."""
        return make_rows([pair for parts in self._tables.values() for pair in parts], joined(self._signed))


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


MOST_READ = 32  # manifests that a process keeps
_read_before: dict[str, tuple[Mapping, Manifest]] = {}  # version → as it was stored, as it was read
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
    manifest = _manifest(stored)
    return RegisteredModel(stored.version, stored.created_at, stored.status, stored.folder, manifest)


def _manifest(stored: queries.StoredModel) -> Manifest:
    """A manifest of thousands of values, read anew only if what is stored of that version has changed."""
    held, manifest = _read_before.get(stored.version, (None, None))
    if manifest is None or held != stored.manifest:
        manifest = read_manifest(stored.manifest)
        _read_before[stored.version] = (stored.manifest, manifest)
        for oldest in list(_read_before)[:-MOST_READ]:
            _read_before.pop(oldest, None)
    return manifest


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
