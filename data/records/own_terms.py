"""Terms numbered by the student's own semesters, placed in the calendar; their problems, back in the file."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from data.calendar.term_calendar import from_ordinal, ordinal
from data.calendar.term_columns import lookup
from data.files.mapping import BY_TERM
from data.files.register_files import ParsedTable
from data.files.told import Told
from data.files.wide import number_of, row_of
from data.records.checks import collect, flag, problems
from data.records.known import Known
from data.records.row_checks import cohorts_of

ASSUMED = Told(
    "own_numbers",
    "number n is taken as the n-th regular term since entry; a leave that has a row of its own with the "
    "number of the next term moves what follows; a leave that the file does not show would do so too",
)
_EMPTY = Told("empty", "term_index must not be empty: it places the term", column="term_index")


def place(tables: dict[str, ParsedTable], known: Known) -> dict[str, ParsedTable]:
    """The tables with the terms of a file that has only the students' own semester numbers.

    Parameters
    ----------
    tables : dict of str to ParsedTable
        Of one import; the entry terms come from its students, else from the store.
    known : Known
    """
    for name in BY_TERM:
        if name in tables:
            tables = {**tables, name: _placed(tables[name], tables, known)}
    return tables


def _placed(terms: ParsedTable, tables: dict[str, ParsedTable], known: Known) -> ParsedTable:
    if "term_id" in terms.values or "term_index" not in terms.values:
        return terms
    if "student_number" not in terms.values:
        return terms
    students = tables.get("students")
    if students is not None and not {"student_number", "cohort_term"} <= set(students.values):
        students = None
    cohorts = cohorts_of(students, pd.Index([]), known)
    first = lookup(terms.values["student_number"], cohorts).astype("Int64")
    entry = first.map({term: ordinal(int(term)) for term in first.dropna().unique()}).astype("Int64")
    where = entry + terms.values["term_index"] - 1 + _moved_by_leave(terms.values)
    where = where + _moved_by_years(terms, where)
    names = {number: from_ordinal(int(number)) for number in where.dropna().unique()}
    values = terms.values.assign(term_id=where.map(names).astype("Int64"))
    none = pd.Series(False, index=values.index)
    return replace(
        terms,
        values=values,
        raw=terms.raw.assign(term_id=terms.raw["term_index"]),
        unreadable=terms.unreadable.assign(term_id=none),
        derived=terms.derived | {"term_id"},
    )


def _moved_by_leave(rows: pd.DataFrame) -> pd.Series:
    """By how many terms a row comes later because of leaves that share the number of the term after them."""
    if "status" not in rows:
        return pd.Series(0, index=rows.index)
    key = ["student_number", "term_index"]
    leave = rows["status"].isin(["C", "N"])
    studied = rows.assign(studied=~leave).groupby(key, dropna=False)["studied"].transform("any")
    shared = leave & studied
    counted = rows[key].assign(shared=shared.astype(int), order=(~shared).astype(int), place=range(len(rows)))
    counted = counted.sort_values([*key, "order", "place"], kind="stable")
    before = counted.groupby("student_number", dropna=False)["shared"].cumsum() - counted["shared"]
    return before.reindex(rows.index)


def _years(terms: ParsedTable) -> pd.Series:
    """First year of the academic year that stands beside each number; null where none does."""
    if terms.match.year_header is None:
        return pd.Series(pd.NA, index=terms.values.index, dtype="Int64")
    cells = terms.text.frame[terms.match.year_header].fillna("").astype("str")
    return pd.to_numeric(cells.str.extract(r"((?:19|20)\d\d)", expand=False)).astype("Int64")


def _moved_by_years(terms: ParsedTable, where: pd.Series) -> pd.Series:
    """By how many terms a row comes later to lie in the academic year beside it: leaves not shown."""
    years = _years(terms)
    moved = pd.Series(0, index=where.index)
    if years.isna().all():
        return moved
    lines = pd.DataFrame(
        {
            "student": terms.values["student_number"],
            "least": (2 * years - where).astype("Float64").to_numpy(float, na_value=float("nan")),
            "at": where.astype("Float64").to_numpy(float, na_value=float("nan")),
        },
        index=where.index,
    ).dropna()
    for _, line in lines.sort_values(["student", "at"], kind="stable").groupby("student", sort=False):
        least, shift = line["least"].astype(int).tolist(), 0
        for place, (row, needed) in enumerate(zip(line.index, least, strict=True)):
            if shift < needed:
                after = least[place + 1] if place + 1 < len(least) else needed
                shift = after if needed < after <= needed + 1 else needed
            moved[row] = shift
    return moved


def contradicting(terms: ParsedTable) -> pd.DataFrame:
    """Rows whose academic year lies before the term of their semester number, as errors."""
    if terms.match.year_header is None or "term_id" not in terms.derived:
        return problems(terms.file, "REC031", [])
    years, placed = _years(terms), terms.values["term_id"] // 10
    wrong = (years.notna() & placed.notna() & (years != placed)).fillna(False).astype(bool)

    def said(row: int) -> Told:
        return Told("year_beside", f"the academic year beside it is {years[row]}", year=str(years[row]))

    return flag(terms, wrong, "REC031", "term_index", said)


def assumed(terms: ParsedTable) -> pd.DataFrame:
    """What placing by own semester numbers takes for granted, as a warning about the file."""
    if "term_id" not in terms.derived:
        return problems(terms.file, "REC132", [])
    empty = terms.values["term_index"].isna() & ~terms.unreadable["term_index"]
    return collect(
        [
            flag(terms, empty, "REC002", "term_index", _EMPTY),
            contradicting(terms),
            problems(terms.file, "REC132", [None], terms.header("term_index"), messages=ASSUMED),
        ]
    )


def as_in_file(found: pd.DataFrame, tables: dict[str, ParsedTable]) -> pd.DataFrame:
    """Problems with the rows and headers that the office sees, where one of its rows makes several terms."""
    for parsed in tables.values():
        if not parsed.text.by_term:
            continue
        mine = (found["file"] == parsed.file) & found["row"].notna()
        places = found.loc[mine, "row"].astype("int64")
        column = found.loc[mine, "column"].astype("str")
        headers = parsed.text.by_term
        named = pd.Series(
            [
                headers.get(name, {}).get(number_of(place), name)
                for name, place in zip(column, places, strict=True)
            ],
            index=places.index,
            dtype="str",
        )
        rows = places.map(row_of).astype("Int64")
        found = found.assign(
            row=found["row"].where(~mine, rows.reindex(found.index)),
            column=found["column"].where(~mine, named.reindex(found.index)),
        )
    return found.drop_duplicates(ignore_index=True)
