"""The second university at work: its store, built once by the command line as an office would, and served.

Nothing marks it as synthetic. A command that fails is kept with what it said: the test that is about it
reports it, and the tests of other commands still run.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from dashboard.shell.wording import Words
from data import queries
from data.store import Store, open_store
from data.trust.scope import Scope
from tests.browser.conftest import PATIENCE, settled, steps, unhurried, watched
from tests.registers.second_university import Office, Truth, truth, write

__all__ = ["steps", "unhurried"]  # fixtures of the browser tests, used here as they are
ROOT = Path(__file__).resolve().parents[3]
EVERYBODY = Scope.system()
EN = Words("en")
# account → role, programmes that it is confined to; advisors are named as the register names them
ACCOUNTS = {
    "admin.ti": ("administrator", ()),
    "biro.satu": ("registry", ()),
    "biro.dua": ("registry", ()),
    "dekan": ("leadership", ()),
    "kaprodi": ("leadership", ("54231",)),
    "mutu": ("accreditation", ()),
    "spi": ("auditor", ()),
    "dosen.rahayu": ("advisor", ()),
    "dosen.wibowo": ("advisor", ()),
    "dosen.lestari": ("advisor", ()),
    "dosen.akuntansi": ("advisor", ()),
}


def password_of(account: str) -> str:
    """Different for everybody, and nothing that stands on a list."""
    return f"perahu ke-{sorted(ACCOUNTS).index(account) + 11} menyeberangi teluk"


@dataclass(frozen=True)
class University:
    """The office's files, the right answers, the store's folder, and what every command said.

    ``said`` has a finished process by the name of the step; see :func:`university`.
    """

    folder: Path
    office: Office
    truth: Truth
    said: dict[str, subprocess.CompletedProcess] = field(default_factory=dict)

    def run(self, *command: str, typed: str = "") -> subprocess.CompletedProcess:
        """``python -m …`` on this store, without a terminal: questions are answered from ``typed``."""
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=900,
            start_new_session=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        """That of a server of the office: a folder, and no other database."""
        given = {name: value for name, value in os.environ.items() if not name.startswith("TEPAT_")}
        return given | {"TEPAT_FOLDER": str(self.folder), "DATABASE_URL": "", "PYTHONIOENCODING": "utf-8"}

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store, open."""
        opened = open_store(folder=self.folder)
        try:
            yield opened
        finally:
            opened.close()

    def numbers(self) -> pd.Series:
        """student_key → student number."""
        with self.store() as store:
            keys = queries.records_until(store).students["student_key"].tolist()
            named = queries.identities(store, EVERYBODY, keys)
        return named.set_index("student_key")["student_number"]

    def key_of(self, nim: str) -> str:
        """The opaque key of a student."""
        with self.store() as store:
            return queries.find_student(store, EVERYBODY, nim)

    def done(self, step: str) -> str:
        """What a step printed; fails with its words when it did not end well."""
        process = self.said[step]
        assert process.returncode == 0, f"{step}: {process.stdout[-1500:]}\n{process.stderr[-1500:]}"
        return process.stdout


@pytest.fixture(scope="session")
def university(tmp_path_factory) -> University:
    """From the office's files to scores and enrolments, in the order of docs/importing.md."""
    office = write(tmp_path_factory.mktemp("office"))
    built = University(tmp_path_factory.mktemp("rekaan"), office, truth())

    def step(name: str, *command: str | Path, typed: str = "") -> None:
        built.said[name] = built.run(*map(str, command), typed=typed)

    new = ("--students", office.students, "--terms", office.terms, "--outcomes", office.outcomes)
    old = ("--students", office.old_students, "--terms", office.old_terms, "--outcomes", office.old_outcomes)
    mapping = ("--mapping", office.mapping)
    step("init", "data", "init", "--institution", "Universitas Rekaan Nusantara")
    step("try", "data", "load", *new, *mapping, "--dry-run")
    step("load", "data", "load", *new, "--signatures", office.signatures, *mapping)
    step("load old", "data", "load", *old, *mapping)
    step("load again", "data", "load", *old, *mapping)
    step("consents", "data", "load", "--consents", office.consents)
    for account, (role, programs) in ACCOUNTS.items():
        limits = [part for code in programs for part in ("--program", code)]
        secret = f"{password_of(account)}\n" * 2
        step(f"account {account}", "data", "account", account, "--role", role, *limits, typed=secret)
    step("embed", "vision", "embed")
    step("enrol", "vision", "enrol", "--all")
    step("train", "fusion", "train", "--serve")
    step("score", "fusion", "score")
    step("calibrate", "vision", "calibrate")
    step("verify", "vision", "verify", office.questioned[0].path.parent)
    return built


@pytest.fixture(scope="session")
def site(university) -> Iterator[SimpleNamespace]:
    """The app over that store, as ``make run`` serves it."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "dashboard", "serve", "--port", str(port)]
    with (university.folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env=university.environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_up(f"http://localhost:{port}/health", server)
            yield SimpleNamespace(url=f"http://localhost:{port}", folder=university.folder)
        finally:
            server.terminate()
            server.wait(20)


def _wait_until_up(url: str, server: subprocess.Popen, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert server.poll() is None, "the server has ended"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"{url} did not answer within {seconds} s")


@pytest.fixture
def signed_in(chrome, site, unhurried) -> Iterator[Callable[[str], Page]]:
    """Sign in with account and password, each in a window of their own; no page may report an error."""
    contexts, complaints = [], []

    def enter(account: str) -> Page:
        context = chrome.new_context(
            viewport={"width": 1440, "height": 1000}, locale="en-GB", accept_downloads=True
        )
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        contexts.append(context)
        page = watched(context.new_page())
        page.on("pageerror", lambda error: complaints.append(f"{account}: {error}"))
        page.goto(site.url)
        assert page.locator("[class*=st-key-enter-]").count() == 0, "a seat without a password"
        page.get_by_role("textbox", name=EN("sign_in.account")).fill(account)
        page.get_by_label(EN("sign_in.password")).first.fill(password_of(account))
        page.get_by_role("button", name=EN("sign_in.submit"), exact=True).click()
        page.locator(".st-key-page-header").wait_for()
        return settled(page)

    yield enter
    for context in contexts:
        context.close()
    assert complaints == []
