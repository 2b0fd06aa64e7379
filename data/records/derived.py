"""The derived tables, rebuilt in the transaction that changes what they are derived from.

A page that reads them costs the same for a thousand students and for a million. An import of a few students
rebuilds the rows of their entry cohorts only.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    true,
    update,
)

from data import schema
from data.records.course_cube import course_rows
from data.records.told_terms import GROUP, grade_rules_in, told_averages
from data.scores.standing import keep_register_day

NEWEST = -1  # as_of_index of the cube rows made of each enrolled student's newest score
FEW_STUDENTS = 900
FEW_COHORTS = 40
Cohort = tuple[str, int]  # program_code, cohort_term


def current_model(connection: Connection) -> str | None:
    """The model whose scores the pages show: the served one, else the newest that has scored."""
    models, cube = schema.models, schema.risk_cube
    served = select(models.c.model_version).where(models.c.status == "served")
    found = connection.scalar(served.order_by(models.c.created_at.desc()).limit(1))
    if found is not None:
        return found
    scored = select(cube.c.model_version).where(cube.c.model_version == models.c.model_version).exists()
    newest = select(models.c.model_version).where(scored).order_by(models.c.created_at.desc())
    return connection.scalar(newest.limit(1))


def refresh(connection: Connection, students: Iterable[str], cohorts: Iterable[Cohort] = ()) -> None:
    """Rebuild what the records or scores of these students enter into.

    Parameters
    ----------
    students : iterable of str
        Keys of the students whose rows changed; many of them cause a full rebuild.
    cohorts : iterable of (program_code, cohort_term)
        Cohorts that some of them left, or in which a score was erased; past scores are counted anew.
    """
    keys, table = sorted(set(students)), schema.students
    groups = set(cohorts)
    keep_register_day(connection)
    versions = _scored_versions(connection) if groups else []
    if len(keys) <= FEW_STUDENTS:
        found = select(table.c.program_code, table.c.cohort_term).where(table.c.student_key.in_(keys))
        groups |= set(map(tuple, connection.execute(found.distinct())))
    few = len(keys) <= FEW_STUDENTS and len(groups) <= FEW_COHORTS
    for cohort in sorted(groups) if few else (None,):
        rebuild_register_cubes(connection, cohort)
        for version in versions:
            _rebuild_past(connection, version, cohort)
    _rebuild_current(connection, keys if few else None)


def rebuild_register_cubes(connection: Connection, cohort: Cohort | None = None) -> None:
    """Rebuild ``flow_cube``, ``term_cube`` and ``course_cube``, of one cohort or of all."""
    which = _of(schema.students, cohort)
    _refill(connection, schema.course_cube, course_rows(which, grade_rules_in(connection)), cohort)
    _refill(connection, schema.flow_cube, flow_rows(which), cohort)
    _refill(connection, schema.term_cube, term_rows(which), cohort)
    _add_averages(connection, told_averages(connection, which))


def _add_averages(connection: Connection, averages: pd.DataFrame) -> None:
    """Cumulative averages that only grades tell, into the rows of ``term_cube``."""
    cube = schema.term_cube
    adding = (
        update(cube)
        .where(*(cube.c[name] == bindparam(f"of_{name}") for name in GROUP))
        .values(
            gpa_rows=cube.c.gpa_rows + bindparam("more_rows"), gpa_sum=cube.c.gpa_sum + bindparam("more_sum")
        )
    )
    named = {name: f"of_{name}" for name in GROUP} | {"gpa_rows": "more_rows", "gpa_sum": "more_sum"}
    rows = averages.rename(columns=named).to_dict("records")
    if rows:
        connection.execute(adding, rows)


def flow_rows(which: list[ColumnElement[bool]]) -> Select:
    """How many of some students entered and left in which way: a SELECT of the rows of ``flow_cube``."""
    students, outcomes = schema.students, schema.outcomes
    exited = outcomes.c.exit_type.is_not(None)
    each = (
        select(
            students.c.program_code,
            students.c.cohort_term,
            func.coalesce(students.c.entry_type, "").label("entry_type"),
            func.coalesce(outcomes.c.exit_type, "enrolled").label("state"),
            func.coalesce(case((exited, outcomes.c.terms_to_exit)), -1).label("terms_to_exit"),
        )
        .select_from(students.outerjoin(outcomes, outcomes.c.student_key == students.c.student_key))
        .where(*which)
        .subquery()
    )
    return select(*each.c, func.count().label("students")).group_by(*each.c)


def term_rows(which: list[ColumnElement[bool]]) -> Select:
    """How many of some students were in which status in which term: a SELECT of the rows of ``term_cube``,
    without the averages that only grades tell (:func:`data.records.told_terms.told_averages`).

    Nobody counts in a term after their exit, whatever its row says (:func:`after_exit`)."""
    students, terms, outcomes = schema.students, schema.terms, schema.outcomes
    groups = (students.c.program_code, students.c.cohort_term, terms.c.term_index, terms.c.status)
    gpa = terms.c.gpa_cum
    joined = terms.join(students, students.c.student_key == terms.c.student_key)
    joined = joined.outerjoin(outcomes, outcomes.c.student_key == terms.c.student_key)
    return (
        select(
            *groups,
            cast(func.sum(case((after_exit(), 0), else_=1)), Integer).label("students"),
            func.count(gpa).label("gpa_rows"),
            func.coalesce(func.sum(gpa), 0.0).label("gpa_sum"),
        )
        .select_from(joined)
        # A short term shares the index of the even term before it: a student counts once.
        .where(terms.c.term_id % 10 != 3, *which)
        .group_by(*groups)
    )


def after_exit() -> ColumnElement[bool]:
    """Whether a row of ``terms`` lies after the exit that ``outcomes`` tells of its student.

    A register can hold both; an import warns of it (REC108). The exit decides, by the one rule of
    ``data/calendar/study_time.py``: otherwise a graduate with a later row would count twice, as graduated and
    as studying, and whoever left would still be here. NULL where there is no exit or no term of it.
    """
    outcomes, terms = schema.outcomes, schema.terms
    known = and_(outcomes.c.exit_type.is_not(None), outcomes.c.terms_to_exit >= 0)
    return and_(known, terms.c.term_index > outcomes.c.terms_to_exit)


def rebuild_risk(connection: Connection, model_version: str | None = None) -> None:
    """Rebuild ``risk_current`` and its cube from the current model, and the past cube of ``model_version``.

    The cube of a past ``as_of_index`` counts every student with a score there; :data:`NEWEST` counts the
    enrolled by their newest score.
    """
    if model_version is not None:
        _rebuild_past(connection, model_version, None)
    _rebuild_current(connection, None)


def refresh_statistics(connection: Connection, *tables: str) -> None:
    """Tell the query planner how the rows of ``tables`` are spread; without it it may pick a poor index."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA analysis_limit = 1000"))
    for table in tables:
        connection.execute(text(f"ANALYZE {schema.metadata.tables[table].name}"))


def _scored_versions(connection: Connection) -> list[str]:
    return list(connection.scalars(select(schema.risk_cube.c.model_version).distinct()))


def _rebuild_current(connection: Connection, keys: list[str] | None) -> None:
    """``risk_current`` of some students or of all, and the cube of the newest scores."""
    now, cube, current = schema.risk_current, schema.risk_cube, current_model(connection)
    theirs = [] if keys is None else [now.c.student_key.in_(keys)]
    connection.execute(delete(now).where(*theirs))
    connection.execute(delete(cube).where(cube.c.as_of_index == NEWEST))
    if current is None:
        return
    connection.execute(insert(now).from_select(*_current_rows(current, keys)))
    groups = (now.c.model_version, now.c.target, now.c.program_code, now.c.cohort_term, now.c.band)
    rows = select(*groups, literal(NEWEST), func.count(), func.sum(now.c.risk)).group_by(*groups)
    columns = ("model_version", "target", "program_code", "cohort_term", "band")
    names = [*columns, "as_of_index", "students", "risk_sum"]
    connection.execute(insert(cube).from_select(names, rows))
    if keys is None:
        refresh_statistics(connection, now.name)


def _rebuild_past(connection: Connection, model_version: str, cohort: Cohort | None) -> None:
    scores, students, cube = schema.scores, schema.students, schema.risk_cube
    past = (cube.c.model_version == model_version, cube.c.as_of_index != NEWEST)
    connection.execute(delete(cube).where(*past, *_of(cube, cohort)))
    groups = (
        scores.c.model_version,
        scores.c.target,
        scores.c.as_of_index,
        students.c.program_code,
        students.c.cohort_term,
        scores.c.band,
    )
    rows = (
        select(*groups, func.count(), func.sum(scores.c.risk))
        .select_from(scores.join(students, students.c.student_key == scores.c.student_key))
        .where(scores.c.model_version == model_version, *_of(students, cohort))
        .group_by(*groups)
    )
    connection.execute(insert(cube).from_select([column.name for column in cube.columns], rows))


def _current_rows(model_version: str, keys: list[str] | None):
    scores, students, outcomes = schema.scores, schema.students, schema.outcomes
    whose = (scores.c.student_key, scores.c.target)
    by_age = scores.c.as_of_index
    theirs = [] if keys is None else [scores.c.student_key.in_(keys)]
    ranked = (
        select(
            scores,
            func.row_number().over(partition_by=whose, order_by=by_age.desc()).label("age"),
            func.lag(scores.c.risk).over(partition_by=whose, order_by=by_age).label("previous_risk"),
            func.lag(scores.c.band).over(partition_by=whose, order_by=by_age).label("previous_band"),
        )
        .where(scores.c.model_version == model_version, *theirs)
        .subquery()
    )
    sources = {"program_code": students, "cohort_term": students, "advisor": students}
    names = [column.name for column in schema.risk_current.columns]
    exited = (
        select(true())
        .where(outcomes.c.student_key == ranked.c.student_key, outcomes.c.exit_type.is_not(None))
        .exists()
    )
    rows = (
        select(*(sources.get(name, ranked).c[name] for name in names))
        .select_from(ranked.join(students, students.c.student_key == ranked.c.student_key))
        .where(ranked.c.age == 1, ~exited)
    )
    return names, rows


def _of(table, cohort: Cohort | None) -> list[ColumnElement[bool]]:
    if cohort is None:
        return []
    return [table.c.program_code == cohort[0], table.c.cohort_term == cohort[1]]


def _refill(connection: Connection, table, rows, cohort: Cohort | None) -> None:
    connection.execute(delete(table).where(*_of(table, cohort)))
    connection.execute(insert(table).from_select([column.name for column in table.columns], rows))
