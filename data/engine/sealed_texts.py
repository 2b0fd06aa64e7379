"""What people wrote about somebody, sealed in its row: AES-GCM ciphertext of a JSON object, in one column.

It is bound to its table and the number of its row, so that the text of another row does not open there. The
number is therefore taken before the row is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, column, func, insert, select, table

from data.engine.cipher import Cipher, KeyProblem

COLUMN = "sealed"


def insert_sealed(
    connection: Connection, cipher: Cipher, into: Table, row: Mapping[str, object], told: Mapping[str, Any]
) -> int:
    """Insert one row with what is told in it sealed. Returns its number.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        In a transaction of :meth:`data.engine.database.Store.writing`.
    into : sqlalchemy.Table
        Numbers its rows, and has a column ``sealed``.
    row : mapping
        The columns that stand open.
    told : mapping
        Name → what JSON can hold. Nothing is sealed where it is empty.
    """
    key, number = list(into.primary_key)[0].name, _next_number(connection, into)
    values = {**row, key: number, COLUMN: seal(cipher, into.name, number, told)}
    connection.execute(insert(into).values(**values))
    return number


def seal(cipher: Cipher, name: str, number: int, told: Mapping[str, Any]) -> bytes | None:
    """What is told, sealed for one row of the table ``name``; None where nothing is."""
    if not told:
        return None
    return cipher.encrypt(json.dumps(dict(told), ensure_ascii=False).encode(), f"{name}:{number}")


def opened(cipher: Cipher, name: str, number: int, sealed: bytes | None) -> dict[str, Any]:
    """What :func:`seal` sealed.

    Raises
    ------
    KeyProblem
        When it does not open; the message names table, column and row.
    """
    if sealed is None:
        return {}
    try:
        plain = cipher.decrypt(bytes(sealed), f"{name}:{number}")
    except KeyProblem:
        raise KeyProblem(
            f"table {name}, column {COLUMN}, row {number} cannot be decrypted: the key (TEPAT_KEY or the key "
            "file) is not the one it was written with, or the bytes were altered or are another row's"
        ) from None
    return json.loads(plain)


def _next_number(connection: Connection, into: Table) -> int:
    """The number of a table's next row; one that was given is not given again."""
    key = list(into.primary_key)[0]
    if connection.dialect.name == "postgresql":
        return connection.scalars(
            select(func.nextval(func.pg_get_serial_sequence(into.name, key.name)))
        ).one()
    given = select(column("seq")).select_from(table("sqlite_sequence")).where(column("name") == into.name)
    highest = connection.scalar(select(func.max(key)))
    return 1 + max(connection.scalar(given) or 0, highest or 0)
