"""The audit log: append-only by trigger, hash-chained so that a change behind the trigger's back shows.

Each entry's hash covers its own content and the hash before it. Cutting entries off the end leaves a valid
chain: keep :attr:`ChainReport.head` elsewhere and pass it to :func:`verify_chain` to detect that as well.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, func, insert, select

from data import schema
from data.engine.bulk import fetch
from data.engine.clock import now
from data.engine.database import Store, take_lock

FIRST = "0" * 64  # the hash before the first entry
PERSONAL = frozenset({"name", "student_number", "password", "search"})
HASHED = ("at", "actor", "role", "action", "object", "detail")
PAGE = 50_000


@dataclass(frozen=True)
class ChainReport:
    """What :func:`verify_chain` found.

    Parameters
    ----------
    entries : int
        Entries read.
    broken_at : int or None
        The first entry whose hash or predecessor is not right.
    head : str
        Hash of the last entry.
    head_matches : bool or None
        Whether the expected head was met; None when none was given.
    """

    entries: int
    broken_at: int | None
    head: str
    head_matches: bool | None = None

    @property
    def intact(self) -> bool:
        """Whether nothing was altered, inserted, removed or (if a head was given) cut off."""
        return self.broken_at is None and self.head_matches is not False


def append(
    store: Store, *, actor: str, role: str, action: str, object: str, detail: dict | None = None
) -> int:
    """Append an entry. Returns its number.

    Parameters
    ----------
    actor, role : str
        Account and role that acted.
    action : str
        Verb and thing, e.g. "view student", "export caseload", "override band".
    object : str
        What it was done to: a student_key, a file name, a report id; never a name or student number.
    detail : dict, optional
        JSON; must not hold identity (:data:`PERSONAL` keys are refused).
    """
    with store.writing("audit") as connection:
        return append_in(connection, actor=actor, role=role, action=action, object=object, detail=detail)


def append_in(
    connection: Connection, *, actor: str, role: str, action: str, object: str, detail: dict | None = None
) -> int:
    """:func:`append` inside a write transaction, so that act and entry stand or fall together."""
    detail = detail or {}
    personal = PERSONAL & detail.keys()
    if personal:
        raise ValueError(f"detail must not hold identity, got {sorted(personal)}")
    take_lock(connection, "audit")
    log = schema.audit_log
    previous = connection.scalar(select(log.c.hash).order_by(log.c.entry.desc()).limit(1)) or FIRST
    row = {"at": now(), "actor": actor, "role": role, "action": action, "object": object, "detail": detail}
    row |= {"previous_hash": previous, "hash": _hash(row, previous)}
    return connection.execute(insert(log).values(**row)).inserted_primary_key[0]


def verify_chain(store: Store, expected_head: str | None = None) -> ChainReport:
    """Recompute every hash, oldest first.

    Parameters
    ----------
    expected_head : str, optional
        A head noted earlier; it must be the hash of some entry of an intact log.
    """
    log, previous, entries, last = schema.audit_log, FIRST, 0, 0
    met = expected_head == FIRST
    with store.reading() as connection:
        while True:
            page = select(log).where(log.c.entry > last).order_by(log.c.entry).limit(PAGE)
            rows = connection.execute(page).mappings().all()
            if not rows:
                break
            for row in rows:
                if row["previous_hash"] != previous or row["hash"] != _hash(row, previous):
                    return ChainReport(entries, row["entry"], previous, met if expected_head else None)
                previous, entries, last = row["hash"], entries + 1, row["entry"]
                met = met or previous == expected_head
    return ChainReport(entries, None, previous, met if expected_head else None)


def entries(
    store: Store,
    *,
    actor: str | None = None,
    action: str | None = None,
    object: str | None = None,
    since: datetime | None = None,
    limit: int = 500,
) -> pd.DataFrame:
    """Entries, newest first: the columns of ``audit_log``; ``action`` matches from its beginning."""
    log = schema.audit_log
    statement = select(log).order_by(log.c.entry.desc()).limit(limit)
    for column, value in ((log.c.actor, actor), (log.c.object, object)):
        if value:
            statement = statement.where(column == value)
    if action:
        statement = statement.where(log.c.action.startswith(action, autoescape=True))
    if since:
        statement = statement.where(log.c.at >= since)
    with store.reading() as connection:
        return fetch(connection, statement)


def who_and_what(store: Store) -> tuple[list[str], list[str]]:
    """Every actor and every action of the log, sorted: what it can be filtered by."""
    log = schema.audit_log
    with store.reading() as connection:
        actors, actions = (
            sorted(connection.scalars(select(column).distinct())) for column in (log.c.actor, log.c.action)
        )
    return actors, actions


def newest_entry(store: Store) -> int:
    """The number of the newest entry; 0 when there is none."""
    with store.reading() as connection:
        return connection.scalar(select(func.max(schema.audit_log.c.entry))) or 0


def _hash(row, previous: str) -> str:
    content = {name: row[name] for name in HASHED} | {"at": row["at"].isoformat(timespec="microseconds")}
    text = json.dumps([content, previous], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
