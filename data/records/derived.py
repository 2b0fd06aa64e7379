"""The derived tables, rebuilt in the transaction that changes what they are derived from.

A page that reads them costs the same for a thousand students and for a million. An import rebuilds the rows
of the entry cohorts of its students only, unless those hold most of the register.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Integer,
    Numeric,
    Select,
    and_,
    bindparam,
    case,
    cast,
    delete,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    update,
)

from data import schema
from data.engine.bulk import among, fetch_by_keys
from data.records.course_cube import course_rows
from data.records.told_terms import GROUP, grade_rules_in, told_averages
from data.scores.standing import keep_register_day

NEWEST = -1  # as_of_index of the cube rows made of each enrolled student's newest score
FEW_STUDENTS = 900
FEW_COHORTS = 40
SORTING = (
    "256MB"  # memory of PostgreSQL in which a rebuild sorts; by default it sorts millions of rows on the disk
)
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
        Keys of the students whose rows changed.
    cohorts : iterable of (program_code, cohort_term)
        Cohorts that some of them left, or in which a score was erased; past scores are counted anew.
    """
    keys, left = sorted(set(students)), set(cohorts)
    keep_register_day(connection)
    touched = _touched(connection, keys, left)
    rebuild_register_cubes(connection, touched)
    for version in _scored_versions(connection) if left else []:
        _rebuild_past(connection, version, touched)
    _rebuild_current(connection, None if touched is None else keys)


def _touched(connection: Connection, keys: list[str], left: set[Cohort]) -> frozenset[Cohort] | None:
    """The cohorts to be counted anew; None means all, where they hold most of the register."""
    table = schema.students
    entered = select(table.c.program_code, table.c.cohort_term)
    theirs = fetch_by_keys(connection, entered, table.c.student_key, keys).drop_duplicates()
    found = frozenset(left | set(theirs.itertuples(index=False, name=None)))
    if len(keys) <= FEW_STUDENTS and len(found) <= FEW_COHORTS:
        return found
    whole, inside = (
        connection.scalar(select(func.count()).select_from(table).where(*which)) or 0
        for which in ([], _of(table, found))
    )
    return found if 2 * inside <= whole else None


def rebuild_register_cubes(connection: Connection, cohorts: frozenset[Cohort] | None = None) -> None:
    """Rebuild ``flow_cube``, ``term_cube`` and ``course_cube``, of some cohorts or of all."""
    if cohorts is not None and not cohorts:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.set_config("work_mem", SORTING, True)))
    which = _of(schema.students, cohorts)
    _refill(connection, schema.course_cube, course_rows(which, grade_rules_in(connection)), cohorts)
    _refill(connection, schema.flow_cube, flow_rows(which), cohorts)
    _refill(connection, schema.term_cube, term_rows(which), cohorts)
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

    Nobody counts in a term after their exit, whatever its row says (:func:`after_exit`). Averages are added
    up as decimals: a sum of floats would follow the order in which the rows happen to lie."""
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
            func.coalesce(cast(func.sum(cast(gpa, Numeric)), Float), 0.0).label("gpa_sum"),
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
    theirs = [] if keys is None else [among(connection, now.c.student_key, keys)]
    connection.execute(delete(now).where(*theirs))
    connection.execute(delete(cube).where(cube.c.as_of_index == NEWEST))
    if current is None:
        return
    connection.execute(insert(now).from_select(*_current_rows(connection, current, keys)))
    groups = (now.c.model_version, now.c.target, now.c.program_code, now.c.cohort_term, now.c.band)
    rows = select(*groups, literal(NEWEST), func.count(), func.sum(now.c.risk)).group_by(*groups)
    columns = ("model_version", "target", "program_code", "cohort_term", "band")
    names = [*columns, "as_of_index", "students", "risk_sum"]
    connection.execute(insert(cube).from_select(names, rows))
    if keys is None:
        refresh_statistics(connection, now.name)


def _rebuild_past(connection: Connection, model_version: str, cohorts: frozenset[Cohort] | None) -> None:
    scores, students, cube = schema.scores, schema.students, schema.risk_cube
    past = (cube.c.model_version == model_version, cube.c.as_of_index != NEWEST)
    connection.execute(delete(cube).where(*past, *_of(cube, cohorts)))
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
        .where(scores.c.model_version == model_version, *_of(students, cohorts))
        .group_by(*groups)
    )
    connection.execute(insert(cube).from_select([column.name for column in cube.columns], rows))


def _current_rows(connection: Connection, model_version: str, keys: list[str] | None):
    scores, students, outcomes = schema.scores, schema.students, schema.outcomes
    whose = (scores.c.student_key, scores.c.target)
    by_age = scores.c.as_of_index
    theirs = [] if keys is None else [among(connection, scores.c.student_key, keys)]
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


def _of(table, cohorts: frozenset[Cohort] | None) -> list[ColumnElement[bool]]:
    """The condition that a row is of one of some cohorts; none where all are meant."""
    if cohorts is None:
        return []
    terms: dict[str, list[int]] = {}
    for program, term in sorted(cohorts):
        terms.setdefault(program, []).append(term)
    parts = [and_(table.c.program_code == code, table.c.cohort_term.in_(own)) for code, own in terms.items()]
    return [or_(false(), *parts)]


def _refill(connection: Connection, table, rows, cohorts: frozenset[Cohort] | None) -> None:
    connection.execute(delete(table).where(*_of(table, cohorts)))
    connection.execute(insert(table).from_select([column.name for column in table.columns], rows))
