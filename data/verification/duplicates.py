"""SELECTs of duplicates: fingerprints of the register, the newest search and what it found."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import select

from data import schema
from data.engine.bulk import fetch
from data.engine.database import Store
from data.trust.scope import Scope
from data.trust.scoping import visible
from data.verification.queries import agreeing, consenting, has_finding


def fingerprints(store: Store) -> pd.DataFrame:
    """``specimen_id, student_key, quality`` of every checked specimen of consenting students."""
    table = schema.specimens
    columns = (table.c.specimen_id, table.c.student_key, table.c.quality)
    statement = consenting(select(*columns)).where(has_finding(table, schema.CHECKED))
    with store.reading() as connection:
        return fetch(connection, statement.order_by(table.c.student_key, table.c.specimen_id))


def same_file_of(store: Store, sha256: str) -> list[str]:
    """Specimens whose file is this one, byte for byte."""
    table = schema.specimens
    with store.reading() as connection:
        return list(connection.scalars(select(table.c.specimen_id).where(table.c.sha256 == sha256)))


def newest_search(store: Store) -> dict | None:
    """The newest duplicate search: ``search_id, at, actor, descriptor_id, content``, or None."""
    table = schema.duplicate_searches
    with store.reading() as connection:
        row = connection.execute(select(table).order_by(table.c.search_id.desc()).limit(1)).mappings().first()
    return None if row is None else dict(row)


def duplicate_findings(
    store: Store, scope: Scope, *, kind: str | None = None, limit: int = 500
) -> pd.DataFrame:
    """Findings of the newest search, the strongest first: the columns of ``duplicate_findings``, ``opinion``
    (of the newest review of the pair, or null), and, where ``scope`` may identify, ``first_number,
    first_name, second_number, second_name``. Both students must be in reach of ``scope``, and both must still
    agree to verification."""
    table, opinions = schema.duplicate_findings, schema.duplicate_reviews
    newest = (
        select(opinions.c.opinion)
        .where(
            opinions.c.kind == table.c.kind,
            opinions.c.student_key == table.c.first_student,
            opinions.c.second_student == table.c.second_student,
        )
        .order_by(opinions.c.review_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    columns, joined, reach = [*table.c, newest.label("opinion")], table, []
    for side in ("first", "second"):
        owner, identity = schema.students.alias(f"{side}_owner"), schema.identities.alias(f"{side}_identity")
        joined = joined.join(owner, owner.c.student_key == table.c[f"{side}_student"])
        reach += [*visible(scope, owner), owner.c.student_key.in_(agreeing())]
        if scope.may_identify:
            joined = joined.outerjoin(identity, identity.c.student_key == owner.c.student_key)
            columns += [
                identity.c.student_number.label(f"{side}_number"),
                identity.c.name.label(f"{side}_name"),
            ]
    statement = select(*columns).select_from(joined).where(*reach)
    if kind is not None:
        statement = statement.where(table.c.kind == kind)
    with store.reading() as connection:
        return fetch(connection, statement.order_by(table.c.expected_false, table.c.finding_id).limit(limit))
