"""Where students stand in the order of their own cohort: all that may be told where counts may not."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import func, select, tuple_

from data import schema
from data.engine.bulk import fetch, fetch_by_keys
from data.engine.database import Store
from data.scores.standing import still_open
from data.trust.scope import Scope
from data.trust.scoping import visible

COLUMNS = ("student_key", "place", "of", "previous_place")
GROUP = ("program_code", "cohort_term")


def places(store: Store, scope: Scope, target: str, keys: Sequence[str]) -> pd.DataFrame:
    """The place of students among all of their programme and entry cohort for whom a target still is a risk.

    The whole cohort is counted, whoever advises it; of nobody but the students asked for, and of these only
    of those whom ``scope`` may see, is a place told.

    Parameters
    ----------
    target : {"late", "dropout"}
    keys : sequence of str

    Returns
    -------
    DataFrame
        ``student_key``; ``place`` (1: the highest risk; equal risks share the better place) of ``of``
        students
        whose newest score is as of the same term; ``previous_place`` among them by the score of the term
        before, null without one.
    """
    table = schema.risk_current
    with store.reading() as connection:
        mine = fetch_by_keys(
            connection,
            select(table.c.student_key, *(table.c[name] for name in GROUP)).where(
                table.c.target == target, *visible(scope, table)
            ),
            table.c.student_key,
            list(keys),
        )
        cohorts = list(mine[list(GROUP)].drop_duplicates().itertuples(index=False, name=None))
        if not cohorts:
            return pd.DataFrame(columns=list(COLUMNS))
        cell = (table.c.program_code, table.c.cohort_term, table.c.as_of_term)
        before = func.rank().over(
            partition_by=cell, order_by=func.coalesce(table.c.previous_risk, -1.0).desc()
        )
        ranked = select(
            table.c.student_key,
            func.rank().over(partition_by=cell, order_by=table.c.risk.desc()).label("place"),
            func.count().over(partition_by=cell).label("of"),
            before.label("previous_place"),
            table.c.previous_risk,
        ).where(
            table.c.target == target,
            tuple_(table.c.program_code, table.c.cohort_term).in_(cohorts),
            *still_open(connection, table, target),
        )
        found = fetch(connection, ranked)
    found = found[found["student_key"].isin(set(mine["student_key"]))].reset_index(drop=True)
    known = found["previous_risk"].notna()
    found["previous_place"] = found["previous_place"].astype("float64").where(known)
    return found[list(COLUMNS)]
