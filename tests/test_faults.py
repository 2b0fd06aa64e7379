"""A full disk, a disk for reading only, a database that goes away, a clock that is set back, two workers on
one job: what happens then, as docs/faults.md tells it."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from benchmarks.fault_stages import JOB_FILES, LOAD, SAMPLES
from benchmarks.store_said import drafts, fingerprint
from dashboard.importing import plan as importing
from dashboard.importing.plan import UploadedFile
from dashboard.jobs import imports as jobs_import
from data import schema
from data.engine import clock
from data.engine.database import is_full, is_lost
from data.engine.health import StoreUnavailable, served_version
from data.feeder import staging
from data.jobs import live
from data.jobs import table as jobs
from data.settings import get_settings
from data.store import open_store
from data.trust import audit, sessions, throttle
from data.trust.accounts import Account, write_accounts
from data.trust.audit_chain import verify_chain
from tests.conftest import _as_postgres, _postgresql_binaries, _start_cluster

ROOT = Path(__file__).resolve().parent.parent
PERSON = Account("registry", "Registry", "registry")
RIGHTS = "-dac_override,-dac_read_search"


def begun(folder: Path, sqlite_template: Path) -> Path:
    """A folder with an empty store and its key."""
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "tepat.db")
    open_store(folder=folder).close()
    return folder


def run(words, folder: Path, *, before=None, wrapped=(), url: str = "") -> subprocess.CompletedProcess:
    """``python -m`` with these words, on the store of a folder."""
    environment = {**os.environ, "TEPAT_FOLDER": str(folder), "DATABASE_URL": url, "OMP_NUM_THREADS": "1"}
    command = [*wrapped, sys.executable, "-m", *words]
    about = {"cwd": ROOT, "env": environment, "capture_output": True, "text": True, "timeout": 240}
    return subprocess.run(command, preexec_fn=before, stdin=subprocess.DEVNULL, **about)


def ask_for_import(store) -> str:
    files = [UploadedFile(name, (SAMPLES / name).read_bytes()) for name in JOB_FILES]
    kinds = [importing.guess_kind(file) for file in files]
    about = {"mapping": None, "captured_on": None, "skip_bad": True}
    return jobs_import.start(store, PERSON, files, kinds, **about)


# --- disks ---
@pytest.mark.slow
def test_an_import_on_a_disk_that_fills_up_writes_nothing_and_is_done_when_there_is_room(
    tmp_path, sqlite_template
):
    folder = begun(tmp_path / "store", sqlite_template)
    before = fingerprint(folder)
    room = 100_000  # bytes of any one file: SQLite writes ahead into a file of its own

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    done = run(LOAD, folder, before=full)
    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ") and "Traceback" not in done.stderr, done.stderr
    assert fingerprint(folder) == before and drafts(folder) == []
    with closing(open_store(folder=folder)) as store:
        assert verify_chain(store).intact
    again = run(LOAD, folder)
    assert again.returncode == 0, again.stderr
    assert fingerprint(folder)["students"][0] == 30


def test_a_job_on_a_full_disk_says_so_and_can_be_started_again(tmp_path, sqlite_template, monkeypatch):
    from dashboard.jobs import asking, worker_child

    folder = begun(tmp_path / "store", sqlite_template)
    store = open_store(folder=folder)
    administrator = Account("adm", "Adm", "administrator")

    def run_out(task) -> dict:
        with task.store.writing() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages(connection)}")
            for number in range(200):
                connection.execute(
                    text("INSERT INTO store_facts (name, value) VALUES (:name, :value)"),
                    {"name": f"f{number}", "value": f'"{"x" * 4000}"'},
                )
        return {}

    def pages(connection) -> int:
        return connection.exec_driver_sql("PRAGMA page_count").scalar() + 2

    sys.modules["full_disk_job"] = type(sys)("full_disk_job")
    sys.modules["full_disk_job"].run = run_out
    monkeypatch.setitem(asking.KINDS, "score", asking.Kind("full_disk_job:run"))
    job_id = asking.start(store, administrator, "score")
    job = jobs.take(store, "w1")
    fresh = open_store(folder=folder)
    worker_child.do(fresh, job)
    fresh.close()
    ended = jobs.find(store, job_id)
    assert (ended.status, ended.problem) == ("failed", "no_room")
    with store.reading() as connection:
        assert (
            connection.scalars(
                select(schema.store_facts.c.name).where(schema.store_facts.c.name.like("f%"))
            ).all()
            == []
        )
    assert asking.can_repeat(store, ended) and verify_chain(store).intact
    del sys.modules["full_disk_job"]
    store.close()


@pytest.mark.parametrize("words", [("data", "status"), LOAD, ("dashboard", "worker", "--until-idle")])
def test_on_a_disk_that_can_only_be_read_a_command_says_so_in_one_line(tmp_path, sqlite_template, words):
    folder = begun(tmp_path / "store", sqlite_template)
    for path in folder.rglob("*"):
        path.chmod(0o500 if path.is_dir() else 0o400)
    folder.chmod(0o500)
    root = os.geteuid() == 0  # root writes whatever the permissions say, unless that is taken away
    wrapped = ("setpriv", f"--bounding-set={RIGHTS}", f"--inh-caps={RIGHTS}") if root else ()
    if root and shutil.which("setpriv") is None:
        pytest.skip("root without setpriv can write everywhere")
    try:
        done = run(words, folder, wrapped=wrapped)
    finally:
        folder.chmod(0o700)
        for path in folder.rglob("*"):
            path.chmod(0o700)
    assert done.returncode == 2, (done.stdout, done.stderr)
    said = done.stderr.strip().splitlines()
    assert said[-1].startswith("error: ") and "readonly" in said[-1] and "Traceback" not in done.stderr, said


def test_which_errors_are_of_a_full_disk_and_which_of_a_lost_database(tmp_path, sqlite_template):
    store = open_store(folder=begun(tmp_path / "store", sqlite_template))

    def fill(connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        for number in range(500):
            connection.execute(
                text("INSERT INTO store_facts (name, value) VALUES (:n, :v)"),
                {"n": f"{number}", "v": '"' + "x" * 4000 + '"'},
            )

    with pytest.raises(OperationalError) as full, store.writing() as connection:
        fill(connection)
    assert is_full(full.value) and not is_lost(full.value)
    assert is_full(OSError(28, "No space left on device")) and is_full(OSError(30, "Read-only file system"))
    assert (
        not is_full(OSError(2, "No such file"))
        and not is_full(ValueError("x"))
        and not is_lost(ValueError("x"))
    )
    store.close()


# --- a database that goes away ---
@pytest.fixture
def cluster():
    """A PostgreSQL server of this test's own: its URL, and how to stop and start it."""
    binaries = _postgresql_binaries()
    if binaries is None:
        pytest.fail("no PostgreSQL server is installed: `make system` installs one")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    control = [binaries / "pg_ctl", "-D", folder / "data"]
    try:
        url = _start_cluster(binaries, folder)
        options = (
            f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c shared_buffers=32MB"
        )
        stop = lambda: _as_postgres([*control, "-m", "immediate", "stop"])  # noqa: E731
        start = lambda: _as_postgres([*control, "-o", options, "-l", folder / "server.log", "-w", "start"])  # noqa: E731
        yield url, stop, start
    finally:
        _as_postgres([*control, "-m", "immediate", "stop"], check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_a_database_that_goes_away_and_comes_back_loses_nothing_postgresql(cluster, tmp_path, monkeypatch):
    url, stop, start = cluster
    store = open_store(url, folder=tmp_path)
    write_accounts(store, [PERSON])
    session_id, _ = sessions.begin(store, PERSON)
    job_id = ask_for_import(store)
    monkeypatch.setenv("TEPAT_FOLDER", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", url)
    get_settings.cache_clear()
    assert served_version() is None
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "dashboard", "worker"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as worker:
        end = time.monotonic() + 120
        while jobs.find(store, job_id).status != "running":
            assert worker.poll() is None and time.monotonic() < end
            time.sleep(0.02)
        stop()
        with pytest.raises(StoreUnavailable):
            served_version()
        _, said = worker.communicate(timeout=120)
    assert worker.returncode == 4, said
    assert said.strip().splitlines()[-1].startswith("error: the database does not answer")
    start()
    assert served_version() is None
    assert sessions.find(store, session_id) is not None  # the same process goes on, nobody signs in again
    again = run(("dashboard", "worker", "--until-idle"), tmp_path, url=url)
    assert again.returncode == 0, again.stderr
    done = jobs.find(store, job_id)
    assert (done.status, done.result["written"] if "written" in done.result else True) == ("done", True)
    with store.reading() as connection:
        assert len(connection.execute(select(schema.students)).all()) == 30
        assert len(connection.execute(select(schema.imports)).all()) == 1
    assert verify_chain(store).broken_at is None
    get_settings.cache_clear()
    store.close()


# --- a clock that is set back ---
@pytest.fixture
def set_back(monkeypatch):
    """A function that sets the store's clock back (or forward, by less than nothing)."""

    def move(by: timedelta) -> None:
        for module in (sessions, throttle, audit, jobs):
            monkeypatch.setattr(module, "now", lambda: clock.now() - by)

    return move


def test_a_session_from_the_future_has_ended(store, set_back):
    write_accounts(store, [PERSON])
    session_id, _ = sessions.begin(store, PERSON)
    set_back(timedelta(minutes=1))  # two machines' clocks differ by as much
    assert sessions.find(store, session_id) is not None
    set_back(timedelta(hours=20))  # else it would last twenty hours longer, however idle
    assert sessions.find(store, session_id) is None
    assert sessions.sessions_of(store, PERSON.account) == []
    again, _ = sessions.begin(store, PERSON)
    assert sessions.find(store, again) is not None


def test_nobody_waits_for_the_clock_to_catch_up(store, set_back):
    for _ in range(8):
        throttle.charge(store, "rina", "203.0.113.7")
    assert not throttle.charge(store, "rina", "203.0.113.7").allowed
    set_back(timedelta(days=1))
    assert throttle.charge(store, "rina", "203.0.113.7").allowed
    for _ in range(8):
        throttle.charge(store, "rina", "203.0.113.7")
    assert not throttle.charge(store, "rina", "203.0.113.7").allowed  # and waits hold by the new clock


def test_the_audit_log_and_the_jobs_go_on_over_a_clock_set_back(store, set_back):
    about = {"actor": "rina", "role": "registry", "action": "view student", "object": "x"}
    audit.append(store, **about)
    first = jobs.enqueue(store, "score", {}, actor="adm", role="administrator")
    set_back(timedelta(days=400))
    audit.append(store, **about)
    second = jobs.enqueue(store, "score", {}, actor="adm", role="administrator")
    taken = [jobs.take(store, "w") for _ in range(3)]
    assert {job.job_id for job in taken if job} == {first, second} and taken[2] is None
    report = verify_chain(store)
    assert report.intact and report.entries == 4


def test_a_sign_of_life_from_the_future_is_none(store):
    live.beat(store)
    assert live.worker_alive(store)
    ahead = time.time() + 3600
    os.utime(store.folder / "jobs" / "worker", (ahead, ahead))
    assert not live.worker_alive(store)
    pull = store.folder / "feeder" / ("0" * 32)
    pull.mkdir(parents=True)
    (pull / "about").write_bytes(b"x")
    later = time.time() + 10 * staging.KEPT_SECONDS
    os.utime(pull / "about", (later, later))
    staging.sweep(store)
    assert not pull.exists()


# --- two workers ---
@pytest.mark.slow
def test_two_workers_started_at_once_do_a_job_once(tmp_path, sqlite_template):
    folder = begun(tmp_path / "store", sqlite_template)
    store = open_store(folder=folder)
    job_id = ask_for_import(store)
    environment = {**os.environ, "TEPAT_FOLDER": str(folder), "DATABASE_URL": "", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "dashboard", "worker", "--until-idle"]
    both = [subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) for _ in range(2)]
    said = [one.communicate(timeout=240)[1].decode() for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    done = jobs.find(store, job_id)
    assert (done.status, done.attempts) == ("done", 1), said
    with store.reading() as connection:
        assert len(connection.execute(select(schema.imports)).all()) == 1
        assert len(connection.execute(select(schema.students)).all()) == 30
    store.close()
