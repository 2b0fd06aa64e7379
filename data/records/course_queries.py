"""SELECTs of course grades: one student's attempts, the courses of programmes, the rules of counting."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy import select

from data import schema
from data.calendar.labels import label_outcomes
from data.calendar.setting import study_calendar
from data.engine.bulk import all_columns, fetch
from data.engine.database import Store
from data.engine.facts import write_fact
from data.records.bottlenecks import course_counts
from data.records.course_results import SETTING, GradeRules, judged
from data.records.derived import rebuild_register_cubes
from data.records.told_terms import grade_rules_in
from data.trust import audit
from data.trust.scope import Scope
from data.trust.scoping import aggregable, visible


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


def course_results(store: Store, scope: Scope, rules: GradeRules) -> pd.DataFrame:
    """Attempts and students by programme and course (:func:`data.records.bottlenecks.course_counts`), over
    what ``scope`` may count; counts as they are, for a page to hide the small ones."""
    attempts, owner = schema.course_attempts, schema.students
    wanted = ("student_key", "course_code", "course_name", "term_id", "attempt", "grade_points", "result")
    rows = select(*(attempts.c[name] for name in wanted))
    rows = rows.join(owner, owner.c.student_key == attempts.c.student_key).where(*aggregable(scope))
    names = ("student_key", "program_code", "cohort_term")
    with store.reading() as connection:
        taken = fetch(connection, rows)
        pupils = fetch(connection, select(*(owner.c[name] for name in names)).where(*aggregable(scope)))
        exits = fetch(connection, all_columns(schema.outcomes, without=["import_id"]))
        programs = fetch(connection, select(schema.programs))
        calendar = study_calendar(connection)
    if taken.empty:
        return course_counts(judged(taken, rules), pupils.assign(label="censored"))
    exits = exits[exits["student_key"].isin(pupils["student_key"])].reset_index(drop=True)
    labels = label_outcomes(pupils, programs, exits, calendar=calendar)["label"]
    return course_counts(judged(taken, rules), pupils.assign(label=labels))
