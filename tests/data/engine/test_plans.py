"""No page reads a table that grows with the register from its beginning to its end.

What a database would do is asked of itself: EXPLAIN of every SELECT that pages send, on a small register.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from sqlalchemy import event, select, text

from benchmarks.store import log_cases, page_queries, register_frames, score_parts, so_far, write
from data import schema
from data.engine.bulk import NAMED_KEYS, all_columns, fetch, fetch_by_keys
from data.store import save_model, write_scores

GROWING = {
    "students", "identities", "terms", "outcomes", "scores", "risk_current", "explanations", "case_events",
    "specimens", "embeddings", "consents", "audit_log",
}  # fmt: skip
FROM_THE_END = {"audit_append"}  # the newest entry: read backwards, one row


@pytest.fixture
def worked_in(store):
    """A register with scores and logged cases, as the benchmark of the store makes it, and what pages ask."""
    rng = np.random.default_rng(1)
    write(store, so_far(register_frames(600, 4, rng)))
    save_model(store, "benchmark", "benchmark", {}, "served")
    write_scores(store, *score_parts(store, 2, rng))
    log_cases(store)
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return store, page_queries(store, rng)


def sent(store, call) -> list[tuple[str, object]]:
    """The SELECTs that a call sends, with what they are asked with."""
    seen = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        seen.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    nobody = "0 = 1"  # a search that found nobody: SQLite plans a scan that it never begins
    reads = [one for one in seen if one[0].lstrip().upper().startswith(("SELECT", "WITH"))]
    return [(said, given) for said, given in reads if nobody not in said]


def read_whole(store, statement: str, parameters) -> set[str]:
    """The tables that the database reads from beginning to end to answer."""
    raw = store.engine.raw_connection()
    try:
        cursor = raw.cursor()
        if store.engine.dialect.name == "sqlite":
            cursor.execute("EXPLAIN QUERY PLAN " + statement, parameters)
            steps = [step[3].split() for step in cursor.fetchall()]
            return {step[1] for step in steps if step[0] == "SCAN"}
        cursor.execute("SET LOCAL enable_seqscan = off")  # a table this small is read whole for cheapness
        cursor.execute("EXPLAIN (FORMAT JSON) " + statement, parameters)
        (plan,) = cursor.fetchone()[0]
        return {node["Relation Name"] for node in nodes(plan["Plan"]) if node["Node Type"] == "Seq Scan"}
    finally:
        raw.rollback()
        raw.close()


def nodes(plan: dict) -> Iterator[dict]:
    """A plan's steps."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def test_every_question_of_a_page_is_answered_by_an_index(worked_in):
    store, calls = worked_in
    asked = 0
    for name in calls.keys() - FROM_THE_END:
        calls[name]()  # sealed names are opened once and then searched in memory
        for statement, parameters in sent(store, calls[name]):
            asked += 1
            assert not read_whole(store, statement, parameters) & GROWING, (name, statement)
    assert asked > len(calls)


def test_a_question_without_an_index_is_found(worked_in):
    store, _calls = worked_in
    assert read_whole(store, "SELECT student_key FROM students WHERE region IS NULL", ()) == {"students"}


def test_many_students_are_looked_up_one_by_one_though_few_different_ones_are_expected(worked_in):
    """Of a column with many rows per student PostgreSQL takes the students for far fewer than they are."""
    store, _calls = worked_in
    terms = schema.terms
    if store.engine.dialect.name == "postgresql":
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ALTER TABLE terms ALTER COLUMN student_key SET (n_distinct = 3)"))
            connection.execute(text("ANALYZE terms"))
    with store.reading() as connection:
        keys = fetch(connection, select(schema.students.c.student_key))["student_key"].tolist()
        whole = fetch(connection, all_columns(terms))
        for count in (1, NAMED_KEYS, NAMED_KEYS + 1, len(keys)):
            read = partial(fetch_by_keys, connection, all_columns(terms), terms.c.student_key, keys[:count])
            expected = whole[whole["student_key"].isin(keys[:count])]
            assert sorted(read()["student_key"]) == sorted(expected["student_key"])
            for statement, parameters in sent(store, read):
                assert "terms" not in read_whole(store, statement, parameters)


def test_statements_are_not_compiled_on_postgresql(store):
    if store.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no such setting")
    with store.reading() as connection:
        assert connection.scalar(text("SHOW jit")) == "off"
