"""The log of imports: every write of records or specimens belongs to one."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select, update

from data import schema
from data.engine.cipher import Cipher
from data.engine.clock import now
from data.engine.database import Store
from data.records.frames import told_counts
from data.trust.audit import Entry, note_in
from data.trust.origin import claim

IMPORTED = "import files"  # the action in the audit log
_STORED = ("source", "files", "actor", "synthetic", "import_id")


@dataclass(frozen=True)
class ImportNote:
    """What the log says about an import.

    Parameters
    ----------
    source : str
        File names or a description, never a path.
    files : dict
        File name → {"sha256": …, "rows": …}.
    actor : str
        Account, or "command line".
    synthetic : bool
        Whether the data are invented.
    import_id : str
        Its id; by default a new one.
    role : str or None
        The actor's, for the audit log: the import's entry is written in the transaction that opens the import
        or, where records come with it, writes them. None: no entry; for generators.
    planned : dict
        Counts for that entry of what is written later, by table.
    """

    source: str
    files: dict
    actor: str
    synthetic: bool = False
    import_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    role: str | None = None
    planned: dict = field(default_factory=dict)

    def entry(self, counts: dict) -> Entry | None:
        """What the audit log says of it; ``counts`` of what is written now."""
        if self.role is None:
            return None
        detail = told_counts(counts) | self.planned
        return Entry(self.actor, self.role, IMPORTED, self.import_id, detail)


def new_import(store: Store, *, source: str, files: dict, actor: str, synthetic: bool = False, **more) -> str:
    """Open an import: a row of ``imports`` that later writes refer to. Returns its id.

    The parameters are those of :class:`ImportNote`.
    """
    return ensure_import(store, ImportNote(source, files, actor, synthetic, **more))


def open_import(connection: Connection, note: ImportNote) -> bool:
    """Open an import inside a transaction, unless it is open already. Returns whether it is new.

    Raises
    ------
    data.trust.origin.RealDataRefused
        When the store is a demo and the data are not declared to be invented.
    """
    imports = schema.imports
    known = select(imports.c.import_id).where(imports.c.import_id == note.import_id)
    if connection.scalar(known) is None:
        claim(connection, synthetic=note.synthetic)
        row = {name: getattr(note, name) for name in _STORED}
        connection.execute(insert(imports).values(**row, started_at=now(), counts={}))
        return True
    return False


def ensure_import(store: Store, note: ImportNote) -> str:
    """Open an import unless it is open. Returns its id."""
    with store.writing() as connection:
        if open_import(connection, note):
            note_in(connection, note.entry({}))
    return note.import_id


def records_written(store: Store, import_id: str) -> dict[str, dict[str, int]] | None:
    """What an import counted; None when there is none of that id, whose records are then not written.

    Raises
    ------
    ValueError
        When the import was undone: nothing can be added to it.
    """
    imports = schema.imports
    found = select(imports.c.counts, imports.c.undone_at).where(imports.c.import_id == import_id)
    with store.reading() as connection:
        row = connection.execute(found).one_or_none()
    if row is not None and row.undone_at is not None:
        raise ValueError(f"import_id must be an import that was not undone, got {import_id!r}")
    return None if row is None else row.counts


def keep_for_undo(
    connection: Connection, cipher: Cipher, import_id: str, replaced: dict | None = None
) -> None:
    """Note that an import has changed something, which makes it the one that can be undone.

    Parameters
    ----------
    replaced : dict, optional
        What the undo needs and ``row_history`` does not hold: "names" and "birth_years" (student key → value)
        and "programs" (codes that are new). Kept encrypted, for the newest import only.
    """
    imports = schema.imports
    before = connection.scalar(select(imports.c.replaced).where(imports.c.import_id == import_id))
    if before is not None and replaced is None:
        return
    connection.execute(update(imports).where(imports.c.replaced.is_not(None)).values(replaced=None))
    sealed = cipher.encrypt(json.dumps(replaced or {}).encode(), f"import:{import_id}")
    connection.execute(update(imports).where(imports.c.import_id == import_id).values(replaced=sealed))


def finish_import(connection: Connection, import_id: str, counts: dict) -> None:
    """Note what an import did, beside what it had noted before."""
    imports = schema.imports
    earlier = connection.scalar(select(imports.c.counts).where(imports.c.import_id == import_id))
    if earlier is None:
        raise ValueError(f"import_id must be an import of this store, got {import_id!r}")
    connection.execute(
        update(imports)
        .where(imports.c.import_id == import_id)
        .values(counts={**earlier, **counts}, finished_at=now())
    )
