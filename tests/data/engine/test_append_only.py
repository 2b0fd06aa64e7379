"""The database itself refuses to change what must not change."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime

import pytest
from sqlalchemy import BigInteger, Integer, UniqueConstraint, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from data import schema
from data.engine.facts import write_fact
from data.migrations.triggers import CHANGEABLE, ERASABLE
from data.store import KEY_FACTS

AT = datetime(2024, 9, 1, 8, 0, 0)
KEY = "0000000000000001"  # S01 of the small register

ROWS = {
    "scores": {
        "score_id": 1, "student_key": KEY, "as_of_index": 1, "as_of_term": 20191, "target": "late",
        "model_version": "m1", "modality": "records", "risk": 0.5, "risk_low": 0.4, "risk_high": 0.6,
        "margin": 0.0, "band": "low", "scored_at": AT,
    },
    "explanations": {"score_id": 1, "base_value": 0.0, "phi": b"1234", "inputs": b"1234"},
    "consents": {
        "student_key": KEY, "purpose": "research", "granted": True, "text_version": "1",
        "decision": "granted", "decided_on": AT.date(), "recorded_at": AT, "recorded_by": "test",
    },
    "case_events": {"student_key": KEY, "at": AT, "actor": "ani", "kind": "note", "detail": {}},
    "row_history": {
        "table_name": "terms", "student_key": KEY, "row_key": "20191", "payload": {},
        "replaced_by": "i", "replaced_at": AT,
    },
    "audit_log": {
        "at": AT, "actor": "a", "role": "advisor", "action": "view", "object": KEY, "detail": {},
        "previous_hash": "0", "hash": "1",
    },
    "erasures": {
        "erasure_id": "e", "student_key": "somebody else", "kind": "student", "at": AT, "actor": "a",
        "receipt": {"specimens": []},
    },
    "enrolments": {
        "enrolment_id": 1, "student_key": KEY, "at": AT, "actor": "a", "kind": "enrolled",
        "descriptor_id": "d@1", "descriptor_sha256": "0", "classifier_version": "1", "reference_ids": [],
        "left_out": {},
    },
    "verification_calibrations": {
        "at": AT, "actor": "a", "descriptor_id": "d@1", "descriptor_sha256": "0", "classifier_version": "1",
        "content": {},
    },
    "verification_decisions": {
        "decision_id": "d", "student_key": KEY, "at": AT, "actor": "a", "enrolment_id": 1,
        "questioned_sha256": "0", "file_format": "png", "width": 1, "height": 1, "descriptor_id": "d@1",
        "descriptor_sha256": "0", "classifier_version": "1", "calibration_version": "1", "outcome": "review",
        "reason": "differs", "thresholds": {}, "findings": [], "reference_ids": [],
    },
    "reviews": {
        "decision_id": "d", "student_key": KEY, "at": AT, "reviewer": "a", "kind": "opinion",
        "opinion": "cannot_tell", "blind": True,
    },
    "duplicate_reviews": {
        "kind": "same_hand", "student_key": KEY, "second_student": "0000000000000002", "at": AT,
        "reviewer": "a", "opinion": "chance",
    },
    "signature_predictions": {
        "prediction_id": "p", "student_key": KEY, "at": AT, "actor": "a", "role": "service",
        "recipe": "graduation", "model_sha256": "0", "labels": ["late", "on time"], "share": 0.5,
        "image_sha256": "0", "findings": [],
    },
    "trials": {
        "trial_id": "t", "registered_at": AT, "registered_by": "a", "protocol": {}, "protocol_sha256": "0",
    },
    "trial_seeds": {"trial_id": "t", "ciphertext": b"sealed"},
    "trial_acts": {"trial_id": "t", "kind": "approved", "at": AT, "actor": "b", "detail": {}},
    "trial_students": {
        "trial_id": "t", "student_key": KEY, "draw": 1, "drawn_on": AT.date(), "as_of_term": 20191,
        "list_name": "ani", "place": 1, "block": 1, "arm": "offered",
    },
}  # fmt: skip
BY_SIGNATURES = ("enrolments", "verification_decisions", "reviews", "duplicate_reviews")
BY_SIGNATURES += ("signature_predictions",)
MADE_OF = {  # table → tables whose rows of the same student must go first
    "scores": ("explanations",), "enrolments": ("reviews", "verification_decisions"),
    "verification_decisions": ("reviews",),
}  # fmt: skip


@pytest.fixture
def filled(small_register):
    store = small_register.store
    with store.writing() as connection:
        model = {"model_version": "m1", "created_at": AT, "status": "served", "folder": "m1", "manifest": {}}
        connection.execute(insert(schema.models).values(**model))
        for name, row in ROWS.items():
            connection.execute(insert(schema.metadata.tables[name]).values(**row))
    return store


def test_every_append_only_table_is_tried_here():
    assert set(ROWS) == {table.name for table in schema.APPEND_ONLY}


@pytest.mark.parametrize("name", ROWS)
def test_update_is_refused(filled, name):
    table = schema.metadata.tables[name]
    column = next(
        one for one in ("student_key", "actor", "base_value", "registered_by", "ciphertext") if one in table.c
    )
    with pytest.raises(DBAPIError, match=f"{name} is append-only: UPDATE refused"):
        with filled.writing() as connection:
            connection.execute(update(table).values({column: table.c[column]}))


@pytest.mark.parametrize("name", ROWS)
def test_delete_is_refused(filled, name):
    table = schema.metadata.tables[name]
    with pytest.raises(DBAPIError, match=f"{name} is append-only: DELETE refused"):
        with filled.writing() as connection:
            connection.execute(delete(table))


@pytest.mark.parametrize("name", ROWS)
def test_rows_cannot_be_replaced_or_truncated_either(filled, name):
    with pytest.raises(DBAPIError):
        with filled.writing() as connection:
            if connection.dialect.name == "sqlite":
                connection.execute(text(f"REPLACE INTO {name} SELECT * FROM {name}"))  # noqa: S608
            else:
                connection.execute(text(f"TRUNCATE {name} CASCADE"))
    with filled.reading() as connection:
        assert connection.execute(select(schema.metadata.tables[name])).first() is not None


@pytest.fixture
def foreign(filled):
    """A connection of another program to the store's file, with nothing set on it."""
    if filled.engine.dialect.name != "sqlite":
        pytest.skip("another program's connection to a file")
    path = filled.engine.url.database
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        yield connection


@pytest.mark.parametrize("name", ROWS)
def test_another_program_cannot_replace_a_row_by_its_key(foreign, name):
    before = foreign.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608
    with pytest.raises(sqlite3.IntegrityError, match=f"{name} is append-only: REPLACE refused"):
        foreign.execute(f"INSERT OR REPLACE INTO {name} SELECT * FROM {name}")  # noqa: S608
    assert foreign.execute(f"SELECT * FROM {name}").fetchall() == before  # noqa: S608


def _other_keys() -> list[tuple[str, list[str]]]:
    """Table and what else than its primary key names a row: unique columns, and the hidden row number."""
    found = []
    for table in schema.APPEND_ONLY:
        unique = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
        found += [(table.name, [column.name for column in one.columns]) for one in unique]
        if not _numbered(table):
            found.append((table.name, ["rowid"]))
    return found


def _numbered(table) -> bool:
    """Whether the primary key is SQLite's row number."""
    key = list(table.primary_key)
    return len(key) == 1 and isinstance(key[0].type, Integer | BigInteger)


@pytest.mark.parametrize(("name", "key"), _other_keys())
def test_nor_by_another_key_of_the_row(foreign, name, key):
    table = schema.metadata.tables[name]
    other = "{} + 7" if _numbered(table) else "{} || 'x'"
    changed = {part.name: other.format(part.name) for part in table.primary_key if part.name not in key}
    names = [*table.c.keys(), *(one for one in key if one == "rowid")]
    told = ", ".join(changed.get(one, one) for one in names)
    with pytest.raises(sqlite3.IntegrityError, match=f"{name} is append-only: REPLACE refused"):
        foreign.execute(f"REPLACE INTO {name} ({', '.join(names)}) SELECT {told} FROM {name}")  # noqa: S608


def test_the_secret_of_a_trial_is_sealed_anew_only_while_the_key_changes(filled):
    seeds, sealed = schema.trial_seeds, update(schema.trial_seeds).values(ciphertext=b"anew")
    with filled.writing() as connection:
        write_fact(connection, KEY_FACTS[-1], "begun")
        assert connection.execute(sealed).rowcount == 1
        connection.execute(delete(schema.store_facts).where(schema.store_facts.c.name == KEY_FACTS[-1]))
    with pytest.raises(DBAPIError, match="UPDATE refused"):
        with filled.writing() as connection:
            connection.execute(sealed)
    with filled.reading() as connection:
        assert connection.scalar(select(seeds.c.ciphertext)) == b"anew"


@pytest.mark.parametrize("name", [name for name, column in CHANGEABLE.items() if column == "sealed"])
def test_what_was_written_is_sealed_anew_only_while_the_key_changes_and_nothing_else_of_its_row(filled, name):
    table = schema.metadata.tables[name]
    anew = update(table).values(sealed=b"anew")
    for change in (anew.values(student_key=KEY[:-1] + "2"), update(table).values(at=AT.replace(year=2020))):
        with pytest.raises(DBAPIError, match="UPDATE refused"), filled.writing() as connection:
            write_fact(connection, KEY_FACTS[-1], "begun")
            connection.execute(change)
    with pytest.raises(DBAPIError, match="UPDATE refused"), filled.writing() as connection:
        connection.execute(anew)
    with filled.writing() as connection:
        write_fact(connection, KEY_FACTS[-1], "begun")
        assert connection.execute(anew).rowcount == 1


def _erasure(kind: str) -> dict:
    return {**ROWS["erasures"], "erasure_id": kind, "student_key": KEY, "kind": kind}


@pytest.mark.parametrize("name", ERASABLE)
def test_delete_passes_once_the_student_has_a_receipt_of_erasure(filled, name):
    table = schema.metadata.tables[name]
    mine = table.c.score_id == 1 if name == "explanations" else table.c.student_key == KEY
    with filled.writing() as connection:
        connection.execute(insert(schema.erasures).values(**_erasure("student")))
        for first in MADE_OF.get(name, ()):
            connection.execute(delete(schema.metadata.tables[first]))
        assert connection.execute(delete(table).where(mine)).rowcount == 1


@pytest.mark.parametrize("name", BY_SIGNATURES)
def test_an_erasure_of_signatures_opens_what_was_made_of_them(filled, name):
    with filled.writing() as connection:
        connection.execute(insert(schema.erasures).values(**_erasure("signatures")))
        for first in MADE_OF.get(name, ()):
            connection.execute(delete(schema.metadata.tables[first]))
        assert connection.execute(delete(schema.metadata.tables[name])).rowcount == 1


@pytest.mark.parametrize("name", sorted(set(ERASABLE) - set(BY_SIGNATURES)))
def test_an_erasure_of_signatures_does_not_open_records_only_scores_or_the_case(filled, name):
    with pytest.raises(DBAPIError, match=f"{name} is append-only: DELETE refused"):
        with filled.writing() as connection:
            connection.execute(insert(schema.erasures).values(**_erasure("signatures")))
            connection.execute(delete(schema.metadata.tables[name]))


REPORT = {
    "report_id": "r1", "profile": "iaps", "profile_version": "4.0", "ts_year": 2023, "version": 1,
    "status": "prepared", "prepared_by": "a", "prepared_at": AT, "sha256": "0" * 64, "content": {},
    "provenance": {},
}  # fmt: skip


def test_a_prepared_report_may_change_and_an_approved_one_may_not(store):
    reports = schema.reports
    with store.writing() as connection:
        connection.execute(insert(reports).values(**REPORT))
        connection.execute(update(reports).values(status="approved", approved_by="b", approved_at=AT))
    statements = [update(reports).values(status="prepared"), delete(reports)]
    if store.engine.dialect.name == "sqlite":
        statements.append(text("REPLACE INTO reports SELECT * FROM reports"))
    for statement in statements:
        with pytest.raises(DBAPIError, match="an approved report is frozen"):
            with store.writing() as connection:
                connection.execute(statement)
