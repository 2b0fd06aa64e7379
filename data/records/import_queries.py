"""Reads that an import needs: what the store holds of the students in its files."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
from sqlalchemy import Connection, Select, Table, func, select

from data import schema
from data.calendar.setting import study_calendar
from data.engine.bulk import all_columns, fetch, fetch_by_keys
from data.engine.database import Store
from data.engine.facts import read_fact
from data.records.course_results import SETTING, GradeRules
from data.records.known import Known

LEAST_WHOLE = 20_000  # students above which a table may be read at once, not by key
SHARE_WHOLE = 4  # of a store of at most so many times as many: reading some rows too many costs less

_SIZES = select(schema.students.c.program_code, func.count()).group_by(schema.students.c.program_code)


def reads_whole(connection: Connection, students: int) -> bool:
    """Whether rows of so many students are found by reading a table whole, rather than by their keys."""
    if students <= LEAST_WHOLE:
        return False
    held = connection.scalar(select(func.count()).select_from(schema.students))
    return (held or 0) <= SHARE_WHOLE * students


def known_records(store: Store, student_numbers: Collection[str]) -> Known:
    """Stored rows of the given students, and every programme.

    Parameters
    ----------
    store : Store
        The store.
    student_numbers : collection of str
        Numbers in the files of an import; unknown ones are simply not found.

    Returns
    -------
    Known
        Frames keyed by ``student_number``, with every column of their tables.
    """
    numbers = set(student_numbers)
    with store.reading() as connection:
        whole = reads_whole(connection, len(numbers))
        hashes = [] if whole else [store.cipher.number_hash(number) for number in sorted(numbers)]

        def rows(statement: Select) -> pd.DataFrame:
            hashed = schema.identities.c.number_hash
            found = (
                fetch(connection, statement)
                if whole
                else fetch_by_keys(connection, statement, hashed, hashes)
            )
            return found.drop(columns="student_key")

        return Known(
            programs=fetch(connection, all_columns(schema.programs)),
            students=rows(_with_number(schema.students, schema.identities.c.name)),
            terms=rows(_with_number(schema.terms)),
            outcomes=rows(_with_number(schema.outcomes)),
            grades=rows(_with_number(schema.course_attempts)),
            grade_rules=GradeRules.of(read_fact(connection, SETTING)),
            consents=rows(_with_number(schema.consents)).sort_values("consent_id", ignore_index=True),
            latest_known_at=pd.Timestamp(latest)
            if (latest := connection.scalar(select(func.max(schema.terms.c.known_at))))
            else None,
            calendar=study_calendar(connection),
            sizes={code: count for code, count in connection.execute(_SIZES)},
        )


def entry_terms(store: Store) -> pd.Series:
    """Entry term of every student in the store, by student number: whom a signature file may belong to."""
    identities, cohort = schema.identities, schema.students.c.cohort_term
    wanted = select(identities.c.student_key, identities.c.student_number, cohort)
    with store.reading() as connection:
        frame = fetch(connection, wanted.select_from(identities.join(schema.students)))
    return frame.set_index("student_number")["cohort_term"].sort_index()


def specimen_hashes(store: Store) -> set[tuple[str, str]]:
    """(student number, SHA-256) of every stored specimen."""
    identities, specimens = schema.identities, schema.specimens
    same = identities.c.student_key == specimens.c.student_key
    wanted = select(identities.c.student_key, identities.c.student_number, specimens.c.sha256)
    with store.reading() as connection:
        found = fetch(connection, wanted.join_from(identities, specimens, same))
    return set(zip(found["student_number"], found["sha256"], strict=True))


def _with_number(table: Table, *also) -> Select:
    identities = schema.identities
    joined = table.join(identities, identities.c.student_key == table.c.student_key)
    return select(identities.c.student_number, *table.columns, *also).select_from(joined)
