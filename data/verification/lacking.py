"""Whose signatures cannot be compared yet, and what is missing."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from sqlalchemy import exists, func, select

from data import schema
from data.engine.bulk import fetch, fetch_by_keys
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
    owner, signed = schema.students, schema.specimens
    gone, agrees = schema.outcomes, owner.c.student_key.in_(agreeing())
    specimens = select(func.count()).where(signed.c.student_key == owner.c.student_key).scalar_subquery()
    columns = [owner.c.student_key, owner.c.program_code, owner.c.cohort_term]
    columns += [specimens.label("specimens"), agrees.label("agrees")]
    left = exists().where(gone.c.student_key == owner.c.student_key, gone.c.exit_type.is_not(None))
    statement = select(*columns).where(~left, *visible(scope)).order_by(owner.c.student_key)
    with store.reading() as connection:
        found = fetch(connection, statement)
    held = enrolments(store, replace(scope, may_identify=False))
    counts = dict(zip(held["student_key"], held["reference_ids"].map(len), strict=True))
    found["references"] = found["student_key"].map(counts).fillna(0).astype(int)
    found = found[found["references"] < fewest].reset_index(drop=True)
    found["why"] = [_why(row) for row in found.to_dict("records")]
    found = found.drop(columns="agrees")
    return _by_number(store, found) if scope.may_identify else found


def _by_number(store: Store, found: pd.DataFrame) -> pd.DataFrame:
    """With number and name, by number; who has neither any more comes last."""
    identity = schema.identities
    with store.reading() as connection:
        named = fetch_by_keys(
            connection,
            select(identity.c.student_key, identity.c.student_number, identity.c.name),
            identity.c.student_key,
            found["student_key"].tolist(),
        )
    found = found.merge(named, on="student_key", how="left")
    return found.sort_values("student_number", kind="stable", ignore_index=True)


def _why(row: dict) -> str:
    if not row["agrees"]:
        return "no_consent"
    if not row["specimens"]:
        return "no_specimen"
    return "too_few" if row["references"] else "not_enrolled"
