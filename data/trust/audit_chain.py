"""Whether the audit log is whole: every entry proven, none missing, the kept head met, the guards up.

What each kind of tampering leaves behind:

- an entry changed, removed, renumbered or put in, or the chain rewritten without somebody's entries: an entry
  whose hash was not made with the store's key (:attr:`ChainReport.broken_at`);
- entries cut off the end, or all of them: the head kept outside is not in the log (:attr:`ChainReport.kept`);
- triggers dropped, switched off or replaced: :attr:`ChainReport.unguarded`;
- any of it done by somebody who has the key and the file of the head: a time stamp of a head that the log has
  no more (:attr:`ChainReport.stamps`).

Whoever holds both the key and the file of the head can write any log. Against them stands only what lies
elsewhere: the heads in the service's log, one noted earlier (``expected_head``), or copies of time stamps
(:mod:`data.trust.time_stamps`), which nobody but the service can make.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.x509 import Certificate
from sqlalchemy import Connection, Engine, select

from data import schema
from data.engine.database import Store, reading
from data.engine.kept_head import Head, HeadForged, Seal
from data.migrations.triggers import unguarded_tables
from data.trust.audit import (
    ACCEPTING,
    FIRST,
    SEALING,
    holds,
    keyed_hash,
    numbers_digest,
    plain_hash,
)
from data.trust.time_stamps import Stamp, check_stamps

PAGE = 50_000
MET, LOST, MISSING, FORGED = "met", "lost", "missing", "forged"


@dataclass(frozen=True)
class ChainReport:
    """What :func:`verify_chain` found.

    Parameters
    ----------
    entries : int
        Entries read: all, or those before :attr:`broken_at`.
    broken_at : int or None
        The first entry that does not continue the chain; where entries of an earlier version are sealed by
        nothing, the first of those.
    head : str
        Hash of the last entry read.
    head_matches : bool or None
        Whether the expected head was met; None when none was given.
    earlier : int
        How many of the entries were made without a key by an earlier version, and sealed since.
    kept : {"met", "lost", "missing", "forged"}
        The head kept outside: it is in the log; it is not; nothing is kept; what is kept was altered.
    kept_entry : int or None
        The number of the kept head.
    last : int
        The number of the last entry read.
    accepted : tuple of int
        Entries by which somebody took the log as it stood.
    unguarded : tuple of str
        Tables whose append-only triggers are missing, off or not as they should be.
    stamps : tuple of data.trust.time_stamps.Stamp
        The time stamps that lie beside the kept head.
    """

    entries: int
    broken_at: int | None
    head: str
    head_matches: bool | None = None
    earlier: int = 0
    kept: str = MET
    kept_entry: int | None = 0
    last: int = 0
    accepted: tuple[int, ...] = ()
    unguarded: tuple[str, ...] = ()
    stamps: tuple[Stamp, ...] = ()

    @property
    def after_kept(self) -> int:
        """How many entries follow the kept head: only the key proves those, nobody would miss them."""
        return max(self.last - self.kept_entry, 0) if self.kept == MET and self.kept_entry is not None else 0

    @property
    def whole(self) -> bool:
        """Whether every entry is proven and none is missed; the triggers and time stamps aside."""
        return self.broken_at is None and self.head_matches is not False and self.kept == MET

    @property
    def intact(self) -> bool:
        """Whether nothing was altered, inserted, removed or cut off, and everything would be noticed."""
        return self.whole and not self.unguarded and all(stamp.fine for stamp in self.stamps)


def verify_chain(
    store: Store, expected_head: str | None = None, trusted: Sequence[Certificate] = ()
) -> ChainReport:
    """Prove every entry, oldest first; compare the kept head and the time stamps; look at the triggers.

    Parameters
    ----------
    expected_head : str, optional
        A head noted earlier; it must be the hash of some entry of an intact log.
    trusted : sequence of Certificate
        What the signatures of time stamps must lead to (:func:`data.trust.time_stamps.authority`); none: they
        are compared with the log, and their signatures are not checked.
    """
    kept, found = _kept(store.seal)  # before the snapshot: the log may grow meanwhile, never shrink
    walk = Walk(store.seal, expected_head)
    with store.reading() as connection:
        for row in _rows(connection):
            if not walk.goes_on(row):
                break
        if kept == MET and found is not None and not holds(connection, found):
            kept = LOST
        unguarded = tuple(unguarded_tables(connection))
        stamps = check_stamps(connection, store.seal, trusted, walk.accepted)
    kept_entry = found.entry if found else None
    return walk.report(kept=kept, kept_entry=kept_entry, unguarded=unguarded, stamps=stamps)


class Walk:
    """From entry to entry: those of an earlier version until the one that seals them, then the keyed ones."""

    def __init__(self, seal: Seal, expected: str | None) -> None:
        self.seal, self.expected = seal, expected
        self.previous, self.entries, self.last, self.broken_at = FIRST, 0, 0, None
        self.met = expected == FIRST
        self.unsealed: list[int] = []
        self.earlier, self.accepted = 0, []
        self.keyed: bool | None = None  # not known before the first entry

    def goes_on(self, row) -> bool:
        """Take one entry; False when it does not continue the chain."""
        proven = row["previous_hash"] == self.previous and (self._keyed(row) or self._plain(row))
        if not proven:
            self.broken_at = row["entry"]
            return False
        self.previous, self.last, self.entries = row["hash"], row["entry"], self.entries + 1
        self.met = self.met or self.previous == self.expected
        if row["action"] == ACCEPTING and self.keyed:
            self.accepted.append(row["entry"])
        return True

    def _keyed(self, row) -> bool:
        if row["entry"] != self.last + 1 or row["hash"] != keyed_hash(self.seal, row, self.previous):
            return False
        if self.unsealed:
            said = {"entries": len(self.unsealed), "numbers": numbers_digest(self.unsealed)}
            if row["action"] != SEALING or row["detail"] != said | {"head": self.previous}:
                return False
            self.earlier, self.unsealed = len(self.unsealed), []
        self.keyed = True
        return True

    def _plain(self, row) -> bool:
        if self.keyed or row["hash"] != plain_hash(row, self.previous):
            return False
        self.unsealed.append(row["entry"])
        return True

    def report(self, **kept: Any) -> ChainReport:
        broken = self.broken_at
        if self.unsealed and broken is None:
            broken = self.unsealed[0]  # a whole chain of entries that nothing seals
        matches = self.met if self.expected else None
        counted = {"earlier": self.earlier, "last": self.last, "accepted": tuple(self.accepted)}
        return ChainReport(self.entries, broken, self.previous, matches, **counted, **kept)


def _rows(connection: Connection) -> Iterator:
    log, last = schema.audit_log, None
    while True:
        page = select(log).order_by(log.c.entry).limit(PAGE)
        rows = connection.execute(page if last is None else page.where(log.c.entry > last)).mappings().all()
        if not rows:
            return
        yield from rows
        last = rows[-1]["entry"]


def _kept(seal: Seal) -> tuple[str, Head | None]:
    try:
        found = seal.kept()
    except (HeadForged, OSError):
        return FORGED, None
    return (MISSING, None) if found is None else (MET, found)


def begin_head(engine: Engine, seal: Seal) -> None:
    """Keep the head of a log that was sealed just now, where none is kept.

    In any other log a missing head stays missing: whoever removed it must not find it made good.
    """
    if _kept(seal)[0] != MISSING:
        return
    log = schema.audit_log
    newest = select(log.c.entry, log.c.hash, log.c.action).order_by(log.c.entry.desc()).limit(1)
    with reading(engine) as connection:
        row = connection.execute(newest).one_or_none()
    if row is not None and row.action == SEALING:
        seal.keep(Head(row.entry, row.hash), anew=True)
