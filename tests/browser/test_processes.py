"""The app in two processes behind one port, in real browsers: where a tab stays, and what becomes of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from dashboard.shell.processes.heads import COOKIE
from dashboard.shell.sessions import COOKIE as SESSION
from dashboard.shell.wording import Words
from data import schema
from data.store import open_store
from data.trust.accounts import Account, write_accounts

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
EN = Words("en")
SECRET = "seven quiet otters"
PATIENCE = 120


@dataclass
class Door:
    """A parent with its processes.

    Parameters
    ----------
    url : str
        Where it answers.
    parent : subprocess.Popen
    log : Path
    """

    url: str
    parent: subprocess.Popen
    log: Path

    def pids(self) -> dict[int, int]:
        """Number of an app process → its process id, from the system's table."""
        children = Path(f"/proc/{self.parent.pid}/task/{self.parent.pid}/children").read_text().split()
        lines = {pid: Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in children}
        place = "dashboard.shell.processes.one"
        return {
            int(words[words.index(place) + 1]): int(pid) for pid, words in lines.items() if place in words
        }


@contextmanager
def opened(folder: Path, **settings: str) -> Iterator[Door]:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    words = ["serve", "--processes", "2", "--no-worker", "--port", str(port)]
    log = folder / "processes.log"
    with log.open("w") as written:
        parent = subprocess.Popen(
            [sys.executable, "-m", "dashboard", *words],
            cwd=ROOT,
            env=os.environ | {"TEPAT_FOLDER": str(folder), "DATABASE_URL": ""} | settings,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
        try:
            door = Door(f"http://localhost:{port}", parent, log)
            until(lambda: answers(door), "the app does not answer")
            yield door
        finally:
            parent.terminate()
            parent.wait(40)


def answers(door: Door) -> bool:
    assert door.parent.poll() is None, door.log.read_text()
    try:
        with urllib.request.urlopen(f"{door.url}/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def until(true, what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.2)


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("office")
    store = open_store(folder=folder)
    write_accounts(store, [Account("kepala", "Kepala", "administrator", password=SECRET)])
    store.close()
    return folder


@pytest.fixture(scope="module")
def door(office) -> Iterator[Door]:
    with opened(office) as running:
        yield running


@pytest.fixture
def browser(chrome, steps):
    """A function that opens a fresh browser, with cookies or without."""
    kept = []

    def fresh(url: str, cookies: list | None = None) -> Page:
        context = chrome.new_context(locale="en-GB", accept_downloads=True)
        context.set_default_timeout(steps.PATIENCE)
        kept.append(context)
        if cookies:
            context.add_cookies(cookies)
        page = steps.watched(context.new_page())
        page.lines = []
        page.on("websocket", lambda line: page.lines.append(line))
        page.goto(url)
        return page

    yield fresh
    for context in kept:
        context.close()


def signed_in(page: Page, steps) -> Page:
    steps.sign_in(page, "kepala", SECRET)
    cookie_of(page, SESSION)
    return page


def cookie_of(page: Page, name: str) -> dict:
    """A cookie of a window, once it is there."""
    for _ in range(100):
        for one in page.context.cookies():
            if one["name"] == name:
                return one
        page.wait_for_timeout(100)
    raise AssertionError(f"no cookie {name}")


def process_of(page: Page) -> int:
    return int(cookie_of(page, COOKIE)["value"])


def elsewhere(page: Page, door: Door) -> list[dict]:
    """The cookies of another browser with the same session, that is led to the other process."""
    [other] = [number for number in door.pids() if number != process_of(page)]
    return [cookie_of(page, SESSION), {**cookie_of(page, COOKIE), "value": str(other)}]


def is_in(page: Page) -> None:
    expect(page.locator(".st-key-sign-out button")).to_be_visible(timeout=PATIENCE * 1000)


def uploaded(page: Page, door: Door) -> set[int]:
    """Upload a file on the data page: the answers that it got."""
    statuses = []
    page.on("response", lambda one: statuses.append(one.status) if "/upload_file/" in one.url else None)
    page.locator("input[type=file]").first.set_input_files(
        {"name": "students.csv", "mimeType": "text/csv", "buffer": b"student_id\n1\n"}
    )
    expect(page.get_by_text("students.csv").first).to_be_visible()
    for _ in range(100):
        if statuses:
            break
        page.wait_for_timeout(100)
    return set(statuses)


def test_a_tab_its_uploads_and_its_downloads_meet_in_one_process(door, browser, steps):
    page = signed_in(browser(door.url), steps)
    mark = cookie_of(page, COOKIE)
    assert (mark["httpOnly"], mark["sameSite"], mark["path"]) == (True, "Lax", "/")
    other = browser(door.url, elsewhere(page, door))
    is_in(other)
    assert process_of(page) != process_of(other)
    for one in (page, other):
        home = process_of(one)
        one.goto(f"{door.url}/data")
        assert uploaded(one, door) == {204}
        one.goto(f"{door.url}/audit")
        one.locator("[class*=st-key-export-] button").first.click()
        with one.expect_download() as waiting:
            one.locator("[class*=st-key-export-][class*=-csv] button").first.click()
        assert Path(waiting.value.path()).read_bytes().startswith(b"\xef\xbb\xbf")
        assert process_of(one) == home


def test_a_sign_out_in_one_process_is_seen_in_the_other(door, browser, steps):
    page = signed_in(browser(door.url), steps)
    other = browser(door.url, elsewhere(page, door))
    is_in(other)
    page.locator(".st-key-sign-out button").click()
    expect(page.locator("input[type=password]")).to_be_visible()
    expect(other.locator("input[type=password]")).to_be_visible(timeout=PATIENCE * 1000)  # nobody touched it
    other.reload()
    expect(other.locator("input[type=password]")).to_be_visible()


def test_waits_after_wrong_passwords_hold_in_every_process(door, office, browser):
    try:
        for number, secret in (*[(1, "wrong password")] * 5, (2, SECRET)):
            page = browser(door.url, [{"name": COOKIE, "value": str(number), "url": door.url}])
            page.get_by_label(EN("sign_in.account")).fill("kepala")
            page.get_by_label(EN("sign_in.password"), exact=True).fill(secret)
            page.get_by_role("button", name=EN("sign_in.submit")).click()
            assert process_of(page) == number
        expect(page.get_by_text("Another try is possible in")).to_be_visible()
    finally:
        store = open_store(folder=office)
        with store.writing("accounts") as connection:
            connection.execute(schema.sign_in_tries.delete())
        store.close()


def test_a_killed_process_loses_nobody_and_the_others_do_not_notice(office, browser, steps):
    with opened(office) as door:
        page = signed_in(browser(door.url), steps)
        other = browser(door.url, elsewhere(page, door))
        is_in(other)
        dead, alive = process_of(page), process_of(other)
        os.kill(door.pids()[dead], signal.SIGKILL)
        until(lambda: (page.wait_for_timeout(100), process_of(page) != dead)[1], "the tab did not come back")
        is_in(page)
        page.goto(f"{door.url}/data")
        assert uploaded(page, door) == {204}
        until(lambda: len(door.pids()) == 2 and dead not in door.pids(), "no other process has begun")
        assert len(other.lines) == 1 and process_of(other) == alive
        is_in(other)


def test_a_new_release_takes_the_place_of_the_old_one_under_an_open_tab(office, browser, steps):
    with opened(office) as door:
        page = browser(door.url, [{"name": COOKIE, "value": "1", "url": door.url}])
        signed_in(page, steps).goto(f"{door.url}/data")
        assert process_of(page) == 1
        door.parent.send_signal(signal.SIGHUP)
        until(lambda: "app process 3 takes the place of 1" in door.log.read_text(), "no new process")
        assert uploaded(page, door) == {204}  # the old one goes on for its tab
        assert len(page.lines) == 2 and set(door.pids()) == {1, 2, 3}
        page.reload()  # and for no other
        is_in(page)
        until(lambda: "app process 4 takes the place of 2" in door.log.read_text(), "no second process")
        if process_of(page) == 2:  # a browser is led to one of those that stay: 2 stayed until now
            page.reload()
            is_in(page)
        until(lambda: "app processes have been replaced" in door.log.read_text(), "not all were replaced")
        until(lambda: (page.wait_for_timeout(100), process_of(page) in (3, 4))[1], "the tab is lost")
        assert set(door.pids()) == {3, 4}
        assert uploaded(page, door) == {204}
        is_in(page)
