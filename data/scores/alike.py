"""Students counted by all that an overview tells of them at once; no single student.

Files that are given out hold many tables of the same students, and a small count is safe only when all of
them are judged together (:mod:`data.trust.joint_counts`). For that it must be known how the tables cut
across each other: how many students are alike in everything that any of them tells.
"""

from __future__ import annotations

import pandas as pd
from sqlalchemy import ColumnElement, Select, and_, case, func, select

from data import schema
from data.columns import REGISTERED
from data.engine.bulk import fetch
from data.engine.database import Store
from data.records.derived import after_exit
from data.scores.prospects import GROUPS
from data.scores.standing import still_open
from data.trust.scope import Scope
from data.trust.scoping import aggregable

STUDIED, ON_LEAVE = 2, 1  # what a student did in a term; 0: neither, or no row


def counted_alike(
    store: Store,
    scope: Scope,
    target: str,
    attribute: str,
    longest: int,
    program_code: str | None = None,
) -> pd.DataFrame:
    """How many students are alike in entry, state, group, band of risk and terms.

    Parameters
    ----------
    target : {"late", "dropout"}
        Whose band.
    attribute : str
        One of :data:`data.scores.prospects.GROUPS`.
    longest : int
        Up to which study term, at least 1.
    program_code : str, optional
        One programme; None: every one that ``scope`` reaches.

    Returns
    -------
    DataFrame
        ``program_code, cohort_term, state, terms_to_exit`` as in :func:`data.queries.flow_counts`, ``group``
        ("" unknown), ``band`` ("" without a score that still is a risk), ``term_1`` … ``term_<longest>``
        (:data:`STUDIED`, :data:`ON_LEAVE` or 0), ``students``.

    Raises
    ------
    ValueError
        For an attribute that is none of the groups, and for ``longest`` under 1.
    """
    if attribute not in GROUPS:
        raise ValueError(f"attribute must be one of {', '.join(GROUPS)}, got {attribute!r}")
    if longest < 1:
        raise ValueError(f"longest must be at least 1, got {longest}")
    students, outcomes, now = schema.students, schema.outcomes, schema.risk_current
    which = aggregable(scope)
    if program_code is not None:
        which.append(students.c.program_code == program_code)
    path = _paths(longest, which)
    exited = outcomes.c.exit_type.is_not(None)
    with store.reading() as connection:
        scored = and_(
            now.c.student_key == students.c.student_key,
            now.c.target == target,
            *still_open(connection, now, target),
        )
        joined = students.outerjoin(outcomes, outcomes.c.student_key == students.c.student_key)
        joined = joined.outerjoin(path, path.c.student_key == students.c.student_key).outerjoin(now, scored)
        each = (
            select(
                students.c.program_code,
                students.c.cohort_term,
                func.coalesce(outcomes.c.exit_type, "enrolled").label("state"),
                func.coalesce(case((exited, outcomes.c.terms_to_exit)), -1).label("terms_to_exit"),
                func.coalesce(students.c[attribute], "").label("group"),
                func.coalesce(now.c.band, "").label("band"),
                *(func.coalesce(path.c[name], 0).label(name) for name in _names(longest)),
            )
            .select_from(joined)
            .where(*which)
            .subquery()
        )
        counted = select(*each.c, func.count().label("students")).group_by(*each.c).order_by(*each.c)
        return fetch(connection, counted)


def _names(longest: int) -> list[str]:
    return [f"term_{index}" for index in range(1, longest + 1)]


def _paths(longest: int, which: list[ColumnElement[bool]]):
    """What each student did in every term: one row per student with terms, for counting only."""
    students, terms, outcomes = schema.students, schema.terms, schema.outcomes
    did = case(
        (after_exit(), 0),
        (terms.c.status.in_(REGISTERED), STUDIED),
        (terms.c.status == "C", ON_LEAVE),
        else_=0,
    )
    joined = terms.join(students, students.c.student_key == terms.c.student_key)
    joined = joined.outerjoin(outcomes, outcomes.c.student_key == terms.c.student_key)
    rows: Select = (
        select(
            terms.c.student_key,
            *(
                func.max(case((terms.c.term_index == index, did), else_=0)).label(name)
                for index, name in enumerate(_names(longest), 1)
            ),
        )
        .select_from(joined)
        # A short term shares the index of the even term before it.
        .where(terms.c.term_id % 10 != 3, *which)
        .group_by(terms.c.student_key)
    )
    return rows.subquery()
