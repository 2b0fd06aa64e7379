"""A store is a demo or an institution's own, and what it holds says which."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import func, insert, select
from typer.testing import CliRunner

from data import schema
from data.__main__ import app
from data.engine.clock import now
from data.records.frames import RecordFrames
from data.records.imports import new_import
from data.records.ingest import Source, apply_import, plan_import
from data.records.write import write_records
from data.settings import get_settings
from data.signatures.write import NewSpecimen, write_specimens
from data.store import get_fact, set_fact
from data.synthetic.cohort import make_university
from data.synthetic.demo import DemoRefused, write_demo
from data.trust import audit, origin
from data.trust.accounts import Account, find_account, verify_password, with_password, write_accounts
from data.trust.origin import RealDataRefused
from data.trust.undo import undo_import

REGISTER = "NIM,Nama,Kode Prodi,Jenjang,Angkatan,Status Awal\n{number},Ani,TI,S1,2021,Baru\n"
PASSWORD = "rumah gadang 7 lantai"


def demo(store) -> None:
    write_demo(store, students=12, seed=3, signatures=False)


def real_plan(store, number="21001"):
    return plan_import(
        [Source("students", "students.csv", REGISTER.format(number=number).encode())], store=store
    )


def rows(store) -> dict[str, int]:
    tables = (schema.imports, schema.students, schema.identities, schema.specimens, schema.audit_log)
    with store.reading() as connection:
        return {table.name: connection.scalar(select(func.count()).select_from(table)) for table in tables}


@pytest.fixture
def run(store, store_url, monkeypatch):
    """Runs a command on the store."""
    monkeypatch.setenv("TEPAT_FOLDER", str(store.folder))
    monkeypatch.setenv("DATABASE_URL", store_url)
    get_settings.cache_clear()
    yield lambda *words, **options: CliRunner().invoke(app, list(map(str, words)), **options)
    get_settings.cache_clear()


def a_specimen() -> NewSpecimen:
    day = np.datetime64("2024-01-05").astype(object)
    return NewSpecimen("21001", b"x", day, "other", "png", 1, 1, None)


def test_a_demo_refuses_real_data_on_every_way_in_and_nothing_is_written(store):
    demo(store)
    before = rows(store)
    plan = real_plan(store)
    ways = (
        lambda: apply_import(store, plan, actor="registry"),
        lambda: write_records(store, plan.frames, source="a.csv", files={}, actor="x"),
        lambda: write_specimens(store, [a_specimen()], actor="x", source="scans"),
        lambda: new_import(store, source="consents.csv", files={}, actor="x"),
        lambda: origin.refuse_in_demo(store),
    )
    for way in ways:
        with pytest.raises(RealDataRefused, match="make run OWN=1"):
            way()
    assert rows(store) == before
    assert origin.origin(store) == "invented"


def test_a_demo_takes_what_is_declared_to_be_invented(store):
    demo(store)
    assert apply_import(store, real_plan(store), actor="x", synthetic=True).counts["students"]["new"] == 1
    assert origin.is_synthetic(store)


def test_a_plan_made_before_the_demo_began_is_refused_when_it_is_written(store):
    plan = real_plan(store)
    demo(store)
    before = rows(store)
    with pytest.raises(RealDataRefused):
        apply_import(store, plan, actor="registry")
    assert rows(store) == before


def test_the_first_real_import_makes_a_store_real_for_good(store):
    apply_import(store, real_plan(store), actor="registry")
    assert origin.origin(store) == "real"
    with pytest.raises(DemoRefused, match="1 students, 1 imports"):
        demo(store)
    apply_import(store, real_plan(store, "21002"), actor="registry", synthetic=True)
    assert origin.origin(store) == "real" and get_fact(store, "synthetic") is None


def test_declared_data_do_not_make_a_store_anybodys(store):
    apply_import(store, real_plan(store), actor="x", synthetic=True)
    assert get_fact(store, "synthetic") is None and origin.origin(store) == "real"


def test_a_store_with_accounts_takes_no_demo_for_one_click_would_open_them(store):
    write_accounts(store, [Account("ani", "Ani", "administrator", password=PASSWORD)])
    with pytest.raises(DemoRefused, match="1 accounts"):
        demo(store)
    assert get_fact(store, "synthetic") is None


def test_a_store_begun_as_ones_own_takes_no_demo_and_a_demo_stays_one(store):
    assert origin.begin_own(store) and origin.begin_own(store)
    with pytest.raises(DemoRefused, match="nothing in it yet"):
        demo(store)


def test_a_demo_cannot_become_ones_own(store):
    demo(store)
    assert not origin.begin_own(store)
    assert origin.origin(store) == "invented"


def a_real_import_of_an_earlier_version(store, *, marked: bool, by_page: bool) -> str:
    """Written as earlier versions wrote it: into a demo, from the page even marked as invented."""
    about = {"source": "mahasiswa.csv", "files": {"mahasiswa.csv": {}}, "actor": "registry", "counts": {}}
    with store.writing() as connection:
        connection.execute(
            insert(schema.imports).values(import_id="old", synthetic=marked, started_at=now(), **about)
        )
    role = "registry" if by_page else "system"
    audit.append(store, actor="registry", role=role, action="import files", object="old", detail={})
    return "old"


@pytest.mark.parametrize(
    ("marked", "by_page", "whose"),
    [(False, False, "mixed"), (True, True, "mixed"), (False, True, "mixed"), (True, False, "invented")],
)
def test_what_an_earlier_version_mixed_is_told_by_the_imports(store, marked, by_page, whose):
    demo(store)
    a_real_import_of_an_earlier_version(store, marked=marked, by_page=by_page)
    assert origin.origin(store) == whose
    assert origin.is_synthetic(store) == (whose == "invented")


def test_an_undone_import_is_no_longer_held_against_a_demo(store):
    demo(store)
    set_fact(store, "synthetic", False)
    made = apply_import(store, real_plan(store), actor="registry")
    set_fact(store, "synthetic", True)
    assert origin.origin(store) == "mixed"
    undo_import(store, made.import_id, actor="registry", role="registry")
    assert origin.origin(store) == "invented"


def test_a_benchmark_of_real_records_is_no_demo(store):
    frames = make_university(5, np.random.default_rng(0)).frames
    real = RecordFrames(programs=frames.programs, students=frames.students)
    write_records(store, real, source="UCI 697", files={}, actor="command line")
    assert not origin.is_synthetic(store)


def test_load_into_a_demo_says_what_to_do_and_takes_declared_files(store, run, tmp_path):
    demo(store)
    path = tmp_path / "students.csv"
    path.write_text(REGISTER.format(number="21001"), encoding="utf-8")
    before = rows(store)
    refused = run("load", "--students", path)
    assert refused.exit_code == 2
    assert "takes no real files" in refused.output and "make run OWN=1" in refused.output
    assert run("load", "--students", path, "--dry-run").exit_code == 0
    assert rows(store) == before
    taken = run("load", "--students", path, "--synthetic")
    assert taken.exit_code == 0, taken.output
    assert rows(store)["students"] == before["students"] + 1 and origin.is_synthetic(store)


def test_init_asks_for_institution_administrator_and_password(store, run):
    words = ("Universitas Uji", "ani", "pendek", "pendek", PASSWORD, "mistyped", PASSWORD, PASSWORD)
    done = run("init", "--ask", input="\n".join(words) + "\n")
    assert done.exit_code == 0, done.output
    assert "once more" in done.output and PASSWORD not in done.output
    assert get_fact(store, "institution") == "Universitas Uji"
    assert verify_password(store, "ani", PASSWORD).role == "administrator"
    assert run("status", "--ready").exit_code == 0
    assert run("init", "--ask").exit_code == 0  # nothing is missing, so nobody is asked
    assert audit.entries(store, action="write account")["object"].tolist() == ["ani"]


def test_init_with_nobody_to_ask_says_how_else(store, run):
    done = run("init", "--ask")
    assert done.exit_code == 2 and "run this in a terminal" in done.output
    assert with_password(store) == []


def test_init_does_not_turn_a_demo_or_another_role_into_an_administrator(store, run):
    write_accounts(store, [Account("ani", "Ani", "advisor")])
    taken = run("init", "--administrator", "ani", input=f"{PASSWORD}\n{PASSWORD}\n")
    assert taken.exit_code == 2 and "exists and is advisor" in taken.output
    assert find_account(store, "ani").role == "advisor"
    assert run("init", "--administrator", "-x", input="\n").exit_code == 2


def test_init_of_a_demo_refuses_an_administrator_but_still_upgrades(store, run):
    demo(store)
    refused = run("init", "--ask")
    assert refused.exit_code == 2 and "holds the demo" in refused.output
    assert run("init").exit_code == 0 and origin.is_synthetic(store)


def test_an_empty_demo_store_is_not_ready_and_ones_own_is(store, run):
    assert run("status", "--ready").exit_code == 1
    assert run("init").exit_code == 0
    assert run("status", "--ready").exit_code == 0
