"""Whose people a store holds: invented ones (a demo, which one click opens), real ones, or both.

A store is one or the other for good, decided in the transaction of its first write: a demo takes no real
files, and nothing turns a real store into a demo. Demos of earlier versions took both; what a store holds is
therefore read from its imports, not from the mark alone.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, exists, func, not_, or_, select

from data import schema
from data.engine.database import Store
from data.engine.facts import read_fact, write_fact

MARK = "synthetic"  # the fact: True of a demo, False of an institution's own store
REAL, INVENTED, MIXED = "real", "invented", "mixed"
HOW_TO_START = "`make run OWN=1`, or TEPAT_FOLDER=folder and `python -m data init --administrator NAME`"


class RealDataRefused(ValueError):
    """Real files were to go into a demo."""

    def __init__(self) -> None:
        super().__init__(
            "this store is a demo of invented people that one click opens, so it takes no real files; start "
            f"a store of your own for them: {HOW_TO_START}. `data load --synthetic` takes invented files"
        )


def claim(connection: Connection, *, synthetic: bool) -> None:
    """Before an import is written, in its transaction: refuse real data in a demo.

    A store with an import can no longer become a demo (:func:`emptiness`).

    Parameters
    ----------
    synthetic : bool
        Whether the import was declared to be invented data.

    Raises
    ------
    RealDataRefused
    """
    if not synthetic and read_fact(connection, MARK):
        raise RealDataRefused


def refuse_in_demo(store: Store) -> None:
    """Refuse real files before they are read; :func:`claim` asks again when they are written.

    Raises
    ------
    RealDataRefused
    """
    with store.reading() as connection:
        if read_fact(connection, MARK):
            raise RealDataRefused


def begin_own(store: Store) -> bool:
    """Mark a store that holds nothing yet as an institution's own. Returns whether it is one now.

    A demo stays a demo.
    """
    with store.writing() as connection:
        mark = read_fact(connection, MARK)
        if mark is None:
            write_fact(connection, MARK, False)
        return not mark


def is_begun(store: Store) -> bool:
    """Whether somebody has begun this store as an institution's own, with or without records in it."""
    with store.reading() as connection:
        return read_fact(connection, MARK) is False


def origin(store: Store) -> str:
    """:data:`REAL`, :data:`INVENTED` or :data:`MIXED`."""
    with store.reading() as connection:
        return origin_in(connection)


def origin_in(connection: Connection) -> str:
    """:func:`origin` inside a transaction."""
    mark = read_fact(connection, MARK)
    return named(mark, mark and connection.scalar(select(holds_undeclared())))


def is_synthetic(store: Store) -> bool:
    """Whether everybody in the store was invented."""
    return origin(store) == INVENTED


def named(mark: object, undeclared: object) -> str:
    """The origin for a mark and the answer of :func:`holds_undeclared`."""
    if not mark:
        return REAL
    return MIXED if undeclared else INVENTED


def holds_undeclared() -> ColumnElement[bool]:
    """SQL: whether the store holds an import that nobody has declared to be invented data.

    Earlier versions marked as invented whatever came through the page of a demo. The log tells those: the
    command line writes its entry as "system".
    """
    imports, log = schema.imports, schema.audit_log
    by_page = select(log.c.object).where(log.c.action == "import files", log.c.role != "system")
    undeclared = or_(not_(imports.c.synthetic), imports.c.import_id.in_(by_page))
    return exists().where(and_(imports.c.undone_at.is_(None), undeclared))


def emptiness(connection: Connection) -> dict[str, int]:
    """How many students, imports and accounts there are: what a demo must not be written beside."""
    tables = {"students": schema.students, "imports": schema.imports, "accounts": schema.accounts}
    return {
        name: connection.scalar(select(func.count()).select_from(table)) or 0
        for name, table in tables.items()
    }
