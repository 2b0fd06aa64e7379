"""SELECTs for whoever keeps the consents: what is on record, how many agreed, who did not."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import ColumnElement, Join, and_, exists, func, or_, select

from data import schema
from data.columns import CONSENT_PURPOSES
from data.consents.consent import holds, newest_consents
from data.engine.bulk import fetch, fetch_by_keys, in_order_of
from data.engine.database import Store
from data.records.name_search import by_number
from data.trust.scope import Scope
from data.trust.scoping import aggregable, visible

STANDING = ("decision", "granted", "decided_on", "source", "text_version", "recorded_at", "recorded_by")
NEVER = "none"  # in the place of a decision: nobody has answered


def consent_standing(store: Store, scope: Scope, key: str) -> pd.DataFrame:
    """What holds for one student: ``purpose`` and :data:`STANDING`, a row per purpose, null where nothing is
    on record; no row for a student out of reach."""
    newest, owner = newest_consents(), schema.students
    reach = select(owner.c.student_key).where(owner.c.student_key == key, *visible(scope))
    statement = select(newest.c.purpose, *(newest.c[name] for name in STANDING))
    with store.reading() as connection:
        if connection.scalar(reach) is None:
            return pd.DataFrame(columns=["purpose", *STANDING])
        held = fetch(connection, statement.where(newest.c.student_key == key))
    return held.set_index("purpose").reindex(list(CONSENT_PURPOSES)).rename_axis("purpose").reset_index()


def consent_counts(store: Store, scope: Scope) -> pd.DataFrame:
    """``purpose, yes, no, none``: students in reach by what holds; ``none`` were never asked."""
    newest, owner = newest_consents(), schema.students
    statement = (
        select(newest.c.purpose, newest.c.granted, func.count().label("students"))
        .join(owner, owner.c.student_key == newest.c.student_key)
        .where(*aggregable(scope))
        .group_by(newest.c.purpose, newest.c.granted)
    )
    with store.reading() as connection:
        found = connection.execute(statement).all()
        everybody = connection.scalar(select(func.count()).select_from(owner).where(*aggregable(scope)))
    by = {(purpose, bool(granted)): students for purpose, granted, students in found}
    rows = [
        (purpose, by.get((purpose, True), 0), by.get((purpose, False), 0)) for purpose in CONSENT_PURPOSES
    ]
    counts = pd.DataFrame(rows, columns=["purpose", "yes", "no"])
    return counts.assign(none=everybody - counts["yes"] - counts["no"])


def without_consent(
    store: Store,
    scope: Scope,
    purpose: str,
    *,
    with_specimens: bool = False,
    program_code: str | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Students who do not agree to ``purpose``, by number: those of :func:`keys_without_consent`, with what
    holds of them.

    Returns
    -------
    DataFrame
        ``student_key, program_code, cohort_term, decision, decided_on`` (:data:`NEVER` and null where nobody
        has answered) and, where ``scope`` may identify, ``student_number, name``.
    """
    asked = {"with_specimens": with_specimens, "program_code": program_code}
    keys = keys_without_consent(store, scope, purpose, **asked, limit=limit)
    return decisions_of(store, scope, purpose, keys)


def keys_without_consent(
    store: Store,
    scope: Scope,
    purpose: str,
    *,
    with_specimens: bool = False,
    program_code: str | None = None,
    limit: int | None = None,
) -> list[str]:
    """Keys of the students who do not agree to a purpose, by number where ``scope`` may identify.

    Parameters
    ----------
    purpose : str
        One of :data:`data.columns.CONSENT_PURPOSES`.
    with_specimens : bool
        Only students with a signature in the store: those whom the consent would let in.
    program_code : str, optional
        Of one programme only.
    limit : int, optional
        At most so many, the first ones.
    """
    _known(purpose)
    owner, held = schema.students, schema.consents
    keys = select(owner.c.student_key).select_from(_with_what_holds(purpose))
    keys = keys.where(or_(held.c.granted.is_(None), ~held.c.granted), *visible(scope))
    keys = keys.where(*_among(with_specimens, program_code))
    with store.reading() as connection:
        if scope.may_identify:
            return by_number(connection, keys, limit)
        return list(connection.scalars(keys.order_by(owner.c.student_key).limit(limit)))


def decisions_of(store: Store, scope: Scope, purpose: str, keys: Sequence[str]) -> pd.DataFrame:
    """What holds of some students in reach for a purpose, in the order of ``keys``: the columns of
    :func:`without_consent`."""
    owner, held, identity = schema.students, schema.consents, schema.identities
    columns = [owner.c.student_key, owner.c.program_code, owner.c.cohort_term]
    columns += [func.coalesce(held.c.decision, NEVER).label("decision"), held.c.decided_on]
    joined = _with_what_holds(_known(purpose))
    if scope.may_identify:
        columns += [identity.c.student_number, identity.c.name]
        joined = joined.join(identity, identity.c.student_key == owner.c.student_key)
    found = select(*columns).select_from(joined).where(*visible(scope))
    with store.reading() as connection:
        return in_order_of(fetch_by_keys(connection, found, owner.c.student_key, keys), keys)


def _with_what_holds(purpose: str) -> Join:
    owner, held = schema.students, schema.consents
    about = and_(held.c.student_key == owner.c.student_key, held.c.purpose == purpose, holds())
    return owner.outerjoin(held, about)


def count_without_consent(
    store: Store,
    scope: Scope,
    purpose: str,
    *,
    with_specimens: bool = False,
    program_code: str | None = None,
) -> int:
    """How many :func:`keys_without_consent` lists without a limit."""
    _known(purpose)
    held, owner, identity = schema.consents, schema.students, schema.identities
    asked = [*visible(scope), *_among(with_specimens, program_code)]
    if scope.may_identify:  # who was erased has no name left, and is not listed either
        asked.append(exists().where(identity.c.student_key == owner.c.student_key))
    everybody = select(func.count()).select_from(owner).where(*asked)
    mine = and_(held.c.student_key == owner.c.student_key, held.c.purpose == purpose)
    yes = exists(select(1).select_from(held).where(mine, held.c.granted, holds()).correlate(owner))
    agreed = everybody.where(yes)
    with store.reading() as connection:
        return (connection.scalar(everybody) or 0) - (connection.scalar(agreed) or 0)


def newest_consent(store: Store) -> int:
    """Number of the newest decision on record; 0 without any. Whatever is counted of them changes with it."""
    with store.reading() as connection:
        return connection.scalar(select(func.max(schema.consents.c.consent_id))) or 0


def _known(purpose: str) -> str:
    if purpose not in CONSENT_PURPOSES:
        raise ValueError(f"purpose must be one of {', '.join(CONSENT_PURPOSES)}, got {purpose!r}")
    return purpose


def _among(with_specimens: bool, program_code: str | None) -> list[ColumnElement[bool]]:
    signed, owner = schema.specimens, schema.students
    asked: list[ColumnElement[bool]] = []
    if with_specimens:
        asked.append(exists().where(signed.c.student_key == owner.c.student_key))
    if program_code is not None:
        asked.append(owner.c.program_code == program_code)
    return asked
