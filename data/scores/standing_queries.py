"""SELECTs on where students stand against their plan: credits to go, terms over, the normal time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from sqlalchemy import and_, false, func, select

from data import schema
from data.calendar.term_calendar import from_ordinal, ordinal
from data.columns import REGISTERED
from data.engine.bulk import fetch, fetch_by_keys
from data.engine.database import Store
from data.records.name_search import named
from data.records.recognised import with_recognised
from data.records.told_terms import told
from data.scores.standing import last_completed, past, register_day, still_open, terms_over
from data.trust.scope import Scope
from data.trust.scoping import aggregable, visible

STUDENT = ("student_key", "program_code", "cohort_term", "advisor")
PLAN = ("normal_terms", "required_credits")
TERM = ("student_key", "term_id", "status", "credits_passed", "credits_cum", "gpa_cum")
MAX_STANDING = 500  # students in one answer, unless they are named by key
SHORT = 3  # last digit of a short term, which is no term of the plan


def newest_term(store: Store, scope: Scope) -> int | None:
    """The newest regular term that is over and of which the register holds rows, the same for every reader.

    A score as of an earlier term is no news, and what changed up to it is none either.
    """
    with store.reading() as connection:
        return last_completed(connection)


def own_students(store: Store, scope: Scope) -> int:
    """How many enrolled students ``scope`` may see, scored or not."""
    table, outcome = schema.students, schema.outcomes
    enrolled = table.outerjoin(outcome, outcome.c.student_key == table.c.student_key)
    wanted = (outcome.c.exit_type.is_(None), *visible(scope))
    with store.reading() as connection:
        return connection.execute(select(func.count()).select_from(enrolled).where(*wanted)).scalar_one()


def own_cohorts(store: Store, scope: Scope) -> list[int]:
    """Entry cohorts of the enrolled students that ``scope`` may see, the oldest first."""
    table, outcome = schema.students, schema.outcomes
    enrolled = table.outerjoin(outcome, outcome.c.student_key == table.c.student_key)
    wanted = (outcome.c.exit_type.is_(None), *visible(scope))
    with store.reading() as connection:
        found = select(table.c.cohort_term).select_from(enrolled).where(*wanted).distinct()
        return sorted(connection.scalars(found))


def past_normal_counts(store: Store, scope: Scope) -> pd.DataFrame:
    """``program_code, cohort_term, students``: enrolled students whose normal time is over."""
    table, outcome = schema.students, schema.outcomes
    with store.reading() as connection:
        closed = past(connection, table)
        enrolled = table.outerjoin(outcome, outcome.c.student_key == table.c.student_key)
        groups = (table.c.program_code, table.c.cohort_term)
        statement = (
            select(*groups, func.count().label("students"))
            .select_from(enrolled)
            .where(outcome.c.exit_type.is_(None), _or_nobody(closed), *aggregable(scope))
            .group_by(*groups)
            .order_by(*groups)
        )
        return fetch(connection, statement)


def standing(
    store: Store,
    scope: Scope,
    *,
    keys: Sequence[str] | None = None,
    past_normal: bool = False,
    program_code: str | None = None,
    cohort_term: int | None = None,
    search: str | None = None,
    limit: int = MAX_STANDING,
) -> pd.DataFrame:
    """Enrolled students with what they have earned and what is missing for the degree.

    Parameters
    ----------
    keys : sequence of str, optional
        Only these students.
    past_normal : bool
        Only those whose normal time is over.
    program_code, cohort_term, search : optional
        As in :func:`data.scores.queries.caseload`.
    limit : int
        At most so many, the earliest entry first.

    Returns
    -------
    DataFrame
        ``student_key, program_code, cohort_term, advisor, normal_terms, required_credits``; ``terms_over``
        (regular terms since entry whose grades are booked, leave included); ``credits`` and ``gpa_cum``
        (as of the last term whose row or grades tell them, null unknown; ``credits`` with those recognised
        at entry, whether the register's total holds them or not), ``credits_to_go`` (never below 0),
        ``status_last`` and ``last_term`` (of the newest term row); ``terms_told`` (those of ``terms_over``
        that the register has reached, for anybody), ``newest_told`` (the last of them, null none) and of it
        ``recorded`` (the register holds a row of the student's), ``credits_told`` and ``gpa_told`` (it tells
        the figure, or nothing was studied in it); ``dropout_risk, dropout_band`` of a score as of the last
        completed term, else null; and, if ``scope.may_identify``, ``student_number, name``.
    """
    table, outcome, program = schema.students, schema.outcomes, schema.programs
    identity = schema.identities
    columns = [*(table.c[name] for name in STUDENT), *(program.c[name] for name in PLAN)]
    columns.append(table.c.recognized_credits)
    joined = table.join(program, program.c.program_code == table.c.program_code)
    joined = joined.outerjoin(outcome, outcome.c.student_key == table.c.student_key)
    if scope.may_identify:
        joined = joined.outerjoin(identity, identity.c.student_key == table.c.student_key)
        columns += [identity.c.student_number, identity.c.name]
    wanted = {"program_code": program_code, "cohort_term": cohort_term}
    conditions = [table.c[name] == value for name, value in wanted.items() if value is not None]
    conditions += [outcome.c.exit_type.is_(None), *visible(scope)]
    with store.reading() as connection:
        if search and search.strip():
            conditions.append(named(connection, scope, search, table.c.student_key))
        if past_normal:
            conditions.append(_or_nobody(past(connection, table)))
        statement = select(*columns).select_from(joined).where(*conditions)
        statement = statement.order_by(table.c.cohort_term, table.c.student_key)
        if keys is None:
            found = fetch(connection, statement.limit(limit))
        else:
            found = fetch_by_keys(connection, statement, table.c.student_key, list(keys))
        owned = list(found["student_key"])
        terms = fetch_by_keys(
            connection, select(*(schema.terms.c[name] for name in TERM)), schema.terms.c.student_key, owned
        )
        terms = told(connection, terms)
        day, reached = register_day(connection), last_completed(connection)
        risks = _dropout_now(connection, owned, reached).set_index("student_key").reindex(owned)
    planned = _with_told(_with_plan(found, terms, day), terms, reached)
    return planned.assign(**{name: risks[name].array for name in risks})


def _or_nobody(condition):
    return false() if condition is None else condition


def _dropout_now(connection, keys: list[str], newest: int | None) -> pd.DataFrame:
    """The drop-out scores of students that are as of ``newest``, the last completed term, or later."""
    now = schema.risk_current
    columns = [now.c.student_key, now.c.risk.label("dropout_risk"), now.c.band.label("dropout_band")]
    current = and_(now.c.target == "dropout", now.c.as_of_term >= (newest or 0))
    statement = select(*columns).where(current, *still_open(connection, now, "dropout"))
    return fetch_by_keys(connection, statement, now.c.student_key, keys)


def _with_plan(found: pd.DataFrame, terms: pd.DataFrame, day: date | None) -> pd.DataFrame:
    ordered = terms.sort_values(["student_key", "term_id"], kind="stable").groupby("student_key")
    last = ordered[["status", "term_id", "credits_cum", "gpa_cum"]].last()  # skips what is empty
    summed = ordered["credits_passed"].sum(min_count=1)
    mine = last.assign(summed=summed).reindex(found["student_key"])
    credits = mine["credits_cum"].fillna(mine["summed"]).to_numpy(float)
    cohorts = {cohort: terms_over(int(cohort), day) if day else 0 for cohort in found["cohort_term"].unique()}
    required = found["required_credits"].to_numpy(float)
    of_terms = mine["summed"].to_numpy(float)
    credits = with_recognised(credits, found["recognized_credits"].to_numpy(float), of_terms)
    return found.drop(columns="recognized_credits").assign(
        terms_over=found["cohort_term"].map(cohorts).astype("int64"),
        credits=credits,
        credits_to_go=np.maximum(required - credits, 0),
        gpa_cum=mine["gpa_cum"].to_numpy(float),
        status_last=mine["status"].to_numpy(object),
        last_term=mine["term_id"].to_numpy(float),
    )


def _with_told(found: pd.DataFrame, terms: pd.DataFrame, reached: int | None) -> pd.DataFrame:
    """Up to which term the register speaks, and whether it speaks of the student in that term.

    A figure of an earlier term, held against the plan up to a later one, would call somebody behind of whom
    only a row is missing.
    """
    entry = found["cohort_term"].map(ordinal)
    most = (ordinal(reached) - entry + 1).clip(lower=0) if reached else pd.Series(0, found.index)
    told_terms = np.minimum(found["terms_over"].to_numpy(int), most.to_numpy(int))
    newest = np.array([from_ordinal(place) for place in (entry + told_terms - 1).to_numpy(int)], float)
    newest[told_terms == 0] = np.nan
    keys = found["student_key"]
    from_then = terms["student_key"].map(pd.Series(newest, index=keys)).astype(float)
    since = terms[(terms["term_id"] >= from_then) & (terms["term_id"] % 10 != SHORT)]
    away = ~since["status"].isin(REGISTERED)  # on leave or inactive: what was reached before still stands
    tells = {
        "recorded": pd.Series(True, since.index),
        "credits_told": since["credits_cum"].notna() | since["credits_passed"].notna() | away,
        "gpa_told": since["gpa_cum"].notna() | away,
    }
    owners = since["student_key"]
    told_by = {name: keys.isin(owners[rows]).to_numpy() for name, rows in tells.items()}
    return found.assign(terms_told=told_terms, newest_told=newest, **told_by)
