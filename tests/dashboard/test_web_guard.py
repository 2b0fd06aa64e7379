"""Who gets a file, and what every answer tells the browser: the guards around the app, as ASGI."""

from __future__ import annotations

import asyncio
import re

import pytest

from dashboard.shell.handed_files import MOST_PER_TAB, HandedFiles
from dashboard.shell.sessions import COOKIE
from dashboard.shell.web_guard import HEADERS, HSTS, FileGuard, ProtectiveHeaders, media_file
from data.trust.accounts import Account

ANI = Account("ani", "Ani", "advisor")
BUDI = Account("budi", "Budi", "registry")
ADMIN = Account("citra", "Citra", "administrator")
COOKIES = {"a": ANI, "b": BUDI, "c": ADMIN}
FILE = "/media/0123abcd.pdf"


async def app(scope, receive, send):
    """Stands for the app: answers everything."""
    headers = [(b"content-type", b"text/plain"), (b"x-frame-options", b"ALLOWALL")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"the file"})


def asked(guarded, path: str, cookie: str | None = None, **more) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a request."""
    headers = [(b"host", b"x")]
    if cookie is not None:
        headers.append((b"cookie", f"other=1; {COOKIE}={cookie}".encode()))
    headers += [(name.encode(), value.encode()) for name, value in more.pop("headers", {}).items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
    scope |= {"scheme": "http", "server": ("x", 80), "root_path": ""} | more
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(guarded(scope, receive, send))
    told = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], told, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.fixture
def open_tabs():
    return {"tab1", "tab2"}


@pytest.fixture
def handed(open_tabs):
    return HandedFiles(open_tabs.__contains__)


@pytest.fixture
def guard(handed):
    return FileGuard(app, account_of=COOKIES.get, may_have=handed.may_have)


def test_a_file_goes_to_whom_it_was_handed_and_to_nobody_else(handed, guard):
    handed.note(FILE, "tab1", "ani")
    assert asked(guard, FILE, "a")[::2] == (200, b"the file")
    for cookie in (None, "", "b", "c", "unknown"):
        status, _, body = asked(guard, FILE, cookie)
        assert (status, body) == (404, b"Not found"), cookie


def test_a_file_that_nobody_was_given_is_nobodys(guard):
    for cookie in (None, *COOKIES):
        assert asked(guard, FILE, cookie)[0] == 404


def test_a_closed_tab_takes_its_files_along(handed, guard, open_tabs):
    handed.note(FILE, "tab1", "ani")
    open_tabs.remove("tab1")
    assert asked(guard, FILE, "a")[0] == 404
    handed.note(FILE, "tab2", "ani")
    assert asked(guard, FILE, "a")[0] == 200


def test_a_tab_that_somebody_else_signed_in_to_gives_no_file_of_the_one_before(handed, guard):
    handed.note("/media/first.csv", "tab1", "ani")
    handed.note(FILE, "tab1", "budi")
    assert asked(guard, "/media/first.csv", "b")[0] == 404
    assert asked(guard, FILE, "a")[0] == 404 and asked(guard, FILE, "b")[0] == 200


def test_a_promised_file_belongs_to_whom_it_was_promised(handed, guard):
    handed.note("promise", "tab1", "ani")
    handed.note_made(FILE, "promise")
    handed.note_made("/media/x.csv", "never promised")
    assert asked(guard, FILE, "a")[0] == 200 and asked(guard, FILE, "b")[0] == 404
    assert asked(guard, "/media/x.csv", "a")[0] == 404


def test_what_is_remembered_of_a_tab_is_limited_and_closed_tabs_are_forgotten(handed, open_tabs):
    for n in range(MOST_PER_TAB + 1):
        handed.note(f"file{n}", "tab1", "ani")
    assert not handed.may_have("file0", "ani") and handed.may_have("file1", "ani")
    open_tabs.remove("tab1")
    handed.note("other", "tab2", "budi")
    open_tabs.add("tab1")
    assert not handed.may_have("file1", "ani")


@pytest.mark.parametrize(
    "path",
    [
        "/media/a.png",
        "/media/a",
        "/media/",
        "/tepat/media/a.png",
        "/media/a/b.png",
        "/media/x\n",
        "/a/b/media/c",
    ],
)
def test_every_spelling_of_a_media_address_is_guarded(guard, path):
    assert media_file(path) is not None and asked(guard, path, "a")[0] == 404


@pytest.mark.parametrize(
    "path", ["/", "/static/media/Font.woff2", "/_stcore/health", "/student", "/tepat/static/media/x"]
)
def test_pages_and_fonts_are_everybodys(guard, path):
    assert asked(guard, path)[0] == 200


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/tepat/_stcore/metrics", "/_stcore/metrics/"])
def test_the_servers_figures_are_the_administrators(guard, path):
    assert [asked(guard, path, cookie)[0] for cookie in (None, "a", "b", "c")] == [404, 404, 404, 200]


def test_every_answer_carries_the_headers_refusals_too(guard):
    outer = ProtectiveHeaders(guard)
    for path, status in (("/", 200), (FILE, 404), ("/_stcore/metrics", 404)):
        got, headers, _ = asked(outer, path)
        assert got == status
        for name, value in HEADERS.items():
            assert headers[name.lower()] == value
        assert headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in headers


@pytest.mark.parametrize("more", [{"scheme": "https"}, {"headers": {"x-forwarded-proto": "https"}}])
def test_behind_tls_browsers_are_told_to_stay_there(more):
    assert asked(ProtectiveHeaders(app), "/", **more)[1]["strict-transport-security"] == HSTS


def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_frame_the_app():
    whole = HEADERS["Content-Security-Policy"]
    policy = dict(part.split(" ", 1) for part in whole.split("; "))
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
    assert policy["connect-src"] == policy["default-src"] == "'self'"
    assert not re.search(r"\*|https?:|unsafe-eval'|ws:", whole.replace("wasm-unsafe-eval", ""))
