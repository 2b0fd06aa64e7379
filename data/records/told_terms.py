"""Rows of terms as everybody reads them: what a row leaves empty is told by the student's course grades.

Pages, features, counts and lists read terms through here, so that no two of them differ.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, func, select

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
    if not found["term_id"].isin(terms.loc[empty, "term_id"]).any():
        return terms  # a term on leave: grades tell a term's figures only where there are some of that term
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
    if terms["gpa_cum"].notna().any():
        return terms.assign(gpa_cum_is_mean=False)
    ordered = terms.sort_values("term_id", kind="stable")
    means = _means(ordered, pd.Series(0, ordered.index))
    if means.isna().all():
        return terms.assign(gpa_cum_is_mean=False)
    return terms.assign(gpa_cum=means.reindex(terms.index), gpa_cum_is_mean=True)


def _means(terms: pd.DataFrame, whose: pd.Series) -> pd.Series:
    """The mean of each student's term averages so far, for rows in the order of their terms."""
    gpa = pd.to_numeric(terms["gpa_term"]).astype("float64")
    # Without courses to take, a term of waiting for the examination says nothing of grades.
    idle = (terms["status"] == WAITING) & ~(pd.to_numeric(terms["credits_attempted"]) > 0)
    gpa = gpa.mask(idle)
    known = gpa.dropna()
    # A short term shares the index of the even term before it, and takes its place.
    before = known.groupby([whose[known.index], terms.loc[known.index, "term_index"]]).shift()
    sums = (known - before.fillna(0.0)).reindex(terms.index, fill_value=0.0).groupby(whose).cumsum()
    counts = before.isna().astype(int).reindex(terms.index, fill_value=0).groupby(whose).cumsum()
    return sums / counts.where(counts > 0)


def told_averages(connection: Connection, which: Sequence[ColumnElement[bool]]) -> pd.DataFrame:
    """Cumulative averages that the register leaves out, counted and summed: told by grades, and of students
    with neither grades nor any cumulative average the mean that :func:`averaged` makes of their terms.

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
    rows = told(connection, rows.assign(gpa_cum=np.full(len(rows), np.nan)))
    rows = pd.concat([rows, _bare(connection, which, has_grades)], ignore_index=True)
    rows = rows.dropna(subset=["gpa_cum"])
    sums = rows.groupby(GROUP, as_index=False)["gpa_cum"].agg(gpa_rows="count", gpa_sum="sum")
    return sums.astype({"gpa_rows": "int64", "gpa_sum": "float64"})


def _bare(
    connection: Connection, which: Sequence[ColumnElement[bool]], has_grades: ColumnElement[bool]
) -> pd.DataFrame:
    """Regular terms of students who have averages of terms and nothing cumulative, with the mean so far."""
    students, terms = schema.students, schema.terms
    joined = terms.join(students, students.c.student_key == terms.c.student_key)
    bare = (
        select(terms.c.student_key)
        .select_from(joined)
        .where(*which)
        .group_by(terms.c.student_key)
        .having(func.count(terms.c.gpa_cum) == 0, func.count(terms.c.gpa_term) > 0)
    )
    columns = ("student_key", "term_id", "term_index", "status", "gpa_term", "credits_attempted")
    statement = (
        select(*(terms.c[name] for name in columns), students.c.program_code, students.c.cohort_term)
        .select_from(joined)
        .where(terms.c.student_key.in_(bare), ~has_grades, *which)
        .order_by(terms.c.student_key, terms.c.term_id)
    )
    rows = fetch(connection, statement)
    rows = rows.assign(gpa_cum=_means(rows, rows["student_key"]))
    return rows.loc[rows["term_id"] % 10 != 3, ["student_key", "term_id", *GROUP, "gpa_cum"]]
