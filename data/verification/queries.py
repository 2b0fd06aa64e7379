"""SELECTs of verification. Purpose-bound: vectors and images leave only for students who consent to it.

While a case awaits opinions, its score and what follows from it are null for everybody who has not given an
opinion yet, except for whoever ran it: the blindness of a review is kept here, in the rows. What other people
think of it is kept back by :func:`data.verification.reviews.opinions` in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import Select, and_, case, exists, false, func, null, or_, select

from data import schema
from data.columns import PAPER
from data.consents.consent import newest_consents
from data.engine.bulk import fetch, fetch_by_keys
from data.engine.database import Store
from data.trust.scope import Scope
from data.trust.scoping import visible
from data.verification.write import PURPOSE

HIDDEN = ("reason", "score", "log10_lr", "nearest_specimen")


@dataclass(frozen=True)
class StoredCalibration:
    """The newest calibration of a register for one descriptor."""

    number: int
    content: dict


def consents(store: Store, key: str) -> bool | None:
    """Whether a student agrees to verification; None when there is no such student."""
    newest, students = newest_consents(), schema.students
    about = and_(newest.c.student_key == students.c.student_key, newest.c.purpose == PURPOSE)
    statement = select(newest.c.granted).select_from(students.outerjoin(newest, about))
    with store.reading() as connection:
        row = connection.execute(statement.where(students.c.student_key == key)).one_or_none()
    return None if row is None else bool(row[0])


def student_keys(store: Store, scope: Scope) -> dict[str, str]:
    """Student number → key of everybody in ``scope``, for a pipeline that reads numbers from file names;
    nobody unless it may identify."""
    if not scope.may_identify:
        return {}
    table, owner = schema.identities, schema.students
    numbers = select(table.c.student_number, table.c.student_key)
    numbers = numbers.join(owner, owner.c.student_key == table.c.student_key).where(*visible(scope))
    with store.reading() as connection:
        found = fetch(connection, numbers)
    return dict(zip(found["student_number"], found["student_key"], strict=True))


def undescribed(store: Store, descriptor_id: str, key: str | None = None) -> pd.DataFrame:
    """``specimen_id, student_key, captured_on, dpi, checked``: specimens of consenting students without this
    descriptor, of one student or of all; ``checked`` says whether the quality checks ran."""
    table, done = schema.specimens, schema.signature_descriptors
    there = exists().where(done.c.specimen_id == table.c.specimen_id, done.c.descriptor_id == descriptor_id)
    checked = has_finding(table, schema.CHECKED).label("checked")
    columns = (table.c.specimen_id, table.c.student_key, table.c.captured_on, table.c.dpi, checked)
    statement = consenting(select(*columns)).where(~there).order_by(table.c.specimen_id)
    if key is not None:
        statement = statement.where(table.c.student_key == key)
    with store.reading() as connection:
        return fetch(connection, statement)


def described(store: Store, descriptor_id: str, spoiling: Sequence[str] = ()) -> pd.DataFrame:
    """``specimen_id, student_key, captured_on, context``: specimens of consenting students that have this
    descriptor and none of the ``spoiling`` findings; by student and date. Of paper only: what scores mean,
    and what chance gives, was learned and is measured on scans."""
    table, done, found = schema.specimens, schema.signature_descriptors, schema.specimen_findings
    spoilt = exists().where(found.c.specimen_id == table.c.specimen_id, found.c.code.in_(list(spoiling)))
    columns = [table.c[name] for name in ("specimen_id", "student_key", "captured_on", "context")]
    statement = (
        consenting(select(*columns))
        .join(done, and_(done.c.specimen_id == table.c.specimen_id, done.c.descriptor_id == descriptor_id))
        .where(~spoilt, table.c.medium == PAPER)
        .order_by(table.c.student_key, table.c.captured_on, table.c.specimen_id)
    )
    with store.reading() as connection:
        return fetch(connection, statement)


def descriptors(
    store: Store, descriptor_id: str, specimen_ids: Sequence[str]
) -> tuple[list[str], np.ndarray]:
    """Descriptors of the given specimens, in their order.

    Returns
    -------
    ids : list of str
        Those that are there and whose student consents.
    vectors : float32 (n, d)
    """
    table, specimens = schema.signature_descriptors, schema.specimens
    statement = consenting(
        select(table.c.specimen_id, table.c.ciphertext).join(
            specimens, specimens.c.specimen_id == table.c.specimen_id
        )
    ).where(table.c.descriptor_id == descriptor_id)
    with store.reading() as connection:
        found = fetch_by_keys(connection, statement, table.c.specimen_id, list(specimen_ids))
    sealed = dict(zip(found["specimen_id"], found["ciphertext"], strict=True))
    ids = [one for one in specimen_ids if one in sealed]
    plain = [store.cipher.decrypt(bytes(sealed[one]), f"descriptor:{one}") for one in ids]
    if not ids:
        return [], np.empty((0, 0), dtype=np.float32)
    return ids, np.array([np.frombuffer(one, dtype="<f2") for one in plain], dtype=np.float32)


def newest_calibration(store: Store, descriptor_id: str, classifier_version: str) -> StoredCalibration | None:
    """The register's own calibration for a descriptor and classifier; None before the first."""
    table = schema.verification_calibrations
    statement = (
        select(table.c.calibration_id, table.c.content)
        .where(table.c.descriptor_id == descriptor_id, table.c.classifier_version == classifier_version)
        .order_by(table.c.calibration_id.desc())
        .limit(1)
    )
    with store.reading() as connection:
        row = connection.execute(statement).one_or_none()
    return None if row is None else StoredCalibration(row[0], row[1])


def erasures(store: Store) -> int:
    """How many erasures there were: what is kept in memory is as old as this number."""
    with store.reading() as connection:
        return connection.execute(select(func.count()).select_from(schema.erasures)).scalar_one()


def enrolments(
    store: Store, scope: Scope, *, key: str | None = None, history: bool = False, limit: int | None = None
) -> pd.DataFrame:
    """Enrolments in force, the newest first: the columns of ``enrolments`` and, where ``scope`` may identify,
    ``student_number, name``. None is in force while its student does not agree to verification.

    Parameters
    ----------
    key : str, optional
        Of one student only.
    history : bool
        Earlier and retired ones too.
    """
    table, owner, identity = schema.enrolments, schema.students, schema.identities
    statement = _identified(select(table), scope, table, owner, identity).where(*visible(scope))
    if key is not None:
        statement = statement.where(table.c.student_key == key)
    if not history:
        newest = select(func.max(table.c.enrolment_id)).group_by(table.c.student_key)
        statement = statement.where(table.c.enrolment_id.in_(newest), table.c.kind == "enrolled")
        statement = statement.where(table.c.student_key.in_(agreeing()))
    with store.reading() as connection:
        return fetch(connection, statement.order_by(table.c.enrolment_id.desc()).limit(limit))


def decisions(
    store: Store,
    scope: Scope,
    *,
    key: str | None = None,
    outcome: str | None = None,
    settled: bool | None = None,
    oldest_first: bool = False,
    limit: int = 200,
) -> pd.DataFrame:
    """Decisions, the newest first: the columns of ``verification_decisions``, ``opinions`` (how many
    stand), ``known`` (how many of them knew the score), ``wanted`` (whether another is), ``mine``,
    ``withdrew`` (the reader took an opinion back) and ``settled`` (bool), and, where ``scope`` may identify,
    ``student_number, name``.

    What :data:`HIDDEN` names is null as long as the reader must be blind.
    """
    statement, table = _decisions(scope), schema.verification_decisions
    if key is not None:
        statement = statement.where(table.c.student_key == key)
    if outcome is not None:
        statement = statement.where(table.c.outcome == outcome)
    if settled is not None:
        statement = statement.where(is_settled(table) if settled else ~is_settled(table))
    order = table.c.at if oldest_first else table.c.at.desc()
    with store.reading() as connection:
        return fetch(connection, statement.order_by(order, table.c.decision_id).limit(limit))


def decision(store: Store, scope: Scope, decision_id: str) -> dict:
    """One row of :func:`decisions`.

    Raises
    ------
    LookupError
        When there is none that ``scope`` reaches.
    """
    table = schema.verification_decisions
    with store.reading() as connection:
        found = fetch(connection, _decisions(scope).where(table.c.decision_id == decision_id))
    if found.empty:
        raise LookupError(f"no decision {decision_id!r} that may be read")
    row = found.iloc[0].to_dict()
    return row | {name: None for name in HIDDEN if not isinstance(row[name], str) and pd.isna(row[name])}


def decided_since(store: Store, actor: str, since: datetime) -> dict[tuple[str, str], dict]:
    """What one person's comparisons came to since a moment (UTC), for a pipeline that is taken up again.

    Returns
    -------
    dict
        ``(student_key, questioned_sha256)`` → ``decision_id, outcome, reason, log10_lr``.
    """
    table = schema.verification_decisions
    names = ("decision_id", "outcome", "reason", "log10_lr")
    statement = select(
        table.c.student_key, table.c.questioned_sha256, *(table.c[name] for name in names)
    ).where(table.c.actor == actor, table.c.at >= since)
    with store.reading() as connection:
        rows = connection.execute(statement).mappings().all()
    return {
        (row["student_key"], row["questioned_sha256"]): {name: row[name] for name in names} for row in rows
    }


def questioned_image(store: Store, scope: Scope, decision_id: str) -> bytes:
    """The file in question as it came, decrypted.

    Raises
    ------
    LookupError
        When its retention ended, or ``scope`` does not reach the student.
    """
    images, table, owner = schema.questioned_images, schema.verification_decisions, schema.students
    statement = (
        select(images.c.ciphertext)
        .join(table, table.c.decision_id == images.c.decision_id)
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(images.c.decision_id == decision_id, *visible(scope))
    )
    with store.reading() as connection:
        sealed = connection.scalar(statement)
    if sealed is None:
        raise LookupError(f"no questioned image of {decision_id!r} that may be read")
    return store.cipher.decrypt(bytes(sealed), f"questioned:{decision_id}")


def references(store: Store, scope: Scope, specimen_ids: Sequence[str]) -> pd.DataFrame:
    """``specimen_id, captured_on, context, medium, sha256`` of specimens, in the order given; less those
    erased."""
    table, owner = schema.specimens, schema.students
    columns = [table.c[name] for name in ("specimen_id", "captured_on", "context", "medium", "sha256")]
    statement = (
        select(*columns).join(owner, owner.c.student_key == table.c.student_key).where(*visible(scope))
    )
    with store.reading() as connection:
        found = fetch_by_keys(connection, statement, table.c.specimen_id, list(specimen_ids))
    place = {one: index for index, one in enumerate(specimen_ids)}
    return found.sort_values("specimen_id", key=lambda ids: ids.map(place), ignore_index=True)


def _decisions(scope: Scope) -> Select:
    table, owner, identity = schema.verification_decisions, schema.students, schema.identities
    blind, given, settled = _blind(scope), _opinions(table), is_settled(table)
    columns = [
        case((blind, null()), else_=column).label(column.name) if column.name in HIDDEN else column
        for column in table.c
    ]
    opinion = schema.reviews.c.opinion
    counted, kinds = (
        select(count).select_from(schema.reviews).where(given).scalar_subquery()
        for count in (func.count(), func.count(opinion.distinct()))
    )
    wanted = or_(counted < 2, and_(counted == 2, kinds == 2))  # a third one where two differ
    extra = (
        counted.label("opinions"),
        and_(wanted, ~settled).label("wanted"),
        select(func.count())
        .select_from(schema.reviews)
        .where(given, ~schema.reviews.c.blind)
        .scalar_subquery()
        .label("known"),
        given_by(table, scope.account).label("mine"),
        withdrawn_by(table, scope.account).label("withdrew"),
        settled.label("settled"),
    )
    return _identified(select(*columns, *extra), scope, table, owner, identity).where(*visible(scope))


def _blind(scope: Scope):
    """Whether the reader must not see yet what the method found; an operator's command line may."""
    table = schema.verification_decisions
    if scope.role == "system":
        return false()
    return and_(
        table.c.outcome == "review",
        table.c.actor != scope.account,
        ~is_settled(table),
        ~given_by(table, scope.account),
    )


def _opinions(table):
    reviews = schema.reviews
    return and_(
        reviews.c.decision_id == table.c.decision_id, reviews.c.kind == "opinion", ~taken_back(reviews)
    )


def taken_back(reviews):
    """Whether an opinion, a row of ``reviews``, was withdrawn by whoever gave it."""
    act = schema.reviews.alias("withdrawals")
    same = (act.c[name] == reviews.c[name] for name in ("decision_id", "reviewer", "turn"))
    return exists().where(*same, act.c.kind == "withdrawal").correlate(reviews)


def withdrawn_by(table, account: str):
    """Whether an account has ever taken an opinion on a decision back."""
    act = schema.reviews.alias("own_withdrawals")
    mine = (act.c.decision_id == table.c.decision_id, act.c.reviewer == account)
    return exists().where(*mine, act.c.kind == "withdrawal").correlate(table)


def given_by(table, account: str):
    mine = exists().where(_opinions(table), schema.reviews.c.reviewer == account)
    return mine.correlate(table)  # also where the statement around it reads reviews


def is_settled(table):
    reviews = schema.reviews
    ended = exists().where(reviews.c.decision_id == table.c.decision_id, reviews.c.kind == "settlement")
    return ended.correlate(table)


def has_finding(table, code: str):
    found = schema.specimen_findings
    return exists().where(found.c.code == code, found.c.specimen_id == table.c.specimen_id)


def _identified(statement: Select, scope: Scope, table, owner, identity) -> Select:
    statement = statement.join_from(table, owner, owner.c.student_key == table.c.student_key)
    if scope.may_identify:
        statement = statement.outerjoin(identity, identity.c.student_key == table.c.student_key)
        statement = statement.add_columns(identity.c.student_number, identity.c.name)
    return statement


def agreeing() -> Select:
    """Keys of the students who agree to verification."""
    newest = newest_consents()
    return select(newest.c.student_key).where(newest.c.purpose == PURPOSE, newest.c.granted)


def consenting(statement: Select) -> Select:
    newest = newest_consents()
    return statement.join(newest, newest.c.student_key == schema.specimens.c.student_key).where(
        newest.c.purpose == PURPOSE, newest.c.granted
    )
