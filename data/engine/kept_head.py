"""The head of the audit log, kept outside the database: what tells that entries were cut off its end.

One small file, by default in the store's folder, holds for each store the number and hash of the newest entry
that was committed, proven with the store's key. It only ever moves forward, and only from a head that the log
still holds: a log that lost its head leaves the file as it is, so that the loss goes on showing.
"""

from __future__ import annotations

import hmac
import json
import logging
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from filelock import FileLock

from data.engine.cipher import Cipher
from data.engine.clock import now
from data.engine.drafts import replace_json

FILE = "audit-head.json"
PATIENCE = 10  # seconds that one writer waits for another
heads = logging.getLogger("tepat.audit")  # one line per entry, for a log that lies on another machine


class HeadForged(ValueError):
    """The kept head was not written with the store's key, or is no head at all."""


@dataclass(frozen=True)
class Head:
    """The newest entry of an audit log.

    Parameters
    ----------
    entry : int
        Its number; 0 while there is none.
    hash : str
        64 hexadecimal digits.
    """

    entry: int
    hash: str


@dataclass(frozen=True)
class Seal:
    """The store's key as far as the audit log needs it, and where the head is kept.

    Parameters
    ----------
    cipher : data.engine.cipher.Cipher
        The store's.
    path : pathlib.Path
        The file of heads; several stores may share it.
    store_id : str
        Tells stores apart in it.
    """

    cipher: Cipher = field(repr=False)
    path: Path
    store_id: str

    def kept(self) -> Head | None:
        """The head that is kept; None when there is none.

        Raises
        ------
        HeadForged
            When it was altered, or the file cannot be read.
        """
        found = self._read().get(self.store_id)
        if found is None:
            return None
        try:
            head = Head(int(found["entry"]), str(found["hash"]))
            proven = hmac.compare_digest(str(found["mac"]), self._mac(head))
        except (TypeError, KeyError, ValueError):
            proven = False
        if not proven:
            raise HeadForged("the kept head was not written with this store's key")
        return head

    def keep(self, head: Head, *, anew: bool = False) -> None:
        """Keep a head, unless a later one is kept.

        Parameters
        ----------
        anew : bool
            Whatever is kept, and where nothing is kept yet.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.path}.lock", timeout=PATIENCE, mode=0o600):
            if not anew:
                before = self.kept()
                if before is None or before.entry >= head.entry:
                    return
            everything = self._read(forgiving=anew)
            mine = asdict(head) | {"at": f"{now().isoformat(timespec='seconds')}Z", "mac": self._mac(head)}
            replace_json(self.path, everything | {self.store_id: mine})

    def _mac(self, head: Head) -> str:
        return self.cipher.audit_mac("head", f"{self.store_id} {head.entry} {head.hash}")

    def _read(self, *, forgiving: bool = False) -> dict:
        try:
            found = json.loads(self.path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return {}
        except ValueError as problem:
            if forgiving:
                return {}
            raise HeadForged(f"{self.path.name} is not a file of heads") from problem
        if not isinstance(found, dict):
            if forgiving:
                return {}
            raise HeadForged(f"{self.path.name} is not a file of heads")
        return found


class Pen:
    """Writes to the audit log in one transaction, and remembers the head that it leaves.

    Parameters
    ----------
    seal : Seal
        Of the store.
    """

    def __init__(self, seal: Seal) -> None:
        self.seal = seal
        self._head: Head | None = None
        self._anew = self._from_lost = False

    def wrote(self, head: Head, *, follows_kept: bool, anew: bool = False) -> None:
        """Note the newest entry.

        Parameters
        ----------
        follows_kept : bool
            Whether the log holds the head that is kept outside.
        anew : bool
            The log is accepted as it stands: keep this head whatever was kept.
        """
        self._head, self._from_lost, self._anew = head, not follows_kept, self._anew or anew

    def keep(self) -> None:
        """After the commit: say the new head, and keep it. What was committed stands whatever happens."""
        if self._head is None:
            return
        heads.info("audit head %d %s", self._head.entry, self._head.hash)
        if self._from_lost and not self._anew:
            heads.error(
                "the audit log and the head kept in %s disagree: python -m data audit", self.seal.path.name
            )
            return
        try:
            self.seal.keep(self._head, anew=self._anew)
        except (OSError, HeadForged) as problem:  # filelock's Timeout is an OSError
            heads.error("the head of the audit log was not kept: %s", type(problem).__name__)


class _StandardError(logging.StreamHandler):
    """Writes to what standard error is at that moment; a stream may be closed before the process ends."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def show_heads() -> None:
    """From now on write every head to standard error, where the service's log keeps it."""
    if not heads.handlers:
        handler = _StandardError()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        heads.addHandler(handler)
        heads.setLevel(logging.INFO)
        heads.propagate = False
