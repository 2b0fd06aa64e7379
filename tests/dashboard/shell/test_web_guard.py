"""Who gets a file, and what every answer tells the browser: the guards around the app, as ASGI."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from starlette.datastructures import Headers

from dashboard.shell.handed_files import MOST_PER_TAB, HandedFiles
from dashboard.shell.sessions import COOKIE, HOST_COOKIE
from dashboard.shell.web_guard import HEADERS, HSTS, FileGuard, ProtectiveHeaders, TabGuard, media_file
from data.trust.accounts import Account
from tests.conftest import run_apart

ANI = Account("ani", "Ani", "advisor")
BUDI = Account("budi", "Budi", "registry")
ADMIN = Account("citra", "Citra", "administrator")
COOKIES = {"a": ANI, "b": BUDI, "c": ADMIN}
FILE = "/media/0123abcd.pdf"
OFFER = "sec-websocket-protocol"


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

    run_apart(guarded(scope, receive, send))
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
    assert policy["default-src"] == "'self'"
    assert (
        policy["connect-src"] == "'self' data:"
    )  # data: reaches no other machine; the camera reads its picture so
    assert policy["script-src"] == "'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:"  # none from elsewhere
    assert not re.search(r"\*|https?:|unsafe-eval'|ws:", whole.replace("wasm-unsafe-eval", ""))


# --- uploads ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/_stcore/upload_file/tab1/f1", "/tepat/_stcore/upload_file/tab1/f1"])
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "OPTIONS"])
def test_files_are_taken_from_whoever_is_signed_in_and_a_refusal_reads_none(guard, path, method):
    for cookie in (None, "", "unknown"):
        status, headers, _ = asked(guard, path, cookie, method=method)
        assert (status, headers["connection"]) == (403, "close")
    assert [asked(guard, path, cookie, method=method)[0] for cookie in "abc"] == [200] * 3


def test_behind_tls_a_plain_cookie_sends_no_file(guard):
    path = "/_stcore/upload_file/tab1/f1"
    assert asked(guard, path, "a", method="PUT", scheme="https")[0] == 403
    named = {"cookie": f"{HOST_COOKIE}=a"}
    assert asked(guard, path, method="PUT", scheme="https", headers=named)[0] == 200


# --- the tab's own connection ----------------------------------------------------------------------------
OWN_TABS = {("a", "tab1"), ("b", "tab2"), ("b", "tab3")}  # cookie and the tab that is its session's


def connected(*headers: tuple[str, str], scheme: str = "ws"):
    """What the app sees of a handshake; None when it was refused."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    offered = [one.strip() for name, value in headers if name == OFFER for one in value.split(",")]
    scope = {"type": "websocket", "path": "/_stcore/stream", "query_string": b"", "headers": raw}
    scope |= {"scheme": scheme, "subprotocols": offered}
    seen, sent = [], []

    async def streamlit(scope, receive, send):
        seen.append(scope)

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    run_apart(TabGuard(streamlit, may_go_on=lambda *of: of in OWN_TABS)(scope, receive, send))
    if seen:
        assert sent == []
        return seen[0]
    assert [message["type"] for message in sent] == ["websocket.close"]  # before it was accepted: HTTP 403
    return None


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8501", "localhost:8501"),
        ("http://tepat.example.edu", "tepat.example.edu"),
        ("http://tepat.example.edu", "tepat.example.edu:80"),
        ("http://tepat.example.edu:80", "tepat.example.edu"),
        ("https://tepat.example.edu", "tepat.example.edu"),
        ("https://tepat.example.edu", "tepat.example.edu:443"),
        ("https://tepat.example.edu:443", "tepat.example.edu"),
        ("HTTPS://Tepat.Example.EDU", "tepat.example.edu"),
        ("https://tepat.example.edu", "TEPAT.example.edu"),
        ("http://[::1]:8501", "[::1]:8501"),
        ("http://[2001:DB8::1]", "[2001:db8::1]:80"),
    ],
)
def test_a_page_of_the_same_host_and_port_is_let_in_and_streamlit_finds_them_alike(origin, host):
    seen = connected(("origin", origin), ("host", host))
    assert Headers(scope=seen).getlist("host") == [urlsplit(origin).netloc]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:9999", "localhost:8501"),
        ("http://localhost", "localhost:8501"),
        ("http://127.0.0.1:8501", "localhost:8501"),
        ("http://evil.example", "tepat.example.edu"),
        ("https://tepat.example.edu.evil.example", "tepat.example.edu"),
        ("https://tepat.example.edu@evil.example", "tepat.example.edu"),
        ("https://evil@tepat.example.edu", "tepat.example.edu"),
        ("https://tepat.example.edu/", "tepat.example.edu"),
        ("https://tepat.example.edu:8443", "tepat.example.edu"),
        ("https://tepat.example.edu", "tepat.example.edu:80"),
        ("http://[::1]:8501", "[::2]:8501"),
        ("http://[::1", "[::1"),
        ("http://x:99999", "x:99999"),
        ("http://x:y", "x:y"),
        ("file://", "localhost:8501"),
        ("ftp://localhost:8501", "localhost:8501"),
        ("null", "null"),
        ("", "localhost:8501"),
        ("http://", ""),
    ],
)
def test_a_page_of_anywhere_else_is_refused(origin, host):
    assert connected(("origin", origin), ("host", host)) is None


def test_a_page_is_compared_with_the_public_host_that_a_proxy_tells():
    inside = ("host", "10.0.0.7:8501")
    public = ("x-forwarded-host", "tepat.example.edu, 10.0.0.6")
    seen = connected(("origin", "https://tepat.example.edu"), inside, public)
    assert Headers(scope=seen)["host"] == "tepat.example.edu"
    assert connected(("origin", "https://other.example.edu"), inside, public) is None
    assert connected(("origin", "https://tepat.example.edu"), inside) is None


def test_behind_tls_a_page_that_came_without_it_is_another_one():
    host = ("host", "tepat.example.edu")
    for more in ({"scheme": "wss"}, {}):
        told = [] if more else [("x-forwarded-proto", "https")]
        assert connected(("origin", "http://tepat.example.edu"), host, *told, **more) is None
        assert connected(("origin", "https://tepat.example.edu"), host, *told, **more) is not None


def test_without_a_host_or_with_two_origins_no_page_is_let_in():
    assert connected(("origin", "http://localhost:8501")) is None
    two = [("origin", "http://localhost:8501"), ("origin", "http://evil.example")]
    assert connected(*two, ("host", "localhost:8501")) is None


def test_a_program_that_tells_no_origin_is_left_as_it_is():
    seen = connected(("host", "x:1"))
    assert seen["headers"] == [(b"host", b"x:1")]
    assert connected() is not None


TAB = (OFFER, "streamlit, token, tab1")


def test_with_the_cookie_of_its_session_the_tab_goes_on():
    for cookie, tab in OWN_TABS:
        seen = connected((OFFER, f"streamlit, token, {tab}"), ("cookie", f"other=1; {COOKIE}={cookie}"))
        assert Headers(scope=seen)[OFFER] == f"streamlit, token, {tab}"
        assert seen["subprotocols"] == ["streamlit", "token", tab]


def test_with_ones_own_cookie_the_number_of_anothers_tab_is_taken_away():
    for cookie in "bc":
        seen = connected(TAB, ("cookie", f"{COOKIE}={cookie}"))
        assert seen["subprotocols"] == ["streamlit", "token"]


@pytest.mark.parametrize("cookie", [None, f"{COOKIE}=", f"{COOKIE}=unknown", f"{HOST_COOKIE}=a", "other=a"])
@pytest.mark.parametrize(
    "offers",
    [
        [TAB],
        [(OFFER, "streamlit,token,tab1,more")],
        [(OFFER, "streamlit, token"), (OFFER, "tab1")],
    ],
    ids=["as the browser", "more than three", "in two lines"],
)
def test_without_it_the_number_of_the_tab_is_taken_away(cookie, offers):
    seen = connected(*offers, *([] if cookie is None else [("cookie", cookie)]))
    assert Headers(scope=seen).getlist(OFFER) == ["streamlit, token"]
    assert seen["subprotocols"] == ["streamlit", "token"]


def test_a_handshake_that_names_no_tab_is_left_as_it_is():
    for offer in ("streamlit", "streamlit, token", "streamlit, "):
        assert Headers(scope=connected((OFFER, offer)))[OFFER] == offer
    assert connected((OFFER, "streamlit, , tab1"))["subprotocols"] == ["streamlit"]


def test_behind_tls_a_plain_cookie_brings_nobody_back_to_a_tab():
    tls = ("x-forwarded-proto", "https")
    assert len(connected(TAB, tls, ("cookie", f"{COOKIE}=a"))["subprotocols"]) == 2
    assert len(connected(TAB, tls, ("cookie", f"{HOST_COOKIE}=a"))["subprotocols"]) == 3
