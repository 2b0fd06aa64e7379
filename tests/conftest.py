"""Shared fixtures: a store on SQLite and on PostgreSQL, and a small register worked out by hand."""

from __future__ import annotations

import asyncio
import glob
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from PIL import Image, ImageDraw
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import make_url

from data import schema
from data.calendar.term_calendar import as_of_date, term_after
from data.engine.bulk import fetch, update_frame
from data.engine.cipher import Cipher, read_or_create_key
from data.engine.database import connect, writing
from data.engine.facts import write_fact
from data.engine.kept_head import FILE, Head, Seal
from data.engine.migrate import _configuration, migrate
from data.engine.sealed_numbers import OWNER, SealedCell
from data.store import KEY_FACTS, KeyFacts, RecordFrames, Store, check_of, open_store, write_records
from data.trust.audit import FIRST
from tests import promises

# How fast a machine is must not decide whether a property holds.
settings.register_profile("tepat", deadline=None)
settings.load_profile("tepat")

ENDED: dict[str, set[str]] = {}  # test without its parameters → how its cases ended


def pytest_runtest_logreport(report):
    """Remember how tests end, also those of other processes."""
    if report.when == "call" or report.outcome != "passed":
        test = report.nodeid.split("[")[0].removeprefix("tests/")
        ENDED.setdefault(test, set()).add(report.outcome)


def pytest_sessionfinish(session):
    """A run in which a test of a promise was skipped with all its cases has not passed."""
    left_out = [] if hasattr(session.config, "workerinput") else promises.never_run(ENDED)
    if left_out:
        print("\nskipped, though docs/security.md promises what they test:", *left_out, sep="\n  ")
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def run_apart(coroutine):
    """The result of a coroutine, run in a thread of its own: other tests' browser has a loop in this one."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, coroutine).result()


@pytest.fixture(autouse=True)
def main_module_stays(monkeypatch):
    """AppTest leaves its script behind as ``__main__``, which a spawned process would then run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    """The URL of an empty, migrated database that only this test uses."""
    if request.param == "sqlite":
        path = tmp_path / "tepat.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"t_{uuid.uuid4().hex[:16]}"
    _admin(server, f'CREATE DATABASE "{name}" TEMPLATE tepat_template')
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    _admin(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """The URL of a database in which no migration ran."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'old.db'}"
        return
    server, name = request.getfixturevalue("postgresql_server"), f"t_{uuid.uuid4().hex[:16]}"
    _admin(server, f'CREATE DATABASE "{name}"')
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    _admin(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def locked(engine, folder: Path) -> Seal:
    """Give a database of an earlier revision its key, in ``folder``, as its own software had done."""
    cipher = Cipher(read_or_create_key(folder / "key", may_create=True))
    facts = KeyFacts(check_of(cipher))
    with writing(engine) as connection:
        write_fact(connection, KEY_FACTS[0], facts.check)
    seal = facts.seal(cipher, folder / FILE)
    seal.keep(Head(0, FIRST), anew=True)
    return seal


def step_back(connection, revision: str, seal: Seal) -> None:
    """Bring a database to an earlier revision, with the store's key."""
    from alembic import command

    config = _configuration(connection)
    config.attributes["seal"] = seal
    command.downgrade(config, revision)


def opened(store, table, row: dict) -> dict:
    """A row with what is sealed in its cells opened: another ciphertext each time."""
    sealed = {name for name in row if isinstance(table.c[name].type, SealedCell) and row[name] is not None}
    return row | {
        name: table.c[name].type.opened(store.cipher, [row[OWNER]], [row[name]])[0] for name in sealed
    }


def name_everybody(connection, name: str) -> None:
    """Give every student of a store one name."""
    people = fetch(connection, select(schema.identities.c.student_key))
    update_frame(connection, schema.identities, ["student_key"], people.assign(name=name))


@pytest.fixture
def store(store_url, tmp_path):
    """An empty store, once on SQLite and once on PostgreSQL."""
    opened = open_store(store_url, folder=tmp_path)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """A migrated SQLite file to copy: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "tepat.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_server():
    """The URL of a PostgreSQL server with a migrated ``tepat_template`` database.

    ``TEST_DATABASE_URL`` names a server to use; otherwise a throw-away cluster is started.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        url = make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        yield from _with_template(url)
        return
    binaries = _postgresql_binaries()
    if binaries is None:
        pytest.fail(
            "no PostgreSQL server is installed and TEST_DATABASE_URL is not set: `make system` installs one; "
            '`-k "not postgresql"` leaves these tests out'
        )
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path may have 107 bytes
    try:
        yield from _with_template(_start_cluster(binaries, folder))
    finally:
        _as_postgres([binaries / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop"], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _with_template(server: str):
    _admin(server, "DROP DATABASE IF EXISTS tepat_template WITH (FORCE)")
    _admin(server, "CREATE DATABASE tepat_template")
    _migrated(make_url(server).set(database="tepat_template").render_as_string(hide_password=False))
    yield server


def _migrated(url: str) -> None:
    engine = connect(url)
    migrate(engine)
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()


def _admin(server: str, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _postgresql_binaries() -> Path | None:
    found = shutil.which("pg_ctl")
    installed = sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_ctl"))  # Debian keeps them off the PATH
    newest = installed[-1] if installed else found
    return Path(newest).parent if newest else None


def _start_cluster(binaries: Path, folder: Path) -> str:
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    _as_postgres(
        [binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8"]
    )
    options = (
        f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c full_page_writes=off"
        " -c synchronous_commit=off -c shared_buffers=64MB -c max_connections=60 -c autovacuum=off"
    )
    log = folder / "server.log"
    _as_postgres([binaries / "pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start"])
    return f"postgresql+psycopg://postgres@/postgres?host={folder}"


def _as_postgres(command, check: bool = True) -> None:
    command = [str(part) for part in command]
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        command = ["runuser", "-u", "postgres", "--", *command]
    done = subprocess.run(command, cwd=tempfile.gettempdir(), capture_output=True, text=True, timeout=120)
    if check and done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout}\n{done.stderr}")


# --- the small register ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class SmallRegister:
    """The store with the small register in it, and the frames that were written.

    Parameters
    ----------
    store : Store
        Holds the register after both imports.
    keys : dict
        student_number → student_key.
    first, second : RecordFrames
        What the two imports said.
    """

    store: Store
    keys: dict[str, str]
    first: RecordFrames
    second: RecordFrames


#  number  programme  entry  advisor  entry type   exit: type, term, date, terms      what the student is for
PUPILS = """
S01  IF  20191  ani   new       graduated     20222 2023-07-20  8   # on time, in the last normal term
S02  IF  20191  ani   new       graduated     20232 2024-07-18 10   # late
S03  IF  20191  budi  new       resigned      20202 2021-05-03  3   # drop-out
S04  IF  20191  budi  new       transferred   20201 2021-01-15  3   # transferred out
S05  IF  20191  budi  new       deceased      20212 2022-04-02  5   # died
S06  IF  20191  ani   transfer  graduated     20212 2022-07-21  6   # came from elsewhere with credits
S07  IF  20221  ani   new       -             -     -           -   # enrolled, within the normal time
S08  IF  20221  budi  new       -             -     -           -   # enrolled, on leave in the third term
S09  MI  20201  citra new       graduated     20222 2023-07-20  6   # D3, on time
S10  MI  20201  citra new       -             -     -           -   # D3, enrolled past the normal time
S11  MI  20201  citra new       expelled      20211 2022-01-20  3   # D3, drop-out
S12  MI  20231  citra new       -             -     -           -   # D3, enrolled, nothing known but entry
"""
#  number  entry  status by term   cumulative GPA by term
STUDY = """
S01  20191  AAAAAAAA    3.20 3.30 3.35 3.40 3.42 3.45 3.46 3.50
S02  20191  AAACAAAAAA  2.60 2.50 2.55 -    2.60 2.60 2.65 2.70 2.72 2.75
S03  20191  AAN         1.90 1.60 -
S04  20191  AAA         3.10 3.00 3.05
S05  20191  AAAAA       3.00 3.05 3.10 3.10 3.15
S06  20191  AAAAAA      3.40 3.45 3.50 3.50 3.55 3.60
S07  20221  AAA         3.00 3.05 3.10
S08  20221  AAC         2.40 2.30 -
S09  20201  AAAAAA      3.30 3.30 3.35 3.40 3.40 3.45
S10  20201  AAAAAAA     2.20 2.25 2.30 2.30 2.35 2.40 2.40
S11  20201  AAN         1.50 1.20 -
"""
REVISED = ("S07", 20222, 2.05, date(2023, 12, 1))  # term 2 of S07, first booked as 3.05, corrected later
OBSERVED_UNTIL = date(2024, 8, 31)


def small_register_frames() -> tuple[RecordFrames, RecordFrames]:
    """The two imports of the small register: the register, then one revised grade row."""
    programs = pd.DataFrame(
        [("IF", "Informatics", "S1", 8, 144), ("MI", "Informatics Management", "D3", 6, 108)],
        columns=["program_code", "name", "degree_level", "normal_terms", "required_credits"],
    )
    columns = ["student_number", "program_code", "cohort_term", "advisor", "entry_type"]
    exits = ["exit_type", "exit_term", "exit_date", "terms_to_exit"]
    rows = [line.partition("#")[0].split() for line in PUPILS.strip().splitlines()]
    pupils = pd.DataFrame(rows, columns=columns + exits).replace("-", None)
    students = pupils[columns].assign(
        name="Student " + pupils["student_number"],
        cohort_term=pupils["cohort_term"].astype(int),
        recognized_credits=[40 if kind == "transfer" else None for kind in pupils["entry_type"]],
        sex=["L", "P"] * 6,
    )
    outcomes = pupils[["student_number", *exits]].assign(observed_until=OBSERVED_UNTIL)
    terms = pd.DataFrame([row for line in STUDY.strip().splitlines() for row in _term_rows(*line.split())])
    number, term_id, gpa, known_at = REVISED
    revised = terms[(terms["student_number"] == number) & (terms["term_id"] == term_id)]
    revised = revised.assign(gpa_cum=gpa, known_at=known_at)
    return RecordFrames(programs, students, terms, outcomes), RecordFrames(terms=revised)


def _term_rows(number: str, entry: str, statuses: str, *gpas: str) -> list[dict]:
    rows, credits_cum = [], 0
    for index, (status, gpa) in enumerate(zip(statuses, gpas, strict=True)):
        studies = status == "A"
        credits_cum += 18 if studies else 0
        rows.append(
            {
                "student_number": number,
                "term_id": term_after(int(entry), index),
                "term_index": index + 1,
                "status": status,
                "gpa_term": float(gpa) if studies else None,
                "gpa_cum": float(gpa) if studies else None,
                "credits_attempted": 20 if studies else 0,
                "credits_passed": 18 if studies else 0,
                "credits_cum": credits_cum,
                "courses_failed": 1 if studies else 0,
                "courses_repeated": 0,
                "attendance_rate": 0.9 if studies else None,
                "tuition_arrears_days": 45 if status == "N" else 0,
                "known_at": as_of_date(int(entry), index + 1),
            }
        )
    return rows


@pytest.fixture
def small_register(store) -> SmallRegister:
    """Twelve students worked out by hand, written by two imports; see PUPILS and STUDY above."""
    first, second = small_register_frames()
    keys = {number: f"{position:016x}" for position, number in enumerate(first.students["student_number"], 1)}
    about = {"files": {}, "actor": "test", "synthetic": True}
    write_records(store, first, source="register.csv", student_keys=keys, **about)
    write_records(store, second, source="revision.csv", **about)
    return SmallRegister(store, keys, first, second)


# --- one Chromium for all tests that drive the app ---------------------------------------------------------
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",  # the camera is allowed without a question
)


@pytest.fixture(scope="session")
def film(tmp_path_factory) -> Path:
    """What the camera sees: a stroke of ink on a sheet, one frame of 640 × 480 in YUV4MPEG2."""
    sheet = Image.new("L", (640, 480), 228)
    x = np.linspace(80, 560, 240)
    y = 240 + 60 * np.sin(x / 22) * np.cos(x / 90)
    ImageDraw.Draw(sheet).line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=30, width=5)
    path = tmp_path_factory.mktemp("camera") / "sheet.y4m"
    gray = np.full(640 * 480 // 2, 128, np.uint8).tobytes()
    path.write_bytes(b"YUV4MPEG2 W640 H480 F30:1 Ip A1:1 C420mpeg2\nFRAME\n" + sheet.tobytes() + gray)
    return path


@pytest.fixture(scope="session")
def chrome(film):
    """Debian's Chromium; headless, with a camera that sees the film. Playwright allows one per process."""
    from playwright.sync_api import sync_playwright

    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("no Chromium: `make system` installs it; `-m 'not browser'` leaves these tests out")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=[*FLAGS, f"--use-file-for-fake-video-capture={film}"]
        )
        yield browser
        browser.close()
