"""What a store says, free of what two honest runs do not share: random keys, nonces and clock times.

Two stores that say the same were filled by the same acts, however often one of them was killed on the way.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine, select

from data import schema

VOLATILE = {
    "import_id",
    "replaced_by",
    "history_id",
    "specimen_id",
    "score_id",
    "event_id",
    "consent_id",
    "erasure_id",
    "report_id",
}
VOLATILE_OF = {"reports": {"sha256", "provenance", "files"}}  # they hold the moment of the approval
UNCOMPARED = {
    "imports",
    "audit_log",
    "alembic_version",
    "jobs",
    "sessions",
}  # attempts may be recorded once each
SEALED_IN_ROW = {"sealed", "birth_year"}
SEALED_OF = {"identities": {"student_number", "name"}}
OF_THE_KEY = ("key_check", "kept_keys")  # facts that hold sealed bytes: drawn anew each time
PART_OF_THE_STORE = ("tepat.db", "tepat.db-wal", "tepat.db-shm", "key", "audit-head.json", "worker")


def fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    """Table → number of rows and a hash of what they say.

    Parameters
    ----------
    folder : pathlib.Path
        Of a SQLite store.
    """
    engine = create_engine(f"sqlite:///{folder / 'tepat.db'}")
    with engine.connect() as connection:
        frames = {
            name: pd.DataFrame(connection.execute(select(table)).mappings().all(), columns=table.c.keys())
            for name, table in schema.metadata.tables.items()
            if name not in UNCOMPARED
        }
    engine.dispose()
    numbers = dict(zip(frames["identities"].student_key, frames["identities"].number_hash, strict=True))
    scores, specimens = frames["scores"], frames["signature_specimens"]
    whose = {
        name: frames[name].student_key.map(numbers).astype(str) for name in ("scores", "signature_specimens")
    }
    named = whose["scores"] + " " + scores.as_of_index.astype(str) + " " + scores.target.astype(str)
    pictures = whose["signature_specimens"] + " " + specimens.sha256.astype(str)
    keys = {
        "score_id": dict(zip(scores.score_id, named, strict=True)),
        "specimen_id": dict(zip(specimens.specimen_id, pictures, strict=True)),
    }
    facts = frames["store_facts"]
    facts.loc[facts["name"].isin(OF_THE_KEY), "value"] = None
    frames["models"]["manifest"] = [_without_clock(manifest) for manifest in frames["models"]["manifest"]]
    erased = [_deleted(receipt) for receipt in frames["erasures"]["receipt"]]
    frames["erasures"] = (
        frames["erasures"].assign(receipt=list(map(str, erased))).loc[list(map(bool, erased))]
    )
    return {name: _digest(name, frame, numbers, keys) for name, frame in frames.items()}


def entries(folder: Path) -> dict[str, int]:
    """Act → how often the audit log tells of it; erasures that found nothing left to delete are left out."""
    engine = create_engine(f"sqlite:///{folder / 'tepat.db'}")
    log = schema.audit_log
    with engine.connect() as connection:
        rows = connection.execute(select(log.c.action, log.c.detail)).all()
    engine.dispose()
    told = [
        row.action
        for row in rows
        if not (row.action.startswith("erase ") and not (row.detail or {}).get("deleted"))
    ]
    return {action: told.count(action) for action in sorted(set(told))}


def files(folder: Path) -> list[str]:
    """Files beside the database, by their place; locks, which hold nothing, are left out."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name not in PART_OF_THE_STORE and path.suffix != ".lock"
    )


def drafts(folder: Path) -> list[str]:
    """Files that a kill has left half-written."""
    places = (folder / name for name in files(folder))
    return [path.name for path in places if path.name.startswith((".", "tmp")) or path.suffix == ".tmp"]


def unopened(store) -> Counter[str]:
    """What the store's key does not open: table, or place of a file, and how many.

    Parameters
    ----------
    store : data.engine.database.Store
    """
    from data.engine.cipher import KeyProblem
    from data.jobs import live
    from data.keeping.rotation import SEALED

    closed: Counter[str] = Counter()
    for table, sealed, prefix in SEALED:
        key = next(iter(table.primary_key.columns))
        with store.reading() as connection:
            rows = connection.execute(select(key, sealed).where(sealed.is_not(None))).all()
        for name, content in rows:
            try:
                store.cipher.decrypt(bytes(content), f"{prefix}:{name}")
            except KeyProblem:
                closed[table.name] += 1
    for names in (store.folder / "jobs").glob("*/names"):
        try:
            live.kept_files(store, names.parent.name)
        except (KeyProblem, OSError):
            closed["jobs"] += 1
    return closed


def _without_clock(manifest: dict) -> dict:
    """A model's manifest without the times at which it went into service."""
    served = [{k: v for k, v in entry.items() if k != "at"} for entry in manifest.get("served", [])]
    return {**manifest, "served": served}


def _deleted(receipt: dict | str) -> dict:
    return (json.loads(receipt) if isinstance(receipt, str) else receipt).get("deleted", {})


def _digest(name: str, frame: pd.DataFrame, numbers: dict, keys: dict) -> tuple[int, str]:
    frame = frame.copy()
    for column, known in keys.items():
        if column in frame:
            frame[f"{column}_name"] = frame[column].map(known)
    if "student_key" in frame:
        frame["student_key"] = frame["student_key"].map(numbers)
    moving = VOLATILE | VOLATILE_OF.get(name, set())
    clocks = [c for c in frame if c == "at" or c.endswith("_at")]
    volatile = [c for c in frame if c in moving or c == "ciphertext"] + clocks
    frame = frame.drop(columns=volatile)
    for column in (SEALED_IN_ROW | SEALED_OF.get(name, set())) & set(
        frame
    ):  # another ciphertext each time, as long as what it seals
        frame[column] = [len(sealed) if isinstance(sealed, bytes) else None for sealed in frame[column]]
    lines = sorted(repr(row) for row in frame.itertuples(index=False, name=None))
    return len(frame), hashlib.sha256("\n".join(lines).encode()).hexdigest()
