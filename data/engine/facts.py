"""Facts about a store inside a transaction: what it is, its institution, settings chosen on screen."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select, update

from data import schema


def read_fact(connection: Connection, name: str, default: Any = None) -> Any:
    """:func:`data.store.get_fact` inside a transaction."""
    facts = schema.store_facts
    row = connection.execute(select(facts.c.value).where(facts.c.name == name)).one_or_none()
    return default if row is None else row[0]


def write_fact(connection: Connection, name: str, value: Any) -> None:
    """:func:`data.store.set_fact` inside a transaction."""
    facts = schema.store_facts
    changed = connection.execute(update(facts).where(facts.c.name == name).values(value=value))
    if changed.rowcount == 0:
        connection.execute(insert(facts).values(name=name, value=value))
