"""Erasure: of a student's signatures and all that was made from them, or of the student.

The receipt is written first: its row in ``erasures`` is what lets the append-only triggers pass the deletes
that follow, in the same transaction.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, or_, select, update

from data import schema
from data.engine.clock import now
from data.engine.database import Store
from data.records.derived import refresh
from data.trust import audit

INDEXES = "indexes"  # folder below the cache whose files mix many students


@dataclass(frozen=True)
class Receipt:
    """What an erasure removed; holds no content.

    Parameters
    ----------
    erasure_id : str
        Its row in ``erasures``.
    student_key : str
        Whose data were erased.
    kind : {"signatures", "outcome_model", "student"}
        How much.
    at : datetime
        UTC.
    actor : str
        Who erased.
    deleted : dict
        Table → rows deleted.
    specimens : tuple of str
        Ids of the specimens that were erased; the same file cannot be imported for the student again.
    cached_files : int
        Cached heat maps and indexes deleted from disk.
    storage_cleaned : bool
        Whether the database's log was emptied (SQLite, which overwrites deleted content) or its tables were
        vacuumed (PostgreSQL, which reuses the space). Backups made earlier are outside its reach.
    """

    erasure_id: str
    student_key: str
    kind: str
    at: datetime
    actor: str
    deleted: dict[str, int]
    specimens: tuple[str, ...]
    cached_files: int
    storage_cleaned: bool

    @property
    def found_anything(self) -> bool:
        """Whether there was anything left to erase."""
        return any(self.deleted.values()) or self.cached_files > 0

    def as_text(self) -> str:
        """The receipt as plain text, to print or send."""
        lines = [
            f"Receipt of erasure {self.erasure_id}",
            f"student key   {self.student_key}",
            f"extent        {self.kind}",
            f"when          {self.at:%Y-%m-%d %H:%M:%S} UTC",
            f"by            {self.actor}",
            *(f"deleted       {count} × {table}" for table, count in self.deleted.items()),
            f"deleted       {self.cached_files} × cached files",
            f"storage       {'cleaned' if self.storage_cleaned else 'busy: erase again to clean it'}",
            "Backups made before this moment still hold the data until they expire.",
        ]
        return "\n".join(lines)


def erase_student_signatures(
    store: Store, key: str, *, actor: str = "command line", role: str = "system"
) -> Receipt:
    """Erase a student's specimens: images, embeddings, quality findings, cached heat maps and indexes, and
    every score and explanation that was computed with them. Running it again finds nothing.

    The student's records and records-only scores stay; the next scoring run scores them without signatures.
    """
    return _erase(store, key, "signatures", actor, role)


def withdraw_outcome_model(store: Store, key: str, *, actor: str, role: str = "system") -> Receipt:
    """Erase the scores and explanations in which a student's signatures took part, but not the specimens.

    Call it with the withdrawal of the consent for "outcome_model".
    """
    return _erase(store, key, "outcome_model", actor, role)


def erase_student(store: Store, key: str, *, actor: str = "command line", role: str = "system") -> Receipt:
    """Erase a student wholly: identity, records, their history, signatures, scores, events and consents."""
    return _erase(store, key, "student", actor, role)


def expired_specimens(store: Store, on: date) -> list[str]:
    """Keys of the students who have a specimen whose ``retention_until`` lies before ``on``."""
    table = schema.specimens
    statement = select(table.c.student_key).where(table.c.retention_until < on).distinct()
    with store.reading() as connection:
        return sorted(connection.scalars(statement))


def receipts(store: Store, key: str | None = None) -> list[Receipt]:
    """Receipts of past erasures, newest first, of one student or of all."""
    table = schema.erasures
    statement = select(table).order_by(table.c.at.desc())
    if key is not None:
        statement = statement.where(table.c.student_key == key)
    with store.reading() as connection:
        rows = connection.execute(statement).mappings().all()
    return [_from_row(row) for row in rows]


def _erase(store: Store, key: str, kind: str, actor: str, role: str) -> Receipt:
    with store.writing() as connection:
        reached = _reached(key, kind)
        specimens = tuple(
            connection.scalars(
                select(schema.specimens.c.specimen_id)
                .where(schema.specimens.c.student_key == key)
                .order_by(schema.specimens.c.specimen_id)
            )
        )
        entry = select(schema.students.c.program_code, schema.students.c.cohort_term)
        cohorts = list(map(tuple, connection.execute(entry.where(schema.students.c.student_key == key))))
        counted = {table.name: _count(connection, table, which) for table, which in reached}
        deleted = {name: count for name, count in counted.items() if count}
        gone = specimens if kind != "outcome_model" else ()
        # Earlier receipts too: a kill may have come between their deletes and their files.
        cached = _cached_files(store, {key, *specimens, *_erased_before(connection, key)})
        erasure_id, at = uuid.uuid4().hex, now()
        row = {"erasure_id": erasure_id, "student_key": key, "kind": kind, "at": at, "actor": actor}
        about = {"deleted": deleted, "specimens": list(gone), "cached_files": len(cached)}
        connection.execute(insert(schema.erasures).values(**row, receipt=about))
        for table, which in reached:
            connection.execute(delete(table).where(which))
        if kind == "student":  # what an undo would restore may hold the name
            connection.execute(update(schema.imports).values(replaced=None))
        if any(deleted.values()):
            refresh(connection, [key], cohorts)
        audit.append_in(
            connection,
            actor=actor,
            role=role,
            action=f"erase {kind}",
            object=key,
            detail={"deleted": deleted},
        )
    for path in cached:
        path.unlink(missing_ok=True)
    return Receipt(erasure_id, key, kind, at, actor, deleted, gone, len(cached), _clean_storage(store))


def _reached(key: str, kind: str) -> list[tuple[Table, ColumnElement[bool]]]:
    """Tables and conditions in the order in which foreign keys allow the deletes."""
    specimens, scores = schema.specimens, schema.scores
    theirs = select(specimens.c.specimen_id).where(specimens.c.student_key == key)
    with_signature = [scores.c.student_key == key]
    if kind != "student":
        with_signature.append(scores.c.modality == "fused")
    scored = select(scores.c.score_id).where(*with_signature)
    reached: list[tuple[Table, ColumnElement[bool]]] = [
        (schema.explanations, schema.explanations.c.score_id.in_(scored)),
        (schema.risk_current, schema.risk_current.c.score_id.in_(scored)),
        (scores, scores.c.score_id.in_(scored)),
    ]
    if kind != "outcome_model":
        reached += _verification(key, theirs)
        reached += [
            (schema.embeddings, schema.embeddings.c.specimen_id.in_(theirs)),
            (schema.specimen_images, schema.specimen_images.c.specimen_id.in_(theirs)),
            (specimens, specimens.c.student_key == key),
        ]
    if kind == "student":
        tables = ("row_history", "case_events", "consents", "outcomes", "course_attempts", "terms")
        for name in (*tables, "identity_words", "identities", "students"):
            table = schema.metadata.tables[name]
            reached.append((table, table.c.student_key == key))
    return reached


def _verification(key: str, theirs) -> list[tuple[Table, ColumnElement[bool]]]:
    """What was made of a student's specimens, and the signatures that were questioned under the name."""
    decisions, images, pairs = (
        schema.verification_decisions,
        schema.questioned_images,
        schema.duplicate_findings,
    )
    opinions, findings = schema.duplicate_reviews, schema.specimen_findings
    questioned = select(decisions.c.decision_id).where(decisions.c.student_key == key)
    return [
        (schema.reviews, schema.reviews.c.student_key == key),
        (images, images.c.decision_id.in_(questioned)),
        (decisions, decisions.c.student_key == key),
        (schema.enrolments, schema.enrolments.c.student_key == key),
        (pairs, or_(pairs.c.first_student == key, pairs.c.second_student == key)),
        (opinions, or_(opinions.c.student_key == key, opinions.c.second_student == key)),
        (findings, findings.c.specimen_id.in_(theirs)),
        (schema.signature_descriptors, schema.signature_descriptors.c.specimen_id.in_(theirs)),
    ]


def erase_questioned(store: Store, on: date, *, actor: str, role: str = "system") -> int:
    """Erase the questioned images whose retention ended before ``on``; their decisions stay. How many."""
    table = schema.questioned_images
    with store.writing() as connection:
        gone = connection.execute(delete(table).where(table.c.retention_until < on)).rowcount
        if gone:
            audit.append_in(
                connection,
                actor=actor,
                role=role,
                action="erase questioned",
                object=on.isoformat(),
                detail={"deleted": {table.name: gone}},
            )
    if gone:
        _clean_storage(store)
    return gone


def _count(connection: Connection, table: Table, which: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(table).where(which)).scalar_one()


def _erased_before(connection: Connection, key: str) -> list[str]:
    table = schema.erasures
    found = connection.scalars(select(table.c.receipt).where(table.c.student_key == key))
    return [specimen_id for receipt in found for specimen_id in receipt["specimens"]]


def delete_cached(store: Store, names: set[str]) -> None:
    """Delete what was cached on disk of specimens or students with these ids, and every index."""
    for path in _cached_files(store, names):
        path.unlink(missing_ok=True)


def _cached_files(store: Store, names: set[str]) -> list[Path]:
    if not store.cache_folder.is_dir():
        return []
    files = (path for path in store.cache_folder.rglob("*") if path.is_file())
    return [
        path
        for path in files
        if any(name in path.name for name in names) or INDEXES in path.relative_to(store.cache_folder).parts
    ]


def _clean_storage(store: Store) -> bool:
    """Let no deleted page linger: empty SQLite's write-ahead log, or vacuum PostgreSQL's tables."""
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "sqlite":
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
            return busy == 0
        tables = "signature_specimens, specimen_images, embeddings, explanations, questioned_images"
        connection.exec_driver_sql(
            f"VACUUM {tables}, signature_descriptors, enrolments, verification_decisions"
        )
        return True


def _from_row(row) -> Receipt:
    about = dict(row["receipt"])
    about["specimens"] = tuple(about["specimens"])
    names = ("erasure_id", "student_key", "kind", "at", "actor")
    return Receipt(**{name: row[name] for name in names}, **about, storage_cleaned=True)


def receipt_as_json(receipt: Receipt) -> dict:
    """The receipt as JSON."""
    return {**asdict(receipt), "at": receipt.at.isoformat(), "specimens": list(receipt.specimens)}
