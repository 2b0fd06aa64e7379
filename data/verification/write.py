"""Writing descriptors, enrolments, calibrations, decisions and duplicates, each act with its audit entry."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd
from sqlalchemy import Connection, delete, insert, select

from data import schema
from data.calendar.clock import today_in
from data.consents.consent import newest_consents
from data.engine.bulk import fetch_by_keys, insert_frame
from data.engine.clock import now
from data.engine.database import Store, insert_numbered
from data.signatures.sealed_vectors import add_vectors
from data.trust import audit

PURPOSE = "verification"
KEPT_DAYS = 365  # a questioned image may be kept so long, where the store has no other setting
RETENTION_FACT = "questioned_retention_days"
CHUNK = 200


class NoConsent(PermissionError):
    """The student has not agreed to verification, or withdrew."""


@dataclass(frozen=True)
class NewDecision:
    """What a verification found, to be kept.

    Parameters
    ----------
    student_key : str
        Under whose name the signature was handed in.
    image : bytes
        The questioned picture, as it is kept (:func:`data.signatures.bare.bare`).
    facts : dict
        ``questioned_sha256, file_format, width, height, dpi``.
    versions : dict
        ``descriptor_id, descriptor_sha256, classifier_version, calibration_version``.
    result : dict
        ``enrolment_id, outcome, reason, score, log10_lr, thresholds, findings, reference_ids,
        nearest_specimen``.
    """

    student_key: str
    image: bytes = field(repr=False)
    facts: dict
    versions: dict
    result: dict


def write_descriptors(
    store: Store, descriptor_id: str, specimen_ids: Sequence[str], vectors: np.ndarray
) -> int:
    """Store descriptors, encrypted, as float16; those that are there are left alone. How many are new.

    Parameters
    ----------
    descriptor_id : str
        Name, version and hash of the descriptor.
    specimen_ids : sequence of str
        One per row of ``vectors``.
    vectors : ndarray, (n, d)
        Finite.
    """
    if len(vectors) != len(specimen_ids) or not np.isfinite(vectors).all():
        raise ValueError(
            f"vectors must be finite, one row for each of {len(specimen_ids)} specimens, "
            f"got shape {np.shape(vectors)}"
        )
    half, written = np.ascontiguousarray(vectors, dtype="<f2"), 0
    made_by = (schema.signature_descriptors.c.descriptor_id, descriptor_id)
    for start in range(0, len(specimen_ids), CHUNK):
        ids = specimen_ids[start : start + CHUNK]
        with store.writing() as connection:
            part = half[start : start + CHUNK]
            written += add_vectors(connection, store.cipher, made_by, ids, part, "descriptor")
    return written


def write_enrolment(
    store: Store,
    student_key: str,
    versions: dict,
    reference_ids: Sequence[str],
    left_out: dict,
    *,
    actor: str,
    role: str = "system",
) -> int:
    """Append an enrolment, which replaces the student's earlier one. Returns its number.

    Parameters
    ----------
    versions : dict
        ``descriptor_id, descriptor_sha256, classifier_version``.
    reference_ids : sequence of str
        Specimens of the student; none retires the enrolment.
    left_out : dict
        Specimen → list of codes why it is no reference.

    Raises
    ------
    NoConsent
        When the student's newest consent to verification is not a yes.
    ValueError
        When a reference is no specimen of the student.
    """
    ids, specimens = list(reference_ids), schema.specimens
    with store.writing() as connection:
        if ids:
            _need_consent(connection, student_key)
        mine = select(specimens.c.specimen_id).where(specimens.c.student_key == student_key)
        strange = set(ids) - set(connection.scalars(mine))
        if strange:
            raise ValueError(f"reference_ids must be specimens of the student, {len(strange)} are not")
        row = {"student_key": student_key, "at": now(), "actor": actor, **versions}
        row |= {"kind": "enrolled" if ids else "retired", "reference_ids": ids, "left_out": dict(left_out)}
        number = insert_numbered(connection, schema.enrolments, row)
        detail = {"enrolment": number, "references": len(ids), "descriptor": versions["descriptor_id"]}
        action = "enrol signature" if ids else "retire enrolment"
        audit.append_in(connection, actor=actor, role=role, action=action, object=student_key, detail=detail)
    return number


def write_calibration(
    store: Store, versions: dict, content: dict, *, actor: str, role: str = "system"
) -> int:
    """Append a calibration learned from this register. Returns its number."""
    row = {"at": now(), "actor": actor, **versions, "content": content}
    with store.writing() as connection:
        table = schema.verification_calibrations
        number = insert_numbered(connection, table, row)
        detail = {"calibration": number, "descriptor": versions["descriptor_id"]}
        audit.append_in(
            connection,
            actor=actor,
            role=role,
            action="calibrate verification",
            object="register",
            detail=detail,
        )
    return number


def write_decision(store: Store, decision: NewDecision, *, actor: str, role: str = "system") -> str:
    """Append a decision with the questioned image, encrypted. Returns its id.

    Raises
    ------
    NoConsent
        When the student's newest consent to verification is not a yes.
    """
    from data.store import read_fact

    decision_id = uuid.uuid4().hex
    sealed = store.cipher.encrypt(decision.image, f"questioned:{decision_id}")
    with store.writing() as connection:
        _need_consent(connection, decision.student_key)
        days = int(read_fact(connection, RETENTION_FACT, KEPT_DAYS))
        row = {"decision_id": decision_id, "student_key": decision.student_key, "at": now(), "actor": actor}
        row |= decision.facts | decision.versions | decision.result
        connection.execute(insert(schema.verification_decisions).values(**row))
        kept = {"ciphertext": sealed, "retention_until": today_in(connection) + timedelta(days=days)}
        connection.execute(insert(schema.questioned_images).values(decision_id=decision_id, **kept))
        detail = {
            "decision": decision_id,
            "outcome": row["outcome"],
            "image_sha256": row["questioned_sha256"],
            "calibration": row["calibration_version"],
        }
        audit.append_in(
            connection,
            actor=actor,
            role=role,
            action="verify signature",
            object=decision.student_key,
            detail=detail,
        )
    return decision_id


def note_search_for_a_hand(
    store: Store,
    image_sha256: str,
    listed: Sequence[str],
    searched: dict[str, int],
    *,
    actor: str,
    role: str = "system",
) -> int:
    """Write down that somebody asked whose hand a signature may be. Nothing else is kept of it.

    Parameters
    ----------
    image_sha256 : str
        Of the file that was asked about.
    listed : sequence of str
        Keys of the students that were named, the nearest first.
    searched : dict
        ``students``, ``specimens``: how many were searched.
    """
    return audit.append(
        store,
        actor=actor,
        role=role,
        action="search hand",
        object="register",
        detail={"image_sha256": image_sha256, "listed": list(listed), **searched},
    )


def replace_duplicates(
    store: Store,
    descriptor_id: str,
    content: dict,
    findings: pd.DataFrame,
    *,
    actor: str,
    role: str = "system",
) -> int:
    """Put the findings of a new search in the place of the last one's. Returns the search's number.

    Parameters
    ----------
    content : dict
        Counts, limits and expected false hits of the search.
    findings : DataFrame
        ``kind, first_student, second_student, first_specimen, second_specimen, measure, expected_false``.
    """
    table, searches, owners = schema.duplicate_findings, schema.duplicate_searches, schema.specimens
    row = {"at": now(), "actor": actor, "descriptor_id": descriptor_id, "content": content}
    with store.writing() as connection:
        connection.execute(delete(table))
        number = insert_numbered(connection, searches, row)
        ids = sorted({*findings["first_specimen"], *findings["second_specimen"]})
        there = fetch_by_keys(connection, select(owners.c.specimen_id), owners.c.specimen_id, ids)
        known = set(there["specimen_id"])  # less those erased while the search ran
        kept = findings[findings["first_specimen"].isin(known) & findings["second_specimen"].isin(known)]
        insert_frame(connection, table, kept.assign(search_id=number))
        audit.append_in(
            connection,
            actor=actor,
            role=role,
            action="search duplicates",
            object="register",
            detail={"number": number, "findings": len(kept)},
        )
    return number


def _need_consent(connection: Connection, student_key: str) -> None:
    newest = newest_consents()
    granted = connection.scalar(
        select(newest.c.granted).where(newest.c.student_key == student_key, newest.c.purpose == PURPOSE)
    )
    if not granted:
        raise NoConsent("the student has not agreed to the verification of signatures")
