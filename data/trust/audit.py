"""The audit log: append-only by trigger, chained with the store's key, its head kept outside the database.

Each entry's hash covers its number, its content and the hash before it, and is made with a key that is not in
the database (HMAC-SHA-256, RFC 2104): whoever can write to the database alone can neither change an entry nor
make a chain without one. The newest entry's number and hash are kept in a file beside
(:mod:`data.engine.kept_head`), so that entries cut off the end are missed.
:mod:`data.trust.audit_chain` checks all of it.

Entries of earlier versions were chained without a key. One entry (:data:`SEALING`) seals them: it holds their
count, their numbers' and their last hash, so that they too can no longer change unnoticed. What was done to
them before they were sealed nobody can tell.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, func, insert, select

from data import schema
from data.engine.bulk import fetch
from data.engine.clock import now
from data.engine.database import Store, pen_of, take_lock
from data.engine.kept_head import Head, HeadForged, Seal

FIRST = "0" * 64  # the hash before the first entry
PERSONAL = frozenset({"name", "student_number", "password", "search"})
HASHED = ("at", "actor", "role", "action", "object", "detail")
SEALING, ACCEPTING = "seal audit log", "accept audit log"
NOBODY = "unknown"  # in the log: a name that was typed and does not exist may be a password typed too early


@dataclass(frozen=True)
class Entry:
    """What is to be written down of an act, in the act's own transaction (:func:`note_in`).

    The parameters are those of :func:`append`.
    """

    actor: str
    role: str
    action: str
    object: str
    detail: dict = field(default_factory=dict)


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
    pen = pen_of(connection)
    row = {"at": now(), "actor": actor, "role": role, "action": action, "object": object, "detail": detail}
    head = _appended(connection, pen.seal, row)
    pen.wrote(head, follows_kept=_follows_kept(connection, pen.seal), anew=action == ACCEPTING)
    return head.entry


def note_in(connection: Connection, entry: Entry | None) -> None:
    """Write an entry down, if there is one, inside a write transaction."""
    if entry is not None:
        append_in(connection, **vars(entry))


def accept(store: Store, *, actor: str, reason: str) -> int:
    """Keep the log's present head outside, whatever was kept: after a restore, or on a further machine.

    The entry that says so holds what had been kept. Returns its number.

    Parameters
    ----------
    reason : str
        Why, for the log; not empty.
    """
    if not reason.strip():
        raise ValueError("reason must say why, got nothing")
    try:
        kept = store.seal.kept()
        before = "nothing" if kept is None else f"entry {kept.entry} {kept.hash}"
    except HeadForged:
        before = "not this store's"
    about = {"reason": reason.strip(), "kept_before": before}
    return append(store, actor=actor, role="system", action=ACCEPTING, object="audit log", detail=about)


def seal_earlier(connection: Connection, seal: Seal) -> Head | None:
    """Seal the entries of a version that had no key, in the transaction of the migration.

    Returns
    -------
    Head or None
        Of the entry that seals them; None when there are none.
    """
    log = schema.audit_log
    numbers = list(connection.scalars(select(log.c.entry).order_by(log.c.entry)))
    if not numbers:
        return None
    last = connection.scalar(select(log.c.hash).where(log.c.entry == numbers[-1]))
    detail = {"entries": len(numbers), "numbers": numbers_digest(numbers), "head": last}
    row = {"at": now(), "actor": "system", "role": "system", "action": SEALING, "object": "audit log"}
    return _appended(connection, seal, row | {"detail": detail})


def numbers_digest(numbers: Sequence[int]) -> str:
    """What the numbers of sealed entries were, 64 hexadecimal digits: no hash of theirs covers them."""
    return hashlib.sha256(",".join(map(str, numbers)).encode()).hexdigest()


def entries(
    store: Store,
    *,
    actor: str | None = None,
    action: str | None = None,
    object: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    about: str | None = None,
    limit: int = 500,
) -> pd.DataFrame:
    """Entries, newest first: the columns of ``audit_log``.

    Parameters
    ----------
    actor, object : str, optional
        As they are.
    action : str, optional
        From its beginning.
    since, until : datetime, optional
        UTC; from ``since`` on, before ``until``.
    about : str, optional
        Any part of ``object``.
    limit : int
        At most so many.
    """
    log = schema.audit_log
    statement = select(log).order_by(log.c.entry.desc()).limit(limit)
    for column, value in ((log.c.actor, actor), (log.c.object, object)):
        if value:
            statement = statement.where(column == value)
    if action:
        statement = statement.where(log.c.action.startswith(action, autoescape=True))
    if since:
        statement = statement.where(log.c.at >= since)
    if until:
        statement = statement.where(log.c.at < until)
    if about:
        statement = statement.where(log.c.object.contains(about, autoescape=True))
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


def keyed_hash(seal: Seal, row, previous: str) -> str:
    """The hash of an entry, made with the store's key."""
    text = f"{row['entry']} {_text(row, previous)}"
    return seal.cipher.audit_mac("entry", text, row["entry"])


def plain_hash(row, previous: str) -> str:
    """The hash of an entry as versions made it that had no key."""
    return hashlib.sha256(_text(row, previous).encode()).hexdigest()


def _text(row, previous: str) -> str:
    content = {name: row[name] for name in HASHED} | {"at": row["at"].isoformat(timespec="microseconds")}
    return json.dumps([content, previous], sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _appended(connection: Connection, seal: Seal, row: dict) -> Head:
    log = schema.audit_log
    newest = select(log.c.entry, log.c.hash).order_by(log.c.entry.desc()).limit(1)
    number, previous = connection.execute(newest).one_or_none() or (0, FIRST)
    row = row | {"entry": number + 1, "previous_hash": previous}
    row["hash"] = keyed_hash(seal, row, previous)
    connection.execute(insert(log).values(**row))
    return Head(row["entry"], row["hash"])


def _follows_kept(connection: Connection, seal: Seal) -> bool:
    """Whether the log holds the head that is kept outside; a head that is not there is not replaced."""
    try:
        kept = seal.kept()
    except (HeadForged, OSError):
        return False
    return kept is not None and holds(connection, kept)


def holds(connection: Connection, head: Head) -> bool:
    """Whether a log has that entry with that hash; every log has the beginning."""
    log = schema.audit_log
    if head.entry == 0:
        return True
    return connection.scalar(select(log.c.hash).where(log.c.entry == head.entry)) == head.hash
