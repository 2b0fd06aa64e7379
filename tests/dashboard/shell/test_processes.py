"""Several processes behind one port: who is chosen, who is kept, and what a hostile visitor can hold up.

The processes here are real, and so are the sockets; what they serve is a few lines of ASGI. The app itself
behind them: ``tests/browser/test_processes.py``.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse, PlainTextResponse
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dashboard.shell.processes.doorkeeper import Chooser, Doorkeeper
from dashboard.shell.processes.heads import COOKIE, MOST, NOTHING, Head, is_whole, mark_name, read_head
from dashboard.shell.processes.marking import Place, ProcessMark
from dashboard.shell.processes.patience import patient
from tests.conftest import run_apart

ROOT = Path(__file__).resolve().parents[3]
HELLO = bytes.fromhex("160301020001") + bytes(200)  # how TLS begins
PATIENCE = 60
APP = """
import asyncio, json, os, socket, sys
import uvicorn
from dashboard.shell.processes.marking import Place, ProcessMark
from dashboard.shell.processes.taking import TakingServer

number, channel, mode = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
place = Place(number)
release = open("release").read().strip()
if release == "broken":
    sys.exit(2)

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (heard := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": f"{number} {heard['text']}"})
        return
    if scope["path"] == "/busy":
        await asyncio.sleep(1.5)
    told = {"number": number, "pid": os.getpid(), "client": scope["client"], "release": release}
    status = 503 if scope["path"] == "/health" and release == "ill" else 200
    kind = b"text/html; charset=utf-8" if scope["path"] == "/" else b"application/json"
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})

config = uvicorn.Config(ProcessMark(app, place), ws="websockets-sansio", lifespan="off", log_level="error",
                        timeout_graceful_shutdown=5)
TakingServer(config, socket.socket(fileno=channel), place).run()
"""
PARENT = """
import sys
from pathlib import Path
from dashboard.shell.processes.keeping import NotStarted, Plan, bound, serve_many

port, leave = int(sys.argv[1]), float(sys.argv[2])
command = (sys.executable, str(Path("app.py").resolve()), "{number}", "{channel}", "")
plan = Plan(command, Path("now").absolute(), 2, leave, pauses=(0.2, 0.2))
try:
    serve_many(plan, bound(port, "127.0.0.1"), lambda: print("replaced", flush=True))
except NotStarted as problem:
    sys.exit(10 + problem.code)
"""


# --- heads -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (("GET / HTTP/1.1", "Accept: text/html"), Head(begins=True)),
        (("GET /x.js HTTP/1.1", "Accept: */*"), Head(begins=False)),
        (("GET /x.js HTTP/1.1", f"COOKIE: a=b; {COOKIE}=17"), Head(17, begins=False)),
        (("GET /x HTTP/1.1", "Cookie: a=b", f"cookie:{COOKIE}=3;x=y"), Head(3, begins=False)),
        (("GET /x HTTP/1.1", f"Cookie: {COOKIE}=3; __Host-{COOKIE}=4"), Head(4, begins=False)),
        (("GET /x HTTP/1.1", f"Cookie: {COOKIE}=0"), Head(begins=False)),
        (("GET /x HTTP/1.1", f"Cookie: {COOKIE}=-1"), Head(begins=False)),
        (("GET /x HTTP/1.1", f"Cookie: {COOKIE}=１"), Head(begins=False)),
        (("GET /x HTTP/1.1", f"Cookie: {COOKIE}={'9' * 5000}"), Head(begins=False)),
        (("GET /x HTTP/1.1", f"Cookie: x{COOKIE}=3"), Head(begins=False)),
        (("GET /x HTTP/1.1", f"X-Other: {COOKIE}=3"), Head(begins=False)),
        (("GET /x HTTP/1.1", "Cookie: tepat_session=s3cret"), Head(stays="s3cret", begins=False)),
        (("GET /x HTTP/1.1", "Authorization: Bearer t"), Head(stays="Bearer t", begins=False)),
        (("GET /page HTTP/1.1", "Sec-Fetch-Dest: document"), Head(begins=True)),
        (("GET /x HTTP/1.1", "Sec-Fetch-Dest: empty", "Accept: text/html"), Head(begins=False)),
        (("GET /media/f.csv HTTP/1.1", "Sec-Fetch-Dest: document"), Head(begins=False)),
        (("GET /s HTTP/1.1", "Upgrade: websocket"), Head(begins=True)),
        (("GET /s HTTP/1.1", "Upgrade: WebSocket", "Sec-WebSocket-Protocol: a, b"), Head(begins=True)),
        (("GET /s HTTP/1.1", "Upgrade: websocket", "Sec-WebSocket-Protocol: a,b,tab"), Head(begins=False)),
        (("GET /", "Cookie"), Head(begins=False)),
        (("\x16\x03\x01",), NOTHING),
        (("get / http/1.1", f"Cookie: {COOKIE}=3"), NOTHING),
    ],
)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_what_a_head_says(lines, found, end):
    data = (end.join(lines) + end + end).encode("utf-8") + f"Cookie: {COOKIE}=99{end}".encode()
    assert read_head(data) == found


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"G", False),
        (b"GET", False),
        (b"GET ", False),
        (b"GET / HTTP/1.1\r", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\n" + b"x" * MOST, True),
        (HELLO, True),
        (b"\x00", True),
        (b"get", True),
        (b"\r\nGET / HTTP/1.1\r\n", True),
    ],
)
def test_how_long_a_head_is_waited_for(data, whole):
    assert is_whole(data) is whole


# --- the cookie ------------------------------------------------------------------------------------------


def marked(place: Place, answer, cookie: str = "", **headers: str) -> list[tuple[str, str]]:
    """Headers of an answer behind the mark."""
    sent = []
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    raw += [(b"cookie", cookie.encode())] if cookie else []
    scope = {"type": "http", "method": "GET", "path": "/", "headers": raw, "query_string": b""}

    async def send(message: dict) -> None:
        sent.append(message)

    run_apart(ProcessMark(answer, place)(scope, None, send))
    told = sent[0]["headers"]
    return [(n.decode(), v.decode()) for n, v in told if n in (b"set-cookie", b"connection")]


PAGE, FILE = HTMLResponse("<p>"), PlainTextResponse("x")


def test_a_page_names_its_process_once_and_a_file_does_not():
    cookie = f"{COOKIE}=7; Path=/; HttpOnly; SameSite=Lax"
    assert marked(Place(7), PAGE) == [("set-cookie", cookie)]
    assert marked(Place(7), PAGE, f"{COOKIE}=6") == [("set-cookie", cookie)]
    assert marked(Place(7), PAGE, f"{COOKIE}=7") == []
    assert marked(Place(7), FILE) == []
    assert marked(Place(7), HTMLResponse("<p>", status_code=404)) == []


def test_behind_tls_the_cookie_is_of_this_host_alone():
    told = marked(Place(7), PAGE, f"{COOKIE}=7", x_forwarded_proto="https")
    assert told == [("set-cookie", f"{mark_name(True)}=7; Path=/; HttpOnly; SameSite=Lax; Secure")]
    assert mark_name(True).startswith("__Host-")


def test_a_process_that_leaves_takes_its_cookie_away_and_ends_connections():
    gone = f'{COOKIE}=""; Max-Age=0; Path=/; HttpOnly; SameSite=Lax'
    leaving = Place(7, leaving=True)
    assert marked(leaving, PAGE, f"{COOKIE}=7") == [("set-cookie", gone), ("connection", "close")]
    assert marked(leaving, PAGE, f"{COOKIE}=8") == [("connection", "close")]
    assert marked(leaving, FILE, f"{COOKIE}=7") == [("connection", "close")]


def test_processes_among_several_speak_websocket_as_a_single_one_does():
    """The only figures that Streamlit's own runner has and the processes set for themselves."""
    from streamlit.web.server.starlette import starlette_server

    from dashboard.shell.server import _server_config

    ours, usual = _server_config(None), starlette_server._get_uvicorn_config_kwargs()
    assert {name: getattr(ours, name) for name in usual} == usual


# --- who is chosen ---------------------------------------------------------------------------------------


@dataclass
class Given:
    """An app process that keeps what it is given."""

    number: int
    load: int = 0
    leaving: bool = False
    takes: bool = True

    def __post_init__(self):
        self.got: list[socket.socket] = []

    async def hand(self, connection: socket.socket) -> bool:
        if self.takes:
            self.got.append(connection.dup())
        return self.takes


def test_the_cookie_names_the_process_and_without_it_the_emptiest_is_chosen():
    choose, one, two = Chooser().choose, Given(1, load=9), Given(2, load=3)
    assert choose(Head(1), [one, two]) is one
    assert choose(Head(), [one, two]) is two
    assert choose(Head(5), [one, two]) is two
    assert choose(Head(1), []) is None


def test_a_process_that_leaves_keeps_its_tabs_and_gets_no_new_ones():
    choose, old, new = Chooser().choose, Given(1, leaving=True), Given(2, load=50)
    assert choose(Head(1, begins=False), [old, new]) is old
    assert choose(Head(1, begins=True), [old, new]) is new
    assert choose(Head(), [old, new]) is new
    assert choose(Head(stays="s"), [old, new]) is new
    assert choose(Head(), [old]) is old  # rather than nobody


def test_tabs_of_one_browser_whose_process_died_meet_in_one_and_the_others_stay_where_they_were():
    choose, three = Chooser().choose, [Given(2), Given(3), Given(4)]
    browsers = [f"session {number}" for number in range(300)]
    before = {one: choose(Head(1, one), three).number for one in browsers}
    assert before == {one: choose(Head(1, one), three[::-1]).number for one in browsers}
    assert min(list(before.values()).count(number) for number in (2, 3, 4)) > 60
    after = {one: choose(Head(1, one), three[:2]).number for one in browsers}
    assert all(after[one] == number for one, number in before.items() if number != 4)


# --- the door --------------------------------------------------------------------------------------------


def at_the_door(visit, *processes: Given, **limits) -> None:
    """Run ``visit(address)`` in a thread while a door is open."""

    async def whole() -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        door = Doorkeeper(listening, lambda: processes, **limits)
        door.open()
        try:
            await asyncio.to_thread(visit, listening.getsockname())
        finally:
            await door.close()
            for one in processes:
                for connection in one.got:
                    connection.close()

    run_apart(whole())


def until(true, what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def test_a_head_is_handed_over_unread_and_one_in_pieces_when_it_is_whole():
    one = Given(1)

    def visit(address) -> None:
        with socket.create_connection(address) as wire:
            wire.sendall(b"GET / HTTP/1.1\r\nHo")
            time.sleep(0.1)
            assert one.got == []
            wire.sendall(b"st: x\r\n\r\n")
            until(lambda: one.got, "the connection was not handed over")
            one.got[0].setblocking(True)
            assert one.got[0].recv(100) == b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
            assert one.got[0].getpeername() == wire.getsockname()

    at_the_door(visit, one)


def test_who_says_nothing_too_slowly_or_too_much_holds_nobody_up():
    one = Given(1)

    def visit(address) -> None:
        silent = [socket.create_connection(address) for _ in range(20)]
        slow = socket.create_connection(address)
        slow.sendall(b"GET / HTTP/1.1\r\nX: ")
        long, tls = socket.create_connection(address), socket.create_connection(address)
        long.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000)  # never ends
        tls.sendall(HELLO)
        until(lambda: len(one.got) == 2, "a long head and TLS are the process's affair")
        with socket.create_connection(address) as honest:
            honest.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            until(lambda: len(one.got) == 3, "somebody was held up")
        slow.settimeout(PATIENCE)
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")
        for wire in silent:
            wire.settimeout(PATIENCE)
            assert wire.recv(100) == b""  # closed without a word
            wire.close()
        for wire in (slow, long, tls):
            wire.close()

    at_the_door(visit, one, head_seconds=1.0)


def test_of_many_silent_ones_the_oldest_makes_room():
    one = Given(1)

    def visit(address) -> None:
        silent = [socket.create_connection(address) for _ in range(8)]
        silent[0].settimeout(PATIENCE)
        assert silent[0].recv(1) == b""
        silent[-1].sendall(b"GET / HTTP/1.1\r\n\r\n")
        until(lambda: one.got, "the youngest was let go")
        for wire in silent:
            wire.close()

    at_the_door(visit, one, silent=5)


def test_a_process_that_takes_none_leads_to_another_and_without_one_that_is_said():
    dead, alive = Given(1, takes=False), Given(2)

    def visit(address) -> None:
        with socket.create_connection(address) as wire:
            wire.sendall(f"GET / HTTP/1.1\r\nCookie: {COOKIE}=1\r\n\r\n".encode())
            until(lambda: alive.got, "the connection was lost")
            alive.takes = False
        with closing(http.client.HTTPConnection(*address, timeout=PATIENCE)) as wire:
            wire.request("GET", "/")
            assert wire.getresponse().status == 503

    at_the_door(visit, dead, alive)


# --- real processes --------------------------------------------------------------------------------------


class Site:
    """A parent with two processes."""

    def __init__(self, folder: Path, leave: float):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "app.py").write_text(APP, encoding="utf-8")
        (folder / "parent.py").write_text(PARENT, encoding="utf-8")
        self.release("first")
        self.log = (folder / "log").open("w+")
        self.parent = subprocess.Popen(
            [sys.executable, "parent.py", str(self.port), str(leave)],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=self.log,
            stderr=self.log,
        )

    def release(self, name: str) -> None:
        """Put a release in place: a folder of its own, and the link to it."""
        (self.folder / name).mkdir(exist_ok=True)
        (self.folder / name / "release").write_text(name, encoding="utf-8")
        (self.folder / "link").symlink_to(self.folder / name)
        (self.folder / "link").rename(self.folder / "now")

    def ask(self, path: str = "/x", **headers: str) -> dict:
        """What a process says of itself, asked on a connection of its own."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as wire:
            wire.request("GET", path, headers=headers)
            answer = wire.getresponse()
            said = json.loads(answer.read())
            return said | {"status": answer.status, "cookie": answer.getheader("set-cookie")}

    def of(self, number: int, path: str = "/x") -> dict:
        return self.ask(path, Cookie=f"{COOKIE}={number}")

    def socket_of(self, number: int, *protocols: str):
        """A WebSocket to a process."""
        told = {"Cookie": f"{COOKIE}={number}"}
        url = f"ws://127.0.0.1:{self.port}/s"
        return connect(url, additional_headers=told, subprotocols=protocols or None, open_timeout=PATIENCE)

    def said(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def up(self) -> bool:
        assert self.parent.poll() is None, self.said()
        try:
            return self.ask()["status"] == 200
        except OSError:
            return False

    def numbers(self) -> set[int]:
        """The processes that answer to their number."""
        return {number for number in range(1, 12) if self.of(number)["number"] == number}


@contextmanager
def served(folder: Path, leave: float = 60.0):
    site = Site(folder, leave)
    try:
        yield site
    finally:
        site.parent.kill()
        site.parent.wait()
        site.log.close()


@pytest.fixture
def site(tmp_path):
    with served(tmp_path) as running:
        until(running.up, "the parent does not answer")
        yield running


def test_a_browser_stays_where_its_cookie_says_and_is_seen_at_its_own_address(site):
    first = site.ask("/")
    assert first["cookie"].startswith(f"{COOKIE}={first['number']}; ")
    for number in (1, 2):
        assert {site.of(number)["number"] for _ in range(5)} == {number}
        assert site.of(number, "/")["cookie"] is None
    assert first["client"][0] == "127.0.0.1" and first["client"][1] > 0
    assert len({site.of(number)["pid"] for number in (1, 2)}) == 2
    with site.socket_of(2) as wire:
        wire.send("a")
        assert wire.recv(PATIENCE) == "2 a"


def test_new_browsers_are_spread_by_the_connections_that_are_open(site):
    with ExitStack() as tabs:
        for _ in range(12):
            tabs.enter_context(site.socket_of(1))
        assert [site.ask()["number"] for _ in range(6)] == [2] * 6  # closed ones count for a moment


def test_of_four_hundred_who_come_at_once_nobody_is_lost(site):
    asked = b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with ExitStack() as open_:
        wires = [
            open_.enter_context(socket.create_connection(("127.0.0.1", site.port), PATIENCE))
            for _ in range(400)
        ]
        for wire in wires:
            wire.sendall(asked)
        said = [open_.enter_context(wire.makefile("rb")).read() for wire in wires]
    assert {one.partition(b"\r\n")[0] for one in said} == {b"HTTP/1.1 200 OK"}
    numbers = [json.loads(one[one.index(b"{") : one.rindex(b"}") + 1])["number"] for one in said]
    assert set(numbers) == {1, 2}


def test_a_killed_process_takes_nobody_along_and_another_comes(site):
    with site.socket_of(1) as alive, site.socket_of(2) as doomed:
        os.kill(site.of(2)["pid"], signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            while True:
                doomed.send("x")
                doomed.recv(PATIENCE)
        assert site.of(2)["status"] == 200  # led to another
        alive.send("still here")
        assert alive.recv(PATIENCE) == "1 still here"
    until(lambda: site.numbers() == {1, 3}, "no other process has begun")
    assert "app process 2 ended with code -9; another begins in 0.2 s" in site.said()


def test_a_process_that_cannot_be_started_is_tried_again(site):
    (site.folder / "now").rename(site.folder / "away")
    os.kill(site.of(2)["pid"], signal.SIGKILL)
    until(lambda: "no app process could be started" in site.said(), "nobody said that")
    (site.folder / "away").rename(site.folder / "now")
    until(lambda: len(site.numbers()) == 2, "it is not tried again")


def test_processes_are_replaced_one_by_one_without_a_refused_connection(site):
    site.release("second")
    with site.socket_of(1, "a", "b", "tab") as tab:
        site.parent.send_signal(signal.SIGHUP)
        until(lambda: site.of(3)["number"] == 3, "no new process")
        until(lambda: site.ask()["number"] != 1, "the old one still takes new browsers")
        assert site.of(1, "/upload")["number"] == 1  # what its tabs ask for goes on
        assert site.ask("/", Cookie=f"{COOKIE}=1", Accept="text/html")["number"] != 1
        assert {site.ask()["number"] for _ in range(20)} <= {2, 3}  # each request on its own connection
        tab.send("still here")
        assert tab.recv(PATIENCE) == "1 still here"
        assert site.numbers() == {1, 2, 3}  # one by one: 2 waits its turn
    until(lambda: site.ask()["release"] == "second" and "replaced" in site.said().split(), "not replaced")
    assert site.numbers() == {3, 4}
    assert {site.of(number)["release"] for number in (3, 4)} == {"second"}
    assert site.parent.poll() is None


def test_a_process_that_is_replaced_ends_with_open_tabs_after_a_while(tmp_path):
    with served(tmp_path, leave=0.5) as site:
        until(site.up, "the parent does not answer")
        with site.socket_of(1) as tab:
            site.parent.send_signal(signal.SIGHUP)
            with pytest.raises(ConnectionClosed):
                while True:
                    tab.send("x")
                    tab.recv(PATIENCE)
        until(lambda: site.numbers() == {3, 4}, "not replaced")


def test_an_answer_under_way_is_finished_before_its_process_ends(site):
    site.release("second")
    with closing(http.client.HTTPConnection("127.0.0.1", site.port, timeout=PATIENCE)) as wire:
        wire.request("GET", "/busy", headers={"Cookie": f"{COOKIE}=1"})
        site.parent.send_signal(signal.SIGHUP)
        assert json.loads(wire.getresponse().read())["number"] == 1


@pytest.mark.parametrize("release", ["broken", "ill"])
def test_a_release_that_does_not_come_up_leaves_the_old_one_at_work(site, release):
    site.release(release)
    site.parent.send_signal(signal.SIGHUP)
    until(lambda: "are not replaced" in site.said(), "nobody said that")
    until(lambda: site.numbers() == {1, 2}, "the old ones are gone")
    site.release("second")
    site.parent.send_signal(signal.SIGHUP)
    until(lambda: "replaced" in site.said().split(), "the next try failed")


def test_a_first_process_that_refuses_ends_the_parent(tmp_path):
    (tmp_path / "broken").mkdir()
    site = Site.__new__(Site)
    site.release = lambda _name: Site.release(site, "broken")
    Site.__init__(site, tmp_path, 1.0)
    assert site.parent.wait(PATIENCE) == 12, site.said()
    with pytest.raises(OSError):
        site.ask()
    site.log.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_however_the_parent_ends_its_processes_end_too(site, how):
    pids = [site.of(number)["pid"] for number in (1, 2)]
    with site.socket_of(1):
        site.parent.send_signal(how)
        code = site.parent.wait(PATIENCE)
        until(lambda: not any(runs(pid) for pid in pids), "a process is left behind")
    assert code == (0 if how == signal.SIGTERM else -how)
    if how == signal.SIGINT:
        assert "KeyboardInterrupt" in site.said()


def runs(pid: int) -> bool:
    """Whether a process is there, and not only its name."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# --- a head that does not end -----------------------------------------------------------------------------

HALF, WHOLE = b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@contextmanager
def alone(seconds: float):
    """A server of one process whose heads may take so long, and its port."""
    import threading

    import uvicorn

    async def app(scope, receive, send):
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            while (heard := await receive())["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": heard["text"]})
            return
        await asyncio.sleep(4 * seconds if scope["path"] == "/slow" else 0)
        await PlainTextResponse("done")(scope, receive, send)

    config = uvicorn.Config(app, port=0, lifespan="off", log_level="error", ws="websockets-sansio")
    config.load()
    config.http_protocol_class = patient(config.http_protocol_class, seconds)
    server = uvicorn.Server(config)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("before", [b"", WHOLE, WHOLE + WHOLE], ids=["the first", "the second", "the third"])
def test_a_head_that_does_not_end_is_not_waited_for_whichever_of_a_connection_it_is(before):
    with alone(0.5) as address, socket.create_connection(address) as wire:
        wire.settimeout(PATIENCE)
        wire.sendall(before)
        heard = b""
        while heard.count(b"done") < before.count(b"GET"):
            heard += wire.recv(4096)
        wire.sendall(HALF)
        assert wire.recv(100) == b""  # hung up; without the limit nothing would ever come


def test_an_answer_that_takes_long_and_a_websocket_are_waited_for():
    with alone(0.3) as address:
        with socket.create_connection(address) as wire:
            wire.settimeout(PATIENCE)
            wire.sendall(WHOLE.replace(b"/ ", b"/slow "))
            assert wire.recv(4096).startswith(b"HTTP/1.1 200 ")
        with connect(f"ws://127.0.0.1:{address[1]}/") as line:
            time.sleep(1)
            line.send("a")
            assert line.recv(PATIENCE) == "a"
