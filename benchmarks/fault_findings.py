"""What a kill has left behind: the store, its files and its log beside those of undisturbed work."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import store_said

MAY_REPEAT = ("import files", "begin backup", "make backup")
ONE_STEP = ("import", "undo", "approval", "erasure", "restore")
"""Right after the kill the store says what it said before, or what it says after: nothing in between."""
FIRST_STEP = {"import": "records", "approval": "printed"}
"""What is done in two steps: the stage that does the first of them only."""
BACKUP_KEY = "backup-key"
COUNTED = ("lost", "doubled", "half_written", "audit", "damaged", "not_done")


@dataclass
class Found:
    """What kills of one kind of work have left behind.

    Parameters
    ----------
    seconds : float
        Of the undisturbed work.
    writes : int or None
        Statements, commits and file operations of it.
    at_a_moment, at_a_write : int
        Kills of either kind.
    filled : int
        Disks that had no room left.
    lost, doubled, half_written : int
        Rows and files that are missing, too many, or say something else than undisturbed.
    audit : int
        Logs that are not whole, or do not tell of each act once.
    damaged : int
        Databases that do not pass their own check right after the kill.
    not_done : int
        Works that could not be done when started again.
    told_again : int
        Acts of :data:`MAY_REPEAT` that were over, or had begun, when the kill came, so that starting again
        was a second one, which is in the log as what it was and changed no row. Nothing is wrong with them.
    took : float
        Seconds of all of it.
    told : list of str
        What was found, for whoever mends it.
    """

    seconds: float
    writes: int | None = None
    at_a_moment: int = 0
    at_a_write: int = 0
    filled: int = 0
    lost: int = 0
    doubled: int = 0
    half_written: int = 0
    audit: int = 0
    damaged: int = 0
    not_done: int = 0
    told_again: int = 0
    took: float = 0.0
    told: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """All of them."""
        return self.at_a_moment + self.at_a_write

    @property
    def wrong(self) -> int:
        """How much of it must not be."""
        return sum(getattr(self, what) for what in COUNTED)


def said(folder: Path) -> dict[str, object]:
    """What the store of a folder says, its log, its files and the backups among them included."""
    from sqlalchemy import select

    from data import schema
    from data.store import open_store
    from data.trust.audit_chain import verify_chain

    store = open_store(folder=folder)
    with store.reading() as connection:
        jobs = Counter(connection.scalars(select(schema.jobs.c.status)))
    whole = verify_chain(store).intact and _reports_prove(store)
    unopened = store_said.unopened(store)
    store.close()
    about = {"tables": store_said.fingerprint(folder), "entries": store_said.entries(folder), "whole": whole}
    return about | {
        "jobs": jobs,
        "files": Counter(store_said.files(folder)),
        "drafts": store_said.drafts(folder),
        "unopened": unopened + broken_backups(folder),
    }


def _reports_prove(store) -> bool:
    from dashboard.reports import pipeline
    from data.trust import reports_store
    from data.trust.scope import Scope

    everybody = Scope.system()
    listed = reports_store.report_list(store, everybody)["report_id"]
    return all(pipeline.prove(store, everybody, one).intact for one in listed)


def sound(folder: Path) -> bool:
    """Whether the database passes its check right after a kill, and no backup is half of one."""
    connection = sqlite3.connect(folder / "tepat.db")
    try:
        checks = [
            connection.execute(f"PRAGMA {check}").fetchall()
            for check in ("integrity_check", "foreign_key_check")
        ]
    finally:
        connection.close()
    return checks == [[("ok",)], []] and not broken_backups(folder)


def broken_backups(folder: Path) -> Counter[str]:
    """Backups below the folder that do not open, or are not whole."""
    from data.keeping.archive import Secret
    from data.keeping.contents import verify

    broken = []
    for file in folder.rglob("*.backup"):
        secret = Secret.of_key((folder / BACKUP_KEY).read_text(encoding="ascii").strip(), "the backups' key")
        try:
            broken += [] if verify(file, secret, None).whole else [file.name]
        except ValueError:
            broken.append(file.name)
    return Counter(broken)


def in_between(folder: Path, *states: dict) -> bool:
    """Whether a store says, right after the kill, none of what it may say then.

    Parameters
    ----------
    states : dict
        Of :func:`benchmarks.store_said.fingerprint`: before, after, and between two steps.

    Notes
    -----
    A restore that was cut off after its journal is opened by nobody; that counts as before.
    """
    from data.store import JOURNAL

    return not (folder / JOURNAL).exists() and store_said.fingerprint(folder) not in states


def compare(found: Found, wanted: dict, got: dict, folder: Path, done: bool) -> None:
    """Add to what was found the difference between an undisturbed store and one that was killed."""
    differences = []
    for table, (rows, digest) in wanted["tables"].items():
        has, same = got["tables"][table]
        found.lost += max(rows - has, 0)
        found.doubled += max(has - rows, 0)
        found.half_written += has == rows and digest != same
        if (has, same) != (rows, digest):
            differences.append(f"{table}: {has} rows for {rows}")
    missing, more = wanted["files"] - got["files"], got["files"] - wanted["files"]
    found.lost += missing.total()
    found.doubled += more.total()
    found.half_written += len(got["drafts"])
    found.damaged += got["unopened"].total()
    again = {action: count - wanted["entries"].get(action, 0) for action, count in got["entries"].items()}
    repeated = [action for action in MAY_REPEAT if again.get(action, 0) == 1]
    found.told_again += bool(repeated)
    again |= dict.fromkeys(repeated, 0)
    audit = not got["whole"] or any(again.values()) or not wanted["entries"].keys() <= got["entries"].keys()
    found.audit += audit
    found.not_done += not done or got["jobs"] != wanted["jobs"]
    if got["unopened"]:
        differences.append(f"does not open: {dict(got['unopened'])}")
    if missing or more:
        differences.append(f"files missing {sorted(missing)}, more {sorted(more)}")
    if audit:
        differences.append(f"log whole: {got['whole']}, entries {got['entries']} for {wanted['entries']}")
    if not done or got["jobs"] != wanted["jobs"]:
        log = folder.with_suffix(".log")
        last = log.read_text(encoding="utf-8", errors="replace")[-600:] if log.exists() else ""
        differences.append(f"done: {done}, jobs {dict(got['jobs'])}: {last}")
    found.told += differences
