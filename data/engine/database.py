"""Connections: how SQLite and PostgreSQL are opened, read and written; nothing about what is stored."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, create_engine, event, func, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from data.engine.cipher import Cipher
from data.engine.kept_head import Pen, Seal

BUSY_SECONDS = 120  # how long a writer waits for another before it gives up
LOCKS = {  # PostgreSQL advisory locks
    "migrate": 73_100_001,
    "store": 73_100_002,
    "audit": 73_100_003,
    "jobs": 73_100_004,  # a list of jobs can change while an import holds "store"
    "worker": 73_100_005,
    "job": 73_100_006,
    "accounts": 73_100_007,  # accounts and sessions can change while an import holds "store"
}
_DISK_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY)
_DISK_STATES = ("53100", "25006", "58030")  # PostgreSQL: disk full, read-only, input/output error
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_WRITES = "tepat_writes"
_PEN = "tepat_audit_pen"
_CIPHER = "tepat_cipher"


@dataclass(frozen=True)
class Store:
    """An open store.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Its connections.
    cipher : data.engine.cipher.Cipher
        Encrypts specimens and embeddings.
    url : str
        The database, without any password.
    folder : pathlib.Path
        Where the key file, models and caches of this store live.
    seal : data.engine.kept_head.Seal
        Proves entries of the audit log, and keeps its head outside the database.
    """

    engine: Engine = field(repr=False)
    cipher: Cipher = field(repr=False)
    url: str
    folder: Path
    seal: Seal = field(repr=False)

    @property
    def models_folder(self) -> Path:
        """Where the folders of trained models lie."""
        return self.folder / "models"

    @property
    def cache_folder(self) -> Path:
        """Where anything derived from specimens may be cached on disk (heat maps, search indexes).

        Erasure deletes there every file whose name contains the specimen's id or the student's key, and
        every file below a folder named "indexes".
        """
        return self.folder / "cache"

    def reading(self):
        """A connection in one consistent, read-only snapshot."""
        return reading(self.engine, self.cipher)

    @contextmanager
    def writing(self, lock: str = "store") -> Iterator[Connection]:
        """A connection in one transaction that is alone in holding ``lock``; commits on success.

        Where it wrote to the audit log, the log's new head is kept outside the database after the commit.
        """
        pen = Pen(self.seal)
        with writing(self.engine, lock, pen, self.cipher) as connection:
            yield connection
        pen.keep()

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def connect(url: str | URL) -> Engine:
    """An engine for a SQLite or PostgreSQL URL, with the pragmas and transactions that the store relies on.

    Raises
    ------
    ValueError
        When the URL is of another database.

    Notes
    -----
    Parameters of a failed statement are hidden: they are personal data, and errors end in logs.
    """
    parsed = make_url(url)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    kind = parsed.get_backend_name()
    if kind == "postgresql":
        engine = create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    if kind != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise ValueError(f"url must name PostgreSQL or a SQLite file, got {parsed.render_as_string()!r}")
    path = Path(parsed.database)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # personal data: for the owner only; SQLite gives its log files the same mode
    engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


DatabaseProblem = DBAPIError
"""What a database that was asked answers with when it does not do it."""


def is_lost(problem: BaseException) -> bool:
    """Whether an error says that the connection to the database is gone, so that the same may do later."""
    return isinstance(problem, DBAPIError) and (
        problem.connection_invalidated
        or (isinstance(problem, OperationalError) and not type(problem.orig).__module__.startswith("sqlite3"))
    )


def is_full(problem: BaseException) -> bool:
    """Whether an error says that a disk takes no more: it is full, over its quota, or for reading only."""
    if isinstance(problem, DBAPIError):
        code = getattr(problem.orig, "sqlite_errorcode", None)
        state = getattr(problem.orig, "sqlstate", None)
        return (code is not None and code & 0xFF in _DISK_CODES) or state in _DISK_STATES
    return isinstance(problem, OSError) and problem.errno in _DISK_ERRORS


@contextmanager
def reading(engine: Engine, cipher: Cipher | None = None) -> Iterator[Connection]:
    """See :meth:`Store.reading`; without a cipher no sealed cell can be read."""
    options: dict[str, object] = {_CIPHER: cipher}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect() as bare:
        with bare.execution_options(**options) as connection:
            yield connection


@contextmanager
def writing(
    engine: Engine, lock: str = "store", pen: Pen | None = None, cipher: Cipher | None = None
) -> Iterator[Connection]:
    """See :meth:`Store.writing`; without a pen nothing can be written to the audit log, and without a cipher
    no sealed cell."""
    options = {_WRITES: True, _PEN: pen, _CIPHER: cipher}
    with engine.connect() as bare, bare.execution_options(**options) as connection:
        with connection.begin():
            take_lock(connection, lock)
            yield connection


def pen_of(connection: Connection) -> Pen:
    """What writes to the audit log within a transaction of :meth:`Store.writing`."""
    pen = connection.get_execution_options().get(_PEN)
    if pen is None:
        raise RuntimeError("the audit log is written in a transaction of Store.writing only")
    return pen


def cipher_of(connection: Connection) -> Cipher:
    """The store's cipher, within :meth:`Store.reading` and :meth:`Store.writing`."""
    cipher = connection.get_execution_options().get(_CIPHER)
    if cipher is None:
        raise RuntimeError("sealed cells are read and written in Store.reading and Store.writing only")
    return cipher


def take_lock(connection: Connection, lock: str) -> None:
    """Hold ``lock`` until the end of the transaction. On SQLite a write transaction holds them all."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LOCKS[lock])))


def insert_numbered(connection: Connection, table: Table, row: Mapping[str, object]) -> int:
    """Insert one row into a table whose key the database counts up. Returns the new key."""
    key = connection.execute(insert(table).values(**row)).inserted_primary_key
    if key is None:
        raise RuntimeError(f"the database gave no key to a new row of {table.name}")
    return key[0]


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that later writes can fail with "database is locked" without waiting.
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection, _record) -> None:
    """Statements are not compiled: over a large table that costs more than pages have for an answer."""
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off")
    connection.commit()


def _prepare_sqlite(connection: sqlite3.Connection, _record) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event starts transactions, not the driver
    cursor = connection.cursor()
    for pragma in (
        "PRAGMA foreign_keys = ON",
        "PRAGMA recursive_triggers = ON",  # so that REPLACE cannot go round the append-only triggers
        "PRAGMA secure_delete = ON",  # erased content is overwritten, not only unlinked
        "PRAGMA temp_store = MEMORY",
        "PRAGMA cache_size = -65536",
        "PRAGMA synchronous = FULL",
    ):
        cursor.execute(pragma)
    _switch_to_wal(cursor)
    cursor.close()


def _switch_to_wal(cursor: sqlite3.Cursor) -> None:
    # The switch does not honour the busy timeout when another process is switching too.
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
