"""Our register beside Feeder's: how many, who is not reported yet, and what Feeder no longer has.

Nothing is ever deleted here because it vanished there. What a pull has seen is remembered under opaque
student keys, sealed, so that the next one can tell "gone from Feeder" from "never reported".
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import select

from data import schema
from data.engine.bulk import fetch
from data.engine.clock import now
from data.engine.database import Store
from data.feeder import staging
from data.feeder.lists import Cohorts
from data.feeder.tables import NAMES, FeederTables
from data.files.cells import whole_code
from data.files.register_files import short_code

COUNT_COLUMNS = (
    *("program_code", "term_id", "ours", "feeder", "counted_by", "difference", "not_reported"),
    *("grades_ours", "grades_feeder"),
)
MISSING_COLUMNS = (
    *("state", "what", "student_number", "student_key", "program_code", "cohort_term", "term_id"),
    "courses",
)
NOT_REPORTED, VANISHED = "not_reported", "vanished"
STUDENT, TERM, EXIT, GRADE = "student", "term", "exit", "grade"  # grade: all of a student's in a term
SEEN, ASKED = "seen", "asked"  # notes: what pulls have seen there; entry term → day of the newest pull
Key = tuple[str, str, int]  # what, student key, term (0 for students and exits)


@dataclass(frozen=True)
class Reconciliation:
    """Two registers side by side.

    Parameters
    ----------
    counts : DataFrame
        Columns :data:`COUNT_COLUMNS`: students with a term row by programme and term, ours and Feeder's.
        ``counted_by`` is "feeder" where GetRekapJumlahMahasiswa says the number and "rows" where the rows
        that were read were counted; ``difference`` is ours less Feeder's; ``not_reported`` are ours of whom
        Feeder has no row. ``grades_ours`` and ``grades_feeder`` are course attempts of the term, missing
        where Feeder's were not read.
    missing : DataFrame
        Columns :data:`MISSING_COLUMNS`: what we have and Feeder has not, one row each; ``state`` says whether
        an earlier pull had seen it there. For grades, ``courses`` names those of the term that Feeder has
        not. A student whom Feeder does not know at all stands there once.
    """

    counts: pd.DataFrame
    missing: pd.DataFrame

    def number(self, state: str) -> int:
        """Rows of :attr:`missing` in a state."""
        return int((self.missing["state"] == state).sum())


def reconcile(
    store: Store, tables: FeederTables, program_of: dict[str, str], cohorts: Cohorts | None
) -> Reconciliation:
    """Compare the register with what was read.

    Parameters
    ----------
    tables : FeederTables
        All that Feeder has, rows that were refused included.
    program_of : dict of str to str
        Student number → programme code, as this register writes it.
    cohorts : Cohorts or None
        Which were asked for.
    """
    ours = _ours(store, cohorts)
    key_of = _keys_of_numbers(store, tables)
    if not tables.with_grades:
        ours = ours[ours["what"] != GRADE].reset_index(drop=True)
    lacking = _lacking(ours, _courses_there(tables, key_of))
    ours = ours.assign(courses=lacking)
    # Grades of a term are there when every course of ours is.
    less = ours[(ours["what"] == GRADE) & (ours["courses"] != "")]
    there = _keys(tables, key_of) - set(_each_key(less))
    seen = _remembered(store)

    def state_of(key: Key) -> str:
        return VANISHED if key in seen else NOT_REPORTED

    known = {key for what, key, _ in there if what == STUDENT}
    keys = _each_key(ours)
    states = [
        None if key in there or (key[0] != STUDENT and key[1] not in known) else state_of(key) for key in keys
    ]
    absent = ours.assign(state=pd.Series(states, index=ours.index, dtype=object)).dropna(subset=["state"])
    absent = absent.sort_values(["state", "program_code", "cohort_term", "student_number", "term_id"])
    return Reconciliation(
        _counts(ours, tables, there, program_of),
        absent[list(MISSING_COLUMNS)].reset_index(drop=True),
    )


def _each_key(rows: pd.DataFrame) -> list[Key]:
    return list(zip(rows["what"], rows["student_key"], rows["term_id"].tolist(), strict=True))


def remember(store: Store, tables: FeederTables, cohorts: Cohorts | None = None) -> None:
    """Note what Feeder has, beside what earlier pulls saw there and our register still holds, and of which
    of our entry terms it was asked today.

    Parameters
    ----------
    cohorts : Cohorts or None
        Which were asked for; None for everybody.
    """
    ours = _ours(store, None)
    held = {(row.what, row.student_key, row.term_id) for row in ours.itertuples()}
    note: dict[str, list] = {}
    there = _keys(tables, _keys_of_numbers(store, tables))
    for what, key, term in sorted((_remembered(store) & held) | there):
        note.setdefault(key, []).append([what, term])
    staging.keep(store, SEEN, note)
    asked = [int(term) for term in ours["cohort_term"].unique() if cohorts is None or int(term) in cohorts]
    days = dict.fromkeys(map(str, asked), f"{now():%Y-%m-%d}")
    staging.keep(store, ASKED, staging.kept(store, ASKED) | days)


def _remembered(store: Store) -> set[Key]:
    note = staging.kept(store, SEEN)
    return {(what, key, term) for key, rows in note.items() for what, term in rows}


def _keys_of_numbers(store: Store, tables: FeederTables) -> dict[str, str]:
    numbers = {row["nim"] for name in NAMES for row in getattr(tables, name)}
    stored = dict(zip(*_numbers(store), strict=True))
    return {number: stored.get(number) or store.cipher.student_key(number) for number in numbers}


def _keys(tables: FeederTables, key_of: dict[str, str]) -> set[Key]:
    found: set[Key] = {(STUDENT, key_of[row["nim"]], 0) for row in tables.students}
    found |= {(TERM, key_of[row["nim"]], _term(row["id_semester"])) for row in tables.terms}
    found |= {(GRADE, key_of[row["nim"]], _term(row["id_periode"])) for row in tables.grades}
    return found | {(EXIT, key_of[row["nim"]], 0) for row in tables.outcomes}


def _courses_there(tables: FeederTables, key_of: dict[str, str]) -> dict[tuple[str, int], set[str]]:
    """Student and term → the courses that Feeder has, by the codes that the register gives them."""
    found: dict[tuple[str, int], set[str]] = {}
    codes = {row["kode_mata_kuliah"] for row in tables.grades}
    stored = {code: short_code(whole_code(code)) for code in codes}
    for row in tables.grades:
        place = (key_of[row["nim"]], _term(row["id_periode"]))
        found.setdefault(place, set()).add(stored[row["kode_mata_kuliah"]])
    return found


def _lacking(ours: pd.DataFrame, there: dict[tuple[str, int], set[str]]) -> list[str]:
    """Of each row of grades the courses that Feeder has not, as a text; of every other row nothing."""
    rows = zip(ours["what"], ours["student_key"], ours["term_id"], ours["courses"], strict=True)
    return [
        ", ".join(sorted(courses - there.get((key, term), set()))) if what == GRADE else ""
        for what, key, term, courses in rows
    ]


def _term(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else -1


def _numbers(store: Store) -> tuple[pd.Series, pd.Series]:
    identities = schema.identities
    with store.reading() as connection:
        found = fetch(connection, select(identities.c.student_number, identities.c.student_key))
    return found["student_number"], found["student_key"]


def _ours(store: Store, cohorts: Cohorts | None) -> pd.DataFrame:
    """One row per student, term row and exit of ours."""
    students, identities, terms, outcomes = (
        *(schema.students, schema.identities),
        *(schema.terms, schema.outcomes),
    )
    attempts = schema.course_attempts
    taken = select(attempts.c.student_key, attempts.c.term_id, attempts.c.course_code)
    about = select(
        students.c.student_key,
        students.c.program_code,
        students.c.cohort_term,
        identities.c.student_number,
    ).join_from(students, identities, identities.c.student_key == students.c.student_key)
    with store.reading() as connection:
        people = fetch(connection, about)
        activity = fetch(connection, select(terms.c.student_key, terms.c.term_id))
        gone = fetch(connection, select(outcomes.c.student_key).where(outcomes.c.exit_type.is_not(None)))
        graded = fetch(connection, taken)
    if cohorts is not None:
        people = people[[term in cohorts for term in people["cohort_term"]]]
    by_term = graded.groupby(["student_key", "term_id"], sort=False)["course_code"]
    courses = pd.DataFrame({"courses": by_term.agg(set), "attempts": by_term.size()}).reset_index()
    rows = pd.concat(
        [
            people[["student_key"]].assign(what=STUDENT, term_id=0),
            activity.assign(what=TERM),
            courses.assign(what=GRADE),
            gone.assign(what=EXIT, term_id=0),
        ],
        ignore_index=True,
    )
    return rows.merge(people, on="student_key", how="inner").astype({"term_id": "int64"})


def _counts(
    ours: pd.DataFrame, tables: FeederTables, there: set[Key], program_of: dict[str, str]
) -> pd.DataFrame:
    of_ours, unreported, graded = Counter(), Counter(), Counter()
    for row in ours[ours["what"] == GRADE].itertuples():
        graded[row.program_code, row.term_id] += int(row.attempts)
    for row in ours[ours["what"] == TERM].itertuples():
        of_ours[row.program_code, row.term_id] += 1
        unreported[row.program_code, row.term_id] += (TERM, row.student_key, row.term_id) not in there
    codes = dict(tables.programmes)
    codes |= {row["id_prodi"]: program_of[row["nim"]] for row in tables.students if row["nim"] in program_of}
    listed = Counter(
        (program_of.get(row["nim"]) or codes.get(row["id_prodi"], row["id_prodi"]), _term(row["id_semester"]))
        for row in tables.terms
    )
    told = Counter()
    for (programme, term), number in tables.counts.items():
        told[codes.get(programme, programme), _term(term)] += number
    program = {
        row["nim"]: codes.get(row["id_prodi"], row["id_prodi"]) for row in tables.students
    } | program_of
    marked = Counter((program.get(row["nim"], ""), _term(row["id_periode"])) for row in tables.grades)
    rows = []
    for code, term in sorted(of_ours.keys() | listed.keys() | told.keys()):
        said = (code, term) in told
        feeder = told[code, term] if said else listed[code, term]
        mine = of_ours[code, term]
        if mine or feeder:
            rows.append(
                (
                    code,
                    term,
                    mine,
                    feeder,
                    "feeder" if said else "rows",
                    mine - feeder,
                    unreported[code, term],
                    graded[code, term] if tables.with_grades else None,
                    marked[code, term] if tables.with_grades else None,
                )
            )
    counts = pd.DataFrame(rows, columns=list(COUNT_COLUMNS))
    return counts.astype({"grades_ours": "Int64", "grades_feeder": "Int64"})
