"""A store in which reasons stood packed in the text of a review, and descriptors were called encoders."""

from __future__ import annotations

from datetime import datetime

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Date, DateTime, MetaData, String, Table, insert, select, text
from sqlalchemy.exc import DBAPIError

from data import schema
from data.engine.database import connect, writing
from data.engine.migrate import _configuration, migrate, upgrade
from data.store import open_store
from data.trust.scope import Scope
from data.verification import queries, reviews
from tests.conftest import locked, step_back

REVISION = "0013"
AT = datetime(2025, 3, 1)
BEFORE = {
    "siti": "[shape+slant] slow line",
    "tono": "[image]",
    "wayan": "[sic] the name is cut",
    "rina": "typed before there were codes",
    "budi": "[shape+mood] two lines\nin one text",
}
AFTER = {
    "siti": (["shape", "slant"], "slow line"),
    "tono": (["image"], ""),
    "wayan": ([], "[sic] the name is cut"),
    "rina": ([], "typed before there were codes"),
    "budi": ([], "[shape+mood] two lines\nin one text"),
}


def old_table(connection, name: str) -> Table:
    """A table as the database has it, whatever the schema says of it by now."""
    table = Table(name, MetaData(), autoload_with=connection)
    for column in table.columns:  # SQLite's own types would take no dates
        now = schema.metadata.tables[name].columns.get(column.name)
        if isinstance(now, Column) and isinstance(now.type, DateTime | Date):
            column.type = now.type
    return table


def revision_before(connection) -> str:
    """The revision that the change stands on, as its own file names it."""
    return ScriptDirectory.from_config(_configuration(connection)).get_revision(REVISION).down_revision


@pytest.fixture
def old_engine(empty_url):
    engine = connect(empty_url)
    with writing(engine, "migrate") as connection:
        upgrade(connection, revision_before(connection))
        versions = {"encoder_id": "d@1+0", "descriptor_sha256": "0" * 64, "classifier_version": "c-1"}
        who = {"student_key": "k", "at": AT, "actor": "rina"}
        rows = {
            "imports": {"import_id": "i", "started_at": AT, "actor": "a", "source": "s", "files": {}}
            | {"counts": {}, "synthetic": False},
            "programs": {"program_code": "IF", "name": "Informatics", "degree_level": "S1"}
            | {"normal_terms": 8, "required_credits": 144},
            "students": {"student_key": "k", "program_code": "IF", "cohort_term": 20191, "import_id": "i"},
            "enrolments": who | versions | {"kind": "enrolled", "reference_ids": [], "left_out": {}},
            "verification_decisions": who
            | versions
            | {"decision_id": "d", "questioned_sha256": "0", "file_format": "png", "width": 1, "height": 1}
            | {"calibration_version": "1", "outcome": "review", "reason": "differs", "thresholds": {}}
            | {"findings": [], "reference_ids": []},
        }
        for name, row in rows.items():
            connection.execute(insert(old_table(connection, name)).values(**row))
        given = {"decision_id": "d", "student_key": "k", "at": AT, "kind": "opinion", "blind": True}
        for reviewer, reasons in BEFORE.items():
            row = given | {"reviewer": reviewer, "opinion": "cannot_tell", "reasons": reasons}
            connection.execute(insert(old_table(connection, "reviews")).values(**row))
    yield engine
    engine.dispose()


def test_packed_reasons_become_codes_and_typed_brackets_stay(old_engine, empty_url, tmp_path):
    migrate(old_engine, locked(old_engine, tmp_path))
    store = open_store(empty_url, folder=tmp_path)
    given = reviews.opinions(store, Scope.system(), "d")
    told = zip(given["reviewer"], given["reason_codes"], given["reasons"], strict=True)
    assert {who: (codes, words) for who, codes, words in told} == AFTER
    store.close()


def test_rows_keep_the_id_of_their_descriptor(old_engine, empty_url, tmp_path):
    migrate(old_engine, locked(old_engine, tmp_path))
    store = open_store(empty_url, folder=tmp_path)
    assert queries.decision(store, Scope.system(), "d")["descriptor_id"] == "d@1+0"
    with store.reading() as connection:
        assert connection.scalar(select(schema.enrolments.c.descriptor_id)) == "d@1+0"
    store.close()


def test_reviews_are_append_only_again(old_engine, tmp_path):
    migrate(old_engine, locked(old_engine, tmp_path))
    for statement in ("UPDATE reviews SET turn = 2", "DELETE FROM reviews"):
        with pytest.raises(DBAPIError, match="append-only"), writing(old_engine) as connection:
            connection.execute(text(statement))


def test_an_older_software_finds_the_text_as_it_was(old_engine, tmp_path):
    seal = locked(old_engine, tmp_path)
    migrate(old_engine, seal)
    with writing(old_engine, "migrate") as connection:
        step_back(connection, revision_before(connection), seal)
        table = old_table(connection, "reviews")
        kept = dict(connection.execute(select(table.c.reviewer, table.c.reasons)).tuples().all())
        assert kept == BEFORE and "reason_codes" not in table.c
        decision = old_table(connection, "verification_decisions")
        assert connection.scalar(select(decision.c.encoder_id)) == "d@1+0"
        assert isinstance(decision.c.encoder_id.type, String)
