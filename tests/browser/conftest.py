"""The real app on a free port, over a small invented university that is built once per session."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, WebSocket, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ROOT = Path(__file__).resolve().parents[2]
STUDENTS, SEED, LOOKED_AT = 160, 1, 60
PATIENCE = 60_000  # milliseconds; a busy machine draws late
AT_REST = """() => !!document.querySelector('[data-test-script-state=notRunning]')
    && !document.querySelector('[data-testid=stStatusWidget], [data-stale=true], [data-testid=stSkeleton]')
    && !document.getAnimations().some((one) => one instanceof CSSTransition && one.playState === 'running')"""
EXPECTED_404 = ("/_stcore/health", "/_stcore/host-config")  # Streamlit looks for its root below a page's path


@dataclass(frozen=True)
class DemoSite:
    """A running app.

    Parameters
    ----------
    url : str
        Where it answers.
    folder : Path
        Its store.
    advisor, student : str
        An advisor's display name, and the key of a student of theirs whose signature has a heat map.
    """

    url: str
    folder: Path
    advisor: str
    student: str


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory) -> Path:
    """A folder with a demo store: records, drawn signatures, embeddings, a served model, scores."""
    folder = tmp_path_factory.mktemp("site")
    env = _environment(folder)
    for command in (
        ("data", "demo", "--students", str(STUDENTS), "--seed", str(SEED)),
        ("vision", "embed"),
        ("fusion", "train", "--serve"),
        ("fusion", "score"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"
    return folder


@pytest.fixture(scope="session")
def site(demo_folder) -> DemoSite:
    """The app served over the demo store."""
    advisor, student = _explained_student(demo_folder)
    with serving(demo_folder) as url:
        yield DemoSite(url, demo_folder, advisor, student)


@contextmanager
def serving(folder: Path, *command: str, scheme: str = "http", **settings: str) -> Iterator[str]:
    """The app over the store in a folder: where it answers.

    Parameters
    ----------
    command : str
        What serves it, with "{port}" for the port; by default ``python -m dashboard serve``.
    scheme : str
        "https" when the settings name a certificate.
    **settings
        Of the environment.
    """
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    words = command or ("dashboard", "serve", "--port", "{port}")
    with (folder / "server.log").open("a") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", *(word.format(port=port) for word in words)],
            cwd=ROOT,
            env=_environment(folder) | settings,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"{scheme}://localhost:{port}"
            _wait_until_up(f"{url}/{'_stcore/' if command else ''}health", server)
            yield url
        finally:
            server.terminate()
            server.wait(20)


@dataclass(frozen=True)
class OwnSite:
    """An institution's own store, empty at first, with an administrator "kepala" and others.

    Parameters
    ----------
    url : str
        Where the app answers.
    folder : Path
        Its store.
    password : str
        Of every account: ``kepala`` (administrator), ``petugas`` (registry), ``dosen.wali`` (advisor).
    """

    url: str
    folder: Path
    password: str


@pytest.fixture(scope="module")
def own_site(tmp_path_factory) -> OwnSite:
    """The app over a store begun with ``python -m data init``, as the first administrator begins it."""
    from data.store import open_store
    from data.trust.accounts import Account, write_accounts

    folder, password = tmp_path_factory.mktemp("own"), "rumah gadang 7 lantai"
    done = subprocess.run(
        [sys.executable, "-m", "data", "init", "--ask"],
        cwd=ROOT,
        env=_environment(folder),
        input=f"Universitas Uji\nkepala\n{password}\n{password}\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    store = open_store(folder=folder)
    others = [Account("petugas", "Petugas", "registry"), Account("dosen.wali", "Dosen Wali", "advisor")]
    write_accounts(store, [replace(one, password=password) for one in others])
    store.close()
    with serving(folder) as url:
        yield OwnSite(url, folder, password)


def _environment(folder: Path) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return env | {"TEPAT_FOLDER": str(folder), "DATABASE_URL": ""}


def _wait_until_up(url: str, server: subprocess.Popen, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert server.poll() is None, "the server has ended"
        try:
            unverified = ssl._create_unverified_context()  # a test signs its own certificate
            with urllib.request.urlopen(url, timeout=5, context=unverified) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"{url} did not answer within {seconds} s")


def _explained_student(folder: Path) -> tuple[str, str]:
    """The first student in order of risk whose newest specimen has a heat map that may be shown."""
    from dashboard.students import overlay
    from data import queries
    from data.store import open_store
    from data.trust.accounts import list_accounts
    from data.trust.scope import Scope
    from fusion.pipeline import load_model
    from vision.encoder.backbones import load_encoder

    store, everybody = open_store(folder=folder), Scope.system()
    model, encoder = load_model(store), load_encoder(os.environ.get("TEPAT_ENCODER") or None)
    names = {account.account: account.display_name for account in list_accounts(store)}
    listed = queries.caseload(store, everybody, "late", LOOKED_AT)
    for row in listed[listed["modality"] == "fused"].itertuples():
        stored = queries.explanation(store, everybody, row.score_id)
        newest = queries.student_specimens(store, everybody, row.student_key).iloc[-1]["specimen_id"]
        image = queries.specimen_image(store, newest, Scope.system())
        if overlay.explain_specimen(encoder, model, stored, image).pictures:
            store.close()
            return names[row.advisor], row.student_key
    raise AssertionError(f"none of {LOOKED_AT} students has a heat map of sufficient fidelity")


@pytest.fixture
def visitor(chrome, site):
    """A fresh browser window at the sign-in of the demo; fails when the console has reported an error."""
    with window(chrome, site.url) as page:
        yield page


@pytest.fixture
def own_visitor(chrome, own_site):
    """The same at the sign-in of an institution's own store."""
    with window(chrome, own_site.url) as page:
        yield page


@contextmanager
def window(chrome, url: str) -> Iterator[Page]:
    """A fresh browser window at an address; afterwards an error on the console is a failure."""
    context = chrome.new_context(
        viewport={"width": 1440, "height": 1000}, locale="en-GB", accept_downloads=True
    )
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page, complaints = watched(context.new_page()), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "response",
        lambda answer: (
            complaints.append(f"{answer.status} {answer.url}")
            if answer.status >= 400 and not answer.url.endswith(EXPECTED_404)
            else None
        ),
    )
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type == "error" and "Failed to load resource" not in message.text
            else None
        ),
    )
    page.goto(url)
    yield page
    context.close()
    assert complaints == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that failed tells what its window showed."""
    report = yield
    page = next((item.funcargs[name] for name in ("visitor", "own_visitor") if name in item.funcargs), None)
    if call.when == "call" and report.failed and page is not None:
        try:
            shown = page.locator("body").inner_text(timeout=5000)[:3000]
        except PlaywrightError as error:
            shown = f"nothing that can be read: {error}"
        report.sections.append((f"the window at {page.url}", shown))
    return report


@dataclass
class Traffic:
    """What a browser and the app have said to each other: has every request for a run been answered?

    The screen alone does not tell: between an act and the first word of the run that it asks for, the page
    looks at rest, longer so on a busy machine.
    """

    unanswered: bool = True

    def listen(self, wire: WebSocket) -> None:
        """Follow a connection from its beginning."""
        self.unanswered = True
        wire.on("framesent", self._sent)
        wire.on("framereceived", self._received)

    def _sent(self, data: bytes) -> None:
        if BackMsg.FromString(data).WhichOneof("type") == "rerun_script":
            self.unanswered = True

    def _received(self, data: bytes) -> None:
        answer = ForwardMsg.FromString(data)
        if answer.WhichOneof("type") == "script_finished":
            self.unanswered = answer.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN


def watched(page: Page) -> Page:
    """A page whose ``traffic`` tells whether the app has finished."""
    page.traffic = Traffic()
    page.on("websocket", page.traffic.listen)
    return page


@pytest.fixture(autouse=True)
def unhurried(monkeypatch):
    """Every click, text and address waits for the page to be at rest."""
    for act in ("click", "fill"):
        monkeypatch.setattr(Locator, act, at_rest(getattr(Locator, act)))
    for act in ("goto", "reload"):
        monkeypatch.setattr(Page, act, arrived(getattr(Page, act)))


def at_rest(act: Callable) -> Callable:
    """An act on an element that begins and ends with a page at rest."""

    def acted(locator: Locator, *args, **kwargs) -> None:
        settled(locator.page)
        act(locator, *args, **kwargs)
        settled(locator.page)

    return acted


def arrived(act: Callable) -> Callable:
    """A way to an address that ends with its page at rest."""

    def acted(page: Page, *args, **kwargs) -> None:
        page.traffic.unanswered = True
        act(page, *args, **kwargs)
        settled(page)

    return acted


def settled(page: Page) -> Page:
    """Wait until the page's script has run to its end, every part has arrived (the style sheet is one),
    nothing faded is left of an earlier run, and no colour is on its way to another; twice in a row."""
    end, calm = time.monotonic() + PATIENCE / 1000, 0
    while calm < 2:
        page.wait_for_timeout(100)  # an act's message leaves, and the last elements are drawn
        calm = calm + 1 if not page.traffic.unanswered and page.evaluate(AT_REST) else 0
        assert time.monotonic() < end, f"{page.url} was not at rest within {PATIENCE} ms"
    return page


def enter(page: Page, role: str) -> Page:
    """Take a demo seat."""
    page.locator(f".st-key-enter-{role} button").click()
    page.locator(".st-key-page-header").wait_for()
    return page


def sign_in(page: Page, account: str, password: str) -> Page:
    """Account and password."""
    page.locator("input[autocomplete=username]").fill(account)
    page.locator("input[type=password]").fill(password)
    page.locator("[data-testid=stFormSubmitButton] button").click()
    page.locator(".st-key-page-header").wait_for()
    return settled(page)


def open_page(page: Page, name: str) -> Page:
    """Follow the menu; the page is there when its heading has taken the place of the one before."""
    heading = page.locator(".st-key-page-header h1")
    before = heading.inner_text()
    page.locator(f"[data-testid=stSidebarNavLink][href*='{name}']").click()
    page.wait_for_url(f"**/{name}*")
    expect(heading).not_to_have_text(before, timeout=PATIENCE)
    return settled(page)


def choose(page: Page, key: str, option: str) -> Page:
    """Choose in a select box by its key."""
    page.locator(f".st-key-{key} input").click()
    page.get_by_role("option", name=option, exact=True).click()
    return page


@pytest.fixture(scope="session")
def steps() -> SimpleNamespace:
    """What a visitor does, for the tests (they have no package to import it from)."""
    return SimpleNamespace(
        PATIENCE=PATIENCE,
        serving=serving,
        watched=watched,
        settled=settled,
        enter=enter,
        sign_in=sign_in,
        open_page=open_page,
        choose=choose,
    )
