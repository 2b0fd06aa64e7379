"""How often courses were taken and failed, counted by hand and through the store, after any change of it."""

from __future__ import annotations

import pandas as pd
import pytest
from sqlalchemy import delete, select

from data import queries, schema
from data.records.bottlenecks import COUNTS
from data.records.course_queries import change_grade_rules
from data.records.derived import rebuild_register_cubes
from data.records.frames import RecordFrames
from data.store import write_records
from data.trust.erase import erase_student
from data.trust.scope import Scope
from data.trust.undo import last_import, undo_import

SYSTEM = Scope.system()
WHO = {"source": "t", "files": {}, "actor": "t"}
PROGRAMS = pd.DataFrame(
    [("IF", "Informatika", "S1", 8), ("MI", "Manajemen Informatika", "D3", 6)],
    columns=["program_code", "name", "degree_level", "normal_terms"],
).assign(required_credits=144)
STUDENTS = pd.DataFrame(
    [
        *[(f"S{n}", "IF", 20191, "rina") for n in range(5)],
        ("S5", "IF", 20231, "tono"),
        ("S6", "MI", 20191, "rina"),
    ],
    columns=["student_number", "program_code", "cohort_term", "advisor"],
).assign(name=None)
# S0 in time, S1 a year late, S2 still here after eight terms, S3 left, S4 in an unknown term; S5 is new.
OUTCOMES = pd.DataFrame(
    [
        ("S0", "graduated", 8),
        ("S1", "graduated", 10),
        ("S2", None, None),
        ("S3", "resigned", 3),
        ("S4", "graduated", None),
        ("S5", None, None),
        ("S6", "graduated", 8),
    ],
    columns=["student_number", "exit_type", "terms_to_exit"],
).assign(observed_until="2025-08-31")
ATTEMPTS = pd.DataFrame(
    [
        ("S0", "X", 20191, 1, 0.0, "graded", "Kalkulus"),
        ("S0", "X", 20192, 1, 1.0, "graded", "Kalkulus I"),
        ("S1", "X", 20191, 1, None, "failed", "Kalkulus"),
        ("S1", "X", 20192, 1, None, "graded", None),  # no points: not passed
        ("S2", "X", 20191, 1, 0.9, "graded", "Kalkulus"),
        ("S3", "X", 20191, 1, None, "passed", "Kalkulus"),
        ("S4", "X", 20191, 1, 3.0, "graded", "Kalkulus"),
        ("S5", "X", 20231, 1, None, "open", "Calculus"),
        ("S5", "Y", 20231, 1, None, "transferred", "Logika"),
        ("S5", "Z", 20231, 1, None, "withdrawn", "Logika"),
        ("S6", "X", 20191, 1, 0.0, "graded", None),
    ],
    columns=[
        *("student_number", "course_code", "term_id", "attempt", "grade_points", "result", "course_name")
    ],
).assign(credits=3)
EXPECTED = {
    ("IF", "X", "Kalkulus I"): (7, 4, 5, 3, 2, 2, 1, 1),
    ("MI", "X", "Kalkulus I"): (1, 1, 1, 1, 1, 1, 0, 0),
}


@pytest.fixture
def taught(store):
    write_records(store, frames(OUTCOMES), **WHO)
    return store


def frames(outcomes: pd.DataFrame) -> RecordFrames:
    return RecordFrames(PROGRAMS, STUDENTS, outcomes=outcomes, course_attempts=ATTEMPTS)


def counted(store, scope=SYSTEM) -> dict:
    table = queries.course_results(store, scope)
    names = ["program_code", "course_code", "course_name"]
    return {tuple(row[names]): tuple(row[list(COUNTS)]) for _, row in table.iterrows()}


def test_attempts_and_students_are_counted_by_course(taught):
    assert counted(taught) == EXPECTED
    one = Scope("kaprodi", "leadership", False, ("MI",), False, False)
    assert counted(taught, one) == {("MI", "X", "X"): EXPECTED["MI", "X", "Kalkulus I"]}  # no name elsewhere


def test_an_advisor_counts_their_own_students(taught):
    mine = Scope("rina", "advisor", True, None, True, True)
    assert counted(taught, mine) == EXPECTED
    assert counted(taught, Scope("tono", "advisor", True, None, True, True)) == {}


def test_a_store_without_grades_has_no_course(store):
    table = queries.course_results(store, SYSTEM)
    assert table.empty and set(COUNTS) < set(table.columns)


def test_a_course_is_named_wherever_the_register_has_its_name(taught):
    """Of its own programme the newest, an open attempt's too; else the only one elsewhere; else the code."""
    more = pd.DataFrame(
        [
            ("S0", "V", 20191, 1, 3.0, "graded", None),
            ("S0", "V", 20192, 1, None, "open", "Skripsi"),
            ("S0", "W", 20191, 1, 3.0, "graded", "Optika"),
            ("S5", "W", 20232, 1, 3.0, "graded", "Optika II"),
            ("S6", "W", 20191, 1, 3.0, "graded", "Gambar"),
            ("S0", "U", 20191, 1, 3.0, "graded", None),
        ],
        columns=ATTEMPTS.columns[:-1],
    ).assign(credits=3)
    write_records(taught, RecordFrames(course_attempts=more), **WHO)
    named = {(program, code): name for program, code, name in counted(taught)}
    assert named == {
        **{("IF", "X"): "Kalkulus I", ("MI", "X"): "Kalkulus I", ("IF", "V"): "Skripsi"},
        **{("IF", "W"): "Optika II", ("MI", "W"): "Gambar", ("IF", "U"): "U"},
    }


def test_another_normal_time_counts_at_once(taught):
    write_records(taught, RecordFrames(programs=PROGRAMS.assign(normal_terms=[10, 8])), **WHO)
    # Now S1 and S6 are in time; the time of S2 lasted ten terms, which were over a year before.
    assert counted(taught)["IF", "X", "Kalkulus I"][4:] == (1, 1, 2, 2)
    assert counted(taught)["MI", "X", "Kalkulus I"][4:] == (0, 0, 1, 1)


@pytest.mark.parametrize(("reached", "delayed"), [("2023-08-30", 1), ("2023-08-31", 2)])
def test_who_is_still_here_is_delayed_from_the_last_day_of_the_normal_time_on(store, reached, delayed):
    write_records(store, frames(OUTCOMES.assign(observed_until=reached)), **WHO)
    assert counted(store)["IF", "X", "Kalkulus I"][4] == delayed


def test_another_rule_of_what_passes_counts_again(taught):
    before = queries.store_state(taught).version
    change_grade_rules(taught, {"pass_points": 2.0}, actor="t")
    assert counted(taught)["IF", "X", "Kalkulus I"][:4] == (7, 5, 5, 3)
    assert queries.store_state(taught).version != before  # else pages would go on showing what they keep


def test_a_small_import_its_undo_and_an_erasure_leave_what_a_full_count_would(taught):
    more = ATTEMPTS.iloc[:1].assign(student_number="S5", term_id=20232, course_name=None)
    write_records(taught, RecordFrames(course_attempts=more), **WHO)
    # Her open attempt, which has the newest name, stands beside a decided one now.
    assert counted(taught)["IF", "X", "Calculus"][:4] == (8, 5, 6, 4)
    assert rows(taught) == recounted(taught)
    undo_import(taught, last_import(taught), actor="t", role="system")
    assert counted(taught) == EXPECTED and rows(taught) == recounted(taught)
    erase_student(taught, taught.cipher.student_key("S6"))
    assert ("MI", "X", "Kalkulus I") not in counted(taught) and rows(taught) == recounted(taught)


def rows(store) -> list[tuple]:
    with store.reading() as connection:
        return sorted(map(tuple, connection.execute(select(schema.course_cube))), key=repr)


def recounted(store) -> list[tuple]:
    with store.writing() as connection:
        connection.execute(delete(schema.course_cube))
        rebuild_register_cubes(connection)
    return rows(store)
