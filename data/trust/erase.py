"""Erasure: of a student's signatures and all that was made from them, of who they were, or of the student.

The receipt is written first: its row in ``erasures`` is what lets the append-only triggers pass the deletes
that follow, in the same transaction.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, insert, null, or_, select, update

from data import schema
from data.engine.clock import now
from data.engine.database import Store
from data.jobs import live as jobs_live
from data.jobs.table import OPEN
from data.keeping import tombstones
from data.keeping.tombstones import Tombstone
from data.records.derived import refresh
from data.trust import audit, reports_store

logger = logging.getLogger(__name__)
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
    kind : {"signatures", "outcome_model", "identity", "student"}
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
    partial : bool
        Whether only these specimens went, and others of the student stayed.
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
    partial: bool = False

    @property
    def found_anything(self) -> bool:
        """Whether there was anything left to erase."""
        return any(self.deleted.values()) or self.cached_files > 0

    def as_text(self) -> str:
        """The receipt as plain text, to print or send."""
        lines = [
            f"Receipt of erasure {self.erasure_id}",
            f"student key   {self.student_key}",
            f"extent        {self.kind}{', those that had fallen due' if self.partial else ''}",
            f"when          {self.at:%Y-%m-%d %H:%M:%S} UTC",
            f"by            {self.actor}",
            *(f"deleted       {count} × {table}" for table, count in self.deleted.items()),
            f"deleted       {self.cached_files} × cached files",
            f"storage       {'cleaned' if self.storage_cleaned else 'busy: erase again to clean it'}",
            "Backups made before this moment hold the data until they expire; one that is restored is erased "
            "from again.",
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
    """Erase a student wholly: identity, records, their history, signatures, scores, events and consents.

    In the tables of which a public file was made a stand-in takes the student's place
    (:func:`data.trust.reports_store.forget_in_disclosures`). Approved reports are frozen and sealed as they
    were signed: a student stands in them as a key of which nothing is left in the store.
    """
    return _erase(store, key, "student", actor, role)


def pseudonymise(store: Store, key: str, *, actor: str = "command line", role: str = "system") -> Receipt:
    """Erase who a student was: name, number, year of birth, further columns, notes, and signatures with all
    that was made from them. The course of study stays, under a key that only the store's key leads back to a
    number."""
    return _erase(store, key, "identity", actor, role)


def erase_specimens(
    store: Store, key: str, ids: Sequence[str], *, actor: str = "command line", role: str = "system"
) -> Receipt:
    """Erase some of a student's specimens, such as those whose retention has ended; the others stay.

    Scores in which signatures took part go, as with all of them; a reference that goes ends the enrolment,
    and the decisions of then stay. Where no other specimen is left this is
    :func:`erase_student_signatures`.
    """
    with store.reading() as connection:
        specimens = schema.specimens
        held = connection.scalars(select(specimens.c.specimen_id).where(specimens.c.student_key == key))
        rest = set(held) - set(ids)
    only = frozenset(ids) if rest else None
    return _erase(store, key, "signatures", actor, role, only=only)


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


def erase_again(store: Store, listed: Sequence[Tombstone]) -> list[Receipt]:
    """Repeat what was erased after the state that a store was brought back to, under the numbers of then.

    Parameters
    ----------
    listed : sequence of Tombstone
        Every erasure known outside the database; those that the store has a receipt of are left alone.

    Returns
    -------
    list of Receipt
        Of the students whom the store held.
    """
    with store.reading() as connection:
        known = set(connection.scalars(select(schema.erasures.c.erasure_id)))
        keys = connection.scalars(select(schema.students.c.student_key)).all()
    missing = [one for one in listed if one.erasure_id not in known]
    if not missing:
        return []
    held = {tombstones.who_is(store.cipher, key): key for key in keys}
    again = [(held[one.who], one) for one in missing if one.who in held]
    return [
        _erase(store, key, one.kind, _actor_of(one), "system", again=one, only=_part_of(one))
        for key, one in again
    ]


def _part_of(one: Tombstone) -> frozenset[str] | None:
    about = one.receipt["receipt"] if one.receipt else {}
    return frozenset(about["specimens"]) if about.get("partial") else None


def _actor_of(one: Tombstone) -> str:
    return one.receipt["actor"] if one.receipt else "unknown"


def _erase(
    store: Store,
    key: str,
    kind: str,
    actor: str,
    role: str,
    *,
    again: Tombstone | None = None,
    only: frozenset[str] | None = None,
) -> Receipt:
    with store.writing() as connection:
        reached = _reached(key, kind, only)
        owned = select(schema.specimens.c.specimen_id).where(schema.specimens.c.student_key == key)
        owned = owned.order_by(schema.specimens.c.specimen_id)
        specimens = tuple(one for one in connection.scalars(owned) if only is None or one in only)
        entry = select(schema.students.c.program_code, schema.students.c.cohort_term)
        cohorts = list(map(tuple, connection.execute(entry.where(schema.students.c.student_key == key))))
        counted = {table.name: _count(connection, table, which) for table, which in reached}
        deleted = {name: count for name, count in counted.items() if count}
        gone = specimens if kind != "outcome_model" else ()
        # Earlier receipts too: a page may have drawn a picture while they were deleted.
        drawn = {key, *specimens, *_erased_before(connection, key)}
        cached = _cached_files(store, drawn)
        erasure_id, at = (uuid.uuid4().hex, now()) if again is None else (again.erasure_id, again.at)
        row = {"erasure_id": erasure_id, "student_key": key, "kind": kind, "at": at, "actor": actor}
        if again is not None:
            before = again.receipt["receipt"]["specimens"] if again.receipt else ()
            gone = tuple(sorted({*gone, *before}))
        about = {"deleted": deleted, "specimens": list(gone), "cached_files": len(cached)}
        if only is not None:
            about["partial"] = True
        connection.execute(insert(schema.erasures).values(**row, receipt=about))
        if only is not None:
            _end_enrolment(connection, key, only, actor)
        for table, which in reached:
            connection.execute(delete(table).where(which))
        if kind == "student":
            reports_store.forget_in_disclosures(connection, key)
        if kind in ("student", "identity"):  # what an undo would restore may hold the name
            connection.execute(update(schema.imports).values(replaced=None))
        if kind == "identity":
            students = schema.students
            nobody = {"birth_year": None, "extra": null(), "advisor": None}
            connection.execute(update(students).where(students.c.student_key == key).values(**nobody))
        if any(deleted.values()):
            refresh(connection, [key], cohorts)
        audit.append_in(
            connection,
            actor=actor,
            role=role,
            action=f"erase {kind}",
            object=key,
            detail={"deleted": deleted} | ({"again": again.erasure_id} if again else {}),
        )
        _bury(store, row | {"receipt": about})
        delete_cached(store, drawn)
        if kind != "outcome_model":
            jobs_live.drop_peoples_files(store, _open_files(connection))
    delete_cached(store, drawn)
    cleaned = _clean_storage(store)
    return Receipt(
        erasure_id, key, kind, at, actor, deleted, gone, len(cached), cleaned, partial=only is not None
    )


def _open_files(connection: Connection) -> set[str]:
    """Ids of the files that a waiting or running job works on: what they hold has not come in yet."""
    jobs = schema.jobs
    arguments = connection.scalars(select(jobs.c.arguments).where(jobs.c.status.in_(OPEN)))
    return {asked["files"] for asked in arguments if asked.get("files")}


def _bury(store: Store, row: dict) -> None:
    """Before the commit: of an erasure that was asked for, the list rather knows too much than too little."""
    try:
        tombstones.bury(store.seal, row)
    except (
        OSError,
        ValueError,
    ) as problem:  # filelock's Timeout is an OSError; the next backup makes it good
        logger.error("an erasure was not put on the list outside the database: %s", type(problem).__name__)


def _end_enrolment(connection: Connection, key: str, gone: frozenset[str], actor: str) -> None:
    """End an enrolment that rests on a specimen that goes; somebody enrols the student anew."""
    table = schema.enrolments
    newest = select(table).where(table.c.student_key == key).order_by(table.c.enrolment_id.desc()).limit(1)
    row = connection.execute(newest).mappings().one_or_none()
    if row is not None and row["kind"] == "enrolled" and gone & set(row["reference_ids"]):
        ended = {name: value for name, value in row.items() if name != "enrolment_id"}
        ended |= {"at": now(), "actor": actor, "kind": "retired"}
        connection.execute(insert(table).values(**ended))


def _reached(
    key: str, kind: str, only: frozenset[str] | None = None
) -> list[tuple[Table, ColumnElement[bool]]]:
    """Tables and conditions in the order in which foreign keys allow the deletes."""
    specimens, scores = schema.specimens, schema.scores
    which = specimens.c.student_key == key
    if only is not None:
        which = and_(which, specimens.c.specimen_id.in_(sorted(only)))
    theirs = select(specimens.c.specimen_id).where(which)
    with_signature = [scores.c.student_key == key]
    if kind != "student":
        with_signature.append(scores.c.modality == "fused")
    scored = select(scores.c.score_id).where(*with_signature)
    reached: list[tuple[Table, ColumnElement[bool]]] = [
        (schema.explanations, schema.explanations.c.score_id.in_(scored)),
        (schema.risk_current, schema.risk_current.c.score_id.in_(scored)),
        (scores, scores.c.score_id.in_(scored)),
    ]
    reached += _predictions(key)
    if kind != "outcome_model":
        reached += _verification(key, theirs) if only is None else _of_specimens(theirs)
        reached += [
            (schema.embeddings, schema.embeddings.c.specimen_id.in_(theirs)),
            (schema.specimen_strokes, schema.specimen_strokes.c.specimen_id.in_(theirs)),
            (schema.specimen_images, schema.specimen_images.c.specimen_id.in_(theirs)),
            (specimens, which),
        ]
    if kind == "identity":
        history = schema.row_history
        of_person = and_(history.c.student_key == key, history.c.table_name == schema.students.name)
        reached.append((history, of_person))
        for table in (schema.case_events, schema.identities):
            reached.append((table, table.c.student_key == key))
    if kind == "student":
        tables = ("row_history", "case_events", "trial_students", "consents", "outcomes")
        tables += ("course_attempts", "terms")
        for name in (*tables, "identities", "students"):
            table = schema.metadata.tables[name]
            reached.append((table, table.c.student_key == key))
    return reached


def _predictions(key: str) -> list[tuple[Table, ColumnElement[bool]]]:
    """What a network said of a student's signatures (purpose: outcome model)."""
    table, images = schema.signature_predictions, schema.prediction_images
    own = select(table.c.prediction_id).where(table.c.student_key == key)
    return [(images, images.c.prediction_id.in_(own)), (table, table.c.student_key == key)]


def _verification(key: str, theirs) -> list[tuple[Table, ColumnElement[bool]]]:
    """What was made of a student's specimens, and the signatures that were questioned under the name."""
    decisions, images, pairs = (
        schema.verification_decisions,
        schema.questioned_images,
        schema.duplicate_findings,
    )
    opinions = schema.duplicate_reviews
    questioned = select(decisions.c.decision_id).where(decisions.c.student_key == key)
    return [
        (schema.reviews, schema.reviews.c.student_key == key),
        (images, images.c.decision_id.in_(questioned)),
        (decisions, decisions.c.student_key == key),
        (schema.enrolments, schema.enrolments.c.student_key == key),
        (pairs, or_(pairs.c.first_student == key, pairs.c.second_student == key)),
        (opinions, or_(opinions.c.student_key == key, opinions.c.second_student == key)),
        *_of_specimens(theirs),
    ]


def _of_specimens(theirs) -> list[tuple[Table, ColumnElement[bool]]]:
    """What was made of some specimens."""
    pairs, findings = schema.duplicate_findings, schema.specimen_findings
    return [
        (pairs, or_(pairs.c.first_specimen.in_(theirs), pairs.c.second_specimen.in_(theirs))),
        (findings, findings.c.specimen_id.in_(theirs)),
        (schema.signature_descriptors, schema.signature_descriptors.c.specimen_id.in_(theirs)),
    ]


def erase_questioned(store: Store, on: date, *, actor: str, role: str = "system") -> int:
    """Erase the images that came for an answer (a comparison, a prediction) and whose retention ended before
    ``on``; the answers stay. How many."""
    kept_for_a_time = (schema.questioned_images, schema.prediction_images)
    with store.writing() as connection:
        deleted = {
            table.name: connection.execute(delete(table).where(table.c.retention_until < on)).rowcount
            for table in kept_for_a_time
        }
        deleted = {name: count for name, count in deleted.items() if count}
        gone = sum(deleted.values())
        if gone:
            audit.append_in(
                connection,
                actor=actor,
                role=role,
                action="erase questioned",
                object=on.isoformat(),
                detail={"deleted": deleted},
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
    """Delete what was cached on disk of specimens or students with these ids, and every index.

    To be called twice: before the commit, so that a kill after it leaves nothing behind (what was cached of
    an act that does not happen is drawn anew), and after it, for what a page has drawn meanwhile.
    """
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
        tables += ", specimen_strokes, signature_predictions, prediction_images"
        connection.exec_driver_sql(
            f"VACUUM {tables}, trial_students, signature_descriptors, enrolments, verification_decisions"
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
