"""Making a backup: one consistent state of the store, while it is worked with, in one sealed file.

What a backup holds, as frames of :mod:`data.keeping.archive` in this order:

``H``
    JSON: revision, software, database, institution, head of the audit log, fingerprint of the store's key.
``K``
    JSON, if asked for: the store's key, wrapped with a passphrase.
``T``, ``R`` …, ``t``
    a table: its name and columns; rows, one line of JSON each (:mod:`data.keeping.rows`); their number and
    digest, and the number at which the table counts on. ``store_facts`` comes first, the others as foreign
    keys need them. ``audit_log`` is in the order of its entries.
``F``, ``D`` …, ``f``
    a file below the store's folder: its path; its bytes; how many, and their SHA-256.
``E``
    JSON: what ``t`` and ``f`` said, once more, together.

The state is that of one read transaction: a snapshot of SQLite's write-ahead log, or PostgreSQL's repeatable
read. Specimens and embeddings are in it as the database has them, sealed with the store's key, which is
needed too. Sessions are left out: a backup must not sign anybody in again.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select

from data import schema
from data.engine.clock import now
from data.engine.database import Store
from data.engine.facts import read_fact
from data.engine.migrate import newest_revision
from data.engine.progress import Progress
from data.keeping import tombstones
from data.keeping.archive import Secret, Writer, sealed_small
from data.keeping.rows import Tally, counted_by, counter_of, lines_of, shape_of
from data.settings import software_version
from data.trust import audit
from data.trust.audit import FIRST

LEFT_OUT = frozenset({schema.sessions.name})
MODELS, JOBS, FEEDER = "models/", "jobs/", "feeder/"  # what of the store's folder is in a backup
WRAPPED = "store's key"
BATCH = 1 << 20  # bytes of rows in a frame
PART = ".part"  # how a file ends that is being written
_STEP = "writing the backup"


@dataclass(frozen=True)
class Backup:
    """A backup that was made.

    Parameters
    ----------
    backup_id : str
        32 hexadecimal digits.
    file : pathlib.Path
        Where it lies.
    made_at : str
        When the state was that it holds, UTC, ISO 8601.
    size : int
        Bytes.
    sha256 : str
        Of the file.
    rows, files : int
        How many rows and files it holds.
    entry : int
        The newest entry of the audit log in it.
    missing : tuple of str
        Files that the store names and that were not there.
    """

    backup_id: str
    file: Path
    made_at: str
    size: int
    sha256: str
    rows: int
    files: int
    entry: int
    missing: tuple[str, ...] = ()


def make_backup(
    store: Store,
    file: Path,
    secret: Secret,
    *,
    actor: str,
    role: str = "system",
    wrap: Secret | None = None,
    progress: Progress | None = None,
) -> Backup:
    """Write a backup into a new file, which appears whole or not at all.

    Parameters
    ----------
    file : pathlib.Path
        Must not exist.
    secret : Secret
        What it is sealed with.
    wrap : Secret, optional
        A passphrase: the store's key is put in, wrapped with it.

    Raises
    ------
    FileExistsError
        When there is such a file.

    Notes
    -----
    Two entries of the audit log: one before, which is in the backup itself, so that no copy leaves without a
    trace; one when it is done. A kill leaves the first without the second, and a file that ends in ``.part``.
    """
    if file.exists():
        raise FileExistsError(17, "there is such a file already", file.name)
    backup_id = uuid.uuid4().hex
    about = {"actor": actor, "role": role, "object": backup_id}
    audit.append(store, **about, action="begin backup", detail={"file": file.name, "key": wrap is not None})
    draft = file.with_name(file.name + PART)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
            made = _written(
                store, _Digesting(opened), secret, Backup(backup_id, file, *_NOTHING), wrap, progress
            )
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(draft, file)
        sync_folder(file.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    told = {"sha256": made.sha256, "rows": made.rows, "files": made.files, "head": made.entry}
    audit.append(store, **about, action="make backup", detail=told | {"missing": list(made.missing)})
    return made


def sync_folder(folder: Path) -> None:
    """Wait until a folder's names are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_NOTHING = ("", 0, "", 0, 0, 0)


class _Digesting:
    """A file that is hashed as it is written."""

    def __init__(self, file) -> None:
        self.file, self.size, self._hash = file, 0, hashlib.sha256()

    def write(self, content: bytes) -> None:
        self.file.write(content)
        self._hash.update(content)
        self.size += len(content)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _written(
    store: Store,
    file: _Digesting,
    secret: Secret,
    made: Backup,
    wrap: Secret | None,
    progress: Progress | None,
) -> Backup:
    with store.reading() as connection:
        head = newest_head(connection)  # the first read: the state is that of now
        made_at = f"{now().isoformat(timespec='seconds')}Z"
        writer = Writer(file, secret, {"backup": made.backup_id, "made_at": made_at})
        writer.told("H", _about(store, connection, made.backup_id, made_at, head))
        if wrap is not None:
            writer.told("K", sealed_small(store.cipher.master, wrap, WRAPPED))
        tables, ends = ordered_tables(), {}
        for place, one in enumerate(tables):
            if progress is not None:
                progress(place, len(tables), _STEP)
            ends[one.name] = _table(writer, connection, one)
        wanted = list(_wanted(connection))
    files, missing = {}, []
    for needed in wanted:
        there = _there(store.folder, needed)
        if not there and needed.startswith(MODELS):  # the others go when they are a day old
            missing.append(needed)
        for path in there:
            told = _file(writer, store.folder, path)
            if told is not None:
                files[path] = told
    writer.told("E", {"tables": ends, "files": files})
    writer.end()
    with_them = {"rows": sum(end["rows"] for end in ends.values()), "files": len(files)}
    with_them |= {"size": file.size, "sha256": file.sha256, "entry": head[0]}
    return replace(made, made_at=made_at, missing=tuple(missing), **with_them)


def newest_head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the newest entry of a log; of the beginning where there is none."""
    log = schema.audit_log
    newest = select(log.c.entry, log.c.hash).order_by(log.c.entry.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return (0, FIRST) if row is None else (row.entry, row.hash)


def ordered_tables() -> list[Table]:
    """The tables of a backup in its order."""
    first = schema.store_facts
    others = [one for one in schema.metadata.sorted_tables if one is not first and one.name not in LEFT_OUT]
    return [first, *others]


def _about(store: Store, connection: Connection, backup_id: str, made_at: str, head) -> dict[str, Any]:
    return {
        "backup": backup_id,
        "made_at": made_at,
        "revision": newest_revision(),
        "software": software_version(),
        "database": store.engine.dialect.name,
        "institution": read_fact(connection, "institution"),
        "fingerprint": store.cipher.fingerprint,
        "store_id": store.seal.store_id,
        "head": list(head),
    }


def _table(writer: Writer, connection: Connection, one: Table) -> dict[str, Any]:
    shape, tally, waiting, size = shape_of(one), Tally(), [], 0
    first = schema.audit_log.c.entry.name if one is schema.audit_log else None
    writer.told("T", {"table": one.name, "columns": shape, "counted_by": counted_by(one)})
    for line in lines_of(connection, one.name, shape, first):
        tally.add(line)
        waiting.append(line)
        size += len(line)
        if size > BATCH:
            writer.frame("R", b"\n".join(waiting))
            waiting, size = [], 0
    if waiting:
        writer.frame("R", b"\n".join(waiting))
    told = tally.told() | {"counter": counter_of(connection, one)}
    writer.told("t", told)
    return told


def _wanted(connection: Connection) -> Iterator[str]:
    """Paths below the folder of the files that the state of the database needs."""
    models, jobs = schema.models, schema.jobs
    for folder in sorted(connection.scalars(select(models.c.folder))):
        yield f"{MODELS}{folder}/"
    for arguments, result in connection.execute(select(jobs.c.arguments, jobs.c.result)):
        kept = [(arguments or {}).get("files"), (result or {}).get("files"), (result or {}).get("found")]
        yield from (f"{JOBS}{one}/" for one in kept if isinstance(one, str))
    yield FEEDER


def _there(folder: Path, needed: str) -> list[str]:
    """The files of a folder below the store's, without drafts and folders."""
    if not (folder / needed).is_dir():
        return []
    files = (one for one in (folder / needed).rglob("*") if one.is_file() and not one.name.startswith("."))
    inside = sorted(one.relative_to(folder) for one in files)
    if needed == FEEDER:  # notes that last; the pages of a pull that was cut off are asked for again
        inside = [one for one in inside if len(one.parts) == 2 and one.name != "lock"]
    return [one.as_posix() for one in inside]


def _file(writer: Writer, folder: Path, path: str) -> dict[str, Any] | None:
    """Put a file in; None when it has gone since."""
    try:
        file = (folder / path).open("rb")
    except FileNotFoundError:
        return None
    digest, size = hashlib.sha256(), 0
    with file:
        writer.told("F", {"file": path})
        while part := file.read(BATCH):
            digest.update(part)
            size += len(part)
            writer.frame("D", part)
    told = {"bytes": size, "sha256": digest.hexdigest()}
    writer.told("f", told)
    return told


def list_beside(store: Store, file: Path) -> None:
    """Bring the list of erasures up to date, and leave a copy of it beside a backup."""
    erasures = schema.erasures
    with store.reading() as connection:
        rows = connection.execute(select(erasures)).mappings().all()
    own = tombstones.list_of(store.seal)
    tombstones.bury_all(store.seal, [dict(row) for row in rows], own)
    tombstones.copy_list(store.seal, own, file.with_name(tombstones.FILE))
