"""Checks of term rows and outcomes: against the entry, the exit, the calendar and each other."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from data.calendar.study_time import StudyCalendar, study_time
from data.calendar.term_columns import calendar_index, lookup, starts
from data.columns import MAX_TERM_INDEX
from data.engine.texts import one_of
from data.files.register_files import ParsedTable, without_figures
from data.files.told import Told
from data.records.checks import collect, flag
from data.records.known import Known

_NO_STATUS = Told(
    "no_status",
    "no average and no credits: taken as a term in which the student was active. If it was a leave or the "
    "student was not registered, say so for all of them by --set empty_terms=leave or inactive, or add a "
    "column with the status of the term (C, N)",
)


def check_terms(terms: ParsedTable, cohorts: pd.Series, exits: pd.Series, known: Known) -> pd.DataFrame:
    """Problems of term rows against the student's entry and exit, and of their credits and averages."""
    rows = terms.values
    first = lookup(rows["student_number"], cohorts).astype("Int64")
    index = calendar_index(first, rows["term_id"])
    found = [
        flag(terms, (index < 1).fillna(False), "REC013", "term_id", lambda row: entry_was(first[row])),
        flag(terms, (index > MAX_TERM_INDEX).fillna(False), "REC114", "term_id"),
    ]
    if "term_index" in rows and "term_id" not in terms.derived:
        differs = ((rows["term_index"] != index) & (index >= 1)).fillna(False)
        found.append(flag(terms, differs, "REC104", "term_index", lambda row: _calendar_says(index[row])))
    left = lookup(rows["student_number"], exits)
    after = (starts(rows["term_id"]) > left).fillna(False)
    found.append(flag(terms, after, "REC108", "term_id", lambda row: exit_was(left[row])))
    found.append(_check_credits(terms, known))
    return collect(found)


def _check_credits(terms: ParsedTable, known: Known) -> pd.DataFrame:
    rows, found = terms.values, []
    attempted = rows.get("credits_attempted")
    if attempted is not None and "credits_passed" in rows:
        more = (rows["credits_passed"] > attempted).fillna(False)
        found.append(
            flag(
                terms,
                more,
                "REC017",
                "credits_passed",
                lambda row: Told("attempted", f"attempted were {attempted[row]}", n=int(attempted[row])),
            )
        )
    if attempted is not None:
        idle = (rows["status"].isin(["C", "N"]) & (attempted > 0)).fillna(False)
        found.append(flag(terms, idle, "REC107", "credits_attempted"))
        if "gpa_term" in rows:
            none = (attempted == 0).fillna(False)
            if "status" not in terms.match.headers:
                active = without_figures(rows) & (rows["status"] == "A").fillna(False)
                found.append(flag(terms, active, "REC139", "credits_attempted", _NO_STATUS))
            found.append(flag(terms, none & (rows["gpa_term"] > 0), "REC018", "gpa_term"))
            found.append(flag(terms, none & (rows["gpa_term"] == 0), "REC102", "gpa_term"))
    if "gpa_cum" in rows:
        found.append(flag(terms, never_graded(terms, known), "REC102", "gpa_cum"))
    if "credits_cum" in rows:
        found.append(flag(terms, _falling(rows), "REC103", "credits_cum"))
    return collect(found)


def entry_was(term) -> Told:
    """The sentence about what lies before the student's entry."""
    return Told("entry_was", f"entry was in {term}", term=int(term))


def exit_was(day) -> Told:
    """The sentence about what lies after the student's exit."""
    return Told("exit_was", f"the exit was on {day:%Y-%m-%d}", day=f"{day:%Y-%m-%d}")


def _calendar_says(number) -> Told:
    return Told("calendar_says", f"the calendar says {number}", number=str(number))


def never_graded(terms: ParsedTable, known: Known) -> pd.Series:
    """Rows whose cumulative average is 0 although no credit was attempted up to then."""
    rows = terms.values
    if not {"gpa_cum", "credits_attempted"} <= set(rows.columns):
        return pd.Series(False, index=rows.index)
    ordered = rows.sort_values(["student_number", "term_id"], kind="stable")
    attempted = ordered["credits_attempted"].fillna(1)  # an unknown number may hide graded credits
    total = attempted.groupby(ordered["student_number"]).cumsum().reindex(rows.index)
    before = known.terms.loc[known.terms["credits_attempted"] > 0, "student_number"]
    return (rows["gpa_cum"] == 0) & (total == 0).fillna(False) & ~one_of(rows["student_number"], before)


def _falling(rows: pd.DataFrame) -> pd.Series:
    ordered = rows.dropna(subset=["student_number", "term_id", "credits_cum"])
    ordered = ordered.sort_values(["student_number", "term_id"], kind="stable")
    change = ordered["credits_cum"].groupby(ordered["student_number"]).diff()
    return (change < 0).fillna(False).reindex(rows.index, fill_value=False)


def check_outcomes(
    outcomes: ParsedTable, cohorts: pd.Series, calendar: StudyCalendar = StudyCalendar()
) -> pd.DataFrame:
    """Problems of exits against the entry and the calendar."""
    rows, file = outcomes.values, outcomes
    none = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[s]")
    day = rows.get("exit_date", none)
    term = rows.get("exit_term", pd.Series(pd.NA, index=rows.index, dtype="Int64"))
    first = lookup(rows["student_number"], cohorts).astype("Int64")
    early = (day < starts(first)) | (calendar_index(first, term) < 1).fillna(False)
    column = "exit_date" if "exit_date" in rows else "exit_term"
    found = [flag(file, early, "REC015", column, lambda row: entry_was(first[row]))]
    exits = study_time(rows.assign(cohort_term=first), calendar)
    number = rows.get("terms_to_exit", pd.Series(pd.NA, index=rows.index, dtype="Int64"))
    dateless = rows["exit_type"].notna() & day.isna() & term.isna() & ~(number >= 1).fillna(False)
    told = ("exit_date", "exit_term", "terms_to_exit")
    unread = [outcomes.unreadable[name] for name in told if name in outcomes.unreadable]
    for mask in unread:
        dateless &= ~mask
    found.append(flag(file, dateless, "REC016", column))
    typeless = rows["exit_type"].isna() & ~outcomes.unreadable["exit_type"] & (day.notna() | term.notna())
    found.append(flag(file, typeless, "REC117", column))
    found.append(flag(file, exits["date_differs"], "REC106", "exit_term", _date_says(rows, calendar)))
    if "terms_to_exit" in rows:
        terms = exits["terms"]
        differs = exits["count_differs"] & (terms >= 1).fillna(False)
        found.append(flag(file, differs, "REC105", "terms_to_exit", lambda row: _calendar_says(terms[row])))
    if "observed_until" in rows:
        found.append(flag(file, rows["observed_until"] < day, "REC116", "observed_until"))
    return collect(found)


def _date_says(rows: pd.DataFrame, calendar: StudyCalendar) -> Callable[[int], str]:
    """Words for a row whose exit date belongs to another term than the exit term that it names."""

    def words(row: int) -> str:
        day = rows.loc[row, "exit_date"]
        term = calendar.term_of(day.date())
        said = f"{day:%Y-%m-%d} belongs to {term}; the exit term is counted"
        return Told("belongs_to", said, day=f"{day:%Y-%m-%d}", term=int(term))

    return words
