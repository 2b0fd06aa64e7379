"""Checks across rows and files: keys, programmes, students of the register.

Every check takes typed tables and returns the problems of all rows; none looks at the store itself. What the
store already holds comes in as :class:`data.records.known.Known`.
"""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from data.calendar.term_columns import lookup, starts
from data.columns import CONSENT_PURPOSES, DEGREE_LEVELS, OF_CONSENT
from data.consents.files import has_consents, read_consents
from data.engine.texts import distinct, one_of
from data.files.register_files import ParsedTable
from data.files.told import Told
from data.records.checks import (
    check_columns,
    collect,
    flag,
    no_problems,
    problems,
    tells_of_exits_too,
)
from data.records.diff import compare_programs
from data.records.exit_kinds import missing_kinds, turned_kinds
from data.records.grade_checks import check_grade_keys, check_grades
from data.records.known import Known
from data.records.rows_of_nobody import said_once
from data.records.term_checks import check_outcomes, check_terms

KEYS = {
    "students": ["student_number"],
    "terms": ["student_number", "term_id"],
    "outcomes": ["student_number"],
}
DAYS_OF_CONSENT = tuple(
    f"{prefix}{name}"
    for prefix in ("", OF_CONSENT)
    for name in ("decided_on", "granted_on", "withdrawn_on", *(f"{one}_on" for one in CONSENT_PURPOSES))
)
EARLY_ENTRY = timedelta(days=366)  # offices book the next intake up to a year ahead
EARLY_TERM = timedelta(days=60)  # course registration opens before a term begins


def check_tables(tables: dict[str, ParsedTable], known: Known, today: date) -> pd.DataFrame:
    """Every problem of the files of one import.

    Parameters
    ----------
    tables : dict of str to ParsedTable
        Of :data:`data.files.mapping.TABLES`; each optional.
    known : Known
        What the store holds already.
    today : date
        Dates after it are in the future.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`data.records.checks.PROBLEM_COLUMNS`, every bad row of every file.
    """
    found = [check_columns(parsed) for parsed in tables.values()]
    whole = {name: parsed for name, parsed in tables.items() if not parsed.match.missing}
    for parsed in whole.values():
        found.append(check_keys(parsed))
        found.append(_check_future_dates(parsed, today))
    students = whole.get("students")
    if students is not None:
        if "outcomes" not in tables:
            found.append(tells_of_exits_too(students))
        found.append(_check_students(students, known))
        refused = refused_rows(collect(found), students.file)
        if "terms" in whole:
            found.append(_students_without_terms(students, whole["terms"], known, today))
    else:
        refused = pd.Index([])
    cohorts = cohorts_of(students, refused, known)
    found += _check_against_register(whole, students, cohorts, known)
    for parsed in filter(has_consents, whole.values()):
        refused = refused_rows(collect(found), parsed.file)
        found.append(read_consents(parsed, refused, known).problems)
    return collect([said_once(collect(found), tables.values())])


def _check_against_register(
    whole: dict[str, ParsedTable], students: ParsedTable | None, cohorts: pd.Series, known: Known
) -> list[pd.DataFrame]:
    """Problems of rows against the entries and exits of their students."""
    of_students = [name for name in ("terms", "grades", "outcomes", "consents") if name in whole]
    found = [_check_register(whole[name], students, cohorts) for name in of_students]
    exits = exit_dates(whole.get("outcomes"), known)
    if "terms" in whole:
        found.append(check_terms(whole["terms"], cohorts, exits, known))
    if "grades" in whole:
        found.append(check_grades(whole["grades"], cohorts, exits))
    if "outcomes" in whole:
        found.append(check_outcomes(whole["outcomes"], cohorts, known.calendar))
        found.append(missing_kinds(whole["outcomes"]))
    return [*found, turned_kinds(whole, known)]


def refused_rows(found: pd.DataFrame, file: str) -> pd.Index:
    """Row numbers of a file that hold an error."""
    errors = found[(found["severity"] == "error") & (found["file"] == file)]
    return pd.Index(errors["row"].dropna().astype("int64").unique())


def cohorts_of(students: ParsedTable | None, refused: pd.Index, known: Known) -> pd.Series:
    """Entry term by student number: the file's accepted rows before the store's."""
    stored = known.students.set_index("student_number")["cohort_term"]
    if students is None:
        return stored
    rows = students.values.drop(index=refused.intersection(students.values.index))
    rows = rows.dropna(subset=["student_number", "cohort_term"]).drop_duplicates("student_number")
    coming = rows.set_index("student_number")["cohort_term"].astype("int64")
    return pd.concat([coming, stored[~one_of(stored.index, coming.index)]])


def exit_dates(outcomes: ParsedTable | None, known: Known) -> pd.Series:
    """Exit date by student number: the file's before the store's; only students who left."""
    stored = known.outcomes.dropna(subset=["exit_date"]).set_index("student_number")["exit_date"]
    if outcomes is None or "exit_date" not in outcomes.values:
        return stored
    rows = outcomes.values.dropna(subset=["student_number", "exit_date"]).drop_duplicates("student_number")
    coming = rows.set_index("student_number")["exit_date"]
    return pd.concat([coming, stored[~one_of(stored.index, coming.index)]])


def check_keys(parsed: ParsedTable) -> pd.DataFrame:
    """Rows that share a key: an error where they differ, a warning on each repetition where they agree."""
    if parsed.table == "consents":  # several decisions of one student are what the table is for
        again = parsed.raw.duplicated()
        return collect([flag(parsed, again, "REC101", "student_number"), _zero_twins(parsed)])
    if parsed.table == "grades":
        return collect([check_grade_keys(parsed), _zero_twins(parsed)])
    key = KEYS[parsed.table]
    complete = parsed.values[key].notna().all(axis=1)
    repeated = parsed.values.duplicated(key, keep=False) & complete
    if not repeated.any():
        return _zero_twins(parsed)
    rows = parsed.values[repeated].fillna({c: "" for c in parsed.values.select_dtypes("str").columns})
    versions = rows.drop_duplicates().groupby(key, sort=False).size()
    agreeing = rows.set_index(key).index.map(versions) == 1
    same = pd.Series(False, index=parsed.values.index)
    same[rows.index[agreeing]] = True
    again = parsed.values.duplicated(key) & same
    found = [
        flag(parsed, repeated & ~same, "REC006", "student_number", _how_they_differ(parsed, key, repeated)),
        flag(parsed, again, "REC101", "student_number"),
        _zero_twins(parsed),
    ]
    return collect(found)


def _how_they_differ(parsed: ParsedTable, key: list[str], repeated: pd.Series):
    """In words: which rows of one key differ, and in which columns."""
    groups = {name: list(rows.index) for name, rows in parsed.values[repeated].groupby(key, sort=False)}
    columns = [name for name in parsed.values if name not in key and name in parsed.raw]

    def said(row: int) -> str:
        rows = groups[tuple(parsed.values.loc[row, key])]
        cells = parsed.values.loc[rows, columns].astype("str")
        differing = [parsed.header(name) for name in columns if cells[name].nunique() > 1]
        places = ", ".join(parsed.text.where(one) for one in rows[:5])
        what = f" in {', '.join(differing[:5])}" if differing else ""
        words = f"several rows for one {' and '.join(key)}: {places} differ{what}; keep the right one"
        told = [parsed.text.told_row(one) for one in rows[:5]]
        return Told("several_rows", words, columns=key, rows=told, headers=differing[:5])

    return said


def _zero_twins(parsed: ParsedTable) -> pd.DataFrame:
    numbers = parsed.values["student_number"].dropna().drop_duplicates()
    bare = numbers.str.lstrip("0")
    twins = set(numbers[bare.duplicated(keep=False)])
    mask = parsed.values["student_number"].isin(twins) & ~parsed.values.duplicated("student_number")
    return flag(parsed, mask, "REC115", "student_number")


def _check_future_dates(parsed: ParsedTable, today: date) -> pd.DataFrame:
    found = []
    for column in ("known_at", "exit_date", "observed_until", *DAYS_OF_CONSENT):
        if column in parsed.values:
            late = parsed.values[column] > pd.Timestamp(today)
            words = f"after today, {today.isoformat()}"
            found.append(flag(parsed, late, "REC014", column, Told("after_today", words, day=str(today))))
    limits = {"cohort_term": EARLY_ENTRY, "term_id": EARLY_TERM, "exit_term": EARLY_TERM}
    for column, ahead in limits.items():
        if column in parsed.values:
            late = starts(parsed.values[column]) > pd.Timestamp(today + ahead)
            message = Told("long_after", f"begins long after today, {today.isoformat()}", day=str(today))
            found.append(flag(parsed, late, "REC014", column, message))
    return collect(found)


def _check_students(students: ParsedTable, known: Known) -> pd.DataFrame:
    rows = students.values
    found = [_check_programs(students, known)]
    stored = known.students.set_index("student_number")
    for column in ("program_code", "cohort_term"):
        before = lookup(rows["student_number"], stored[column])
        both = before.notna() & rows[column].notna()
        differs = both.astype(bool)
        differs[differs] = (before[differs] != rows.loc[differs, column].astype(before.dtype)).astype(bool)
        found.append(flag(students, differs, "REC112", column))
    if "birth_year" in rows:
        age = rows["cohort_term"] // 10 - rows["birth_year"]
        odd = ((age < 14) | (age > 70)).fillna(False)
        found.append(flag(students, odd, "REC109", "birth_year"))
    if "entry_type" not in rows:
        message = "no column for the entry type: transfers cannot be told from new students"
        message = Told("no_entry_type", message)
        found.append(problems(students.file, "REC110", [None], "entry_type", messages=message))
    else:
        empty = rows["entry_type"].isna() & ~students.unreadable["entry_type"]
        found.append(flag(students, empty, "REC110", "entry_type"))
    return collect(found)


def _check_programs(students: ParsedTable, known: Known) -> pd.DataFrame:
    rows = students.values
    levels = degree_levels(students, known)
    unknown = rows["program_code"].notna() & ~rows["program_code"].isin(levels.index)
    named = ", ".join(DEGREE_LEVELS)
    message = f"no such programme in the store, and no degree level ({named}) in the file to make it"
    message = Told("no_programme", message, levels=list(DEGREE_LEVELS))
    found = [flag(students, unknown, "REC009", "program_code", message), _changed_programs(students, known)]
    if "degree_level" in rows:
        right = lookup(rows["program_code"], levels)
        conflict = rows["degree_level"].notna() & right.notna() & (rows["degree_level"] != right)
        conflict &= rows["degree_level"].isin(DEGREE_LEVELS)
        found.append(
            flag(
                students,
                conflict,
                "REC010",
                "degree_level",
                lambda row: Told(
                    "other_level",
                    f"programme {rows.at[row, 'program_code']} is {right[row]} elsewhere",
                    code_of=str(rows.at[row, "program_code"]),
                    level=str(right[row]),
                ),
            )
        )
    return collect(found)


def _changed_programs(students: ParsedTable, known: Known) -> pd.DataFrame:
    """A warning for each programme that the file gives another name or level than the store's."""
    rows, found = students.values, []
    told = rows.assign(degree_level=lookup(rows["program_code"], degree_levels(students, known)))
    change = compare_programs(told, known.programs)
    before = change.replaced.set_index("program_code")
    for column, given in (("name", "program_name"), ("degree_level", "degree_level")):
        new = change.changed.set_index("program_code").get(column, pd.Series(dtype="str"))
        for code, value in new[new != before[column]].items() if len(new) else ():
            message = f"programme {code} is {before.at[code, column]!r} in the store; it becomes {value!r}"
            names = {"before": str(before.at[code, column]), "after": str(value)}
            message = Told("programme_becomes", message, code_of=str(code), **names)
            header = students.header(given)
            found.append(problems(students.file, "REC149", [None], header, value, message))
    return collect(found)


def degree_levels(students: ParsedTable, known: Known) -> pd.Series:
    """Degree level by programme code: the store's, else the commonest of the file's valid ones.

    A file that lists every student whom the store has in a programme, all with one other level, corrects it.
    """
    stored = known.programs.set_index("program_code")["degree_level"]
    rows = students.values
    if "degree_level" not in rows:
        return stored
    valid = rows[rows["degree_level"].isin(DEGREE_LEVELS)].dropna(subset=["program_code"])
    counts = (
        valid.groupby(["program_code", "degree_level"]).size().sort_values(ascending=False, kind="stable")
    )
    commonest = counts.reset_index().drop_duplicates("program_code").set_index("program_code")["degree_level"]
    held = commonest[commonest.index.isin(stored.index)]
    other = held[held != stored.reindex(held.index)]
    corrected = [code for code in other.index if _corrects(valid[valid["program_code"] == code], known)]
    stored = stored.drop(corrected)
    return pd.concat([stored, commonest[~commonest.index.isin(stored.index)]])


def _corrects(rows: pd.DataFrame, known: Known) -> bool:
    """Whether the rows of one programme are all its students, and agree on the level."""
    code = rows["program_code"].iloc[0]
    theirs = known.students.loc[known.students["program_code"] == code, "student_number"]
    whole = 0 < known.sizes.get(code, 0) == theirs.isin(rows["student_number"]).sum()
    return whole and rows["degree_level"].nunique() == 1


def _students_without_terms(
    students: ParsedTable, terms: ParsedTable, known: Known, today: date
) -> pd.DataFrame:
    rows = students.values
    begun = starts(rows["cohort_term"]) <= pd.Timestamp(today - timedelta(days=180))
    seen = distinct(terms.values["student_number"]) | distinct(known.terms["student_number"])
    absent = begun & rows["student_number"].notna() & ~one_of(rows["student_number"], seen)
    return flag(students, absent, "REC111", "student_number")


def _check_register(parsed: ParsedTable, students: ParsedTable | None, cohorts: pd.Series) -> pd.DataFrame:
    numbers = parsed.values["student_number"]
    missing = numbers.notna() & ~one_of(numbers, cohorts.index)
    if not missing.any():
        return no_problems()
    named = set() if students is None else distinct(students.values["student_number"])
    refused = missing & one_of(numbers, named)
    bare = {number.lstrip("0"): number for number in cohorts.index}

    def advice(row: int) -> str:
        near = bare.get(str(numbers[row]).lstrip("0"))
        words = "neither in a students file of this import nor in the store"
        if not near:
            return Told("not_in_register", words)
        words = f"{words}; there is {near}, did a spreadsheet drop leading zeros?"
        return Told("not_in_register_near", words, near=near)

    return collect(
        [
            flag(parsed, missing & ~refused, "REC011", "student_number", advice),
            flag(parsed, refused, "REC012", "student_number"),
        ]
    )
