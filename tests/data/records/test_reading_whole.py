"""Rows of an import's students are the same whether they are found by key or by reading a table whole."""

from __future__ import annotations

import pandas as pd
import pytest

from data.records import import_queries
from data.records.import_queries import known_records, reads_whole
from data.store import write_records

TABLES = ("students", "terms", "outcomes", "consents")


@pytest.fixture(params=[0, 1_000_000], ids=["by key", "whole"])
def way(monkeypatch, request) -> bool:
    """Whether tables are read whole, however few students are asked for."""
    monkeypatch.setattr(import_queries, "LEAST_WHOLE", 0)
    monkeypatch.setattr(import_queries, "SHARE_WHOLE", request.param)
    return bool(request.param)


def test_a_table_is_read_whole_from_a_quarter_of_the_students_on_and_only_for_many(
    small_register, monkeypatch
):
    with small_register.store.reading() as connection:  # twelve students
        assert not reads_whole(connection, 12)
        monkeypatch.setattr(import_queries, "LEAST_WHOLE", 2)
        assert [reads_whole(connection, wanted) for wanted in (2, 3, 4)] == [False, True, True]
        monkeypatch.setattr(import_queries, "LEAST_WHOLE", 1)
        assert not reads_whole(connection, 2)


def test_what_is_known_of_some_students_is_the_same_either_way(small_register, way):
    numbers = sorted(small_register.keys)[3:8]
    found = known_records(small_register.store, [*numbers, "unheard of"])
    every = known_records(small_register.store, sorted(small_register.keys))
    for name in TABLES:
        mine, whole = (getattr(known, name) for known in (found, every))
        assert set(mine["student_number"]) >= set(whole["student_number"]) & set(numbers)
        assert set(mine["student_number"]) <= (set(small_register.keys) if way else set(numbers))
        order = [column for column in ("student_number", "term_id") if column in mine]
        pd.testing.assert_frame_equal(
            *(
                rows[rows["student_number"].isin(numbers)].sort_values(order, ignore_index=True)
                for rows in (mine, whole)
            )
        )


def test_the_same_records_again_change_nothing_either_way(small_register, way):
    about = {"source": "again.csv", "files": {}, "actor": "test", "synthetic": True}
    again = write_records(small_register.store, small_register.second, **about)
    assert again.counts["terms"] == {"new": 0, "changed": 0, "same": 1}
    students = write_records(
        small_register.store, small_register.first, student_keys=small_register.keys, **about
    )
    assert students.counts["students"] == {"new": 0, "changed": 0, "same": 12}
