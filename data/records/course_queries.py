"""SELECTs of course grades: one student's attempts, the courses of programmes, the rules of counting."""

from __future__ import annotations

from typing import Any

import pandas as pd

from data import schema
from data.engine.bulk import all_columns, fetch
from data.engine.database import Store
from data.engine.facts import write_fact
from data.records.bottlenecks import COUNTS, counts_by_course
from data.records.course_cube import TERM_DIGITS, course_rows
from data.records.course_results import SETTING, GradeRules, judged
from data.records.derived import rebuild_register_cubes
from data.records.told_terms import grade_rules_in
from data.trust import audit
from data.trust.scope import Scope
from data.trust.scoping import aggregable, visible, within_programs


def grade_rules(store: Store) -> GradeRules:
    """How the store counts several attempts at a course, and what passes."""
    with store.reading() as connection:
        return grade_rules_in(connection)


def change_grade_rules(store: Store, given: dict[str, Any], *, actor: str) -> GradeRules:
    """Set how attempts are counted; what is derived from grades follows at once.

    Parameters
    ----------
    given : dict
        ``counts`` and ``pass_points``, either or both.
    actor : str
        For the audit log.

    Raises
    ------
    ValueError
        For a rule that there is not. Nothing is changed then.
    """
    with store.writing() as connection:
        before = grade_rules_in(connection)
        after = GradeRules(**(before.fact | given))
        if after != before:
            write_fact(connection, SETTING, after.fact)
            rebuild_register_cubes(connection)
            audit.append_in(
                connection,
                actor=actor,
                role="system",
                action="change grade rules",
                object=SETTING,
                detail=after.fact,
            )
    return after


def attempt_rows(store: Store, scope: Scope, key: str) -> pd.DataFrame:
    """One student's course attempts, judged (:func:`data.records.course_results.judged`); no row out of
    ``scope``'s reach."""
    table, owner = schema.course_attempts, schema.students
    statement = (
        all_columns(table, without=["import_id"])
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(table.c.student_key == key, *visible(scope))
    )
    with store.reading() as connection:
        return judged(fetch(connection, statement), grade_rules_in(connection))


def course_results(store: Store, scope: Scope) -> pd.DataFrame:
    """Attempts and students by programme and course, over what ``scope`` may count; counts as they are, for a
    page to hide the small ones.

    Returns
    -------
    DataFrame
        ``program_code``, ``course_code``, ``course_name`` (the newest one in the programme; without any the
        one that the code has elsewhere, if it has no other; else the code),
        :data:`data.records.bottlenecks.COUNTS`: decided attempts and those failed; students with a decided
        attempt and those who failed one; of these students the delayed, the on-time graduates, and those of
        each who failed the course at least once.
    """
    cube, conditions = schema.course_cube, []
    with store.reading() as connection:
        if scope.own_students_only:
            cube = course_rows(aggregable(scope), grade_rules_in(connection)).subquery()
        else:
            conditions = within_programs(scope, cube)
        table = fetch(connection, counts_by_course(connection, cube, conditions))
    table.insert(2, "course_name", _names(table))
    return table.drop(columns="newest_name").astype(dict.fromkeys(COUNTS, "int64"))


def _names(table: pd.DataFrame) -> pd.Series:
    own, codes = table["newest_name"].astype("str").str[TERM_DIGITS:], table["course_code"]
    names = own.groupby(codes).agg(["nunique", "last"])
    elsewhere = names.loc[names["nunique"] == 1, "last"]
    return own.fillna(codes.map(elsewhere)).fillna(codes)
