"""SELECTs for what may become of cohorts and for gaps between groups: counts and sums, no single student."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
from sqlalchemy import case, func, select

from data import schema
from data.engine.bulk import fetch
from data.engine.database import Store
from data.scores.standing import still_open
from data.trust.scope import Scope
from data.trust.scoping import aggregable

GROUPS = ("sex", "entry_type", "funding_at_entry", "region")  # looked at for gaps, never predictors here


def flow_by_group(store: Store, scope: Scope, attribute: str) -> pd.DataFrame:
    """Students by a group that they belong to, for gaps between groups; counts only.

    Parameters
    ----------
    attribute : str
        One of :data:`GROUPS`, a column of ``students``.

    Returns
    -------
    DataFrame
        ``group`` ("" unknown), ``program_code, cohort_term, state, terms_to_exit, students`` as in
        :func:`flow_counts`.
    """
    if attribute not in GROUPS:
        raise ValueError(f"attribute must be one of {', '.join(GROUPS)}, got {attribute!r}")
    table, outcome = schema.students, schema.outcomes
    exited = outcome.c.exit_type.is_not(None)
    each = (
        select(
            func.coalesce(table.c[attribute], "").label("group"),
            table.c.program_code,
            table.c.cohort_term,
            func.coalesce(outcome.c.exit_type, "enrolled").label("state"),
            func.coalesce(case((exited, outcome.c.terms_to_exit)), -1).label("terms_to_exit"),
        )
        .select_from(table.outerjoin(outcome, outcome.c.student_key == table.c.student_key))
        .where(*aggregable(scope))
        .subquery()
    )
    counted = select(*each.c, func.count().label("students")).group_by(*each.c).order_by(*each.c)
    with store.reading() as connection:
        return fetch(connection, counted)


def expected_late(store: Store, scope: Scope) -> pd.DataFrame:
    """What the newest scores expect of each cohort: sums of risks, no single one.

    ``program_code, cohort_term, scored`` (students with a score), ``late, late_low, late_high`` (sums of the
    risk of late or no graduation and of the ends of its range; one without a range may come to anything, so
    0 and 1 are its ends).
    """
    table = schema.risk_current
    groups = (table.c.program_code, table.c.cohort_term)
    ends = (func.coalesce(table.c.risk_low, 0.0), func.coalesce(table.c.risk_high, 1.0))
    sums = {"late": table.c.risk, "late_low": ends[0], "late_high": ends[1]}
    wanted = (table.c.target == "late", *aggregable(scope, table))
    with store.reading() as connection:
        statement = (
            select(
                *groups,
                func.count().label("scored"),
                *(func.sum(column).label(name) for name, column in sums.items()),
            )
            .where(*wanted, *still_open(connection, table, "late"))
            .group_by(*groups)
            .order_by(*groups)
        )
        return fetch(connection, statement)


def first_scored(store: Store) -> datetime | None:
    """When the oldest score was made (UTC), by whatever model; None before any. No scope."""
    table = schema.scores
    oldest = select(func.min(table.c.score_id)).scalar_subquery()
    with store.reading() as connection:
        return connection.scalar(select(table.c.scored_at).where(table.c.score_id == oldest))


def last_scored(store: Store, scope: Scope) -> datetime | None:
    """When the newest score was made (UTC); the same for every reader, of whatever ``scope``."""
    table = schema.scores
    newest = select(func.max(table.c.score_id)).scalar_subquery()
    with store.reading() as connection:
        return connection.scalar(select(table.c.scored_at).where(table.c.score_id == newest))
