"""A demo takes no real files on its pages; one that took some before has no open seat and no banner."""

from __future__ import annotations

import io
import shutil
from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from dashboard.importing import plan as importing
from dashboard.importing.plan import UploadedFile
from dashboard.jobs import asking as jobs
from dashboard.jobs import imports as jobs_import
from dashboard.shell import access, exports
from dashboard.shell.wording import Words
from data import queries
from data.columns import ROLES
from data.jobs import live as jobs_live
from data.jobs import table
from data.records.imports import new_import
from data.store import open_store, set_fact
from data.synthetic.demo import write_demo
from data.trust.accounts import Account, list_accounts, write_accounts
from data.trust.origin import RealDataRefused

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
EN = Words("en")
REGISTRY = Account("registry", "Registry", "registry")


@pytest.fixture
def demo(tmp_path, sqlite_template, served):
    """The app on a demo of twelve students, without signatures."""
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    store = open_store(folder=tmp_path)
    write_demo(store, students=12, seed=3, signatures=False)
    served(store)
    yield store
    store.close()


@pytest.fixture
def mixed(demo):
    """The same, with an import as an earlier version let it in."""
    set_fact(demo, "synthetic", False)
    new_import(demo, source="mahasiswa.csv", files={}, actor="registry")
    set_fact(demo, "synthetic", True)
    return demo


def sample() -> list[UploadedFile]:
    name = "siakad_students.csv"
    return [UploadedFile(name, (SAMPLES / name).read_bytes())]


def students(store) -> int:
    return int(queries.counts(store).set_index("table").loc["students", "rows"])


def test_asking_for_an_import_is_refused_before_a_file_is_kept(demo, monkeypatch):
    monkeypatch.setattr(jobs_live, "keep_files", lambda *_: pytest.fail("a real file was kept"))
    with pytest.raises(RealDataRefused, match="make run OWN=1"):
        jobs_import.start(
            demo, REGISTRY, sample(), ["students"], mapping=None, captured_on=None, skip_bad=True
        )
    assert table.open_jobs(demo) == []


def test_a_job_asked_for_by_an_earlier_version_is_refused_with_a_reason(demo):
    kept = jobs_live.keep_files(demo, [(file.name, file.data) for file in sample()])
    about = {"mapping": None, "captured_on": None, "skip_bad": True, "import_id": "a" * 32}
    jobs.start(demo, REGISTRY, "import", files=kept, kinds=["students"], **about)
    task = jobs.Task(demo, table.take(demo, "w"), lambda *_: None)
    with pytest.raises(jobs.Refused) as refused:
        jobs_import.run(task)
    assert refused.value.code == "demo_store" and students(demo) == 12
    for language in ("en", "id"):
        assert "make run OWN=1" in Words(language)("job_problem.demo_store")


def test_a_plan_of_the_page_is_refused_when_it_is_written(demo):
    plan = importing.make_plan(demo, importing.chosen_files(sample(), ["students"]), None)
    with pytest.raises(RealDataRefused):
        importing.write_plan(demo, plan, actor="registry", role="registry", skip_bad=True)
    assert students(demo) == 12


@pytest.mark.parametrize("role", ["registry", "administrator"])
@pytest.mark.parametrize("language", ["en", "id"])
def test_the_data_page_of_a_demo_has_no_upload_and_says_where_to_go(demo, screen, role, language):
    at = screen.drawn("data", Account("x", "X", role), language)
    assert not at.exception and not at.get("file_uploader")
    assert Words(language)("own.refused_title") in screen.texts(at)
    assert at.code[0].value.startswith("make run OWN=1 PORT=")


def test_the_sign_in_of_a_demo_offers_seats_and_ones_own_store(demo, screen):
    at = screen.drawn("sign_in", Account("x", "X", "auditor"))
    assert at.button(key="enter-advisor") and EN("own.card_title") in screen.texts(at)


def test_seats_close_where_real_files_were_taken(mixed, screen):
    assert len(list_accounts(mixed)) >= len(ROLES)
    assert access.demo_seats(mixed) == {}
    at = screen.drawn("sign_in", Account("x", "X", "auditor"))
    assert not [one for one in at.button if (one.key or "").startswith("enter-")]
    assert len(at.text_input) == 2 and EN("own.mixed_title") in at.warning[0].value


@pytest.mark.parametrize(
    ("page", "role"), [("data", "registry"), ("audit", "auditor"), ("reports", "leadership")]
)
def test_no_page_calls_mixed_data_synthetic(mixed, screen, page, role):
    at = screen.drawn(page, Account("x", "X", role))
    assert EN("app.synthetic") not in screen.texts(at) and EN("app.mixed") in screen.texts(at)


def test_a_mixed_store_makes_no_report(mixed, screen):
    from dashboard.reports import pipeline

    at = screen.drawn("reports", Account("x", "X", "accreditation"))
    assert EN("own.mixed_report") in screen.texts(at) and not at.get("download_button")
    with pytest.raises(ValueError, match="got both"):
        pipeline.origin(mixed, None)


def test_files_of_mixed_data_say_so():
    provenance = exports.TableProvenance(
        words=EN, role="advisor", data_version="v1", mixed=True, about_people=False
    )
    frame = pd.DataFrame({"a": [1]})
    assert EN("app.mixed").upper() in exports.to_bytes(frame, "csv", provenance).decode()
    book = openpyxl.load_workbook(io.BytesIO(exports.to_bytes(frame, "xlsx", provenance)))
    assert book["Data"]["A1"].value == EN("app.mixed").upper()
    name = exports.file_name("a", "csv", synthetic=provenance.synthetic, on=date(2026, 1, 2))
    assert "synthetic" not in name


def test_a_store_without_an_account_says_how_to_make_one(tmp_path, sqlite_template, served, screen):
    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    store = open_store(folder=tmp_path)
    served(store)
    at = screen.drawn("sign_in", Account("x", "X", "auditor"))
    assert at.info[0].value == EN("sign_in.no_accounts")
    write_accounts(store, [Account("ani", "Ani", "administrator", password="rumah gadang 7 lantai")])
    assert not screen.drawn("sign_in", Account("x", "X", "auditor")).info
    greeted = screen.drawn("data", Account("ani", "Ani", "administrator"))
    assert EN("own.hello_title") in screen.texts(greeted) and greeted.get("file_uploader")
    store.close()
