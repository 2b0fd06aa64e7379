"""The list of erasures outside the database: what keeps erased students erased after a restore.

One small file, by default beside the audit log's head, holds for each store and erasure its number, extent
and a keyed hash of the student's key; the receipt itself is sealed with the store's key. It says nothing of
anybody to whoever has it without that key. Every backup leaves a copy beside itself, in its folder.

A tombstone is proven with the store's key, so none can be put in that erases somebody. One can be taken out
by whoever can write to the file, as any file can be deleted: the audit log, whose head is kept apart, still
tells of the erasure.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock

from data.engine.cipher import Cipher, KeyProblem
from data.engine.drafts import replace_json
from data.engine.kept_head import PATIENCE, Seal

FILE = "erasures.json"
logger = logging.getLogger("tepat.erasures")


@dataclass(frozen=True)
class Tombstone:
    """What is kept of an erasure outside the database.

    Parameters
    ----------
    erasure_id, kind : str
        As in ``erasures``.
    at : datetime.datetime
        UTC.
    who : str
        Keyed hash of the student's key, 64 hexadecimal digits.
    receipt : dict or None
        Actor and receipt of ``erasures``; None when it was sealed with another key.
    """

    erasure_id: str
    kind: str
    at: datetime
    who: str
    receipt: dict | None


def who_is(cipher: Cipher, student_key: str) -> str:
    """The keyed hash by which a student stands on the list."""
    return cipher.keyed("erased student", student_key)


def bury(seal: Seal, row: dict, path: Path | None = None) -> None:
    """Put an erasure on the list.

    Parameters
    ----------
    row : dict
        A row of ``erasures``.
    path : pathlib.Path, optional
        The list; by default the store's own (:func:`list_of`).
    """
    bury_all(seal, [row], path or list_of(seal))


def bury_all(seal: Seal, rows: Iterable[dict], path: Path) -> int:
    """Put what is missing of these erasures on the list. Returns how many that were."""
    rows = [dict(row) for row in rows]
    with _alone(path):
        everything = _read(path)
        mine = everything.setdefault(seal.store_id, {})
        missing = [row for row in rows if row["erasure_id"] not in mine]
        for row in missing:
            mine[row["erasure_id"]] = _entry(seal.cipher, row)
        if missing:
            replace_json(path, everything)
    return len(missing)


def buried(seal: Seal, paths: Iterable[Path]) -> list[Tombstone]:
    """Every proven erasure of a store on some lists, oldest first; a list that is not there holds none.

    Raises
    ------
    ValueError
        When a list cannot be read: it must not be taken for an empty one.
    """
    found: dict[str, Tombstone] = {}
    for path in paths:
        for erasure_id, entry in _read(path).get(seal.store_id, {}).items():
            tombstone = _proven(seal.cipher, erasure_id, entry)
            if tombstone is not None and (erasure_id not in found or found[erasure_id].receipt is None):
                found[erasure_id] = tombstone
    return sorted(found.values(), key=lambda one: (one.at, one.erasure_id))


def copy_list(seal: Seal, source: Path, target: Path) -> None:
    """Put what a list holds of a store on another list too."""
    mine = _read(source).get(seal.store_id, {})
    if not mine:
        return
    with _alone(target):
        everything = _read(target)
        everything[seal.store_id] = everything.get(seal.store_id, {}) | mine
        replace_json(target, everything)


def seal_anew(before: Seal, after: Seal, path: Path) -> None:
    """Seal a store's list with another key; what proves it outlives the key."""
    with _alone(path):
        everything = _read(path)
        mine = everything.get(before.store_id, {})
        for erasure_id, entry in mine.items():
            tombstone = _proven(before.cipher, erasure_id, entry)
            if tombstone is not None and tombstone.receipt is not None:  # else it was done, or cannot be
                mine[erasure_id] = _of(after.cipher, tombstone)
        if mine:
            replace_json(path, everything)


def list_of(seal: Seal) -> Path:
    """Where a store's list lies: beside the head of its audit log."""
    return seal.path.with_name(FILE)


def _entry(cipher: Cipher, row: dict) -> dict:
    kept = {"actor": row["actor"], "receipt": row["receipt"]}
    who = who_is(cipher, row["student_key"])
    return _of(cipher, Tombstone(row["erasure_id"], row["kind"], row["at"], who, kept))


def _of(cipher: Cipher, one: Tombstone) -> dict:
    entry = {"kind": one.kind, "at": one.at.isoformat(), "who": one.who}
    if one.receipt is not None:
        plain = json.dumps(one.receipt).encode()
        entry["sealed"] = base64.b64encode(cipher.encrypt(plain, f"tombstone:{one.erasure_id}")).decode()
    return entry | {"mac": _mac(cipher, one.erasure_id, entry)}


def _mac(cipher: Cipher, erasure_id: str, entry: dict) -> str:
    return cipher.keyed("tombstone", f"{erasure_id} {entry['kind']} {entry['at']} {entry['who']}")


def _proven(cipher: Cipher, erasure_id: str, entry: dict) -> Tombstone | None:
    try:
        proven = hmac.compare_digest(str(entry["mac"]), _mac(cipher, erasure_id, entry))
        if not proven:
            logger.error("erasure %s on the list was not written with this store's key", erasure_id)
            return None
        return Tombstone(
            erasure_id,
            entry["kind"],
            datetime.fromisoformat(entry["at"]),
            entry["who"],
            _opened(cipher, erasure_id, entry.get("sealed")),
        )
    except (KeyError, TypeError, ValueError):
        logger.error("erasure %s on the list cannot be read", erasure_id)
        return None


def _opened(cipher: Cipher, erasure_id: str, sealed: str | None) -> dict | None:
    if sealed is None:
        return None
    try:
        return json.loads(cipher.decrypt(base64.b64decode(sealed), f"tombstone:{erasure_id}"))
    except KeyProblem:  # sealed before the key was changed, on a copy that was not at hand then
        return None


def _alone(path: Path) -> FileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{path}.lock", timeout=PATIENCE, mode=0o600)


def _read(path: Path) -> dict:
    try:
        found = json.loads(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise ValueError(f"{path.name} is not a list of erasures, or was damaged") from None
    if not isinstance(found, dict) or not all(isinstance(mine, dict) for mine in found.values()):
        raise ValueError(f"{path.name} is not a list of erasures, or was damaged")
    return found
