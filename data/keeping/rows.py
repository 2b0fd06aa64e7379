"""Rows as text that means the same on both databases, and what tells whether two tables hold the same rows.

A row is one line of JSON, an array of its cells in the order of the columns: numbers, booleans and null as
they are; dates as ``2024-09-01``, moments as ``2024-09-01 08:00:00.000000``; the text of a JSON column as the
database holds it; bytes as base64. The digest of a table is the sum of the SHA-256 of its lines modulo 2²⁵⁶:
the order in which a database gives its rows does not change it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    cast,
    column,
    func,
    insert,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.types import TypeEngine

from data.engine.bulk import copy_rows

KINDS: dict[str, type[TypeEngine]] = {
    "bool": Boolean,
    "int": Integer,
    "float": Float,
    "moment": DateTime,
    "date": Date,
    "json": JSON,
    "bytes": LargeBinary,
    "text": Text,
}
ROWS, ROWS_OF_BYTES = 5_000, 200  # read at a time
_MODULUS = 1 << 256

Shape = Sequence[tuple[str, str]]
"""Columns of a table: name, and one of KINDS."""


class Tally:
    """Counts lines, and adds up their digest."""

    def __init__(self) -> None:
        self.rows, self._sum = 0, 0

    def add(self, line: bytes) -> None:
        """Take one line."""
        self.rows += 1
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(line).digest(), "big")) % _MODULUS

    def told(self) -> dict[str, Any]:
        """``{"rows", "digest"}``; the digest has 64 hexadecimal digits."""
        return {"rows": self.rows, "digest": f"{self._sum:064x}"}


def shape_of(one: Table) -> list[tuple[str, str]]:
    """The columns of a table of the schema."""
    return [(part.name, _kind(part.type)) for part in one.columns]


def lines_of(connection: Connection, name: str, shape: Shape, first: str | None = None) -> Iterator[bytes]:
    """The rows of a table as lines.

    Parameters
    ----------
    first : str, optional
        The column whose order the lines have; otherwise they have none.
    """
    some = ROWS_OF_BYTES if any(kind == "bytes" for _, kind in shape) else ROWS
    made = _select(name, shape)
    made = made if first is None else made.order_by(column(first))
    makers = [_MAKERS.get(kind) for _, kind in shape]
    for row in connection.execution_options(yield_per=some).execute(made):
        cells = [
            cell if cell is None or make is None else make(cell)
            for cell, make in zip(row, makers, strict=True)
        ]
        yield json.dumps(cells, ensure_ascii=False, separators=(",", ":")).encode()


def tally_of(connection: Connection, name: str, shape: Shape) -> dict[str, Any]:
    """What :meth:`Tally.told` says of a table."""
    tally = Tally()
    for line in lines_of(connection, name, shape):
        tally.add(line)
    return tally.told()


def put_lines(connection: Connection, name: str, shape: Shape, lines: Sequence[bytes]) -> None:
    """Insert the rows that lines hold."""
    if not lines:
        return
    of_bytes = [place for place, (_, kind) in enumerate(shape) if kind == "bytes"]
    rows = [json.loads(line) for line in lines]
    for row in rows:
        for place in of_bytes:
            if row[place] is not None:
                row[place] = base64.b64decode(row[place])
    names = [part for part, _ in shape]
    if connection.dialect.name == "postgresql":
        copy_rows(connection, name, names, rows)
        return
    into = insert(table(name, *(column(part) for part in names)))
    compiled = str(into.compile(dialect=connection.dialect))
    connection.exec_driver_sql(compiled, [tuple(row) for row in rows])


def read_cells(shape: Shape, line: bytes) -> dict[str, Any]:
    """A line as column → value, dates and JSON read; bytes stay base64."""
    read = {"moment": datetime.fromisoformat, "date": date.fromisoformat, "json": json.loads}
    return {
        name: cell if cell is None or kind not in read else read[kind](cell)
        for (name, kind), cell in zip(shape, json.loads(line), strict=True)
    }


def counter_of(connection: Connection, one: Table) -> int | None:
    """The highest number that a table's counter has given; None for a table without one.

    Numbers of rows that were erased are not given again, after a restore neither.
    """
    key = _counted(one)
    if key is None:
        return None
    highest = connection.scalar(select(func.max(one.c[key]))) or 0
    if connection.dialect.name == "sqlite":
        given = select(column("seq")).select_from(table("sqlite_sequence")).where(column("name") == one.name)
        return max(connection.scalar(given) or 0, highest)
    sequence = str(connection.scalar(select(func.pg_get_serial_sequence(one.name, key))))
    last = select(column("last_value"), column("is_called")).select_from(_named(sequence))
    value, called = connection.execute(last).one()
    return max(value if called else 0, highest)


def set_counter(connection: Connection, name: str, key: str, highest: int) -> None:
    """Let a table's counter go on after a number."""
    if connection.dialect.name == "sqlite":
        counters = {"name": name, "highest": highest}
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), counters)
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :highest)"), counters)
    elif highest:
        connection.execute(select(func.setval(func.pg_get_serial_sequence(name, key), highest, True)))


def counted_by(one: Table) -> str | None:
    """The column that a table numbers its rows by; None where it numbers none."""
    return _counted(one)


def tables_there(connection: Connection) -> set[str]:
    """Names of the tables of a database, that of the revision aside."""
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


def _kind(given: TypeEngine) -> str:
    for kind, made in KINDS.items():
        if isinstance(given, made):
            return kind
    return "text"


def _counted(one: Table) -> str | None:
    key = list(one.primary_key.columns)
    counts = len(key) == 1 and key[0].autoincrement is True
    return key[0].name if counts else None


def _named(sequence: str):
    schema, _, name = sequence.replace('"', "").rpartition(".")
    return table(name, schema=schema or None)


def _select(name: str, shape: Shape) -> Select:
    typed = [column(part, KINDS[kind]()) for part, kind in shape]
    wanted = [
        cast(one, Text).label(one.name) if kind == "json" else one
        for one, (_, kind) in zip(typed, shape, strict=True)
    ]
    return select(*wanted).select_from(table(name, *typed))


def _moment(value: datetime) -> str:
    return value.isoformat(sep=" ", timespec="microseconds")


def _bytes(value: bytes) -> str:
    return base64.b64encode(bytes(value)).decode()


_MAKERS = {"moment": _moment, "date": date.isoformat, "bytes": _bytes, "float": float}
