"""SELECTs of the register: programmes, students, terms, outcomes, and the register as it was known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from sqlalchemy import (
    Connection,
    Integer,
    Select,
    String,
    Table,
    case,
    false,
    or_,
    select,
    true,
)

from data import schema
from data.calendar.setting import study_calendar
from data.calendar.study_time import StudyCalendar
from data.calendar.term_calendar import as_of_date
from data.engine.bulk import all_columns, fetch, fetch_by_keys
from data.engine.database import Store
from data.records.course_results import GradeRules, filled
from data.records.frames import ATTEMPT
from data.records.spans import EVERYBODY, Span
from data.records.told_terms import attempts as every_attempt
from data.records.told_terms import grade_rules_in, told
from data.scores.standing import register_day
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
    attempts : DataFrame or None
        One row per course attempt, none with ``known_at`` after the student's cut-off; None when the register
        has no course grades at all. What a row of ``terms`` left empty is told by them.
    grade_rules : GradeRules
        How several attempts count, and what passes, by the store's settings.
    day : date or None
        The newest day that the register speaks about, where the rows do not tell it: of a part of a register,
        and of one without its terms.
    """

    students: pd.DataFrame
    terms: pd.DataFrame
    outcomes: pd.DataFrame
    programs: pd.DataFrame
    as_of_index: int | None
    calendar: StudyCalendar = StudyCalendar()
    attempts: pd.DataFrame | None = None
    grade_rules: GradeRules = GradeRules()
    day: date | None = None

    def of_students(self, keys: Collection[str]) -> Records:
        """The register of some students alone; programmes and settings stay."""
        whose = frozenset(keys)

        def theirs(table: pd.DataFrame) -> pd.DataFrame:
            return table[table["student_key"].isin(whose)].reset_index(drop=True)

        return replace(
            self,
            students=theirs(self.students),
            terms=theirs(self.terms),
            outcomes=theirs(self.outcomes),
            attempts=None if self.attempts is None else theirs(self.attempts),
        )


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
        select(table.c.student_key, table.c.student_number, table.c.name)
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
    named = identity.c.number_hash == store.cipher.number_hash(number_or_key)
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
    """One student's terms in order: the columns of ``terms`` except ``student_key`` and ``import_id``; what a
    row leaves empty is told by the student's course grades (:func:`data.records.told_terms.told`)."""
    table, owner = schema.terms, schema.students
    statement = (
        all_columns(table, without=["import_id"])
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(table.c.student_key == key, *visible(scope))
        .order_by(table.c.term_id)
    )
    with store.reading() as connection:
        return told(connection, fetch(connection, statement)).drop(columns="student_key")


def people(store: Store) -> Records:
    """The register without terms and course attempts: what outcomes, labels and lists of students need."""
    with store.reading() as connection:
        pupils = fetch(connection, _ordered(schema.students, "student_key"))
        return Records(
            pupils.assign(as_of=pd.Series(pd.NaT, index=pupils.index, dtype="datetime64[us]")),
            fetch(connection, _ordered(schema.terms, "student_key", "term_id").where(false())),
            fetch(connection, _outcomes()),
            fetch(connection, _programs()),
            None,
            study_calendar(connection),
            grade_rules=grade_rules_in(connection),
            day=register_day(connection),
        )


class WholeRegister:
    """Every row of a register, or of a part of it, and its earlier versions, read once.

    What was known when is cut from them.

    Reading takes far longer than cutting: a caller who asks for several as-of indexes keeps one of these.

    Parameters
    ----------
    store : Store
    span : Span
        Of which students.
    """

    def __init__(self, store: Store, span: Span = EVERYBODY) -> None:
        pupils, terms, ends = schema.students, schema.terms, schema.outcomes
        graded = schema.course_attempts
        with store.reading() as connection:
            self._pupils = fetch(
                connection, _ordered(pupils, "student_key").where(*span.holds(pupils.c.student_key))
            )
            self._terms = fetch(
                connection, _ordered(terms, "student_key", "term_id").where(*span.holds(terms.c.student_key))
            )
            self._ends = fetch(connection, _outcomes().where(*span.holds(ends.c.student_key)))
            self._programs = fetch(connection, _programs())
            self._calendar, self._rules = study_calendar(connection), grade_rules_in(connection)
            self._attempts = fetch(connection, every_attempt().where(*span.holds(graded.c.student_key)))
            self._earlier_terms = _earlier_versions(connection, terms, span)
            self._earlier_attempts = _earlier_versions(connection, graded, span)
            self._has_grades = bool(connection.scalar(select(select(graded).exists())))
            self._day = None if span == EVERYBODY else register_day(connection)

    def until(self, as_of_index: int | None = None, *, fill: bool = True) -> Records:
        """The register as it was known when each student had completed ``as_of_index`` regular terms.

        The cut-off is :func:`data.calendar.term_calendar.as_of_date` of the student's own entry term. A row
        that was revised after it is given as it read then; a row first known after it is left out. For
        pipelines: no scope.

        Parameters
        ----------
        as_of_index : int or None
            0 or more; None gives every row as it reads today.
        fill : bool
            Whether what a row of ``terms`` leaves empty is told by course grades; who asks of no such figure
            saves half the time.
        """
        terms, attempts = self._terms, self._attempts
        if as_of_index is None:
            days = pd.Series(pd.NaT, index=self._pupils.index, dtype="datetime64[us]")
            pupils = self._pupils.assign(as_of=days)
        else:
            cohorts = self._pupils["cohort_term"]
            days = {term: as_of_date(int(term), as_of_index) for term in cohorts.unique()}
            pupils = self._pupils.assign(as_of=pd.to_datetime(cohorts.map(days)).astype("datetime64[us]"))
            cutoffs = pupils.set_index("student_key")["as_of"]
            terms = _as_known(terms, self._earlier_terms, ["student_key", "term_id"], cutoffs)
            if not attempts.empty:
                attempts = _as_known(attempts, self._earlier_attempts, ATTEMPT, cutoffs)
        graded = attempts if self._has_grades else None
        if graded is not None and fill:
            terms = filled(terms, graded, self._rules)
        return Records(
            pupils,
            terms,
            self._ends,
            self._programs,
            as_of_index,
            self._calendar,
            graded,
            self._rules,
            self._day,
        )


def records_until(store: Store, as_of_index: int | None = None) -> Records:
    """:meth:`WholeRegister.until` of one index."""
    return WholeRegister(store).until(as_of_index)


def _as_known(rows: pd.DataFrame, earlier: pd.DataFrame, key: list[str], cutoffs: pd.Series) -> pd.DataFrame:
    """Rows known after the cut-off replaced by their version of then, or left out."""
    known = (rows["known_at"] <= rows["student_key"].map(cutoffs)).to_numpy()
    if earlier.empty:
        return rows[known].reset_index(drop=True)
    earlier = earlier[earlier["known_at"] <= earlier["student_key"].map(cutoffs)]
    earlier = earlier.sort_values(["known_at", "history_id"], kind="stable")
    earlier = earlier.drop_duplicates(key, keep="last")
    # Only where today's row was not known yet: otherwise today's row is the newest version of then.
    hidden = rows.loc[~known, key].merge(earlier, on=key)[rows.columns]
    hidden = hidden.astype({name: rows[name].dtype for name in rows.columns if rows[name].dtype.kind == "f"})
    together = pd.concat([rows[known], hidden], ignore_index=True)
    return together.sort_values(key, ignore_index=True)


def _earlier_versions(connection: Connection, table: Table, span: Span) -> pd.DataFrame:
    history = schema.row_history
    statement = select(history.c.history_id, history.c.student_key, history.c.payload).where(
        history.c.table_name == table.name, *span.holds(history.c.student_key)
    )
    found = fetch(connection, statement)
    if found.empty:
        return found
    payloads = found.pop("payload")
    for column in table.columns:
        if column.name in ("student_key", "import_id"):
            continue
        values = [payload.get(column.name) for payload in payloads]
        if column.name == "known_at":
            found[column.name] = np.array(values, dtype="datetime64[us]")
        elif isinstance(column.type, String):
            found[column.name] = pd.array(values, dtype="str")
        elif isinstance(column.type, Integer) and not column.nullable:
            found[column.name] = np.array(values, dtype="int64")
        else:
            found[column.name] = np.array(values, dtype="float64")
    if "result" in found:  # versions from before marks had a result
        found["result"] = found["result"].fillna("graded")
    return found


def _ordered(table, *by: str) -> Select:
    return all_columns(table, without=["import_id"]).order_by(*(table.c[name] for name in by))


def _programs() -> Select:
    return select(schema.programs).order_by(schema.programs.c.program_code)


def _outcomes() -> Select:
    return _ordered(schema.outcomes, "student_key")
