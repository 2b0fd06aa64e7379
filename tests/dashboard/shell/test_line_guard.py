"""How many connections and files one visitor may hold."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser
from starlette.requests import Request

from dashboard.shell import open_lines, server
from dashboard.shell.line_guard import FRAME, LineGuard, UploadGuard, UploadLimits
from dashboard.shell.open_lines import HEADER, Limits, OpenLines
from dashboard.shell.sessions import COOKIE
from data.settings import get_settings
from data.trust.accounts import Account
from data.trust.sessions import Session
from tests.conftest import run_apart

AT = datetime(2026, 1, 1)
SESSIONS = {
    name: Session(f"session {name}", Account(name, name, "registry"), "password", AT, AT)
    for name in ("ani", "budi")
}
SMALL = Limits(all=6, unsigned=4, per_address=2, per_account=3)


# --- connections ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("already", "address", "account", "let_in"),
    [
        ([], "a", None, True),
        ([("a", None)], "a", None, True),
        ([("a", None)] * 2, "a", None, False),
        ([("a", None)] * 2, "b", None, True),
        ([("a", None)] * 2, "a", "ani", True),
        ([("a", None)] * 2 + [("b", None)] * 2, "c", None, False),
        ([("a", None)] * 2 + [("b", None)] * 2, "c", "ani", True),
        ([("a", "ani")] * 3, "a", "ani", False),
        ([("a", "ani")] * 3, "a", "budi", True),
        ([("a", "ani")] * 3, "a", None, True),
        ([("a", "ani")] * 3 + [("a", "budi")] * 3, "c", None, False),
    ],
)
def test_lines_are_limited_by_address_by_account_and_in_all(already, address, account, let_in):
    lines = OpenLines()
    for one in already:
        assert lines.open(*one, SMALL)
    assert (lines.open(address, account, SMALL) is not None) == let_in


def test_a_closed_line_makes_room_and_a_signed_in_one_no_longer_counts_against_its_address():
    lines = OpenLines()
    first, second = lines.open("a", None, SMALL), lines.open("a", None, SMALL)
    assert lines.open("a", None, SMALL) is None
    lines.signed_in(first, "tab", "s", "ani")
    third = lines.open("a", None, SMALL)
    assert third and lines.is_signed_in(first)
    lines.close(second)
    assert lines.open("a", None, SMALL)
    lines.signed_out(first, "tab")
    assert not lines.is_signed_in(first)
    assert lines.open("a", None, SMALL) is None


def test_a_tab_belongs_to_its_session_until_somebody_signs_out(monkeypatch):
    lines = OpenLines()
    lines.signed_in("no line", "tab", "s1", "ani")
    assert (lines.session_of("tab"), lines.tabs_of("ani")) == ("s1", ["tab"])
    lines.signed_in(None, "tab", "s2", "budi")
    assert (lines.session_of("tab"), lines.tabs_of("ani"), lines.tabs_of("budi")) == ("s2", [], ["tab"])
    lines.signed_out(None, "tab")
    assert lines.session_of("tab") is None
    lines.signed_in(None, "old", "s3", "ani")
    monkeypatch.setattr(open_lines, "REMEMBERED", -1.0)
    lines.signed_in(None, "new", "s4", "ani")
    assert lines.tabs_of("ani") == ["new"]


def handshake(address: str = "a", cookie: str = "", **more) -> dict:
    headers = [(b"cookie", f"{COOKIE}={cookie}".encode()), (HEADER.encode(), b"chosen by the client")]
    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": headers, "scheme": "ws"}
    return scope | {"client": (address, 1), "query_string": b""} | more


async def spoken(guard, scope, words: list[dict], pause: float = 0.0) -> list[dict]:
    """What a browser hears that says these words and then nothing."""
    heard, left = [], list(words)

    async def receive():
        if left:
            await asyncio.sleep(pause)
            return left.pop(0)
        await asyncio.Event().wait()

    async def send(message):
        heard.append(message)

    await asyncio.wait_for(guard(scope, receive, send), 20)
    return heard


def guarded(app, lines: OpenLines, seconds: float = 0.05) -> LineGuard:
    return LineGuard(app, SESSIONS.get, lines, SMALL, seconds)


async def until_the_end(scope, receive, send):
    """Stands for Streamlit: accepts, listens until the browser is gone."""
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass
    await send({"type": "websocket.send", "text": "too late"})


CONNECT = {"type": "websocket.connect"}


def test_a_silent_line_on_which_nobody_signs_in_is_closed():
    lines = OpenLines()
    heard = run_apart(spoken(guarded(until_the_end, lines), handshake(), [CONNECT]))
    assert [message["type"] for message in heard] == ["websocket.accept", "websocket.close"]
    assert heard[1]["code"] == 1001
    assert len(lines) == 0


def test_words_of_the_browser_keep_a_line_open():
    words = [CONNECT, *[{"type": "websocket.receive", "bytes": b""}] * 6, {"type": "websocket.disconnect"}]
    heard = run_apart(spoken(guarded(until_the_end, OpenLines(), 0.5), handshake(), words, pause=0.1))
    assert "websocket.close" not in [message["type"] for message in heard]


def test_a_line_on_which_somebody_is_signed_in_stays_open():
    async def scene():
        lines = OpenLines()
        work = asyncio.create_task(spoken(guarded(until_the_end, lines), handshake(cookie="ani"), [CONNECT]))
        await asyncio.sleep(0.3)
        assert not work.done()
        (number,) = lines._lines
        lines.signed_out(number, "tab")  # the session ended: from here on the line is a stranger's
        await work
        assert len(lines) == 0

    run_apart(scene())


def test_a_line_too_many_is_refused_before_streamlit_hears_of_it():
    async def scene():
        lines, seen = OpenLines(), []

        async def app(scope, receive, send):
            seen.append(Headers(scope=scope)[HEADER])
            await until_the_end(scope, receive, send)

        guard = guarded(app, lines, 1.0)
        held = [asyncio.create_task(spoken(guard, handshake(), [CONNECT])) for _ in range(2)]
        await asyncio.sleep(0.1)
        refused = await spoken(guard, handshake(), [CONNECT])
        assert [(one["type"], one["code"]) for one in refused] == [("websocket.close", 1013)]
        assert len(seen) == len(set(seen)) == 2 and "chosen by the client" not in seen
        await asyncio.gather(*held)

    run_apart(scene())


# --- files ------------------------------------------------------------------------------------------------
LIMITS = UploadLimits(file_bytes=1000, account_bytes=2500, account_files=3)


class Memory:
    """Stands for Streamlit: keeps what it is sent, by tab."""

    def __init__(self) -> None:
        self.files: dict[str, list[int]] = {}

    def held(self, tabs) -> tuple[int, int]:
        sizes = [size for tab in tabs for size in self.files.get(tab, [])]
        return sum(sizes), len(sizes)

    async def __call__(self, scope, receive, send):
        tab = scope["path"].split("/")[3]
        body = b""
        try:
            async for chunk in Request(scope, receive).stream():
                body += chunk
        finally:  # as Starlette does: an error is answered by 500, and raised
            done = {"type": "http.response.start", "status": 500 if not body else 204, "headers": []}
            await send(done)
            await send({"type": "http.response.body", "body": b""})
        if scope["method"] == "PUT":
            self.files.setdefault(tab, []).append(len(body))


def put(guard, tab: str, size: int, cookie: str = "ani", *, told: bool = True, method: str = "PUT") -> int:
    headers = [(b"cookie", f"{COOKIE}={cookie}".encode())]
    if told:
        headers.append((b"content-length", str(size).encode()))
    scope = {"type": "http", "method": method, "path": f"/_stcore/upload_file/{tab}/f", "scheme": "http"}
    scope |= {"headers": headers, "query_string": b"", "root_path": ""}
    parts, statuses = [b"x" * size], []

    async def receive():
        return {"type": "http.request", "body": parts.pop() if parts else b"", "more_body": bool(parts)}

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    run_apart(guard(scope, receive, send))
    return statuses[0]


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def uploads(memory):
    lines = OpenLines()
    for tab, who in (("t1", "ani"), ("t2", "ani"), ("t3", "budi")):
        lines.signed_in(None, tab, SESSIONS[who].session_id, who)
    return UploadGuard(memory, SESSIONS.get, lines, memory.held, LIMITS)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("tab", ["t3", "nobody's", ""])
def test_files_of_anothers_tab_are_neither_put_nor_taken_away(uploads, memory, tab, method):
    assert put(uploads, tab, 10, method=method) == 403
    assert memory.files == {}


@pytest.mark.parametrize("told", [True, False], ids=["told", "chunked"])
def test_a_file_over_the_limit_is_refused(uploads, memory, told):
    assert put(uploads, "t1", 1000 + FRAME + 1, told=told) == 413
    assert memory.files == {}
    assert put(uploads, "t1", 900, told=told) == 204


def test_all_tabs_of_an_account_count_together_and_nobody_elses(uploads, memory):
    memory.files = {"t1": [1000], "t2": [1500]}
    assert put(uploads, "t2", 10) == 413
    assert put(uploads, "t3", 10, cookie="budi") == 204
    memory.files["t1"] = []  # the page was left
    assert put(uploads, "t2", 10) == 204


def test_the_number_of_files_is_limited(uploads, memory):
    memory.files = {"t1": [1, 1], "t2": [1]}
    assert put(uploads, "t1", 1) == 413
    memory.files["t2"] = []
    assert put(uploads, "t1", 1) == 204


def test_files_that_are_on_their_way_count(uploads):
    uploads._coming_bytes["ani"] = 2500
    assert put(uploads, "t1", 1) == 413
    uploads._coming_bytes.clear()
    assert put(uploads, "t1", 1) == 204
    assert set(uploads._coming_bytes.values()) == set(uploads._coming_files.values()) == {0}


def test_an_uploaded_file_lies_in_no_temporary_file(monkeypatch):
    monkeypatch.setattr(MultiPartParser, "spool_max_size", MultiPartParser.spool_max_size)
    server.keep_uploads_in_memory()
    said, content = get_settings(), b"nim,nama\n" * 2**20
    assert MultiPartParser.spool_max_size > max(said.upload_mb, said.api_mb) * 2**20
    body = (
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="m.csv"\r\n\r\n' + content + b"\r\n--b--"
    )
    headers = [(b"content-type", b"multipart/form-data; boundary=b")]

    async def received():
        return {"type": "http.request", "body": body, "more_body": False}

    async def read() -> bytes:
        form = await Request({"type": "http", "headers": headers, "method": "PUT"}, received).form()
        assert not form["f"].file._rolled  # true once it has been written to the disk
        return await form["f"].read()

    assert run_apart(read()) == content


def test_without_a_session_nothing_is_read(uploads):
    assert put(uploads, "t1", 10, cookie="unknown") == 403
