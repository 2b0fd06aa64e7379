"""Tokens of programs that ask the JSON service: who made them, what they may do, until when.

A token is 256 random bits and is shown once; the store keeps its SHA-256. It belongs to no person: it has
scopes and programmes of its own, ends by itself, and opens nothing from the moment it is revoked.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, update

from data import schema
from data.engine.clock import now
from data.engine.database import Store
from data.trust.audit import Entry, note_in

SCOPES = ("verify", "predict", "scores", "identify", "cohorts", "metrics")
"""What a token may be allowed: compare signatures · ask a trained recipe · read single scores · with them
student numbers · read counts of cohorts · read the server's figures."""
DEFAULT_DAYS, MOST_DAYS = 90, 365
ROLE = "service"  # what the audit log names as the role of a token
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
PREFIX = "tepat_"
LONGEST = 200  # characters that are looked at
USED_EVERY = timedelta(minutes=1)  # how exactly the last use is known


@dataclass(frozen=True)
class Token:
    """What a token may do; the token itself is not in it.

    Parameters
    ----------
    name : str
    scopes : tuple of str
        Of :data:`SCOPES`.
    program_codes : tuple of str or None
        Programmes that it is limited to; None: every programme.
    created_at, expires_at : datetime
        UTC.
    created_by : str
        Account, or "command line".
    revoked_at, last_used_at : datetime or None
        ``last_used_at`` to the minute.
    """

    name: str
    scopes: tuple[str, ...]
    program_codes: tuple[str, ...] | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def actor(self) -> str:
        """Whom the audit log and the records name."""
        return f"token:{self.name}"

    def state(self, at: datetime | None = None) -> str:
        """ "valid", "expired" or "revoked"."""
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if (at or now()) < self.expires_at else "expired"


def create_token(
    store: Store,
    name: str,
    scopes: Iterable[str],
    *,
    program_codes: Iterable[str] | None = None,
    days: int = DEFAULT_DAYS,
    actor: str,
    role: str,
) -> tuple[Token, str]:
    """Make a token and write that down, in one transaction.

    Parameters
    ----------
    name : str
        What programs are called: 1-60 letters, digits or ``. _ -``. A name is used once.
    scopes : iterable of str
        Of :data:`SCOPES`, at least one.
    program_codes : iterable of str, optional
        Programmes of the store that it is limited to; None: every programme.
    days : int
        Until it ends by itself, 1 to :data:`MOST_DAYS`.

    Returns
    -------
    token : Token
    secret : str
        To be shown once and kept nowhere.

    Raises
    ------
    ValueError
        When a value is not allowed, the name was used before, or the store has no such programme.
    """
    scopes = tuple(one for one in SCOPES if one in set(_checked(name, list(scopes), days)))
    codes = None if program_codes is None else tuple(sorted(set(program_codes)))
    secret, at, table = PREFIX + secrets.token_urlsafe(32), now(), schema.api_tokens
    made = Token(name, scopes, codes, at, actor, at + timedelta(days=days))
    row = {"name": name, "scopes": list(scopes), "program_codes": None if codes is None else list(codes)}
    row |= {"created_at": at, "created_by": actor, "expires_at": made.expires_at}
    about = {"scopes": list(scopes), "program_codes": row["program_codes"], "days": days}
    with store.writing("accounts") as connection:
        like = func.lower(table.c.name) == name.lower()
        if connection.scalar(select(table.c.name).where(like)) is not None:
            raise ValueError(f"there is, or was, a token named {name!r}: take another name")
        known = set(connection.scalars(select(schema.programs.c.program_code)))
        if unknown := sorted(set(codes or ()) - known):
            raise ValueError(f"the store has no programme {', '.join(unknown)}")
        connection.execute(insert(table).values(token_hash=_hash(secret), **row))
        note_in(connection, Entry(actor, role, "create token", made.actor, about))
    return made, secret


def revoke_token(store: Store, name: str, *, actor: str, role: str) -> bool:
    """End a token at once, and write that down. Returns False when it had been revoked before.

    Raises
    ------
    LookupError
        When there is no such token.
    """
    table = schema.api_tokens
    mine = table.c.name == name
    with store.writing("accounts") as connection:
        row = connection.execute(select(table).where(mine)).mappings().one_or_none()
        if row is None:
            raise LookupError(f"there is no token named {name!r}")
        if row["revoked_at"] is not None:
            return False
        connection.execute(update(table).where(mine).values(revoked_at=now(), revoked_by=actor))
        note_in(connection, Entry(actor, role, "revoke token", _token(row).actor))
    return True


def list_tokens(store: Store) -> list[Token]:
    """Every token, ended ones too, the newest first."""
    table = schema.api_tokens
    with store.reading() as connection:
        rows = connection.execute(select(table).order_by(table.c.created_at.desc(), table.c.name)).mappings()
        return [_token(row) for row in rows]


def find_token(store: Store, presented: str) -> Token | None:
    """The token of that text, whatever its state; None when there is none."""
    if not presented.startswith(PREFIX) or len(presented) > LONGEST or not presented.isascii():
        return None
    table = schema.api_tokens
    with store.reading() as connection:
        found = connection.execute(select(table).where(table.c.token_hash == _hash(presented)))
        row = found.mappings().one_or_none()
    return None if row is None else _token(row)


def used(store: Store, token: Token) -> None:
    """Note that a token was used, at most once a minute."""
    at, table = now(), schema.api_tokens
    if token.last_used_at is not None and at - token.last_used_at < USED_EVERY:
        return
    with store.writing("accounts") as connection:
        connection.execute(update(table).where(table.c.name == token.name).values(last_used_at=at))


def _checked(name: str, scopes: list[str], days: int) -> list[str]:
    if not NAME.fullmatch(name):
        raise ValueError(f"a token's name must be 1-60 letters, digits or . _ - without spaces, got {name!r}")
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise ValueError(f"scopes must be of {', '.join(SCOPES)}, got {', '.join(unknown)}")
    if not scopes:
        raise ValueError(f"a token needs at least one scope of {', '.join(SCOPES)}")
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"days must be 1 to {MOST_DAYS}, got {days}")
    return scopes


def _token(row) -> Token:
    codes = None if row["program_codes"] is None else tuple(row["program_codes"])
    names = ("created_at", "created_by", "expires_at", "revoked_at", "last_used_at")
    return Token(row["name"], tuple(row["scopes"]), codes, *(row[name] for name in names))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()
