"""An act and its entry in the audit log are one transaction: without the entry the act did not happen."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from data import schema
from data.consents.consent import record_consents
from data.records.ingest import Source, apply_import, plan_import
from data.signatures.ingest import apply_signatures, plan_signatures
from data.store import save_model, write_accounts
from data.trust import accounts, audit
from data.trust.accounts import Account
from data.trust.audit_chain import verify_chain
from data.trust.erase import erase_student, erase_student_signatures
from data.trust.undo import undo_import

SAMPLES = Path(__file__).parents[2] / "samples"
SECRET = "rumah gadang 7 lantai"
WHO = {"actor": "rina", "role": "registry"}
ENTRY = audit.Entry("sari", "administrator", "model.approve", "m1", {"reason": "better"})
REGISTER = b"NIM,Nama,Kode Prodi,Jenjang,Angkatan,Status Awal\n21001,Ani,TI,S1,2021,Baru\n"


def import_records(register) -> None:
    plan = plan_import([Source("students", "students.csv", REGISTER)], store=register.store)
    apply_import(register.store, plan, **WHO)


def siakad(store):
    tables = ("students", "terms", "outcomes")
    files = [Source(name, f"{name}.csv", (SAMPLES / f"siakad_{name}.csv").read_bytes()) for name in tables]
    return plan_import(files, store=store, today=date(2026, 1, 1))


def import_signatures(register) -> None:
    store, archive = register.store, SAMPLES / "signatures.zip"
    plan = plan_signatures(archive, archive.name, store, captured_on="entry")
    apply_signatures(store, plan, archive, skip_bad=True, **WHO)


def withdraw(register) -> None:
    record_consents(register.store, register.keys["S07"], ["research"], "withdrawn", **WHO)


ACTS = {
    "import of records": (import_records, "import files"),
    "import of signatures": (import_signatures, "import files"),
    "undo": (lambda it: undo_import(it.store, newest_import(it.store), **WHO), "undo import"),
    "erasure": (lambda it: erase_student(it.store, it.keys["S07"], **WHO), "erase student"),
    "erasure of signatures": (
        lambda it: erase_student_signatures(it.store, it.keys["S07"], **WHO),
        "erase signatures",
    ),
    "consent": (withdraw, "record consent"),
    "account": (
        lambda it: write_accounts(
            it.store,
            [Account("ani", "Ani", "registry")],
            audit.Entry("command line", "system", "write account", "ani"),
        ),
        "write account",
    ),
    "password": (
        lambda it: accounts.change_password(it.store, "ani", "laut tenang tanpa ombak"),
        "change_password",
    ),
    "model": (lambda it: save_model(it.store, "m1", "m1", {}, "served", ENTRY), "model.approve"),
}


def newest_import(store) -> str:
    table = schema.imports
    with store.reading() as connection:
        return connection.scalar(select(table.c.import_id).order_by(table.c.started_at.desc()).limit(1))


def everything(store) -> dict[str, list]:
    with store.reading() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in schema.metadata.sorted_tables
        }


@pytest.fixture
def register(small_register):
    write_accounts(small_register.store, [Account("ani", "Ani", "advisor", password=SECRET)])
    return small_register


@pytest.mark.parametrize("name", ACTS)
def test_an_act_whose_entry_fails_leaves_everything_as_it_was(register, name, monkeypatch):
    store, (act, _) = register.store, ACTS[name]
    if name == "import of signatures":
        apply_import(store, siakad(store), actor="test", skip_bad=True)
    before = everything(store)

    def broken(*_):
        raise OSError("no entry can be written")

    monkeypatch.setattr(audit, "_appended", broken)
    with pytest.raises(OSError, match="no entry"):
        act(register)
    assert everything(store) == before


@pytest.mark.parametrize("name", ACTS)
def test_an_act_that_succeeds_has_exactly_one_entry(register, name):
    store, (act, action) = register.store, ACTS[name]
    if name == "import of signatures":
        apply_import(store, siakad(store), actor="test", skip_bad=True)
    act(register)
    assert audit.entries(store)["action"].tolist() == [action]
    assert verify_chain(store).intact


def test_an_import_says_by_whom_what_and_how_much(register):
    import_records(register)
    entry = audit.entries(register.store).iloc[0]
    assert (entry["actor"], entry["role"], entry["object"]) == (*WHO.values(), newest_import(register.store))
    assert entry["detail"]["students"] == {"new": 1, "changed": 0, "same": 0}
    assert "identities" not in entry["detail"]
