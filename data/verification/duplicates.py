"""SELECTs of duplicates: the newest search and what it found."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection, FromClause, and_, exists, func, not_, or_, select

from data import schema
from data.columns import PAPER
from data.engine.bulk import fetch, fetch_by_keys
from data.engine.database import Store
from data.trust.scope import Scope
from data.trust.scoping import visible
from data.verification.queries import agreeing, consenting
from data.verification.reviews import TAKEN_BACK


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


def to_search(store: Store, descriptor_ids: Sequence[str]) -> tuple[int, int]:
    """What a search has before it: how many specimens on paper of students who agree to verification there
    are, and how many of them lack one of the descriptors and must be read first."""
    table, made = schema.specimens, schema.signature_descriptors
    has = [
        exists().where(made.c.specimen_id == table.c.specimen_id, made.c.descriptor_id == one)
        for one in descriptor_ids
    ]
    counts = func.count(), func.count().filter(not_(and_(*has)))
    statement = consenting(select(*counts).select_from(table)).where(table.c.medium == PAPER)
    with store.reading() as connection:
        every, new = connection.execute(statement).one()
    return every, new


def duplicate_findings(
    store: Store, scope: Scope, *, kind: str | None = None, limit: int = 2_000
) -> pd.DataFrame:
    """Findings of the newest search, the strongest first: the columns of ``duplicate_findings``, ``opinion``
    (of the newest review of the pair; null where there is none or it was taken back), and, where ``scope``
    may identify, ``first_number, first_name, second_number, second_name``. Both students must be in reach of
    ``scope``, and both must still agree to verification."""
    table = schema.duplicate_findings
    columns, joined, reach = [*table.c, _newest_opinion().label("opinion")], *_reached(scope)
    statement = select(*columns).select_from(joined).where(*reach)
    if kind is not None:
        statement = statement.where(table.c.kind == kind)
    with store.reading() as connection:
        ordered = statement.order_by(table.c.expected_false, table.c.finding_id)
        found = fetch(connection, ordered.limit(limit))
        return _identified(connection, found) if scope.may_identify else found


def _identified(connection: Connection, found: pd.DataFrame) -> pd.DataFrame:
    identity, sides = schema.identities, ("first", "second")
    keys = pd.unique(pd.concat([found[f"{side}_student"] for side in sides]))
    wanted = select(identity.c.student_key, identity.c.student_number, identity.c.name)
    named = fetch_by_keys(connection, wanted, identity.c.student_key, keys.tolist()).set_index("student_key")
    for side in sides:
        found[f"{side}_number"] = found[f"{side}_student"].map(named["student_number"])
        found[f"{side}_name"] = found[f"{side}_student"].map(named["name"])
    return found


def duplicate_counts(store: Store, scope: Scope) -> dict[str, tuple[int, int]]:
    """Kind → how many findings of the newest search ``scope`` reaches, as :func:`duplicate_findings` lists
    them, and how many of them nobody has judged; kinds without a finding are left out."""
    table, (joined, reach) = schema.duplicate_findings, _reached(scope)
    judged = func.count(_newest_opinion())
    statement = select(table.c.kind, func.count(), judged).select_from(joined).where(*reach)
    with store.reading() as connection:
        rows = connection.execute(statement.group_by(table.c.kind)).tuples().all()
    return {kind: (found, found - done) for kind, found, done in rows}


def _newest_opinion():
    """Of a pair, whichever of the two the search named first."""
    table, opinions = schema.duplicate_findings, schema.duplicate_reviews
    one, other = opinions.c.student_key, opinions.c.second_student
    same = or_(
        and_(one == table.c.first_student, other == table.c.second_student),
        and_(one == table.c.second_student, other == table.c.first_student),
    )
    newest = select(opinions.c.opinion).where(opinions.c.kind == table.c.kind, same)
    newest = newest.order_by(opinions.c.review_id.desc()).limit(1).scalar_subquery()
    return func.nullif(newest, TAKEN_BACK)


def _reached(scope: Scope) -> tuple[FromClause, list]:
    """Findings joined to both students, and what limits them to those in reach who agree."""
    table = schema.duplicate_findings
    joined: FromClause = table
    reach: list = []
    for side in ("first", "second"):
        owner = schema.students.alias(f"{side}_owner")
        joined = joined.join(owner, owner.c.student_key == table.c[f"{side}_student"])
        reach += [*visible(scope, owner), owner.c.student_key.in_(agreeing())]
    return joined, reach
