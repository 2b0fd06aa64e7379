"""Waits after failed sign-ins, kept in the store, so that every process and every restart knows them.

Three counters are charged *before* a password is looked at, so that many tries at once count as many. The
pair of account and address waits soonest; an address that tries many names waits later; an account that is
tried from many addresses waits last and never for more than a minute. Whoever has signed in from an address
before is held only by the pair, so that a stranger elsewhere cannot keep a person out. Unknown names are
counted like known ones. Names and addresses are kept as keyed hashes.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, or_, select, update

from data import schema
from data.engine.clock import now
from data.engine.database import Store

KNOWN = timedelta(days=90)  # how long an address stays one that the account has signed in from
FORGOTTEN = timedelta(days=2)  # every failure has been forgiven by then
NAME_CHARACTERS = 80


@dataclass(frozen=True)
class Rule:
    """How long one counter makes wait.

    Parameters
    ----------
    free : int
        Failures without a wait.
    first, longest : timedelta
        The wait after that many, doubled with each further failure up to the longest.
    forgiven_every : timedelta
        One failure is forgotten in this time.
    """

    free: int
    first: timedelta
    longest: timedelta
    forgiven_every: timedelta

    def wait(self, failures: int) -> timedelta:
        """The wait after so many failures."""
        if failures < self.free:
            return timedelta(0)
        doublings = min(failures - self.free, 20)
        return min(self.longest, self.first * 2**doublings)

    def left(self, failures: int, since: timedelta) -> int:
        """How many of the failures still count after a time without one."""
        return max(0, failures - max(0, since // self.forgiven_every))


RULES = {
    "pair": Rule(5, timedelta(seconds=15), timedelta(minutes=5), timedelta(hours=1)),
    "address": Rule(50, timedelta(seconds=15), timedelta(minutes=5), timedelta(minutes=1)),
    "account": Rule(100, timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=15)),
}


@dataclass(frozen=True)
class Charge:
    """What a try met.

    Parameters
    ----------
    held : timedelta
        How long to wait before the password is looked at at all; zero when it may be looked at now.
    next_wait : timedelta
        How long the next try waits if this one fails.
    """

    held: timedelta
    next_wait: timedelta

    @property
    def allowed(self) -> bool:
        """Whether the password may be looked at."""
        return self.held <= timedelta(0)


def charge(store: Store, name: str, address: str, at: datetime | None = None) -> Charge:
    """Count a try as failed beforehand, unless it has to wait; :func:`forgive` takes it back.

    Parameters
    ----------
    name : str
        What was typed.
    address : str
        Of the client.
    at : datetime, optional
        UTC; now.
    """
    at = at or now()
    keys = _keys(store, name, address)
    with store.writing("accounts") as connection:
        _forget(connection, at)
        rows = _rows(connection, keys)
        counted = _counted(rows, at)
        held = max([_left(kind, rows[kind], at) for kind in counted if kind in rows], default=timedelta(0))
        if held > timedelta(0):
            return Charge(held, timedelta(0))
        waits = {}
        for kind, key in keys.items():
            waits[kind] = _count(connection, kind, key, rows.get(kind), at)
    return Charge(timedelta(0), max(waits[kind] for kind in counted))


def forgive(store: Store, name: str, address: str, at: datetime | None = None) -> None:
    """A right password: the pair and the account begin anew, and the address is one the account knows."""
    at, tries = at or now(), schema.sign_in_tries
    keys = _keys(store, name, address)
    with store.writing("accounts") as connection:
        for kind in ("pair", "account"):
            clean = {"failures": 0, "until": None} | ({"known_at": at} if kind == "pair" else {})
            connection.execute(update(tries).where(tries.c.key == keys[kind]).values(**clean))
        row = _rows(connection, {"address": keys["address"]}).get("address")
        if row is not None:
            # Others may be guessing from the same address: only this try is taken back.
            failures = max(0, row["failures"] - 1)
            over = {} if failures >= RULES["address"].free else {"until": None}
            mine = update(tries).where(tries.c.key == keys["address"])
            connection.execute(mine.values(failures=failures, **over))


def _count(connection: Connection, kind: str, key: str, row, at: datetime) -> timedelta:
    rule, tries = RULES[kind], schema.sign_in_tries
    before = 0 if row is None else rule.left(row["failures"], at - row["last_at"])
    wait = rule.wait(before + 1)
    values = {"failures": before + 1, "last_at": at, "until": at + wait if wait else None}
    if row is None:
        connection.execute(insert(tries).values(key=key, **values))
    else:
        connection.execute(update(tries).where(tries.c.key == key).values(**values))
    return wait


def _left(kind: str, row, at: datetime) -> timedelta:
    """How long a counter makes wait from now; never longer than its longest wait, though the clock was set
    back meanwhile, which nobody but the machine's operator can do."""
    left = (row["until"] or at) - at
    return left if left <= RULES[kind].longest else timedelta(0)


def _counted(rows: dict, at: datetime) -> tuple[str, ...]:
    """The counters that can make this try wait."""
    known = rows["pair"]["known_at"] if "pair" in rows else None
    return ("pair",) if known is not None and at - known < KNOWN else tuple(RULES)


def _rows(connection: Connection, keys: dict[str, str]) -> dict:
    tries = schema.sign_in_tries
    found = connection.execute(select(tries).where(tries.c.key.in_(keys.values()))).mappings()
    by_key = {row["key"]: row for row in found}
    return {kind: by_key[key] for kind, key in keys.items() if key in by_key}


def _forget(connection: Connection, at: datetime) -> None:
    tries = schema.sign_in_tries
    unknown = or_(tries.c.known_at.is_(None), tries.c.known_at < at - KNOWN)
    connection.execute(delete(tries).where((tries.c.last_at < at - FORGOTTEN) & unknown))


def _keys(store: Store, name: str, address: str) -> dict[str, str]:
    name, network = name.strip()[:NAME_CHARACTERS], network_of(address)
    texts = {"pair": f"{name}\n{network}", "address": network, "account": name}
    return {kind: store.cipher.keyed(f"sign-in {kind}", text) for kind, text in texts.items()}


def network_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 address, all of which one client may own."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address[:NAME_CHARACTERS]
    if ip.version == 4:
        return str(ip)
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
