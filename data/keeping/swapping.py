"""What lies beside a store during a restore, and how the two change places.

Names carry the restore's number: ``.restore-N`` in the folder holds models and files, ``.tepat.db.restore-N``
is the new SQLite file, ``tepat_restore_N`` the new schema in PostgreSQL. Every step of :func:`swap` can be
repeated; what is still beside has not changed places yet.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import LiteralString

from sqlalchemy import Engine, column, func, inspect, select, table
from sqlalchemy.engine import URL

from data import schema
from data.engine.database import connect, reading, writing
from data.keeping.backup import FEEDER, JOBS, MODELS, sync_folder
from data.store import JOURNAL

FOLDERS = tuple(one.rstrip("/") for one in (MODELS, JOBS, FEEDER))
CACHE = "cache"  # derived from what is no longer there
_BESIDE, _SCHEMA = ".restore-", "tepat_restore_"
_PATIENCE = 3  # seconds to wait for whoever has the store open


class InUse(ValueError):
    """Somebody has the store open that is to be replaced."""


@dataclass(frozen=True)
class Journal:
    """That a restore is complete beside the store, and what is left to be done.

    Parameters
    ----------
    restore_id, backup_id : str
        32 hexadecimal digits.
    entry, hash
        Head of the restored audit log.
    """

    restore_id: str
    backup_id: str
    entry: int
    hash: str

    @classmethod
    def read(cls, folder: Path) -> Journal | None:
        """The journal of a folder; None when there is none."""
        try:
            return cls(**json.loads((folder / JOURNAL).read_text(encoding="ascii")))
        except FileNotFoundError:
            return None

    def write(self, folder: Path) -> None:
        """From here on the restore goes through."""
        draft = folder / f".{JOURNAL}"
        with draft.open("w", encoding="ascii") as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / JOURNAL)
        sync_folder(folder)


def beside(folder: Path, restore_id: str) -> Path:
    """Where models and files lie until they change places."""
    return folder / f"{_BESIDE}{restore_id}"


def engine_beside(url: URL, restore_id: str) -> Engine:
    """The database that is to take the other's place, empty."""
    if url.get_backend_name() == "sqlite":
        return connect(url.set(database=str(_file_beside(url, restore_id))))
    name = f"{_SCHEMA}{restore_id}"
    engine = connect(url)
    with engine.begin() as connection:
        _run(connection, "CREATE SCHEMA {}", name)
    engine.dispose()
    return connect(url.update_query_dict({"options": f"-csearch_path={name}"}))


def settle(engine: Engine) -> None:
    """Let nothing of a SQLite file lie in its log, so that the file alone is the database."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    file = file_of(engine.url)
    engine.dispose()
    with closing(sqlite3.connect(file)) as bare:
        bare.execute("PRAGMA journal_mode = DELETE")
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def drop_kept_files(beside: Path) -> None:
    """Delete results and uploads of jobs, and the notes on Feeder, from what is to be restored."""
    for one in (JOBS, FEEDER):
        shutil.rmtree(beside / one)
        (beside / one).mkdir(mode=0o700)


def swap(url: URL, folder: Path, journal: Journal) -> None:
    """Let what lies beside take the store's place."""
    if url.get_backend_name() == "sqlite":
        _swap_file(url, journal.restore_id)
    else:
        _swap_schema(url, f"{_SCHEMA}{journal.restore_id}")
    new = beside(folder, journal.restore_id)
    for one in FOLDERS:
        if (new / one).is_dir():
            if (folder / one).exists():
                (folder / one).replace(new / f"{one}.replaced")
            (new / one).replace(folder / one)
    shutil.rmtree(folder / CACHE, ignore_errors=True)
    sync_folder(folder)


def clear(url: URL, folder: Path) -> None:
    """Delete what restores have left beside a store; there must be no journal."""
    for one in folder.glob(f"{_BESIDE}*"):
        shutil.rmtree(one)
    if url.get_backend_name() == "sqlite":
        file = file_of(url)
        for one in file.parent.glob(f".{file.name}{_BESIDE}*"):
            one.unlink()
        return
    engine = connect(url)
    try:
        with engine.begin() as connection:
            for name in inspect(connection).get_schema_names():
                if name.startswith(_SCHEMA):
                    _run(connection, "DROP SCHEMA {} CASCADE", name)
    finally:
        engine.dispose()


def refuse_in_use(url: URL) -> None:
    """Refuse a store that a page, a worker or a command has open.

    Raises
    ------
    InUse
    """
    said = "the store is in use: stop the app, the worker and every command on it first"
    if url.get_backend_name() == "sqlite":
        file = file_of(url)
        if not file.exists():
            return
        try:
            with closing(sqlite3.connect(file, timeout=_PATIENCE)) as bare:
                bare.execute("PRAGMA journal_mode = DELETE")  # only whoever is alone may leave the WAL
        except sqlite3.OperationalError as problem:
            if "locked" in str(problem):
                raise InUse(said) from None
            raise
        except sqlite3.DatabaseError:  # damaged: nobody works with it
            return
        return
    engine = connect(url)
    activity = table("pg_stat_activity", column("pid"), column("datname"), column("backend_type"))
    others = select(func.count()).select_from(activity)
    others = others.where(
        activity.c.datname == func.current_database(),
        activity.c.pid != func.pg_backend_pid(),
        activity.c.backend_type == "client backend",
    )
    try:
        with reading(engine) as connection:
            if connection.scalar(others):
                raise InUse(said)
    finally:
        engine.dispose()


def _swap_file(url: URL, restore_id: str) -> None:
    file, new = file_of(url), _file_beside(url, restore_id)
    if new.exists():
        for end in ("-wal", "-shm", "-journal"):  # the old file's: not of the new one
            file.with_name(file.name + end).unlink(missing_ok=True)
        new.replace(file)
        sync_folder(file.parent)


def _swap_schema(url: URL, name: str) -> None:
    engine = connect(url)
    try:
        with writing(engine, "migrate") as connection:
            inspector = inspect(connection)
            if name not in inspector.get_schema_names():
                return
            home = str(connection.scalar(select(func.current_schema())))
            new = inspector.get_table_names(schema=name)
            ours = {*schema.metadata.tables, *new}
            for one in sorted(ours & set(inspector.get_table_names())):
                _run(connection, "DROP TABLE {} CASCADE", one)
            for one in _functions(connection, home):
                _run(connection, "DROP FUNCTION {} CASCADE", one)
            for one in new:
                _run(connection, "ALTER TABLE {}.{} SET SCHEMA {}", name, one, home)
            for one in _functions(connection, name):
                _run(connection, "ALTER FUNCTION {}.{} SET SCHEMA {}", name, one, home)
            _run(connection, "DROP SCHEMA {}", name)
    finally:
        engine.dispose()


def _functions(connection, of_schema: str) -> list[str]:
    """Functions of our triggers in a schema."""
    routines = table(
        "routines", column("routine_name"), column("routine_schema"), schema="information_schema"
    )
    found = select(routines.c.routine_name).where(
        routines.c.routine_schema == of_schema, routines.c.routine_name.startswith("tepat_")
    )
    return sorted(connection.scalars(found))


def _run(connection, statement: LiteralString, *names: str) -> None:
    """A statement of PostgreSQL with names in it, quoted as names."""
    from psycopg import sql

    with connection.connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def file_of(url: URL) -> Path:
    """The file of a SQLite database.

    Raises
    ------
    ValueError
        When the URL names none, as of a database in memory.
    """
    if url.database is None:
        raise ValueError("the store must be a file or a PostgreSQL database")
    return Path(url.database).resolve()


def _file_beside(url: URL, restore_id: str) -> Path:
    file = file_of(url)
    return file.with_name(f".{file.name}{_BESIDE}{restore_id}")
