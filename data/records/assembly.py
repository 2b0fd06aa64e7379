"""Checked tables → the frames that the store takes: what a file leaves out is filled in by the calendar."""

from __future__ import annotations

from datetime import date

import pandas as pd

from data.calendar.study_time import study_time
from data.calendar.term_calendar import GRADES_KNOWN_AFTER
from data.calendar.term_columns import ends, lookup
from data.columns import OF_CONSENT
from data.consents.files import frame_of, has_consents, read_consents
from data.files.register_files import ParsedTable
from data.records.frames import RecordFrames
from data.records.grade_checks import KEY as GRADE_KEY
from data.records.grade_checks import attempt_numbers
from data.records.known import Known
from data.records.marks import read_marks
from data.records.row_checks import cohorts_of, degree_levels
from data.records.term_checks import never_graded

GRADES_KEPT = (*GRADE_KEY, "course_name", "credits", "compulsory", "known_at")


def assemble(
    tables: dict[str, ParsedTable], refused: dict[str, pd.Index], known: Known, today: date
) -> RecordFrames:
    """The accepted rows of one import, completed.

    Parameters
    ----------
    tables : dict of str to ParsedTable
        Of :data:`data.files.mapping.TABLES`; each optional.
    refused : dict of str to Index
        Table → row numbers to leave out.
    known : Known
        What the store holds already.
    today : date
        Day of the import.

    Returns
    -------
    RecordFrames
    """
    students = tables.get("students")
    cohorts = cohorts_of(students, refused.get("students", pd.Index([])), known)
    frames = {}
    if students is not None:
        frames["students"] = _students(students, refused["students"], known)
    if "terms" in tables:
        frames["terms"] = _terms(tables["terms"], refused["terms"], known, today)
    if "grades" in tables:
        frames["course_attempts"] = grades_of(tables["grades"], refused["grades"], today)
    if "outcomes" in tables:
        frames["outcomes"] = _outcomes(tables["outcomes"], refused["outcomes"], cohorts, known, today)
    saying = {name: parsed for name, parsed in tables.items() if has_consents(parsed)}
    if saying:
        read = [read_consents(parsed, refused[name], known).events for name, parsed in saying.items()]
        frames["consents"] = frame_of(pd.concat(read, ignore_index=True))
    return RecordFrames(**frames)


def _accepted(rows: pd.DataFrame, refused: pd.Index, key: list[str]) -> pd.DataFrame:
    kept = rows.drop(index=refused.intersection(rows.index))
    return kept.drop_duplicates(key).reset_index(drop=True)


def _students(students: ParsedTable, refused: pd.Index, known: Known) -> pd.DataFrame:
    levels = degree_levels(students, known)
    of_consent = [name for name in students.values if name.startswith(OF_CONSENT)]
    rows = students.values.drop(columns=of_consent)
    frame = _accepted(rows, refused, ["student_number"])
    return frame.assign(degree_level=lookup(frame["program_code"], levels).astype("str"))


def _terms(terms: ParsedTable, refused: pd.Index, known: Known, today: date) -> pd.DataFrame:
    rows = terms.values.drop(columns=["term_index"], errors="ignore")  # the store derives it by the calendar
    if {"gpa_term", "credits_attempted"} <= set(rows.columns):
        ungraded = (rows["credits_attempted"] == 0).fillna(False) & (rows["gpa_term"] == 0)
        rows = rows.assign(gpa_term=rows["gpa_term"].mask(ungraded))
    if "gpa_cum" in rows:
        rows = rows.assign(gpa_cum=rows["gpa_cum"].mask(never_graded(terms, known)))
    rows = rows.assign(known_at=_known_at(rows, today))
    return _accepted(rows, refused, ["student_number", "term_id"])


def grades_of(grades: ParsedTable, refused: pd.Index, today: date) -> pd.DataFrame:
    """The accepted rows of a file of grades as course attempts, keyed by ``student_number``.

    Several versions of one attempt, each with its own ``known_at``, stand one after the other.
    """
    values = grades.values
    rows = values[[name for name in GRADES_KEPT if name in values]].join(read_marks(grades).frame)
    rows = rows.drop(index=refused.intersection(rows.index))
    number = attempt_numbers(values.loc[rows.index])
    rows = rows.assign(attempt=number, known_at=_known_at(rows, today))
    key = [*GRADE_KEY, "attempt", "known_at"]
    return rows.drop_duplicates(key).sort_values("known_at", kind="stable", ignore_index=True)


def _known_at(rows: pd.DataFrame, today: date) -> pd.Series:
    """Dates of knowledge: an unfinished term is known today; for a finished one the store fills its own."""
    given = rows.get("known_at", pd.Series(pd.NaT, index=rows.index, dtype="datetime64[s]"))
    unfinished = ends(rows["term_id"]) + GRADES_KNOWN_AFTER > pd.Timestamp(today)
    return given.mask(given.isna() & unfinished, pd.Timestamp(today))


def _outcomes(
    outcomes: ParsedTable, refused: pd.Index, cohorts: pd.Series, known: Known, today: date
) -> pd.DataFrame:
    rows = _accepted(outcomes.values, refused, ["student_number"])
    first = lookup(rows["student_number"], cohorts)
    exits = study_time(rows.assign(cohort_term=first), known.calendar)
    left = rows["exit_type"].notna()
    day = rows.get("exit_date", pd.Series(pd.NaT, index=rows.index, dtype="datetime64[s]")).where(left)
    ended = exits["exit_date"].astype("datetime64[s]").clip(upper=pd.Timestamp(today))
    day = day.fillna(_stored_exit(rows, exits["exit_term"], known)).fillna(ended)
    rows = rows.assign(exit_term=exits["exit_term"], exit_date=day, terms_to_exit=exits["terms"])
    if "observed_until" in rows:
        early = rows["observed_until"] < day
        rows = rows.assign(observed_until=rows["observed_until"].mask(early, day))
    return rows


def _stored_exit(rows: pd.DataFrame, term: pd.Series, known: Known) -> pd.Series:
    """The stored date of an exit in the same term, so that a file without dates changes nothing."""
    stored = known.outcomes.set_index("student_number")
    if "exit_term" not in stored:
        return pd.Series(pd.NaT, index=rows.index, dtype="datetime64[s]")
    same = (lookup(rows["student_number"], stored["exit_term"]) == term).fillna(False)
    days = lookup(rows["student_number"], stored["exit_date"]).astype("datetime64[s]")
    return days.where(same.astype(bool))
