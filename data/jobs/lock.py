"""Being the only one: a lock that a process holds for as long as it lives, on one machine or on the database.

With SQLite the lock is the operating system's on a file beside the database; with PostgreSQL it is an
advisory lock of one session. Both end with the process, however it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from data.engine.database import LOCKS, Store

StillHeld = Callable[[], bool]


@contextmanager
def held_alone(store: Store, name: str) -> Iterator[StillHeld | None]:
    """Hold a lock during the block, if nobody else does.

    Parameters
    ----------
    name : {"worker", "job"}
        "worker": who gives out jobs; "job": who does one. A worker that was killed may leave a child that is
        still ending; the second lock keeps the next child waiting for it.

    Yields
    ------
    callable or None
        Answers whether the lock is still held (a lost database connection ends it); None when somebody else
        has it.
    """
    if name not in ("worker", "job"):
        raise ValueError(f"name must be 'worker' or 'job', got {name!r}")
    hold = _by_database if store.engine.dialect.name == "postgresql" else _by_file
    with hold(store, name) as still_held:
        yield still_held


@contextmanager
def _by_file(store: Store, name: str) -> Iterator[StillHeld | None]:
    folder = store.folder / "jobs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(folder / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield None
        return
    try:
        yield lambda: True
    finally:
        lock.release()


@contextmanager
def _by_database(store: Store, name: str) -> Iterator[StillHeld | None]:
    number = LOCKS[name]
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(select(func.pg_try_advisory_lock(number))):
            yield None
            return

        def still_held() -> bool:
            try:
                return connection.scalar(select(1)) == 1
            except DBAPIError:
                return False

        try:
            yield still_held
        finally:
            if still_held():
                connection.execute(select(func.pg_advisory_unlock(number)))
