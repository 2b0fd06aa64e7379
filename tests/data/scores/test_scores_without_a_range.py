"""A score may have no range: the store of before is upgraded with its scores and their guard."""

from __future__ import annotations

from datetime import datetime

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Column, DateTime, MetaData, Table, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from data import schema
from data.engine.database import connect, writing
from data.engine.migrate import _configuration, _without_foreign_keys, migrate, upgrade
from data.migrations.triggers import unguarded_tables

REVISION = "0019"
AT = datetime(2025, 3, 1)
SCORE = {
    "student_key": "k", "as_of_index": 2, "as_of_term": 20192, "target": "late", "model_version": "m",
    "modality": "records", "risk": 0.4, "risk_low": 0.3, "risk_high": 0.5, "margin": 0.0, "band": "low",
    "scored_at": AT,
}  # fmt: skip


def as_it_is(connection, name: str) -> Table:
    """A table as the database has it."""
    table = Table(name, MetaData(), autoload_with=connection)
    for column in table.columns:  # SQLite's own types would take no dates and no JSON
        now = schema.metadata.tables[name].columns.get(column.name)
        if isinstance(now, Column):
            column.type = now.type if not isinstance(now.type, DateTime) else DateTime()
    return table


@pytest.fixture
def engine(empty_url):
    engine = connect(empty_url)
    with writing(engine, "migrate") as connection:
        before = ScriptDirectory.from_config(_configuration(connection)).get_revision(REVISION).down_revision
        upgrade(connection, before)
        rows = {
            "imports": {"import_id": "i", "started_at": AT, "actor": "a", "source": "s", "files": {}}
            | {"counts": {}, "synthetic": False},
            "programs": {"program_code": "IF", "name": "Informatics", "degree_level": "S1"}
            | {"normal_terms": 8, "required_credits": 144},
            "students": {"student_key": "k", "program_code": "IF", "cohort_term": 20191, "import_id": "i"},
            "models": {"model_version": "m", "created_at": AT, "status": "served", "folder": "m"}
            | {"manifest": {}},
            "scores": SCORE,
            "explanations": {"score_id": 1, "base_value": 0.0, "phi": b"", "inputs": b""},
        }
        for name, row in rows.items():
            connection.execute(insert(as_it_is(connection, name)).values(**row))
    yield engine
    engine.dispose()


def test_the_upgrade_keeps_scores_and_their_guard_and_takes_one_without_a_range(engine):
    with pytest.raises(IntegrityError), writing(engine, "migrate") as connection:
        connection.execute(
            insert(as_it_is(connection, "scores")).values(SCORE | {"as_of_index": 3, "risk_low": None})
        )
    migrate(engine)
    with writing(engine, "migrate") as connection:
        scores = as_it_is(connection, "scores")
        assert connection.execute(select(scores.c.risk_low, scores.c.risk_high)).all() == [(0.3, 0.5)]
        added = SCORE | {"as_of_index": 3, "risk_low": None, "risk_high": None}
        number = connection.execute(insert(scores).values(added).returning(scores.c.score_id)).scalar_one()
        assert number > 1  # numbers go on
        assert not unguarded_tables(connection)
    for statement in ("UPDATE scores SET risk = 0", "DELETE FROM scores", "DELETE FROM explanations"):
        with pytest.raises(DBAPIError), writing(engine, "migrate") as connection:
            connection.execute(text(statement))


def test_the_way_back_tells_the_older_software_the_widest_range(engine):
    migrate(engine)
    with _without_foreign_keys(engine), writing(engine, "migrate") as connection:
        added = SCORE | {"as_of_index": 3, "risk_low": None, "risk_high": None}
        connection.execute(insert(as_it_is(connection, "scores")).values(added))
        config = _configuration(connection)
        config.attributes["installs_triggers"] = True
        before = ScriptDirectory.from_config(config).get_revision(REVISION).down_revision
        command.downgrade(config, before)
        scores = as_it_is(connection, "scores")
        kept = connection.execute(select(scores.c.risk_low, scores.c.risk_high).order_by(scores.c.score_id))
        assert kept.all() == [(0.3, 0.5), (0.0, 1.0)]
