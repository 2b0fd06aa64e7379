"""The pull from Feeder as a job: who may ask, what it leaves behind, every night, and stopped."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.jobs import asking as jobs
from dashboard.jobs import worker_child
from dashboard.jobs.nightly import next_night
from dashboard.jobs.words import differences_table, outcome_words, step_words
from dashboard.shell.wording import Words
from data import queries
from data.jobs import live as jobs_live
from data.jobs import table
from data.store import open_store, set_fact
from data.trust import audit
from data.trust.accounts import Account, write_accounts
from data.trust.scope import Scope
from tests.dashboard.jobs.test_jobs_pages import drawn, texts
from tests.data.feeder import registers
from tests.data.feeder.server import PASSWORD, USER, served

ROOT = Path(__file__).resolve().parents[3]
EN, ID = Words("en"), Words("id")
REGISTRY = Account("biro", "Biro", "registry")
ADMIN = Account("admin", "Admin", "administrator")
CONFINED = Account("satu", "Satu", "registry", program_codes=("55201",))
CODES = ("address", "redirect", "certificate", "unreachable", "broken", "sign_in", "answer", "shifting")
CODES += ("empty", "busy", "endless", "not_set", "rows")


@pytest.fixture
def store(tmp_path, sqlite_template, monkeypatch):
    """An empty store with accounts; pages see it too."""
    from dashboard.shell import caches, stores

    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    opened = open_store(f"sqlite:///{tmp_path / 'tepat.db'}", folder=tmp_path)
    write_accounts(opened, [REGISTRY, ADMIN, CONFINED])
    monkeypatch.setattr(stores, "store", lambda: opened)
    caches._read.clear()
    yield opened
    opened.close()


@pytest.fixture
def rows():
    return registers.rows_of(registers.invented(40))


@pytest.fixture
def feeder(rows, monkeypatch):
    """A service, and a worker's environment that names it."""
    with served(rows) as running:
        monkeypatch.setenv("TEPAT_FEEDER_URL", running.url)
        monkeypatch.setenv("TEPAT_FEEDER_USER", USER)
        monkeypatch.setenv("TEPAT_FEEDER_PASSWORD", PASSWORD)
        yield running


def work(store) -> table.Job:
    job = table.take(store, "a")
    worker_child.do(store, job)
    return table.find(store, job.job_id)


def ask(store, person=REGISTRY, **arguments) -> table.Job:
    about = {"cohorts": "", "skip_bad": False, "hour": None}
    return table.find(store, jobs.start(store, person, "feeder", **{**about, **arguments}))


def packed(store, job) -> dict[str, str]:
    ((_, content),) = jobs_live.kept_files(store, job.result["files"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode("utf-8-sig", "replace") for name in archive.namelist()}


def test_the_registry_and_the_administrator_may_ask_but_nobody_confined_to_programmes(store):
    assert "feeder" in jobs.kinds_for("registry") and "feeder" in jobs.kinds_for("administrator")
    for role in ("leadership", "advisor", "accreditation", "auditor"):
        assert "feeder" not in jobs.kinds_for(role)
    with pytest.raises(PermissionError, match="every programme"):
        ask(store, CONFINED)
    offered = {button.key for button in drawn("jobs", CONFINED).button}
    assert "start-embed" in offered and "start-feeder" not in offered


def test_a_pull_writes_and_tells_in_both_languages(store, feeder):
    ask(store)
    done = work(store)
    assert done.status == "done", done.problem
    assert queries.kpi_counts(store, Scope.system())["students"] == 40
    assert done.result["counts"]["students"]["new"] == 40
    assert (done.result["refused"], done.result["vanished"], done.result["not_reported"]) == (0, 0, 0)
    assert EN("feeder.plain") in outcome_words(done, EN)
    assert ID("feeder.plain") in outcome_words(done, ID)
    assert step_words("asking feeder, 1200 rows", EN) == EN("job_step.asking_feeder_n_rows", n=1200)
    assert step_words("comparing with feeder", ID) == ID("job_step.comparing_with_feeder")
    assert audit.entries(store)["action"].tolist() == ["pull feeder", "import files", "start job"]
    entry = audit.entries(store, action="pull feeder").iloc[0]
    assert (entry["actor"], entry["role"]) == ("biro", "registry")
    assert PASSWORD not in str(done) + audit.entries(store).to_json()


def test_a_worker_of_its_own_has_the_password_from_its_environment_and_hands_it_on_to_nothing(
    store, feeder, tmp_path
):
    ask(store, hour=2)
    line = [sys.executable, "-m", "dashboard", "worker", "--until-idle"]
    environment = {**os.environ, "TEPAT_FOLDER": str(tmp_path), "DATABASE_URL": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (job,) = [one for one in table.recent(store, ["feeder"]) if not one.open]
    assert (job.status, job.result["counts"]["students"]["new"]) == ("done", 40)
    assert len(table.open_jobs(store)) == 1  # the next night, for which --until-idle does not wait
    for content in (done.stdout, done.stderr, str(job), *(str(one) for one in table.open_jobs(store))):
        assert PASSWORD not in content and USER not in content
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes()


def test_who_is_missing_is_for_those_who_may_know_it(store, feeder, rows):
    ask(store)
    work(store)
    gone = rows["GetAktivitasKuliahMahasiswa"].pop()
    del rows["GetRekapJumlahMahasiswa"]
    ask(store)
    named = work(store)
    ask(store, ADMIN)
    unnamed = work(store)
    assert gone["nim"] in packed(store, named)["not-in-feeder.csv"]
    said = packed(store, unnamed)
    assert gone["nim"] not in "".join(said.values())
    assert store.cipher.student_key(gone["nim"]) in said["not-in-feeder.csv"]
    assert jobs.may_fetch(REGISTRY, named) and jobs.may_fetch(REGISTRY, unnamed)
    assert jobs.may_fetch(ADMIN, unnamed) and not jobs.may_fetch(ADMIN, named)
    assert not jobs.may_fetch(CONFINED, unnamed)
    shown = differences_table(named, EN)
    assert len(shown) == 1
    assert shown.iloc[0][EN("feeder.column_difference")] == 1
    assert EN("feeder.vanished", n=1) in outcome_words(named, EN)


def test_rows_that_break_a_rule_stop_it_and_can_be_fetched(store, feeder, rows):
    rows["GetAktivitasKuliahMahasiswa"][0]["ips"] = 9
    ask(store)
    stopped = work(store)
    assert (stopped.status, stopped.problem) == ("failed", "feeder_rows")
    assert queries.kpi_counts(store, Scope.system())["students"] == 0
    assert EN("feeder.refused", n=1) in outcome_words(stopped, EN)
    assert "refused-rows.xlsx" in packed(store, stopped)
    assert jobs.may_fetch(REGISTRY, stopped) and not jobs.may_fetch(ADMIN, stopped)
    ask(store, skip_bad=True)
    assert work(store).status == "done"


@pytest.mark.parametrize("missing", ["TEPAT_FEEDER_URL", "TEPAT_FEEDER_USER", "TEPAT_FEEDER_PASSWORD"])
def test_a_worker_that_knows_no_feeder_says_so(store, feeder, monkeypatch, missing):
    monkeypatch.delenv(missing)
    ask(store)
    assert work(store).problem == "feeder_not_set"
    assert feeder.asked == []


def test_an_address_in_the_arguments_is_never_asked(store, feeder):
    """Whoever may ask for a pull must not be able to have the password sent elsewhere."""
    with served({}) as other:
        ask(store, url=other.url, user="somebody")
        assert work(store).status == "done"
        assert other.asked == []


def test_a_demo_is_left_alone(store, feeder):
    set_fact(store, "synthetic", True)
    ask(store, hour=2)
    assert work(store).problem == "demo_store"
    assert feeder.asked == [] and table.open_jobs(store) == []


@pytest.mark.parametrize("code", CODES)
def test_every_way_to_fail_has_words(code):
    for words in (EN, ID):
        assert words.has(f"job_problem.feeder_{code}")


def test_every_night_the_next_is_asked_for_once_and_waits_for_its_hour(store, feeder, monkeypatch):
    ask(store, hour=2)
    assert work(store).status == "done"
    (waiting,) = table.open_jobs(store)
    assert (waiting.kind, waiting.actor, waiting.arguments["hour"]) == ("feeder", "biro", 2)
    assert waiting.begins_at.replace(tzinfo=UTC).astimezone().hour == 2
    assert timedelta(0) < waiting.begins_at - datetime.now(UTC).replace(tzinfo=None) <= timedelta(hours=25)
    assert table.take(store, "a") is None
    ask(store, hour=2)  # somebody asks again: still one series
    work(store)
    assert [job.job_id for job in table.open_jobs(store)] == [waiting.job_id]
    monkeypatch.setattr(table, "now", lambda: waiting.begins_at)
    monkeypatch.setattr("dashboard.jobs.nightly.now", lambda: waiting.begins_at)
    assert work(store).status == "done"
    (following,) = table.open_jobs(store)
    assert following.job_id != waiting.job_id
    assert timedelta(hours=23) <= following.begins_at - waiting.begins_at <= timedelta(hours=25)
    actions = audit.entries(store)["action"].tolist()
    assert actions.count("start job") == 4 and actions.count("pull feeder") == 3


def test_a_night_without_feeder_does_not_end_the_series(store, feeder, monkeypatch):
    monkeypatch.setattr("data.feeder.protocol.PAUSES", ())
    feeder.always["GetToken"] = "nothing"
    monkeypatch.setattr("dashboard.jobs.feeder.FeederClient", _impatient())
    ask(store, hour=2)
    failed = work(store)
    assert failed.problem == "feeder_broken"
    assert len(table.open_jobs(store)) == 1
    assert jobs.can_repeat(store, failed)


def _impatient():
    from functools import partial

    from data.feeder.protocol import FeederClient

    return partial(FeederClient, pauses=())


def test_stopping_the_one_that_waits_ends_the_series(store, feeder):
    ask(store, hour=2)
    work(store)
    (waiting,) = table.open_jobs(store)
    at = drawn("jobs", REGISTRY)
    assert "waits until" in at.get("progress")[0].proto.text
    at.button(key=f"sure-{waiting.job_id}").click().run()
    assert table.open_jobs(store) == []
    assert "cancel job" in audit.entries(store)["action"].tolist()


def test_an_account_that_was_closed_or_confined_pulls_no_more_and_asks_for_no_other_night(store, feeder):
    for after in (
        Account("biro", "Biro", "registry", program_codes=("55201",)),
        Account("biro", "Biro", "advisor"),
        Account("biro", "Biro", "registry", active=False),
    ):
        write_accounts(store, [REGISTRY])
        ask(store, hour=2)
        write_accounts(store, [after])
        assert work(store).problem == "not_allowed"
        assert table.open_jobs(store) == []
    assert feeder.asked == []


@pytest.mark.parametrize("hour", [0, 1, 13, 23])
def test_the_next_night_is_later_than_now_and_within_a_day(hour):
    for moment in (datetime(2026, 3, 29, 0, 30), datetime(2026, 12, 31, 23, 59), datetime(2026, 9, 1, hour)):
        when = next_night(hour, moment)
        assert timedelta(0) < when - moment <= timedelta(hours=25)
        assert when.replace(tzinfo=UTC).astimezone().hour == hour
    with pytest.raises(ValueError, match="between 0 and 23"):
        next_night(24, datetime(2026, 1, 1))


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_page_asks_for_years_rows_and_nights(store, feeder, language):
    at = drawn("jobs", REGISTRY, language)
    assert not at.exception
    at.text_input(key="feeder-cohorts").set_value("dua puluh").run()
    assert Words(language)("feeder.cohorts_wrong") in texts(at)
    assert at.button(key="start-feeder").disabled
    at.text_input(key="feeder-cohorts").set_value("2018-2019").run()
    at.checkbox(key="feeder-nightly").check().run()
    at.number_input(key="feeder-hour").set_value(3).run()
    at.button(key="start-feeder").click().run()
    (job,) = table.open_jobs(store)
    assert job.arguments == {"cohorts": "2018-2019", "skip_bad": False, "hour": 3}


def _detail(job_id, account):
    """The script that AppTest runs: what a selected row of the history shows."""
    import streamlit as st

    from dashboard.jobs.view.job_list import detail
    from dashboard.shell import stores
    from data.jobs import table

    st.session_state["person"] = account
    detail(table.find(stores.store(), job_id))


def test_a_selected_pull_shows_where_the_registers_differ_and_whose_files_they_are(store, feeder, rows):
    rows["GetRekapJumlahMahasiswa"][0]["aktif"] += 5
    ask(store)
    done = work(store)
    for person, line in ((REGISTRY, None), (ADMIN, EN("feeder.files_with_names"))):
        kwargs = {"job_id": done.job_id, "account": person}
        at = AppTest.from_function(_detail, default_timeout=60, kwargs=kwargs).run()
        assert not at.exception
        shown = at.dataframe[0].value
        assert shown[EN("feeder.column_difference")].tolist() == [-5]
        assert (line in texts(at)) if line else len(at.get("download_button")) == 1
