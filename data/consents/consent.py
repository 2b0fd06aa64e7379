"""Consent per purpose, versioned and withdrawable.

What holds follows the order in which decisions were recorded, never a clock: a no holds until somebody renews
the consent, which is an act of its own. A plain yes beside a no is kept in the history and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select

from data import schema
from data.calendar.clock import newest_day, today_in
from data.columns import CONSENT_DECISIONS, CONSENT_PURPOSES, YES
from data.consents.order import as_recorded, on_record
from data.engine.bulk import fetch_by_keys, insert_frame
from data.engine.clock import now
from data.engine.database import Store, cipher_of, insert_numbered
from data.trust import audit
from data.trust.erase import withdraw_outcome_model

TEXT_VERSION = "1"  # of the consent text that the pages show
LONGEST_SOURCE = schema.longest(schema.consents.c.source)  # characters


class NeedsRenewal(ValueError):
    """A plain yes where a no stands; ``decided_on`` says since when."""

    def __init__(self, purpose: str, decided_on: date):
        super().__init__(
            f"the student said no to {purpose} on {decided_on:%Y-%m-%d}; a new yes must be given as one that "
            "renews the consent"
        )
        self.purpose, self.decided_on = purpose, decided_on


def newest_consents():
    """SELECT of the decision that holds: one row per student and purpose."""
    return select(schema.consents).where(holds()).subquery()


def holds() -> ColumnElement[bool]:
    """Condition on a row of ``consents``: no decision of the same student and purpose outranks it.

    The last no or renewal that was recorded holds; only without one, the last plain yes. Not ranked among all
    of them: so a question about one student reads that student's rows alone.
    """
    held, other = schema.consents, schema.consents.alias()
    plain = {table: table.c.decision == "granted" for table in (held, other)}
    outranked = or_(
        and_(plain[held], ~plain[other]),
        and_(plain[held] == plain[other], other.c.consent_id > held.c.consent_id),
    )
    of_the_same = and_(other.c.student_key == held.c.student_key, other.c.purpose == held.c.purpose)
    return ~exists(select(1).select_from(other).where(of_the_same, outranked).correlate(held))


def write_consents(store: Store, frame: pd.DataFrame, *, actor: str = "import") -> int:
    """Append consents; those that say what already holds are left out. Returns how many are new.

    Parameters
    ----------
    frame : DataFrame
        ``purpose`` (one of :data:`data.columns.CONSENT_PURPOSES`), ``granted`` (bool), and ``student_key`` or
        ``student_number``; optionally ``text_version``, ``recorded_at``, ``recorded_by``, ``source``. A yes
        is a plain one: it does not end a no (see :func:`record_consents`).

    Raises
    ------
    ValueError
        When a purpose or student is unknown, or ``granted`` is missing.
    """
    strange = set(frame["purpose"]) - set(CONSENT_PURPOSES)
    if strange:
        raise ValueError(
            f"purpose must be one of {', '.join(CONSENT_PURPOSES)}, got {sorted(map(str, strange))}"
        )
    if frame["granted"].isna().any():
        raise ValueError("granted must be true or false, got a missing value")
    rows = _completed(frame, actor)
    with store.writing() as connection:
        rows = _keyed(connection, rows)
        newest, whose = newest_consents(), sorted(rows["student_key"].unique())
        held = fetch_by_keys(connection, select(newest), newest.c.student_key, whose)
        rows = _worded(rows, held)
        fresh = _news(rows, held)
        fresh = fresh[~on_record(*_named(fresh, _recorded(connection, fresh["student_key"])))]
        names = [column.name for column in schema.consents.columns if column.name in fresh]
        insert_frame(connection, schema.consents, fresh[names])
    forget_scores(store, outcome_refusals(fresh), actor)
    return len(fresh)


def _completed(frame: pd.DataFrame, actor: str) -> pd.DataFrame:
    rows = frame.reset_index(drop=True)
    stamp = pd.Timestamp(now())
    for name, value in {"text_version": TEXT_VERSION, "recorded_at": stamp, "recorded_by": actor}.items():
        rows[name] = rows[name].fillna(value) if name in rows else value
    rows["granted"] = rows["granted"].astype(bool)
    rows["recorded_at"] = pd.to_datetime(rows["recorded_at"]).astype("datetime64[us]")
    rows["decided_on"] = rows["recorded_at"].dt.normalize()
    rows["source"] = rows.get("source", pd.Series(None, index=rows.index, dtype=object))
    return rows


def _keyed(connection: Connection, rows: pd.DataFrame) -> pd.DataFrame:
    identities = schema.identities
    if "student_key" not in rows:
        cipher, numbers = cipher_of(connection), rows["student_number"].unique()
        hashes = {number: cipher.number_hash(number) for number in numbers}
        wanted = select(identities.c.number_hash, identities.c.student_key)
        found = fetch_by_keys(connection, wanted, identities.c.number_hash, list(hashes.values()))
        keys = found.set_index("number_hash")["student_key"]
        rows = rows.assign(student_key=rows["student_number"].map(hashes).map(keys))
        rows = rows.drop(columns="student_number")
    students = schema.students.c.student_key
    known = fetch_by_keys(connection, select(students), students, list(rows["student_key"].dropna().unique()))
    unknown = ~rows["student_key"].isin(set(known["student_key"]))
    if unknown.any():
        raise ValueError(
            f"every student must be known; {int(unknown.sum())} are not, the first in row {unknown.idxmax()}"
        )
    return rows


def _worded(rows: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """A no after a yes is a withdrawal, any other a refusal."""
    agreed = set(zip(held["student_key"], held["purpose"], strict=True)) if len(held) else set()
    agreed |= {(r.student_key, r.purpose) for r in rows.itertuples() if r.granted}
    whose = zip(rows["student_key"], rows["purpose"], rows["granted"], strict=True)
    words = ["granted" if yes else "withdrawn" if (k, p) in agreed else "refused" for k, p, yes in whose]
    ordered = rows.assign(decision=words).sort_values("recorded_at", kind="stable")
    return as_recorded(ordered)


def _news(rows: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Rows that change what holds, or belong to the history as a yes beside a no."""
    state = {
        (r.student_key, r.purpose): (r.decision in YES, r.text_version) for r in held.itertuples(index=False)
    }
    news = []
    for row in rows.itertuples(index=False):
        about, said = (row.student_key, row.purpose), (bool(row.granted), row.text_version)
        before = state.get(about)
        news.append(before != said)
        if before is None or before[0] or not row.granted:  # a plain yes leaves a no as it is
            state[about] = said
    return rows[news]


def append_decisions(
    connection: Connection, rows: pd.DataFrame, actor: str, at: datetime, import_id: str
) -> pd.DataFrame:
    """Append the decisions of an import that are not on record, in their order. Returns those.

    Parameters
    ----------
    rows : DataFrame
        ``student_key, purpose, decision, decided_on, source, text_version``, in the order of recording.
    """
    stored = _recorded(connection, rows["student_key"])
    fresh = rows[~on_record(*_named(rows, stored))].copy()
    fresh["granted"] = fresh["decision"].isin(YES)
    fresh["text_version"] = fresh["text_version"].astype(object).fillna(TEXT_VERSION)
    fresh = fresh.assign(recorded_at=pd.Timestamp(at), recorded_by=actor, import_id=import_id)
    insert_frame(connection, schema.consents, fresh)
    return fresh


def _recorded(connection: Connection, keys: pd.Series) -> pd.DataFrame:
    table = schema.consents
    return fetch_by_keys(connection, select(table), table.c.student_key, sorted(keys.unique()))


def _named(*frames: pd.DataFrame) -> list[pd.DataFrame]:
    return [frame.rename(columns={"student_key": "student_number"}) for frame in frames]


def record_consent(store: Store, student_key: str, purpose: str, decision: str, **about) -> bool:
    """As :func:`record_consents`, for one purpose. Returns whether it changed anything."""
    return record_consents(store, student_key, [purpose], decision, **about)[purpose]


def record_consents(
    store: Store,
    student_key: str,
    purposes: Sequence[str],
    decision: str,
    *,
    actor: str,
    role: str = "system",
    decided_on: date | None = None,
    source: str = "",
) -> dict[str, bool]:
    """Record a decision by hand for one purpose or several, all or none, each with an entry in the audit log.

    Parameters
    ----------
    purposes : sequence of str
        Of :data:`data.columns.CONSENT_PURPOSES`.
    decision : {"granted", "refused", "withdrawn", "renewed"}
        "renewed" is the act by which a yes is given in spite of a no; where none stands it is a plain yes.
    decided_on : date, optional
        Of the paper or the conversation; by default today.
    source : str
        Where that can be looked up, at most 200 characters.

    Returns
    -------
    dict of str to bool
        Purpose → whether anything changed.

    Raises
    ------
    NeedsRenewal
        When a plain yes meets a no.
    LookupError
        When there is no such student.
    ValueError
        When purpose or decision is unknown, the date lies in the future or the source is too long.

    Notes
    -----
    A no to the outcome model also erases the scores in which the signature took part.
    """
    for purpose in purposes:
        _refuse(purpose, decision, source)
    with store.writing() as connection:
        day = decided_on or today_in(connection)
        if day > newest_day(connection):
            raise ValueError(f"decided_on must not lie in the future, got {day:%Y-%m-%d}")
        row = {"student_key": student_key, "decided_on": day, "source": source or None}
        row |= {"text_version": TEXT_VERSION, "recorded_at": now(), "recorded_by": actor}
        known = select(schema.students.c.student_key).where(schema.students.c.student_key == student_key)
        if connection.scalar(known) is None:
            raise LookupError(f"no student {student_key!r}")
        recorded = {
            purpose: _act(connection, {**row, "purpose": purpose}, decision, role) for purpose in purposes
        }
    if "outcome_model" in purposes and decision not in YES:
        forget_scores(store, [student_key], actor)
    return recorded


def _act(connection: Connection, row: dict, decision: str, role: str) -> bool:
    """Append one decision and its entry in the log, unless it holds already."""
    newest = newest_consents()
    whose = (newest.c.student_key == row["student_key"], newest.c.purpose == row["purpose"])
    held = connection.execute(select(newest).where(*whose)).mappings().one_or_none()
    act = _as_act(decision, held, row["purpose"])
    if act is None:
        return False
    values = {**row, "decision": act, "granted": act in YES}
    number = insert_numbered(connection, schema.consents, values)
    about = {"consent": number, "purpose": row["purpose"], "decision": decision}
    audit.append_in(
        connection,
        actor=row["recorded_by"],
        role=role,
        action="record consent",
        object=row["student_key"],
        detail={**about, "decided_on": row["decided_on"].isoformat()},
    )
    return True


def _refuse(purpose: str, decision: str, source: str) -> None:
    if purpose not in CONSENT_PURPOSES:
        raise ValueError(f"purpose must be one of {', '.join(CONSENT_PURPOSES)}, got {purpose!r}")
    if decision not in CONSENT_DECISIONS:
        raise ValueError(f"decision must be one of {', '.join(CONSENT_DECISIONS)}, got {decision!r}")
    if len(source) > LONGEST_SOURCE:
        raise ValueError(f"source must have at most {LONGEST_SOURCE} characters, got {len(source)}")


def _as_act(decision: str, held, purpose: str) -> str | None:
    """The decision as it is to be recorded; None when it changes nothing."""
    if held is None:
        return "granted" if decision == "renewed" else decision
    if held["granted"] == (decision in YES):
        return None
    if decision == "granted":
        raise NeedsRenewal(purpose, held["decided_on"])
    return "withdrawn" if decision == "refused" else decision


def without_outcome_consent(store: Store, keys: list[str] | None = None) -> list[str]:
    """Students who have a score in which their signature took part, or a prediction from one, and whose
    decision on the outcome model that holds is not a yes: of ``keys``, or of everybody."""
    scores, predictions, newest = schema.scores, schema.signature_predictions, newest_consents()
    agreed = select(newest.c.student_key).where(newest.c.purpose == "outcome_model", newest.c.granted)
    fused = select(scores.c.student_key).where(
        scores.c.modality == "fused", scores.c.student_key.not_in(agreed)
    )
    statement = fused.union(select(predictions.c.student_key).where(predictions.c.student_key.not_in(agreed)))
    with store.reading() as connection:
        found = sorted(connection.scalars(statement))
    return found if keys is None else sorted(set(found) & set(keys))


def outcome_refusals(rows: pd.DataFrame) -> list[str]:
    """Students whom decisions just recorded take out of the outcome model."""
    refused = (rows["purpose"] == "outcome_model") & ~rows["granted"].astype(bool)
    return list(rows.loc[refused, "student_key"].unique())


def forget_scores(store: Store, keys: list[str], actor: str) -> None:
    """After a no to the outcome model no page may show what the signature took part in; the next scoring
    uses records."""
    for key in without_outcome_consent(store, keys) if keys else ():
        withdraw_outcome_model(store, key, actor=actor)
