"""SELECTs of the register: programmes, students, terms, outcomes, and the register as it was known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Select, case, or_, select, true

from data import schema
from data.calendar.setting import study_calendar
from data.calendar.study_time import StudyCalendar
from data.calendar.term_calendar import as_of_date
from data.engine.bulk import all_columns, fetch, fetch_by_keys
from data.engine.database import Store
from data.trust.scope import Scope
from data.trust.scoping import visible, within_programs


@dataclass(frozen=True)
class Records:
    """The whole register as it was known at a cut-off.

    Parameters
    ----------
    students : DataFrame
        One row per student: the columns of ``students`` except ``import_id``, and ``as_of`` (the cut-off of
        this student, NaT without one).
    terms : DataFrame
        One row per student and term: the columns of ``terms`` except ``import_id``, sorted by student and
        term, none with ``known_at`` after the student's cut-off.
    outcomes : DataFrame
        One row per student with a known outcome row; never cut, since labels need it.
    programs : DataFrame
        One row per programme.
    as_of_index : int or None
        The cut-off; None: everything.
    calendar : StudyCalendar
        To which term an exit on a day belongs, by the store's settings.
    """

    students: pd.DataFrame
    terms: pd.DataFrame
    outcomes: pd.DataFrame
    programs: pd.DataFrame
    as_of_index: int | None
    calendar: StudyCalendar = StudyCalendar()


def programs(store: Store, scope: Scope | None = None) -> pd.DataFrame:
    """``program_code, name, degree_level, normal_terms, required_credits``, by code.

    Parameters
    ----------
    scope : Scope, optional
        Whose programmes; without it every one's, since names of programmes are nobody's secret.
    """
    wanted = select(schema.programs).where(*(within_programs(scope, schema.programs) if scope else ()))
    with store.reading() as connection:
        return fetch(connection, wanted.order_by(schema.programs.c.program_code))


def students(store: Store, scope: Scope) -> pd.DataFrame:
    """The students that ``scope`` may see: the columns of ``students`` except ``import_id``, by key."""
    table = schema.students
    with store.reading() as connection:
        statement = all_columns(table, without=["import_id"]).where(*visible(scope))
        return fetch(connection, statement.order_by(table.c.student_key))


def identities(store: Store, scope: Scope, keys: Sequence[str]) -> pd.DataFrame:
    """``student_key, student_number, name`` of those ``keys`` that ``scope`` may see and identify."""
    table, owner = schema.identities, schema.students
    statement = (
        select(table)
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(*visible(scope), true() if scope.may_identify else ~true())
    )
    with store.reading() as connection:
        return fetch_by_keys(connection, statement, table.c.student_key, list(keys))


def outcomes(store: Store) -> pd.DataFrame:
    """One row per student with an outcome row: ``student_key, exit_type`` (missing: enrolled), ``exit_term,
    exit_date, terms_to_exit, gpa_final, observed_until``. For labels and reports; never for features."""
    with store.reading() as connection:
        return fetch(connection, _outcomes())


def student(store: Store, scope: Scope, key: str) -> pd.DataFrame:
    """One student, or no row when there is none or ``scope`` does not reach them.

    The columns of ``students`` except ``import_id``; ``program_name, degree_level, normal_terms,
    required_credits``; ``exit_type, exit_term, exit_date, terms_to_exit, gpa_final, observed_until``; and,
    if ``scope.may_identify``, ``student_number, name``.
    """
    table, program, outcome, identity = (
        schema.students,
        schema.programs,
        schema.outcomes,
        schema.identities,
    )
    columns = [column for column in table.columns if column.name != "import_id"]
    columns += [program.c.name.label("program_name")]
    columns += [program.c[name] for name in ("degree_level", "normal_terms", "required_credits")]
    columns += [column for column in outcome.columns if column.name not in ("student_key", "import_id")]
    joined = table.join(program, program.c.program_code == table.c.program_code)
    joined = joined.outerjoin(outcome, outcome.c.student_key == table.c.student_key)
    if scope.may_identify:
        joined = joined.outerjoin(identity, identity.c.student_key == table.c.student_key)
        columns += [identity.c.student_number, identity.c.name]
    statement = select(*columns).select_from(joined).where(table.c.student_key == key, *visible(scope))
    with store.reading() as connection:
        return fetch(connection, statement)


def find_student(store: Store, scope: Scope, number_or_key: str) -> str | None:
    """The key of the student with that number (if ``scope.may_identify``) or key; None when out of reach."""
    table, identity = schema.students, schema.identities
    named = identity.c.student_number == number_or_key
    keyed = table.c.student_key == number_or_key
    statement = (
        select(table.c.student_key)
        .outerjoin(identity, identity.c.student_key == table.c.student_key)
        .where(or_(keyed, named) if scope.may_identify else keyed, *visible(scope))
        .order_by(case((keyed, 1), else_=0))  # a number that looks like somebody's key is a number
        .limit(1)
    )
    with store.reading() as connection:
        return connection.scalar(statement)


def term_rows(store: Store, scope: Scope, key: str) -> pd.DataFrame:
    """One student's terms in order: the columns of ``terms`` except ``student_key`` and ``import_id``."""
    table, owner = schema.terms, schema.students
    statement = (
        all_columns(table, without=["student_key", "import_id"])
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(table.c.student_key == key, *visible(scope))
        .order_by(table.c.term_id)
    )
    with store.reading() as connection:
        return fetch(connection, statement)


def records_until(store: Store, as_of_index: int | None = None) -> Records:
    """The register as it was known when each student had completed ``as_of_index`` regular terms.

    The cut-off is :func:`data.calendar.term_calendar.as_of_date` of the student's own entry term. A row that
    was revised after it is given as it read then; a row first known after it is left out. For pipelines: no
    scope.

    Parameters
    ----------
    as_of_index : int or None
        0 or more; None gives every row as it reads today.
    """
    with store.reading() as connection:
        pupils = fetch(connection, _ordered(schema.students, "student_key"))
        terms = fetch(connection, _ordered(schema.terms, "student_key", "term_id"))
        ends = fetch(connection, _outcomes())
        courses = fetch(connection, select(schema.programs).order_by(schema.programs.c.program_code))
        calendar = study_calendar(connection)
        if as_of_index is None:
            pupils["as_of"] = pd.Series(pd.NaT, index=pupils.index, dtype="datetime64[us]")
        else:
            days = {term: as_of_date(int(term), as_of_index) for term in pupils["cohort_term"].unique()}
            pupils["as_of"] = pd.to_datetime(pupils["cohort_term"].map(days)).astype("datetime64[us]")
            terms = _as_known(connection, terms, pupils.set_index("student_key")["as_of"])
    return Records(pupils, terms, ends, courses, as_of_index, calendar)


def _as_known(connection: Connection, terms: pd.DataFrame, cutoffs: pd.Series) -> pd.DataFrame:
    """Terms with rows known after the cut-off replaced by their version of then, or left out."""
    known = (terms["known_at"] <= terms["student_key"].map(cutoffs)).to_numpy()
    earlier = _earlier_versions(connection)
    if earlier.empty:
        return terms[known].reset_index(drop=True)
    earlier = earlier[earlier["known_at"] <= earlier["student_key"].map(cutoffs)]
    earlier = earlier.sort_values(["known_at", "history_id"], kind="stable")
    earlier = earlier.drop_duplicates(["student_key", "term_id"], keep="last")
    # Only where today's row was not known yet: otherwise today's row is the newest version of then.
    hidden = terms.loc[~known, ["student_key", "term_id"]]
    rows = hidden.merge(earlier, on=["student_key", "term_id"])[terms.columns]
    rows = rows.astype({name: terms[name].dtype for name in terms.columns if terms[name].dtype.kind == "f"})
    together = pd.concat([terms[known], rows], ignore_index=True)
    return together.sort_values(["student_key", "term_id"], ignore_index=True)


def _earlier_versions(connection: Connection) -> pd.DataFrame:
    history = schema.row_history
    statement = select(history.c.history_id, history.c.student_key, history.c.payload).where(
        history.c.table_name == schema.terms.name
    )
    found = fetch(connection, statement)
    if found.empty:
        return found
    names = [
        column.name for column in schema.terms.columns if column.name not in ("student_key", "import_id")
    ]
    payloads = found.pop("payload")
    for name in names:
        values = [payload.get(name) for payload in payloads]
        if name == "known_at":
            found[name] = np.array(values, dtype="datetime64[us]")
        elif name == "status":
            found[name] = pd.array(values, dtype="str")
        elif name in ("term_id", "term_index"):
            found[name] = np.array(values, dtype="int64")
        else:
            found[name] = np.array(values, dtype="float64")
    return found


def _ordered(table, *by: str) -> Select:
    return all_columns(table, without=["import_id"]).order_by(*(table.c[name] for name in by))


def _outcomes() -> Select:
    return _ordered(schema.outcomes, "student_key")
