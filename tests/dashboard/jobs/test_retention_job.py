"""Retention as a job, and its section on the page of jobs: seen, confirmed, deleted, with receipts."""

from __future__ import annotations

import shutil
from datetime import date, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.jobs import asking as jobs
from dashboard.jobs import worker_child
from dashboard.jobs.retention import RECEIPTS
from dashboard.jobs.retention_words import month_table, rule_words
from dashboard.shell.session_keys import Key
from dashboard.shell.wording import Words
from data import queries
from data.calendar.clock import today
from data.jobs import live as jobs_live
from data.jobs import table
from data.keeping import retention
from data.keeping.rule import Rule
from data.store import NewSpecimen, open_store, write_records, write_specimens
from data.trust import audit
from data.trust.accounts import Account, write_accounts
from data.trust.scope import Scope
from tests.conftest import small_register_frames

EN = Words("en")
ADMIN = Account("adi", "Adi", "administrator")
CONFINED = Account("ida", "Ida", "administrator", program_codes=("IF",))
OTHERS = [Account("registry", "Registry", "registry"), Account("a", "A", "accreditation"), CONFINED]


@pytest.fixture
def store(tmp_path, sqlite_template, monkeypatch):
    """The small register; two students who have left signed, whose dates have passed."""
    from dashboard.shell import caches, stores

    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    opened = open_store(f"sqlite:///{tmp_path / 'tepat.db'}", folder=tmp_path)
    write_accounts(opened, [ADMIN, CONFINED, *OTHERS[:2]])
    write_records(opened, small_register_frames()[0], source="r.csv", files={}, actor="test")
    given = [
        NewSpecimen(number, number.encode(), date(2019, 9, 1), "enrollment", "png", 300, 100, 300)
        for number in ("S01", "S03", "S07")
    ]
    write_specimens(opened, given, source="scans.zip", actor="test")
    monkeypatch.setattr(stores, "store", lambda: opened)
    caches._read.clear()
    yield opened
    opened.close()


def work(store) -> table.Job:
    job = table.take(store, "a")
    worker_child.do(store, job)
    return table.find(store, job.job_id)


def _page(name, account, language):
    """The script that AppTest runs: one page for one person, as the router would draw it."""
    import streamlit as st

    from dashboard.components.layout import guarded

    st.session_state["language"] = language
    st.session_state["person"] = account
    guarded(name)()


def drawn(account: Account, language: str = "en") -> AppTest:
    kwargs = {"name": "jobs", "account": account, "language": language}
    return AppTest.from_function(_page, default_timeout=60, kwargs=kwargs).run()


def texts(at: AppTest) -> str:
    kinds = (at.title, at.header, at.markdown, at.caption, at.error, at.warning, at.success, at.info)
    return "\n".join(str(part.value) for parts in kinds for part in parts)


# --- the job ----------------------------------------------------------------------------------------------
def test_what_was_confirmed_is_deleted_with_receipts_to_fetch(store):
    jobs.start(store, ADMIN, "retention", on=today(store).isoformat())
    job = work(store)
    assert job.status == "done", job.problem
    assert {name: job.result[name] for name in ("signatures", "questioned", "records")} == {
        "signatures": 2,
        "questioned": 0,
        "records": 0,
    }
    ((name, content),) = jobs_live.kept_files(store, job.result["files"])
    assert name == RECEIPTS and content.count(b"Receipt of erasure") == 2
    assert b"S01" not in content and b"S03" not in content
    assert len(queries.specimen_table(store)) == 1
    assert jobs.may_fetch(ADMIN, job) and not jobs.may_fetch(CONFINED, job)
    entry = audit.entries(store, action="carry out retention").iloc[0]
    assert (entry["actor"], entry["role"]) == ("adi", "administrator")


def test_what_falls_due_after_the_day_that_was_confirmed_stays(store):
    before = date(2023, 5, 3)  # S03's is kept until then
    jobs.start(store, ADMIN, "retention", on=before.isoformat())
    assert work(store).result["signatures"] == 0
    jobs.start(store, ADMIN, "retention", on=(before + timedelta(1)).isoformat())
    assert work(store).result["signatures"] == 1
    jobs.start(store, ADMIN, "retention", on="2999-01-01")  # never what is not due yet
    assert work(store).result["signatures"] == 1
    assert len(queries.specimen_table(store)) == 1


def test_a_nightly_one_asks_for_the_next_and_takes_its_own_day(store):
    jobs.start(store, ADMIN, "retention", hour=2)
    job = work(store)
    assert job.result["signatures"] == 2
    (waiting,) = table.open_jobs(store)
    assert waiting.kind == "retention" and waiting.begins_at is not None and waiting.actor == "adi"
    assert table.take(store, "b") is None


@pytest.mark.parametrize("account", OTHERS[:2])
def test_nobody_else_may_ask_for_it(store, account):
    with pytest.raises(PermissionError):
        jobs.start(store, account, "retention", on=today(store).isoformat())


def test_who_is_confined_to_programmes_deletes_nothing(store):
    with pytest.raises(PermissionError, match="every programme"):
        jobs.start(store, CONFINED, "retention", on=today(store).isoformat())


def test_an_administrator_who_is_one_no_longer_deletes_nothing(store):
    jobs.start(store, ADMIN, "retention", on=today(store).isoformat())
    write_accounts(store, [Account("adi", "Adi", "auditor")])
    assert work(store).problem == "not_allowed"
    assert len(queries.specimen_table(store)) == 3


# --- the section ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", ["en", "id"])
def test_an_administrator_sees_the_rule_and_what_is_due(store, language):
    at, words = drawn(ADMIN, language), Words(language)
    assert not at.exception
    said = texts(at)
    assert rule_words(Rule(), words) in said and words("retention.proposed") in said
    assert words("retention.how.keep") in said
    shown = at.dataframe[0].value
    assert list(shown.columns)[1] == words("retention.column_signatures")
    assert shown.iloc[0][words("retention.month")] == "2029-09"
    assert "S01" not in said and "Student" not in said


@pytest.mark.parametrize("account", OTHERS)
def test_others_do_not_see_the_section(store, account):
    at = drawn(account)
    assert EN("retention.title") not in texts(at)
    assert not [button for button in at.button if str(button.key).startswith("retention")]


def test_nothing_is_deleted_before_somebody_has_said_yes(store):
    at = drawn(ADMIN)
    assert at.button(key="retention-start").disabled
    assert at.button(key="retention-nightly-start").disabled
    assert table.open_jobs(store) == []
    at.checkbox(key="retention-sure").check().run()
    at.button(key="retention-start").click().run()
    assert not at.exception
    (job,) = table.open_jobs(store)
    assert (job.kind, job.arguments) == ("retention", {"on": today(store).isoformat()})


def test_the_nightly_one_is_asked_for_once_and_said(store):
    at = drawn(ADMIN)
    at.number_input(key="retention-hour").set_value(3).run()
    at.checkbox(key="retention-nightly-sure").check().run()
    at.button(key="retention-nightly-start").click().run()
    assert work(store).status == "done"
    at = drawn(ADMIN)
    assert EN("retention.nightly_on") in texts(at)
    assert not [button for button in at.button if button.key == "retention-nightly-start"]


def test_the_rule_is_decided_on_the_page(store):
    at = drawn(ADMIN)
    by_label = {one.label: one for one in at.number_input}
    by_label[EN("retention.after_exit")].set_value(0)
    by_label[EN("retention.records_after")].set_value(4)
    next(one for one in at.selectbox if one.label == EN("retention.records")).set_value("pseudonymise")
    next(one for one in at.button if one.label == EN("retention.decide_sure")).click().run()
    assert not at.exception
    assert retention.rule_of(store) == Rule(0, 10, "pseudonymise", 4, decided=True)
    assert EN("retention.decided") in texts(at)
    assert audit.entries(store, action="set retention").iloc[0]["actor"] == "adi"


def test_far_months_are_counted_and_not_listed():
    months = [(date(2026 + place // 12, place % 12 + 1, 1), {"signatures": place}) for place in range(40)]
    shown, more = month_table(months, date(2026, 3, 15), EN)
    assert shown.iloc[0][EN("retention.month")] == "2026-03" and len(shown) == 24 and more == 14


# --- erasing one student ----------------------------------------------------------------------------------
REGISTRY, OTHER_PROGRAMME = OTHERS[0], Account("mira", "Mira", "registry", program_codes=("MI",))


def key_of(store, number: str) -> str:
    return queries.find_student(store, Scope.system(), number)


@pytest.mark.parametrize(("everything", "students"), [(False, 12), (True, 11)])
def test_a_student_is_erased_as_a_job_with_a_receipt_to_fetch(store, everything, students):
    key = key_of(store, "S01")
    jobs.start(store, REGISTRY, "erase", student=key, everything=everything)
    job = work(store)
    assert job.status == "done" and job.result["rows"] > 1
    ((name, content),) = jobs_live.kept_files(store, job.result["files"])
    assert name == RECEIPTS and key.encode() in content and b"S01" not in content
    assert len(queries.specimen_table(store)) == 2
    assert len(queries.students(store, Scope.system())) == students
    assert audit.entries(store, action="erase").iloc[0]["actor"] == "registry"
    jobs.start(store, REGISTRY, "erase", student=key, everything=everything)  # as after a kill
    assert work(store).result["rows"] == 0


def test_nobody_erases_whom_they_do_not_reach(store):
    write_accounts(store, [OTHER_PROGRAMME])
    jobs.start(store, OTHER_PROGRAMME, "erase", student=key_of(store, "S01"), everything=True)
    assert work(store).problem == "student_gone"
    assert len(queries.students(store, Scope.system())) == 12
    for account in (ADMIN, OTHERS[1], Account("ani", "Ani", "advisor")):
        with pytest.raises(PermissionError):
            jobs.start(store, account, "erase", student="0", everything=True)


def test_the_registry_erases_on_the_page_after_a_yes(store):
    key = key_of(store, "S01")
    kwargs = {"name": "consent", "account": REGISTRY, "language": "en"}
    at = AppTest.from_function(_page, default_timeout=60, kwargs=kwargs)
    at.session_state[Key.REGISTRY_STUDENT] = key
    at.run()
    assert not at.exception
    assert at.button(key="erase-now").disabled and table.open_jobs(store) == []
    at.radio(key="erase-extent").set_value("everything").run()
    assert EN("erasure.follows_everything") in texts(at)
    at.checkbox(key=f"erase-sure-{key}").check().run()
    at.button(key="erase-now").click().run()
    (job,) = table.open_jobs(store)
    assert (job.kind, job.arguments) == ("erase", {"student": key, "everything": True})
    assert work(store).status == "done"
    at.run()
    assert not at.exception and EN("job_kind.erase") in texts(at)
    assert EN("consent.counts_title") in texts(at)  # the student is not there any more
