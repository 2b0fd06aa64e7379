"""Who is signed in: one row per session, shared by every process that serves the store.

A tab is bound to its session when somebody signs in, and a reload finds it by a cookie; only hashes of
cookies and tickets are kept. Whoever asks gets the session only while it lasts: neither too old nor idle for
too long, the account open, and with the role and programmes that it had at sign-in. A session that was ended
has no row any more. One that began, or was last seen, in the future has ended: the clock was set back.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from data import schema
from data.engine.clock import now
from data.engine.database import Store
from data.settings import get_settings
from data.trust import origin
from data.trust.accounts import Account, account_of, end_sessions_in

TICKET = timedelta(minutes=1)  # how long a tab may take to exchange its ticket for a cookie
SKEW = timedelta(minutes=2)  # by how much the clocks of two machines may differ
WAYS = ("password", "seat", "provider")
"""How a session was entered. seat: by one click, which only a synthetic store allows; provider: through the
institution's own sign-in."""


@dataclass(frozen=True)
class Session:
    """A session that lasts.

    Parameters
    ----------
    session_id : str
        32 hexadecimal digits; not a secret that opens anything, no request can present it.
    account : Account
        Whose it is, as the account stands now; ``once`` only where a password was the way in.
    way : str
        One of :data:`WAYS`.
    started_at, seen_at : datetime
        UTC; ``seen_at`` is the last sign of life, to the minute.
    """

    session_id: str
    account: Account
    way: str
    started_at: datetime
    seen_at: datetime


def begin(store: Store, account: Account, way: str = "password") -> tuple[str, str]:
    """Begin a session. Returns its id and a ticket, to be exchanged once for a cookie.

    One that a password set by somebody else opens ends all others of the account: two people who know that
    password cannot both be in.
    """
    if way not in WAYS:
        raise ValueError(f"way must be one of {', '.join(WAYS)}, got {way!r}")
    session_id, ticket, at = secrets.token_hex(16), secrets.token_urlsafe(32), now()
    codes = None if account.program_codes is None else list(account.program_codes)
    row = {"session_id": session_id, "account": account.account, "way": way, "role": account.role}
    row |= {"program_codes": codes, "started_at": at, "seen_at": at}
    row |= {"ticket_hash": _hash(ticket), "ticket_until": at + TICKET}
    table = schema.sessions
    with store.writing("accounts") as connection:
        connection.execute(delete(table).where(table.c.started_at < at - _longest()))
        if account.once and way == "password":
            end_sessions_in(connection, account.account)
        connection.execute(insert(table).values(**row))
    return session_id, ticket


def redeem(store: Store, ticket: str, instead_of: str | None = None) -> str | None:
    """The value of a new cookie for a ticket; None when the ticket is unknown, used or too old.

    Parameters
    ----------
    instead_of : str, optional
        The cookie that the browser had before; its session ends: one browser, one person.
    """
    cookie, at, table = secrets.token_urlsafe(32), now(), schema.sessions
    valid = (table.c.ticket_hash == _hash(ticket)) & (table.c.ticket_until >= at)
    taken = update(table).where(valid)
    with store.writing("accounts") as connection:
        if connection.execute(taken.values(cookie_hash=_hash(cookie), ticket_hash=None)).rowcount == 0:
            return None
        if instead_of:
            connection.execute(delete(table).where(table.c.cookie_hash == _hash(instead_of)))
    return cookie


def find(store: Store, session_id: str, alive_at: datetime | None = None) -> Session | None:
    """The session of that id while it lasts.

    Parameters
    ----------
    alive_at : datetime, optional
        A later sign of life than the row tells.
    """
    return _lasting(store, schema.sessions.c.session_id == session_id, alive_at)


def find_by_cookie(store: Store, cookie: str | None) -> Session | None:
    """The session that a cookie belongs to while it lasts."""
    return _lasting(store, schema.sessions.c.cookie_hash == _hash(cookie), None) if cookie else None


def touch(store: Store, session_id: str) -> None:
    """Note a sign of life."""
    table = schema.sessions
    with store.writing("accounts") as connection:
        connection.execute(update(table).where(table.c.session_id == session_id).values(seen_at=now()))


def end(store: Store, session_id: str) -> None:
    """End a session, in every tab and for its cookie."""
    table = schema.sessions
    with store.writing("accounts") as connection:
        connection.execute(delete(table).where(table.c.session_id == session_id))


def end_by_cookie(store: Store, cookie: str | None) -> None:
    """End the session of a cookie."""
    if cookie:
        table = schema.sessions
        with store.writing("accounts") as connection:
            connection.execute(delete(table).where(table.c.cookie_hash == _hash(cookie)))


def end_all(store: Store, account: str, keep: str | None = None) -> int:
    """End every session of an account but ``keep``. Returns how many."""
    with store.writing("accounts") as connection:
        return end_sessions_in(connection, account, keep)


def sessions_of(store: Store, account: str) -> list[Session]:
    """The sessions of an account that last, the newest first."""
    with store.reading() as connection:
        found = _asked(connection, schema.sessions.c.account == account)
        seats = _seats_open(connection)
        lasting = [_session(row) for row in found if _lasts(row, None, seats)]
    return sorted(lasting, key=lambda one: one.started_at, reverse=True)


def open_counts(store: Store) -> dict[str, int]:
    """How many sessions of each account last; accounts without one are left out."""
    with store.reading() as connection:
        rows = list(_asked(connection, schema.sessions.c.account == schema.accounts.c.account))
        seats = _seats_open(connection)
        return Counter(row["account"] for row in rows if _lasts(row, None, seats))


def _lasting(store: Store, which, alive_at: datetime | None) -> Session | None:
    with store.reading() as connection:
        row = next(iter(_asked(connection, which)), None)
        if row is None:
            return None
        seats = row["way"] == "seat" and _seats_open(connection)
        return _session(row) if _lasts(row, alive_at, seats) else None


def _asked(connection: Connection, which):
    sessions, accounts = schema.sessions, schema.accounts
    then = [sessions.c[name].label(f"then_{name}") for name in ("role", "program_codes")]
    columns = [sessions.c[name] for name in ("session_id", "way", "started_at", "seen_at")]
    joined = sessions.join(accounts, accounts.c.account == sessions.c.account)
    return connection.execute(select(*columns, *then, accounts).select_from(joined).where(which)).mappings()


def _seats_open(connection: Connection) -> bool:
    return origin.origin_in(connection) == origin.INVENTED


def _lasts(row, alive_at: datetime | None, seats: bool) -> bool:
    same = (row["then_role"], row["then_program_codes"]) == (row["role"], row["program_codes"])
    if not (row["active"] and same):
        return False
    at, alive = now(), max(row["seen_at"], alive_at or row["seen_at"])
    if at - row["started_at"] >= _longest() or at - alive >= _idle():
        return False
    if row["way"] == "password" and not get_settings().local_accounts:
        return False
    if max(alive, row["started_at"]) - at > SKEW:  # the clock was set back: nobody can tell how old it is
        return False
    return row["way"] != "seat" or seats


def _session(row) -> Session:
    account = account_of(row)
    if row["way"] != "password":  # whoever came in without one need not choose another
        account = replace(account, once=False)
    return Session(row["session_id"], account, row["way"], row["started_at"], row["seen_at"])


def _longest() -> timedelta:
    return timedelta(hours=get_settings().session_hours)


def _idle() -> timedelta:
    return timedelta(minutes=get_settings().idle_minutes)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
