"""Long work: who may ask, what a job's process does, what the worker does when it must stop one."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from datetime import UTC
from types import ModuleType

import pytest

from dashboard.jobs import asking as jobs
from dashboard.jobs import worker, worker_child
from dashboard.jobs.asking import Cancelled, Refused, Task
from dashboard.jobs.worker_keeper import kept_worker
from dashboard.shell.wording import Words
from data.columns import ROLES
from data.jobs import live as jobs_live
from data.jobs import table
from data.jobs.table import Job
from data.store import open_store
from data.trust import audit
from data.trust.accounts import Account, write_accounts

ADMIN = Account("admin", "Admin", "administrator")
EN, ID = Words("en"), Words("id")


@pytest.fixture
def store(tmp_path, sqlite_template):
    """An empty store on SQLite; what differs on PostgreSQL is tested with the table."""
    import shutil

    shutil.copy(sqlite_template, tmp_path / "tepat.db")
    opened = open_store(f"sqlite:///{tmp_path / 'tepat.db'}", folder=tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def kind(monkeypatch):
    """A function that gives the kind "score" another function for one test."""

    def give(function, **declared) -> None:
        module = ModuleType("kinds_for_a_test")
        module.run = function
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(jobs.KINDS, "score", jobs.Kind("kinds_for_a_test:run", **declared))

    return give


def running(store, **arguments) -> Job:
    jobs.start(store, ADMIN, "score", **arguments)
    return table.take(store, "a")


def test_only_roles_that_may_can_ask_and_each_asking_is_logged(store):
    for role in ROLES:
        asked = Account(role, role, role)
        for kind in jobs.KINDS:
            if kind in jobs.kinds_for(role):
                jobs.start(store, asked, kind)
            else:
                with pytest.raises(PermissionError, match=f"role '{role}' may not run '{kind}'"):
                    jobs.start(store, asked, kind)
    assert len(audit.entries(store)) == sum(len(jobs.kinds_for(role)) for role in ROLES)
    assert jobs.kinds_for("advisor") == ("digest",)  # nothing but one's own mail
    assert jobs.kinds_for("visitor") == ()


def test_what_waits_already_is_not_asked_for_twice_and_what_is_under_way_is(store):
    first = jobs.start(store, ADMIN, "retention", on="2026-11-30")
    assert jobs.start(store, ADMIN, "retention", on="2026-11-30") == first
    others = {
        jobs.start(store, ADMIN, "retention", on="2026-12-01"),
        jobs.start(store, Account("adi", "Adi", "administrator"), "retention", on="2026-11-30"),
    }
    assert len(others | {first}) == len(table.open_jobs(store)) == 3
    assert len(audit.entries(store, action="start job")) == 3
    taken = table.take(store, "a")
    assert taken is not None and taken.job_id == first
    assert jobs.start(store, ADMIN, "retention", on="2026-11-30") not in others | {first}


def test_a_kind_that_nobody_knows_is_refused(store):
    with pytest.raises(ValueError, match="kind must be one of import, .*, got 'mine'"):
        jobs.start(store, ADMIN, "mine")


def test_a_stranger_can_neither_stop_a_job_nor_repeat_it(store):
    job = running(store)
    for act in (jobs.stop, jobs.again):
        with pytest.raises(PermissionError):
            act(store, Account("ani", "Ani", "advisor"), job)


def test_every_kind_is_a_function_that_can_be_imported_and_has_words():
    from importlib import import_module

    for kind, declared in jobs.KINDS.items():
        module, function = declared.run.split(":")
        assert callable(getattr(import_module(module), function))
        assert EN.has(f"job_kind.{kind}") and ID.has(f"job_kind.{kind}"), kind


def test_a_job_that_ends_well_is_done_with_its_result_and_its_files_are_deleted(store, kind):
    kept = jobs_live.keep_files(store, [("a.csv", b"a")])

    def run(task: Task) -> dict:
        for done in range(3):
            task.report(done, 2, "scoring as of 1 terms")
        return {"scores": 7, "files_read": len(jobs_live.kept_files(task.store, task.arguments["files"]))}

    kind(run)
    job = running(store, files=kept)
    worker_child.do(store, job)
    done = table.find(store, job.job_id)
    assert (done.status, done.result) == ("done", {"scores": 7, "files_read": 1})
    assert (done.done, done.total, done.step) == (2, 2, "scoring as of 1 terms")
    assert not jobs_live.files_are_kept(store, kept)
    assert jobs_live.progress_of(store, job.job_id) is None


def test_a_kind_that_declares_it_is_done_again_the_next_night_even_after_it_failed(store, kind):
    write_accounts(store, [ADMIN])

    open_before_it_failed = []

    def run(task: Task) -> dict:
        open_before_it_failed.append(len(table.open_jobs(task.store)))
        raise Refused("no_model")

    kind(run, repeats=True)
    worker_child.do(store, running(store, hour=3, deep=True))
    assert open_before_it_failed == [2]
    (waiting,) = table.open_jobs(store)
    assert (waiting.kind, waiting.actor, waiting.arguments["deep"]) == ("score", "admin", True)
    assert waiting.begins_at.replace(tzinfo=UTC).astimezone().hour == 3
    worker_child.do(store, running(store, hour=3, deep=True))  # asked for again: still one series
    assert [job.job_id for job in table.open_jobs(store)] == [waiting.job_id]


def test_nothing_is_done_again_that_no_kind_declares_no_hour_asks_for_or_nobody_may_ask_for(store, kind):
    write_accounts(store, [ADMIN])
    kind(lambda task: {})
    worker_child.do(store, running(store, hour=3))
    kind(lambda task: {}, repeats=True)
    worker_child.do(store, running(store))
    write_accounts(store, [replace(ADMIN, active=False)])
    worker_child.do(store, running(store, hour=3))
    write_accounts(store, [replace(ADMIN, role="advisor")])
    worker_child.do(store, running(store, hour=3))
    assert table.open_jobs(store) == []


@pytest.mark.parametrize(
    ("raised", "status", "problem"),
    [
        (Refused("no_model"), "failed", "no_model"),
        (Cancelled(), "cancelled", None),
        (MemoryError(), "failed", "memory"),
        (ValueError("row of Siti Aminah"), "failed", "unknown"),
    ],
)
def test_a_job_that_does_not_end_well_says_why_and_no_name_reaches_the_log(
    store, kind, caplog, raised, status, problem
):
    kept = jobs_live.keep_files(store, [("a.csv", b"a")])

    def run(task: Task) -> dict:
        raise raised

    kind(run)
    job = running(store, files=kept)
    worker_child.do(store, job)
    ended = table.find(store, job.job_id)
    assert (ended.status, ended.problem) == (status, problem)
    assert "Siti" not in caplog.text
    assert jobs.can_repeat(store, ended)
    again = table.find(store, jobs.again(store, ADMIN, ended))
    assert (again.retry_of, again.arguments, again.status) == (job.job_id, job.arguments, "waiting")
    jobs_live.drop_files(store, kept)
    assert not jobs.can_repeat(store, ended)
    with pytest.raises(ValueError, match="must have ended and have its files"):
        jobs.again(store, ADMIN, ended)


def test_a_job_stops_at_its_next_step(store, kind):
    seen = []

    def run(task: Task) -> dict:
        for step in range(5):
            seen.append(step)
            if step == 2:
                jobs.stop(task.store, ADMIN, task.job)
            task.report(step, 5, "scoring")
        return {}

    kind(run)
    job = running(store)
    worker_child.do(store, job)
    ended = table.find(store, job.job_id)
    assert seen == [0, 1, 2]
    assert (ended.status, ended.done) == ("cancelled", 2)
    assert audit.entries(store)["action"].tolist() == ["cancel job", "start job"]


@pytest.fixture
def stubborn(monkeypatch):
    """Jobs whose process does nothing but sleep, and a worker with little patience."""
    sleeper = (sys.executable, "-c", "import time; time.sleep(60)")
    monkeypatch.setattr(worker, "command_of", lambda job: sleeper)
    monkeypatch.setattr(worker, "GRACE", 0.2)


def while_working(store, act) -> None:
    """Run the worker in a thread, ``act`` once it has a job, and wait for it to stop."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.work, args=(store, stop))
    thread.start()
    try:
        job = until(lambda: next((one for one in table.open_jobs(store) if one.status == "running"), None))
        act(job)
        until(lambda: table.find(store, job.job_id).status != "running" or stop.is_set())
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()


def until(ask, seconds: float = 30.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.02)
    raise TimeoutError("what was waited for did not happen")


def test_a_job_that_does_not_listen_is_ended_after_the_grace(store, stubborn):
    job_id = jobs.start(store, ADMIN, "score")
    while_working(store, lambda job: jobs.stop(store, ADMIN, job))
    assert table.find(store, job_id).status == "cancelled"


def test_a_worker_that_is_stopped_gives_its_job_to_the_next_one(store, stubborn):
    job_id = jobs.start(store, ADMIN, "score")
    stop = threading.Event()
    thread = threading.Thread(target=worker.work, args=(store, stop))
    thread.start()
    until(lambda: table.find(store, job_id).status == "running")
    assert jobs_live.worker_alive(store)
    stop.set()
    thread.join(30)
    left = table.find(store, job_id)
    assert (left.status, left.worker, left.attempts) == ("waiting", None, 0)


@pytest.mark.parametrize(
    ("code", "problem", "attempts"),
    [
        ("raise SystemExit(3)", "ended", 1),
        ("import os; os.kill(os.getpid(), 9)", "ended", table.ATTEMPTS),
        (f"raise SystemExit({worker_child.DATABASE_LOST})", "ended", table.ATTEMPTS),
    ],
)
def test_a_process_that_ends_without_a_word_fails_its_job_and_a_killed_one_is_tried_again(
    store, monkeypatch, code, problem, attempts
):
    monkeypatch.setattr(worker, "command_of", lambda job: (sys.executable, "-c", code))
    job_id = jobs.start(store, ADMIN, "score")
    worker.work(store, threading.Event(), until_idle=True)
    ended = table.find(store, job_id)
    assert (ended.status, ended.problem, ended.attempts) == ("failed", problem, attempts)


def test_a_worker_beside_the_app_is_renewed_where_a_link_leads_now(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "now").symlink_to("old")
    log, script = tmp_path / "starts", tmp_path / "worker.py"
    script.write_text(
        "import os, sys\n"
        f"open({str(log)!r}, 'a').write(os.path.basename(os.getcwd()) + ' ')\n"
        "sys.stdin.read()\n"
    )
    with kept_worker((sys.executable, str(script)), folder=tmp_path / "now") as renew:
        until(lambda: log.exists() and log.read_text() == "old ")
        (tmp_path / "now").unlink()
        (tmp_path / "now").symlink_to("new")
        renew()
        until(lambda: log.read_text() == "old new ")
    assert log.read_text() == "old new "


def test_a_worker_beside_the_app_is_started_again_and_ended_with_it(tmp_path):
    log, script = tmp_path / "starts", tmp_path / "worker.py"
    script.write_text(  # ends at once the first time, with its standard input the second time
        "import sys\n"
        f"open({str(log)!r}, 'a').write('x')\n"
        f"if open({str(log)!r}).read() == 'xx':\n"
        "    sys.stdin.read()\n"
    )
    with kept_worker((sys.executable, str(script)), pauses=(0.0,)):
        until(lambda: log.exists() and len(log.read_text()) == 2)
        time.sleep(0.1)
    assert log.read_text() == "xx"
