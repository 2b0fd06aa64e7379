"""Brings a database to the newest revision, safely when several processes open it at once."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from data.engine.database import reading, writing
from data.engine.kept_head import Seal

FOLDER = Path(__file__).resolve().parent.parent / "migrations"


class NewerStore(RuntimeError):
    """The database was made by a newer version of the software."""


def newest_revision() -> str:
    """The newest revision among the files; their names begin with its four digits."""
    return max(path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def current_revision(engine: Engine) -> str | None:
    """The revision that the database is at; None when it is empty."""
    with reading(engine) as connection:
        return _revision(connection)


def migrate(engine: Engine, seal: Seal | None = None) -> None:
    """Create or upgrade every table and trigger, all in one transaction.

    Parameters
    ----------
    seal : data.engine.kept_head.Seal, optional
        Of the store; an older one that holds an audit log cannot be upgraded without.

    Raises
    ------
    NewerStore
        When the database was made by a newer version of the software.
    """
    newest = newest_revision()
    found = current_revision(engine)
    if found == newest:
        return
    if found is not None and found > newest:
        raise NewerStore(
            f"the store is at revision {found}, this software knows only up to {newest}: use the version "
            "that made it"
        )
    with _without_foreign_keys(engine), writing(engine, "migrate") as connection:
        if _revision(connection) != newest:  # another process may have been first
            upgrade(connection, seal=seal)
    if (
        found is not None and engine.dialect.name == "sqlite"
    ):  # what a revision sealed lies in the log as it was
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def revise(engine: Engine, message: str) -> Path:
    """Write the next revision: the difference between an up-to-date database and ``data/schema.py``."""
    from alembic import command

    number = f"{int(newest_revision()) + 1:04d}"
    with writing(engine, "migrate") as connection:
        script = command.revision(
            _configuration(connection), message=message, autogenerate=True, rev_id=number
        )
    if script is None or isinstance(script, list):
        raise RuntimeError("no single revision was written")
    return Path(script.path)


def upgrade(connection: Connection, revision: str = "head", seal: Seal | None = None) -> None:
    """Bring the database to a revision, in the caller's transaction."""
    from alembic import command

    config = _configuration(connection)
    config.attributes |= {"installs_triggers": True, "seal": seal}
    command.upgrade(config, revision)


def _configuration(connection: Connection):
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


@contextmanager
def _without_foreign_keys(engine: Engine):
    # Batch mode rebuilds SQLite tables; the pragma cannot change inside a transaction.
    if engine.dialect.name != "sqlite":
        yield
        return
    from sqlalchemy import event

    def switch_off(connection, _record, _proxy) -> None:
        connection.execute("PRAGMA foreign_keys = OFF")

    def switch_on(connection, _record) -> None:
        connection.execute("PRAGMA foreign_keys = ON")

    event.listen(engine, "checkout", switch_off)
    event.listen(engine, "checkin", switch_on)
    try:
        yield
    finally:
        event.remove(engine, "checkout", switch_off)
        event.remove(engine, "checkin", switch_on)
