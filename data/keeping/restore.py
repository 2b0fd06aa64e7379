"""Bringing a store back from a backup: all of it, or nothing.

The backup is read twice. First everything in it is opened and proven; then it is put *beside* the store: an
SQLite file next to the old one or a schema of its own in PostgreSQL, and a folder for models and files. There
every table is read back and compared row by row, an older revision is brought to this software's, and
whoever was erased since is erased again. Only then a journal is written and everything changes places.

Killed before the journal, the store is as it was, and the next restore clears away what lay beside it. Killed
after it, nobody opens the store until ``python -m data restore --finish`` has done the rest, which can be
repeated as often as needed.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Engine, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from data import schema
from data.engine.cipher import Cipher
from data.engine.database import Store, connect, reading, writing
from data.engine.kept_head import Head, HeadForged, Seal
from data.engine.migrate import NewerStore, current_revision, migrate, newest_revision, upgrade
from data.engine.progress import Progress
from data.keeping import swapping, tombstones
from data.keeping.archive import Secret
from data.keeping.backup import newest_head, sync_folder
from data.keeping.contents import Contents, TableBegins, TableEnds, verify
from data.keeping.rows import put_lines, set_counter, tables_there, tally_of
from data.keeping.swapping import Journal, file_of
from data.settings import get_settings
from data.store import JOURNAL, KeyFacts, head_path, key_facts, place_of
from data.trust import audit, erase
from data.trust.audit import ACCEPTING
from data.trust.erase import Receipt

_STEP = "putting the rows beside the store"


class CannotRestore(ValueError):
    """A restore that did not begin, or was given up; the store is as it was."""


@dataclass(frozen=True)
class Target:
    """Where a store is brought back to.

    Parameters
    ----------
    url : sqlalchemy.engine.URL
        The database.
    folder : pathlib.Path
        Of models and files.
    head : pathlib.Path
        The file of the audit log's head.
    """

    url: URL
    folder: Path
    head: Path

    @classmethod
    def of_settings(cls, url: str | None = None, folder: Path | None = None) -> Target:
        """What the settings name, as :func:`data.store.open_store` understands it."""
        settings = get_settings()
        parsed, folder = place_of(url, folder, settings)
        return cls(parsed, folder, head_path(folder, settings))

    @property
    def file(self) -> Path | None:
        """The SQLite file; None with PostgreSQL."""
        return file_of(self.url) if self.url.get_backend_name() == "sqlite" else None


@dataclass(frozen=True)
class Restored:
    """What a restore did.

    Parameters
    ----------
    backup_id, made_at : str
        Which state the store has.
    tables : dict
        Table → rows and digest, as the backup has them and as they were read back.
    erased_again : tuple of Receipt
        Whoever was erased after that state.
    lists : tuple of str
        Lists of erasures that were read.
    present_was_read : bool or None
        Whether the store that was replaced could still tell of its erasures; None when there was none.
    entry : int
        The entry of the audit log that tells of the restore.
    """

    backup_id: str
    made_at: str
    tables: dict[str, dict]
    erased_again: tuple[Receipt, ...]
    lists: tuple[str, ...]
    present_was_read: bool | None
    entry: int


def restore(
    path: Path,
    secret: Secret,
    key: Cipher,
    target: Target,
    *,
    actor: str,
    replace: bool = False,
    lists: Sequence[Path] = (),
    progress: Progress | None = None,
) -> Restored:
    """Bring a store back from a backup.

    Parameters
    ----------
    path : pathlib.Path
        The backup; a list of erasures beside it is read too.
    key : Cipher
        The store's key, which the backup does not hold.
    replace : bool
        Whether a store that is there may go.
    lists : sequence of pathlib.Path
        Further lists of erasures.

    Raises
    ------
    CannotRestore
        When there is a store already, it is in use, the key is not the store's, or the log in the backup is
        broken.
    data.keeping.archive.BadBackup
        When the backup was altered or cut off, or the secret is another one.
    data.engine.migrate.NewerStore
        When the backup was made by a newer version of the software.
    """
    target.folder.mkdir(parents=True, exist_ok=True)
    with _alone(target):
        if (target.folder / JOURNAL).exists():
            raise CannotRestore("a restore was cut off here: python -m data restore --finish first")
        swapping.clear(target.url, target.folder)
        there = _is_there(target)
        if there and not replace:
            raise CannotRestore(
                "there is a store already; --replace lets it go for the backup, TEPAT_FOLDER or DATABASE_URL "
                "names another place"
            )
        if there:
            swapping.refuse_in_use(target.url)
        _proven(path, secret, key, progress)
        return _Restoring(path, secret, key, target, actor).run(there, lists, progress)


def finish(target: Target, key: Cipher) -> bool:
    """Put a restore in its place that was cut off then. Returns whether there was one.

    Parameters
    ----------
    key : Cipher
        The store's.
    """
    with _alone(target):
        journal = Journal.read(target.folder)
        if journal is None:
            swapping.clear(target.url, target.folder)
            return False
        swapping.refuse_in_use(target.url)
        swapping.swap(target.url, target.folder, journal)
        _keep_head(target, key, journal)
        return True


class _Restoring:
    """One restore, from the proven backup to the journal."""

    def __init__(self, path: Path, secret: Secret, key: Cipher, target: Target, actor: str) -> None:
        self.path, self.secret, self.key, self.target, self.actor = path, secret, key, target, actor
        self.restore_id = uuid.uuid4().hex
        self.beside = swapping.beside(target.folder, self.restore_id)

    def run(self, there: bool, lists: Sequence[Path], progress: Progress | None) -> Restored:
        """All of it."""
        engine = swapping.engine_beside(self.target.url, self.restore_id)
        try:
            contents = self._loaded(engine, progress)
            store = self._opened(engine)
            known = self._present_erasures(store.seal) if there else None
            listed = [tombstones.list_of(self._seal(store)), self.path.with_name(tombstones.FILE), *lists]
            read = [one for one in dict.fromkeys(listed) if one.exists()]
            again = erase.erase_again(store, tombstones.buried(self._seal(store), read))
            if again:  # files of then may say what was erased
                swapping.drop_kept_files(self.beside)
            about = contents.about
            entry = self._told(store, about, again, known)
            journal = Journal(self.restore_id, about["backup"], *entry)
            swapping.settle(engine)
        except BaseException:
            engine.dispose()
            swapping.clear(self.target.url, self.target.folder)
            raise
        engine.dispose()
        for one in read:
            tombstones.copy_list(self._seal(store), one, listed[0])
        journal.write(self.target.folder)
        swapping.swap(self.target.url, self.target.folder, journal)
        _keep_head(self.target, self.key, journal)
        names = tuple(map(str, read))
        return Restored(
            about["backup"], about["made_at"], contents.tables, tuple(again), names, known, entry[0]
        )

    def _loaded(self, engine: Engine, progress: Progress | None) -> Contents:
        for one in swapping.FOLDERS:
            (self.beside / one).mkdir(mode=0o700, parents=True)
        with writing(engine, "migrate") as connection:

            def begin(begins: TableBegins) -> None:
                if not made:
                    made.append(_revision(contents.about))
                    upgrade(connection, made[0])
                if begins.name not in tables_there(connection):
                    raise CannotRestore(f"the backup holds a table {begins.name!r} that this version lacks")
                counters[begins.name] = begins.counted_by
                shapes[begins.name] = begins.shape

            def end(ends: TableEnds) -> None:
                counted = counters[ends.name]
                if counted is not None:
                    set_counter(connection, ends.name, counted, ends.told["counter"])

            made: list[str] = []
            counters: dict[str, str | None] = {}
            shapes: dict[str, list] = {}
            contents = Contents(
                self.path,
                self.secret,
                on_table=begin,
                on_rows=lambda begins, lines: put_lines(connection, begins.name, begins.shape, lines),
                on_end=end,
                on_file=self._put_file,
            )
            contents.read(
                None if progress is None else lambda done, total, _, /: progress(done, total, _STEP)
            )
        with reading(engine) as connection:
            for name, noted in contents.tables.items():
                found = tally_of(connection, name, shapes[name])
                if any(found[part] != noted[part] for part in found):
                    raise CannotRestore(f"table {name!r} does not read back as it was written")
        return contents

    def _put_file(self, path: str, parts: Iterator[bytes]) -> None:
        file = self.beside / path
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            for part in parts:
                opened.write(part)
            opened.flush()
            os.fsync(opened.fileno())

    def _opened(self, engine: Engine) -> Store:
        """The store beside, at this software's revision; its head is kept beside too."""
        facts = key_facts(engine)
        cipher = facts.unlocked(self.key.master)
        if cipher is None:
            raise CannotRestore("the key is not the one that the store of the backup was encrypted with")
        seal = facts.seal(cipher, self.beside / self.target.head.name)
        migrate(engine, seal)
        with reading(engine) as connection:
            seal.keep(Head(*newest_head(connection)), anew=True)
        return Store(engine, cipher, self.target.url.render_as_string(hide_password=True), self.beside, seal)

    def _seal(self, store: Store) -> Seal:
        return Seal(store.cipher, self.target.head, store.seal.store_id)

    def _present_erasures(self, seal: Seal) -> bool:
        """Put on the list what the store that is replaced knows of erasures. Whether it could be read."""
        engine = connect(self.target.url)
        try:
            if KeyFacts.seal(key_facts(engine), seal.cipher, seal.path).store_id != seal.store_id:
                return True  # another store: its erasures are of other people
            with reading(engine) as connection:
                rows = [dict(row) for row in connection.execute(select(schema.erasures)).mappings()]
        except (DBAPIError, ValueError):
            return False
        finally:
            engine.dispose()
        own = Seal(seal.cipher, self.target.head, seal.store_id)
        tombstones.bury_all(own, rows, tombstones.list_of(own))
        return True

    def _told(self, store: Store, about: dict, again: list[Receipt], known: bool | None) -> tuple[int, str]:
        """Write down that the store was restored. Returns the log's head."""
        try:
            kept = self._seal(store).kept()
            before = "nothing" if kept is None else f"entry {kept.entry} {kept.hash}"
        except HeadForged:
            before = "not this store's"
        told = {"made_at": about["made_at"], "head": about["head"][0], "replaced": known is not None}
        told |= {"erased_again": [receipt.erasure_id for receipt in again], "kept_before": before}
        by = {"actor": self.actor, "role": "system"}
        audit.append(store, **by, action="restore backup", object=about["backup"], detail=told)
        reason = f"restored from the backup {about['backup']} of {about['made_at']}"
        taken = {"reason": reason, "kept_before": before}
        audit.append(store, **by, action=ACCEPTING, object="audit log", detail=taken)
        with store.reading() as connection:
            return newest_head(connection)


def _proven(path: Path, secret: Secret, key: Cipher, progress: Progress | None) -> None:
    found = verify(path, secret, key, progress)
    _revision(found.about)
    if found.log == "not the store's key":
        raise CannotRestore(
            f"wrong key: the store of the backup was encrypted with the key of fingerprint "
            f"{found.about['fingerprint']}, the one here is {key.fingerprint}; put that one there"
        )
    if found.log != "proven":
        raise CannotRestore(f"the audit log in the backup is broken at entry {found.broken_at}")


def _revision(about: dict) -> str:
    made = str(about["revision"])
    if made > newest_revision():
        raise NewerStore(
            f"the backup is of revision {made}, this software knows only up to {newest_revision()}: use the "
            "version that made it"
        )
    return made


def _is_there(target: Target) -> bool:
    if target.file is not None and not (target.file.is_file() and target.file.stat().st_size):
        return False
    engine = connect(target.url)
    try:
        if current_revision(engine) is not None:
            return True
        with reading(engine) as connection:
            return bool(tables_there(connection))
    except DBAPIError:
        if target.file is None:
            raise
        return True  # a damaged file is still somebody's store
    finally:
        engine.dispose()


def _keep_head(target: Target, key: Cipher, journal: Journal) -> None:
    """Keep the restored log's head outside; then the restore is over."""
    engine = connect(target.url)
    try:
        facts = key_facts(engine)
        cipher = facts.unlocked(key.master)
        if cipher is None:
            raise CannotRestore("the key is not the store's: put that one there, then --finish again")
        facts.seal(cipher, target.head).keep(Head(journal.entry, journal.hash), anew=True)
    finally:
        engine.dispose()
    (target.folder / JOURNAL).unlink()
    sync_folder(target.folder)
    swapping.clear(target.url, target.folder)


@contextmanager
def _alone(target: Target) -> Iterator[None]:
    lock = FileLock(target.folder / "restore.lock", timeout=0, mode=0o600)
    try:
        with lock:
            yield
    except Timeout:
        raise CannotRestore("another restore is at work here; wait for it") from None
