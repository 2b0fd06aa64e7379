"""Rows of terms as everybody reads them: what a row leaves empty is told by the student's course grades.

Pages, features, counts and lists read terms through here, so that no two of them differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, select

from data import schema
from data.engine.bulk import all_columns, fetch, fetch_by_keys
from data.engine.facts import read_fact
from data.records.course_results import DERIVED, SETTING, GradeRules, filled
from data.records.frames import ATTEMPT

WAITING = "U"  # status of who has only the competency examination left
GROUP = ["program_code", "cohort_term", "term_index", "status"]


def grade_rules_in(connection: Connection) -> GradeRules:
    """How a store counts several attempts, and what passes."""
    return GradeRules.of(read_fact(connection, SETTING))


def attempts() -> Select:
    """Every course attempt, by student, course and term."""
    table = schema.course_attempts
    return all_columns(table, without=["import_id"]).order_by(*(table.c[name] for name in ATTEMPT))


def told(connection: Connection, terms: pd.DataFrame) -> pd.DataFrame:
    """Rows of terms as they read today, what is empty of :data:`DERIVED` told by grades where there are any.

    Parameters
    ----------
    terms : DataFrame
        ``student_key``, ``term_id`` and columns of the terms table; all terms of a student or some.

    Returns
    -------
    DataFrame
        The same rows and columns, in the same order.
    """
    empty = terms[[name for name in DERIVED if name in terms]].isna().any(axis=1)
    keys = list(terms.loc[empty, "student_key"].unique())
    if not keys:
        return terms
    found = fetch_by_keys(connection, attempts(), schema.course_attempts.c.student_key, keys)
    return filled(terms, found, grade_rules_in(connection))


def averaged(terms: pd.DataFrame) -> pd.DataFrame:
    """One student's terms, with the cumulative average that the model reckons with where the register and the
    grades tell none: the mean of the term averages so far, each regular term once.

    Parameters
    ----------
    terms : DataFrame
        ``term_id, term_index, status, gpa_term, gpa_cum, credits_attempted`` of one student, as
        :func:`data.records.queries.term_rows` has them.

    Returns
    -------
    DataFrame
        The same rows in the same order, with ``gpa_cum_is_mean`` (bool, the same in every row): whether
        ``gpa_cum`` was empty throughout and is now such a mean (0 to 4, missing before the first average).
    """
    ordered = terms.sort_values("term_id", kind="stable")
    gpa = pd.to_numeric(ordered["gpa_term"]).astype("float64")
    # Without courses to take, a term of waiting for the examination says nothing of grades.
    idle = (ordered["status"] == WAITING) & ~(pd.to_numeric(ordered["credits_attempted"]) > 0)
    gpa = gpa.mask(idle)
    if terms["gpa_cum"].notna().any() or gpa.isna().all():
        return terms.assign(gpa_cum_is_mean=False)
    by_index: dict[int, float] = {}
    means = []
    for index, value in zip(ordered["term_index"], gpa, strict=True):
        if not np.isnan(value):
            by_index[index] = value  # a short term shares the index of the even term before it
        means.append(np.mean(list(by_index.values())) if by_index else np.nan)
    made = pd.Series(means, ordered.index, dtype="float64").reindex(terms.index)
    return terms.assign(gpa_cum=made, gpa_cum_is_mean=True)


def told_averages(connection: Connection, which: Sequence[ColumnElement[bool]]) -> pd.DataFrame:
    """Cumulative averages that grades alone tell, counted and summed.

    Parameters
    ----------
    which : sequence of conditions
        On ``students``.

    Returns
    -------
    DataFrame
        ``program_code, cohort_term, term_index, status, gpa_rows, gpa_sum``: of regular terms whose row has
        no cumulative average of its own; groups without any are left out.
    """
    students, terms, graded = schema.students, schema.terms, schema.course_attempts
    has_grades = select(graded.c.student_key).where(graded.c.student_key == students.c.student_key).exists()
    statement = (
        select(
            *(terms.c[name] for name in ("student_key", "term_id", "term_index", "status", "gpa_cum")),
            students.c.program_code,
            students.c.cohort_term,
        )
        .select_from(terms.join(students, students.c.student_key == terms.c.student_key))
        .where(terms.c.gpa_cum.is_(None), terms.c.term_id % 10 != 3, has_grades, *which)
    )
    rows = fetch(connection, statement)
    rows = told(connection, rows.assign(gpa_cum=np.full(len(rows), np.nan))).dropna(subset=["gpa_cum"])
    sums = rows.groupby(GROUP, as_index=False)["gpa_cum"].agg(gpa_rows="count", gpa_sum="sum")
    return sums.astype({"gpa_rows": "int64", "gpa_sum": "float64"})
