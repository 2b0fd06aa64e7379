"""Writing records: what is new, changed, the same, older; and what a kill leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from data import queries, schema
from data.records.diff import compare, compare_dated
from data.store import RecordFrames, new_import, open_store, write_records
from data.trust.scope import Scope

ABOUT = {"source": "again.csv", "files": {}, "actor": "test"}


def contents(store) -> dict[str, list]:
    """Every row of every table but the log of imports."""
    with store.reading() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)).all()))
            for table in schema.metadata.sorted_tables
            if table is not schema.imports
        }


def history(store, table: str) -> pd.DataFrame:
    with store.reading() as connection:
        rows = connection.execute(select(schema.row_history).where(schema.row_history.c.table_name == table))
        return pd.DataFrame(rows.mappings().all())


def test_the_same_frames_twice_change_nothing(small_register):
    store = small_register.store
    before = contents(store)
    again = [write_records(store, small_register.first, **ABOUT)]
    again.append(write_records(store, small_register.second, **ABOUT))
    assert contents(store) == before
    assert not any(result.changed_anything for result in again)
    assert again[0].counts["terms"] == {"new": 0, "changed": 0, "same": 57}


def test_counts_say_what_is_new(store, small_register):
    log = queries.imports(store)
    first = log.loc[log["source"] == "register.csv", "counts"].iloc[0]
    assert first["students"] == {"new": 12, "changed": 0, "same": 0}
    assert first["terms"] == {"new": 57, "changed": 0, "same": 0}
    assert log["finished_at"].notna().all()


def test_a_revised_row_keeps_what_it_said_before(small_register):
    kept = history(small_register.store, "terms")
    assert len(kept) == 1
    assert kept.loc[0, "student_key"] == small_register.keys["S07"]
    assert kept.loc[0, "row_key"] == "20222"
    assert kept.loc[0, "payload"]["gpa_cum"] == 3.05
    assert kept.loc[0, "known_at"] == date(2023, 8, 31)  # a month after the term's end on 31 July


def test_a_value_that_becomes_empty_is_a_change_and_a_missing_column_is_not(small_register):
    store = small_register.store
    row = {"student_number": ["S01"], "program_code": ["IF"], "cohort_term": [20191]}
    same = write_records(store, RecordFrames(students=pd.DataFrame(row)), **ABOUT)
    assert same.counts["students"] == {"new": 0, "changed": 0, "same": 1}
    emptied = pd.DataFrame(row | {"sex": [None]})
    result = write_records(store, RecordFrames(students=emptied), **ABOUT)
    assert result.counts["students"]["changed"] == 1
    student = queries.student(store, Scope.system(), small_register.keys["S01"]).iloc[0]
    assert pd.isna(student["sex"])
    assert student["advisor"] == "ani"


def test_a_changed_grade_without_a_date_is_known_from_today_on(small_register):
    store = small_register.store
    row = {"student_number": ["S08"], "term_id": [20221], "status": ["A"], "gpa_cum": [1.0]}
    write_records(store, RecordFrames(terms=pd.DataFrame(row)), **ABOUT)
    rows = queries.term_rows(store, Scope.system(), small_register.keys["S08"]).set_index("term_id")
    assert rows.loc[20221, "gpa_cum"] == 1.0
    assert abs(rows.loc[20221, "known_at"] - pd.Timestamp.now()) < pd.Timedelta(days=2)
    then = queries.records_until(store, 1).terms.set_index(["student_key", "term_id"])
    assert then.loc[(small_register.keys["S08"], 20221), "gpa_cum"] == 2.40


def test_an_older_version_that_comes_late_goes_to_the_history_once(small_register):
    store = small_register.store
    row = {"student_number": ["S07"], "term_id": [20222], "status": ["A"], "gpa_cum": [2.9]}
    older = pd.DataFrame(row | {"known_at": [date(2023, 10, 1)]})
    for _ in range(2):
        result = write_records(store, RecordFrames(terms=older), **ABOUT)
        assert result.counts["terms"] == {"new": 0, "changed": 0, "same": 1}
    assert len(history(store, "terms")) == 2
    present = queries.term_rows(store, Scope.system(), small_register.keys["S07"]).set_index("term_id")
    assert present.loc[20222, "gpa_cum"] == 2.05


def test_an_earlier_date_of_knowledge_corrects_a_later_one(small_register):
    store = small_register.store
    row = {"student_number": ["S01"], "term_id": [20191], "status": ["A"]}
    for day, changed in ((date(2020, 2, 1), 1), (date(2020, 2, 20), 0)):
        frame = pd.DataFrame(row | {"known_at": [day]})
        result = write_records(store, RecordFrames(terms=frame), **ABOUT)
        assert result.counts["terms"]["changed"] == changed
    rows = queries.term_rows(store, Scope.system(), small_register.keys["S01"]).set_index("term_id")
    assert rows.loc[20191, "known_at"] == pd.Timestamp("2020-02-01")


def test_outcomes_that_say_nothing_of_observation_reach_as_far_as_the_terms(small_register):
    store = small_register.store
    ended = pd.DataFrame({"student_number": ["S12"], "exit_type": [None]})
    before = contents(store)
    write_records(store, RecordFrames(outcomes=ended), **ABOUT)
    assert contents(store) == before  # the terms reach to March 2024, the outcome was observed in August


def test_a_new_outcome_replaces_the_enrolment(small_register):
    store = small_register.store
    row = {"student_number": ["S07"], "exit_type": ["graduated"], "exit_term": [20252]}
    row |= {"terms_to_exit": [8], "exit_date": ["2026-07-15"], "observed_until": ["2026-08-31"]}
    write_records(store, RecordFrames(outcomes=pd.DataFrame(row)), **ABOUT)
    assert queries.kpi_counts(store, Scope.system())["graduated"] == 5
    assert history(store, "outcomes").loc[0, "payload"]["exit_type"] is None


def test_term_index_is_counted_from_entry_when_the_file_has_none(small_register):
    store = small_register.store
    terms = {"student_number": ["S12"] * 3, "term_id": [20231, 20232, 20233], "status": ["A", "A", "A"]}
    write_records(store, RecordFrames(terms=pd.DataFrame(terms)), **ABOUT)
    rows = queries.term_rows(store, Scope.system(), small_register.keys["S12"])
    assert rows["term_index"].tolist() == [1, 2, 2]


def test_a_programme_is_made_from_its_degree_level(store):
    row = {"student_number": ["1"], "program_code": ["TI"], "cohort_term": [20231], "degree_level": ["D3"]}
    write_records(store, RecordFrames(students=pd.DataFrame(row)), **ABOUT)
    made = queries.programs(store).iloc[0]
    assert (made["program_code"], made["name"], made["normal_terms"]) == ("TI", "TI", 6)


def test_course_attempts_and_extra_columns_are_kept(small_register):
    store = small_register.store
    attempt = {"student_number": ["S07"], "course_code": ["IF101"], "term_id": [20221], "attempt": [1]}
    attempts = pd.DataFrame(attempt | {"credits": [3], "grade_points": [2.0]})
    row = {"student_number": ["S07"], "program_code": ["IF"], "cohort_term": [20221]}
    students = pd.DataFrame(row | {"extra": [{"b": 1, "a": [1, 2]}]})
    frames = RecordFrames(students=students, course_attempts=attempts)
    assert write_records(store, frames, **ABOUT).counts["course_attempts"]["new"] == 1
    again = write_records(store, frames, **ABOUT)
    assert not again.changed_anything
    extra = queries.student(store, Scope.system(), small_register.keys["S07"]).iloc[0]["extra"]
    assert extra == {"a": [1, 2], "b": 1}


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (
            RecordFrames(terms=pd.DataFrame({"student_number": ["X"], "term_id": [20231], "status": ["A"]})),
            "terms: every student_number must be a known student; 1 are not",
        ),
        (
            RecordFrames(
                outcomes=pd.DataFrame({"student_number": ["S01", "S01"], "exit_type": [None, None]})
            ),
            "outcomes: rows must be unique by student_key",
        ),
        (
            RecordFrames(students=pd.DataFrame({"student_number": ["1"], "shoe_size": [42]})),
            r"columns must be among .*, got \['shoe_size'\]",
        ),
        (
            RecordFrames(
                students=pd.DataFrame(
                    {"student_number": ["1"], "program_code": ["??"], "cohort_term": [20231]}
                )
            ),
            r"program_code must be a known programme .* got \['\?\?'\]",
        ),
        (
            RecordFrames(
                students=pd.DataFrame(
                    {"student_number": ["1"], "program_code": ["IF"], "cohort_term": [2023.5]}
                )
            ),
            "students.cohort_term: must be whole numbers, got 2023.5",
        ),
    ],
)
def test_a_refused_import_says_why_and_leaves_nothing(small_register, frames, message):
    store = small_register.store
    before, imports = contents(store), len(queries.imports(store))
    with pytest.raises(ValueError, match=message):
        write_records(store, frames, **ABOUT)
    assert contents(store) == before
    assert len(queries.imports(store)) == imports


def test_an_error_late_in_the_import_takes_back_all_of_it(small_register):
    store = small_register.store
    before = contents(store)
    students = small_register.first.students.assign(sex="L")
    bad = small_register.first.outcomes.assign(exit_type="vanished")  # refused by the database itself
    with pytest.raises(Exception, match="exit_type"):
        write_records(store, replace(small_register.first, students=students, outcomes=bad), **ABOUT)
    assert contents(store) == before


def test_an_error_of_the_database_does_not_show_personal_data(small_register):
    bad = small_register.first.outcomes.assign(exit_type="vanished")
    with pytest.raises(Exception) as caught:
        write_records(small_register.store, RecordFrames(outcomes=bad), **ABOUT)
    assert "S01" not in str(caught.value)


def test_an_import_can_be_opened_by_itself(store):
    import_id = new_import(store, source="scans.zip", files={"scans.zip": {"rows": 3}}, actor="test")
    row = queries.imports(store).iloc[0]
    assert (row["import_id"], row["files"]) == (import_id, {"scans.zip": {"rows": 3}})
    assert pd.isna(row["finished_at"])


cells = st.one_of(st.none(), st.floats(0, 4), st.sampled_from([0.0, 2.0]))


@given(st.dictionaries(st.integers(0, 5), cells), st.dictionaries(st.integers(0, 5), cells))
def test_a_difference_sorts_every_incoming_row_into_one_box(incoming, stored):
    new, old = (
        pd.DataFrame({"key": list(rows), "value": list(rows.values())}).astype({"value": "float64"})
        for rows in (incoming, stored)
    )
    found = compare(new.astype({"key": "int64"}), old.astype({"key": "int64"}), ["key"])
    assert len(found.new) + len(found.changed) + found.same == len(incoming)
    assert set(found.new["key"]) == set(incoming) - set(stored)
    assert {key for key in incoming if key in stored and incoming[key] != stored[key]} == set(
        found.changed["key"]
    )
    assert found.replaced["key"].tolist() == found.changed["key"].tolist()


def test_the_row_known_last_holds():
    stored = pd.DataFrame({"key": [1, 2, 3], "value": [1.0, 1.0, 1.0], "term_id": 20231})
    stored["known_at"] = pd.Timestamp("2024-03-01")
    incoming = pd.DataFrame({"key": [1, 2, 3, 4], "value": [2.0, 2.0, 2.0, 2.0], "term_id": 20231})
    incoming["known_at"] = pd.to_datetime(["2024-04-01", "2024-02-01", None, None])
    default = {20231: date(2024, 1, 31)}
    found = compare_dated(incoming, stored, ["key"], "known_at", default=default, today=date(2024, 5, 1))
    assert found.changed["key"].tolist() == [1, 3]
    assert found.changed["known_at"].tolist() == [pd.Timestamp("2024-04-01"), pd.Timestamp("2024-05-01")]
    assert found.older["key"].tolist() == [2]
    assert found.new["known_at"].tolist() == [pd.Timestamp("2024-01-31")]


IMPORT = textwrap.dedent("""
    import sys
    from pathlib import Path
    import numpy as np, pandas as pd
    from data.store import RecordFrames, open_store, write_records
    n = 4000
    numbers = [f"N{i:05d}" for i in range(n)]
    students = pd.DataFrame({"student_number": numbers, "program_code": "IF", "cohort_term": 20201,
                             "degree_level": "S1"})
    terms = pd.DataFrame({"student_number": np.repeat(numbers, 4), "status": "A",
                          "term_id": np.tile([20201, 20202, 20211, 20212], n)})
    outcomes = pd.DataFrame({"student_number": numbers, "exit_type": None})
    store = open_store(sys.argv[1], folder=Path(sys.argv[2]))
    print("ready", flush=True)
    write_records(store, RecordFrames(students=students, terms=terms, outcomes=outcomes),
                  source="big.csv", files={}, actor="test")
    print("done", flush=True)
""")


@pytest.mark.slow
def test_an_import_killed_at_any_moment_is_all_or_nothing_and_a_rerun_completes_it(store, store_url):
    command = [sys.executable, "-c", IMPORT, store_url, str(store.folder)]
    rng, outcomes = random.Random(7), []
    for _ in range(4):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(rng.uniform(0.02, 0.6))
            os.kill(process.pid, signal.SIGKILL)
        rows = queries.counts(store).set_index("table")["rows"]
        parts = tuple(rows[["students", "identities", "terms", "outcomes"]])
        assert parts in ((0, 0, 0, 0), (4000, 4000, 16000, 4000))
        outcomes.append(parts)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    rows = queries.counts(store).set_index("table")["rows"]
    assert tuple(rows[["students", "identities", "terms", "outcomes"]]) == (4000, 4000, 16000, 4000)
    assert rows["row_history"] == 0
    assert outcomes[0] == (0, 0, 0, 0)


def test_two_imports_at_once_wait_for_each_other(store, store_url):
    from concurrent.futures import ThreadPoolExecutor

    stores = [open_store(store_url, folder=store.folder) for _ in range(3)]

    def load(number: int):
        row = {"student_number": [f"T{number}", "shared"], "program_code": "IF", "cohort_term": 20201}
        frame = pd.DataFrame(row | {"degree_level": "S1"})
        return write_records(stores[number], RecordFrames(students=frame), **ABOUT)

    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(load, range(3)))
    assert sorted(result.counts["students"]["new"] for result in results) == [1, 1, 2]
    for opened in stores:
        opened.close()


def test_a_frame_that_an_import_lacks_is_named():
    frames = RecordFrames(terms=pd.DataFrame({"student_number": ["A1"]}))
    assert list(frames.need("terms")["student_number"]) == ["A1"]
    with pytest.raises(LookupError, match="no students"):
        frames.need("students")
