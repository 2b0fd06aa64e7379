"""A store with something in every kind of table, what a backup is sealed with, and an empty place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import insert, select, update

from data import queries, schema
from data.engine.bulk import update_frame
from data.jobs import live
from data.keeping.archive import COST, Secret
from data.signatures.encoder_info import EncoderInfo
from data.store import (
    NewSpecimen,
    add_case_event,
    set_fact,
    write_consents,
    write_embeddings,
    write_specimens,
)
from data.trust import audit
from data.trust.accounts import Account, write_accounts

SECRET = Secret.of_passphrase("twelve words and more")
STROKES = b'{"width":720,"height":240,"strokes":[{"pointer":"pen","points":[[1,2,0,0.5],[9,8,16.7,1]]}]}'
ENCODER = EncoderInfo("resnet50", "1", "a" * 64, "drawn for a test", 4)


@pytest.fixture(autouse=True)
def quick_scrypt(monkeypatch):
    """What scrypt costs is not what these tests are about."""
    monkeypatch.setitem(COST, "n", 1 << 10)


@pytest.fixture
def full(small_register):
    """The small register, signed, with consents, notes, an account, a job's result, a model's files."""
    fill(small_register.store)
    return small_register


def fill(store) -> None:
    given = [
        NewSpecimen(number, data, date(2022, 9, day), "enrollment", "png", 300, 100, 300)
        for number, data, day in (("S07", b"ink 1", 1), ("S07", b"ink 2", 2), ("S08", b"ink 3", 3))
    ]
    write_specimens(store, given, source="scans.zip", actor="test", synthetic=True)
    ids = list(queries.specimen_table(store)["specimen_id"])
    write_embeddings(store, ENCODER, ids, np.arange(12, dtype="float32").reshape(3, 4))
    drawn = NewSpecimen("S01", b"drawn", date(2022, 9, 4), "enrollment", "png", 2250, 750, 300)
    drawn = replace(drawn, medium="screen", strokes=STROKES)
    write_specimens(store, [drawn], source="screen", actor="test", synthetic=True)
    agreed = pd.DataFrame([("S07", True, "2022-09-01")], columns=["student_number", "granted", "recorded_at"])
    write_consents(store, agreed.assign(purpose="outcome_model"))
    with store.reading() as connection:
        key = connection.scalar(
            select(schema.identities.c.student_key).where(
                schema.identities.c.number_hash == store.cipher.number_hash("S07")
            )
        )
    put_in_a_trial(store, key)
    add_case_event(store, key, "ani", "note", {"text": "naïve “quotes” \\ and a 𝓃ame"})
    write_accounts(store, [Account("ani", "Ani", "advisor")])
    set_fact(store, "institution", "Universitas Contoh")
    audit.append(store, actor="ani", role="advisor", action="view student", object=key, detail={"a": [1.5]})
    folder = store.models_folder / "risk-1"
    folder.mkdir(parents=True)
    (folder / "trees.ubj").write_bytes(bytes(range(256)) * 10)
    (folder / "manifest.json").write_text("{}")
    made = finish_a_job(store, "1" * 32)
    with store.writing() as connection:
        model = {"model_version": "risk-1", "created_at": made, "status": "served"}
        connection.execute(insert(schema.models).values(**model, folder="risk-1", manifest={"a": None}))
        connection.execute(update(schema.students).values(extra={"school": "SMA 1"}))
        born = pd.DataFrame({"student_key": connection.scalars(select(schema.students.c.student_key)).all()})
        update_frame(connection, schema.students, ["student_key"], born.assign(birth_year=2001))


def finish_a_job(store, job_id: str) -> datetime:
    """A job that ended and keeps a file; when it was made."""
    kept = live.keep_files(store, [("found.csv", b"a,b\n1,2\n")])
    row = {"job_id": job_id, "kind": "reports", "status": "done", "arguments": {}, "actor": "ani"}
    row |= {"role": "accreditation", "created_at": datetime(2026, 1, 1), "attempts": 1}
    with store.writing() as connection:
        connection.execute(insert(schema.jobs).values(**row, result={"files": kept}))
    return row["created_at"]


def put_in_a_trial(store, key: str) -> None:
    """A registered trial with its sealed secret, one act, and one student drawn."""
    number, at = "7" * 32, pd.Timestamp("2024-09-10").to_pydatetime()
    told = {"registered_at": at, "registered_by": "dekan", "protocol": {"title": "Talks"}}
    lot = {"draw": 1, "drawn_on": at.date(), "as_of_term": 20232, "list_name": "ani", "place": 5}
    act = {"kind": "drawn", "at": at, "actor": "dekan", "detail": {"offered": 1, "usual": 0}}
    with store.writing() as connection:
        connection.execute(insert(schema.trials).values(trial_id=number, protocol_sha256="0" * 64, **told))
        sealed = store.cipher.encrypt(b"s" * 32, f"trial:{number}")
        connection.execute(insert(schema.trial_seeds).values(trial_id=number, ciphertext=sealed))
        connection.execute(insert(schema.trial_acts).values(trial_id=number, **act))
        row = {"trial_id": number, "student_key": key, "block": 1, "arm": "offered"}
        connection.execute(insert(schema.trial_students).values(**row, **lot))


@pytest.fixture(params=["sqlite", "postgresql"])
def target_url(request, tmp_path):
    """The URL of an empty database, of either kind, beside the store's own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'target' / 'tepat.db'}"
        return
    import uuid

    from sqlalchemy.engine import make_url

    from tests.conftest import _admin

    server, name = request.getfixturevalue("postgresql_server"), f"t_{uuid.uuid4().hex[:16]}"
    _admin(server, f'CREATE DATABASE "{name}"')
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    _admin(server, f'DROP DATABASE "{name}" WITH (FORCE)')
