"""Whose signatures cannot be compared yet, and what is missing."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import exists, func, select

from data import schema
from data.engine.bulk import fetch
from data.engine.database import Store
from data.trust.scope import Scope
from data.trust.scoping import visible
from data.verification.queries import agreeing, enrolments

WHY = ("no_consent", "no_specimen", "not_enrolled", "too_few")  # the first that holds is told


def lacking_references(store: Store, scope: Scope, fewest: int) -> pd.DataFrame:
    """Students without an exit who have fewer references in force than a comparison needs, by number.

    Parameters
    ----------
    fewest : int
        References that a comparison needs.

    Returns
    -------
    DataFrame
        ``student_key, program_code, cohort_term, specimens``, ``references`` (how many are in force), ``why``
        (of :data:`WHY`) and, where ``scope`` may identify, ``student_number, name``.
    """
    owner, identity, signed = schema.students, schema.identities, schema.specimens
    gone, agrees = schema.outcomes, owner.c.student_key.in_(agreeing())
    specimens = select(func.count()).where(signed.c.student_key == owner.c.student_key).scalar_subquery()
    columns = [owner.c.student_key, owner.c.program_code, owner.c.cohort_term]
    columns += [specimens.label("specimens"), agrees.label("agrees")]
    joined, order = owner, owner.c.student_key
    if scope.may_identify:
        joined = owner.outerjoin(identity, identity.c.student_key == owner.c.student_key)
        columns += [identity.c.student_number, identity.c.name]
        order = identity.c.student_number
    left = exists().where(gone.c.student_key == owner.c.student_key, gone.c.exit_type.is_not(None))
    statement = select(*columns).select_from(joined).where(~left, *visible(scope)).order_by(order)
    with store.reading() as connection:
        found = fetch(connection, statement)
    held = enrolments(store, scope)
    counts = dict(zip(held["student_key"], held["reference_ids"].map(len), strict=True))
    found["references"] = found["student_key"].map(counts).fillna(0).astype(int)
    found = found[found["references"] < fewest].reset_index(drop=True)
    found["why"] = [_why(row) for row in found.to_dict("records")]
    return found.drop(columns="agrees")


def _why(row: dict) -> str:
    if not row["agrees"]:
        return "no_consent"
    if not row["specimens"]:
        return "no_specimen"
    return "too_few" if row["references"] else "not_enrolled"
