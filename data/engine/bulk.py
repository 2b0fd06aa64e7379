"""Frames to rows and rows to frames, fast and with the same types on both databases.

In a frame, missing values are NaN/NaT/None. Integer columns come back as int64, or as float64 where the
schema allows missing values; dates and times as ``datetime64[us]``; text as pandas' ``str``; JSON as Python
objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import (
    ARRAY,
    JSON,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    bindparam,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.types import TypeEngine

from data.engine.database import cipher_of
from data.engine.sealed_names import SealedText
from data.engine.sealed_numbers import OWNER, SealedCell, SealedNumber

BATCH = 20_000  # rows sent to the database at a time
FETCHED = 50_000  # rows read at a time
TEXT = pd.StringDtype(na_value=np.nan)  # what pandas calls "str"; naming it costs as much as the array
KEYS_PER_QUERY = 900  # SQLite's default limit is 999 parameters in older builds
NAMED_KEYS = 100  # above it one parameter with all keys costs less than a parameter each


def fetch(connection: Connection, statement: Select) -> pd.DataFrame:
    """The rows of a SELECT as a frame; column types come from the statement, even when there is no row."""
    result = connection.execute(statement)
    described, names = list(statement.selected_columns), list(result.keys())
    sealed = {place: one.type for place, one in enumerate(described) if isinstance(one.type, SealedCell)}
    if sealed and OWNER not in names:
        raise TypeError(f"a SELECT of sealed cells must give their {OWNER}")
    parts = []
    while rows := result.fetchmany(FETCHED):  # in parts: rows as Python objects need far more memory
        cells: list[Any] = list(zip(*rows, strict=True))
        for place, kind in sealed.items():
            owners = cells[names.index(OWNER)]
            cells[place] = kind.opened(cipher_of(connection), owners, cells[place])
        parts.append([_array(values, column) for values, column in zip(cells, described, strict=True)])
    parts = parts or [[_array((), column) for column in described]]
    whole = (_joined(arrays) for arrays in zip(*parts, strict=True))
    return pd.DataFrame(dict(zip(names, whole, strict=True)))


def fetch_by_keys(connection: Connection, statement: Select, column, keys: Sequence) -> pd.DataFrame:
    """The rows of a SELECT whose ``column`` is among ``keys``, however many keys there are."""
    parts = [
        fetch(connection, statement.where(among(connection, column, keys[start : start + KEYS_PER_QUERY])))
        for start in range(0, len(keys), KEYS_PER_QUERY)
    ]
    if not parts:
        return fetch(connection, statement.where(column.in_([])))
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def in_order_of(frame: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The rows in the order in which ``keys`` names their students."""
    place = {key: position for position, key in enumerate(keys)}
    return frame.sort_values(OWNER, key=lambda owners: owners.map(place), ignore_index=True)


def among(connection: Connection, column: ColumnElement, keys: Sequence[str]) -> ColumnElement[bool]:
    """Whether a column is one of ``keys``, of which there may be more than a statement takes parameters.

    On PostgreSQL each key is looked up in the index: of keys named in the statement it expects many more
    rows than a large table has for them, and reads the table whole.
    """
    if len(keys) <= NAMED_KEYS:
        return column.in_(list(keys))
    if connection.dialect.name == "postgresql":
        return column.in_(select(func.unnest(literal(list(keys), ARRAY(String)))))
    return column.in_(select(func.json_each(json.dumps(list(keys))).table_valued("value").c.value))


def insert_frame(connection: Connection, table: Table, frame: pd.DataFrame) -> None:
    """Insert every row of ``frame``, whose columns are columns of ``table``."""
    if frame.empty:
        return
    names = [column.name for column in table.columns if column.name in frame]  # as the INSERT orders them
    total = len(frame)
    for start in range(0, total, BATCH):
        part = frame.iloc[start : start + BATCH]
        rows = list(zip(*(_written(connection, part, table, name, to_cells) for name in names), strict=True))
        if connection.dialect.name == "postgresql":
            copy_rows(connection, table.name, names, rows)
        else:
            statement = insert(table).values({name: bindparam(name) for name in names})
            compiled = str(statement.compile(dialect=connection.dialect))
            connection.exec_driver_sql(compiled, rows)


def update_frame(connection: Connection, table: Table, key: Sequence[str], frame: pd.DataFrame) -> None:
    """Update the rows of ``table`` named by the ``key`` columns with the other columns of ``frame``."""
    if frame.empty:
        return
    values = [name for name in frame.columns if name not in key]
    statement = (
        update(table)
        .where(*(table.c[name] == bindparam(f"key_{name}") for name in key))
        .values({name: bindparam(f"new_{name}") for name in values})
    )
    columns = {f"key_{name}": to_objects(frame[name], table.c[name].type) for name in key}
    columns |= {f"new_{name}": _written(connection, frame, table, name, to_objects) for name in values}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    connection.execute(statement, rows)


def _written(connection: Connection, frame: pd.DataFrame, table: Table, name: str, made: Callable) -> list:
    kind = table.c[name].type
    if isinstance(kind, SealedCell):
        return kind.sealed(cipher_of(connection), frame[OWNER], frame[name])
    return made(frame[name], kind)


def to_cells(series: pd.Series, kind: TypeEngine) -> list:
    """Values as a database driver takes them without SQLAlchemy's help."""
    if isinstance(kind, JSON):
        return [None if _is_null(value) else json.dumps(value, allow_nan=False) for value in series]
    missing = series.isna().to_numpy()
    if isinstance(kind, DateTime):
        values = np.datetime_as_string(_instants(series), unit="us").astype(object)
        values = np.array([text.replace("T", " ") for text in values], dtype=object)
    elif isinstance(kind, Date):
        values = np.datetime_as_string(_instants(series), unit="D").astype(object)
    elif isinstance(kind, Boolean):
        values = series.where(~missing, False).astype(bool).to_numpy().astype(object)
    elif isinstance(kind, Integer):
        values = series.where(~missing, 0).astype("int64").to_numpy().astype(object)
    elif isinstance(kind, Float):
        values = series.astype("float64").to_numpy().astype(object)
    else:
        values = series.astype(object).to_numpy(copy=True)
    values[missing] = None
    return values.tolist()


def to_objects(series: pd.Series, kind: TypeEngine) -> list:
    """Values as SQLAlchemy takes them: dates as ``date``, JSON as objects, missing values as None."""
    if isinstance(kind, JSON):
        return [None if _is_null(value) else value for value in series]
    if isinstance(kind, (Date, DateTime)):
        stamps = _instants(series).astype("datetime64[us]").astype(object)
        only_date = isinstance(kind, Date)
        return [None if stamp is None else (stamp.date() if only_date else stamp) for stamp in stamps]
    return to_cells(series, kind)


def to_plain(series: pd.Series, kind: TypeEngine) -> list:
    """Values that JSON can hold: dates and times as ISO text."""
    return [_is_text(value, kind) for value in to_objects(series, kind)]


def _is_text(value: Any, kind: TypeEngine) -> Any:
    return value.isoformat() if isinstance(kind, (Date, DateTime)) and value is not None else value


def all_columns(table: Table, without: Iterable[str] = ()) -> Select:
    """SELECT of every column of a table but some."""
    return select(*(column for column in table.columns if column.name not in set(without)))


def _joined(arrays: tuple):
    if len(arrays) == 1:
        return arrays[0]
    if isinstance(arrays[0], np.ndarray):
        return np.concatenate(arrays)
    return pd.concat([pd.Series(array) for array in arrays], ignore_index=True)


def _array(values: tuple, column):
    kind = column.type
    if isinstance(kind, (Date, DateTime)):
        return np.array(values, dtype="datetime64[us]")
    if isinstance(kind, Boolean):
        return np.array([bool(value) for value in values], dtype=bool)
    if isinstance(kind, Integer):
        may_be_missing = getattr(column, "nullable", False) or None in values
        return np.array(values, dtype="float64" if may_be_missing else "int64")
    if isinstance(kind, (Float, SealedNumber)):
        return np.array(values, dtype="float64")
    if isinstance(kind, (JSON, LargeBinary)) and not isinstance(kind, SealedText):
        return pd.Series(list(values), dtype=object)
    return pd.array(list(values), dtype=TEXT)


def _instants(series: pd.Series) -> np.ndarray:
    return pd.to_datetime(series).to_numpy().astype("datetime64[us]")


def _is_null(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))


def copy_rows(connection: Connection, table: str, names: Sequence[str], rows: Iterable[Sequence]) -> None:
    """Insert rows by PostgreSQL's COPY.

    Parameters
    ----------
    names : sequence of str
        Columns, in the order of the cells of a row.
    """
    import psycopg
    from psycopg import sql

    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError(f"COPY needs a connection of psycopg, got {type(driver).__name__}")
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
