"""What somebody who is not signed in gets from the served app by speaking to Streamlit's own routes."""

from __future__ import annotations

import http.client
import re
import time
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from dashboard.shell.sessions import COOKIE
from dashboard.shell.wording import Words
from data.store import open_store
from data.trust import audit, sessions
from data.trust.accounts import find_account
from data.trust.audit_chain import verify_chain
from tests.browser.cookies import cookie_of

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EN = Words("en")
BOUNDARY = "part"
BODY = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\n'.encode()
    + b"x" * 1000
    + f"\r\n--{BOUNDARY}--\r\n".encode()
)


def stream(url: str, *offers: str, cookie: str | None = None, origin: str | None = None) -> ClientConnection:
    """A connection as a page of the app makes one, or another program."""
    place = f"ws://{urlsplit(url).netloc}/_stcore/stream"
    headers = {} if cookie is None else {"Cookie": f"{COOKIE}={cookie}"}
    return connect(
        place, subprotocols=["streamlit", *offers], additional_headers=headers, origin=origin, max_size=None
    )


def drawn(wire: ClientConnection, seconds: float = 60) -> tuple[str, bytes]:
    """The number of the tab, and everything that a run sends."""
    wire.send(BackMsg(rerun_script={"query_string": ""}).SerializeToString())
    tab, said, end = "", b"", time.monotonic() + seconds
    while time.monotonic() < end:
        data = wire.recv(timeout=seconds)
        said += data
        answer = ForwardMsg.FromString(data)
        if answer.WhichOneof("type") == "new_session":
            tab = answer.new_session.initialize.session_id
        if answer.WhichOneof("type") == "script_finished" and answer.script_finished == (
            ForwardMsg.FINISHED_SUCCESSFULLY
        ):
            return tab, said
    raise TimeoutError("the run did not end")


def asked(url: str, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
    """Status of a request, and the token against forged requests that comes with it."""
    wire = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    wire.request(
        method, path, body=body, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    answer = wire.getresponse()
    token = SimpleCookie(answer.getheader("set-cookie") or "").get("_streamlit_xsrf")
    wire.close()
    return answer.status, token.value if token else ""


def sent(url: str, method: str, tab: str, cookie: str = "", file: str = "f1") -> int:
    """What a file for a tab is answered."""
    token = asked(url, "GET", "/_stcore/health")[1]
    headers = {"X-Xsrftoken": token, "Cookie": f"_streamlit_xsrf={token}; {COOKIE}={cookie}"}
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return asked(url, method, f"/_stcore/upload_file/{tab}/{file}", BODY, Content_Type=kind, **headers)[0]


def cookie_in(site, account: str) -> str:
    """The cookie of a browser that has signed in."""
    store = open_store(folder=site.folder)
    ticket = sessions.begin(store, find_account(store, account))[1]
    cookie = sessions.redeem(store, ticket)
    store.close()
    return cookie


def test_a_file_is_taken_from_the_uploader_of_a_page_and_from_nobody_who_is_not_signed_in(
    own_site, own_visitor, steps
):
    page, uploads = own_visitor, []
    page.on("response", lambda one: uploads.append(one) if "/upload_file/" in one.url else None)
    steps.sign_in(page, "kepala", own_site.password)
    cookie = cookie_of(page)
    page.goto(f"{own_site.url}/data")
    page.locator("input[type=file]").first.set_input_files(
        {"name": "students.csv", "mimeType": "text/csv", "buffer": b"student_id\n1\n"}
    )
    expect(page.get_by_text("students.csv").first).to_be_visible()
    steps.settled(page)
    [status] = {one.status for one in uploads}
    assert status == 204
    tab = re.search(r"/upload_file/([^/]+)/", uploads[0].url)[1]
    with stream(own_site.url) as wire:
        strangers = drawn(wire)[0]
        for method in ("PUT", "POST", "DELETE"):
            for number in (tab, strangers):
                assert sent(own_site.url, method, number) == 403
                assert sent(own_site.url, method, number, "x" * 43) == 403
        assert sent(own_site.url, "PUT", tab, cookie) == 204


def test_the_number_of_a_tab_alone_opens_nothing(own_site):
    cookie = cookie_in(own_site, "kepala")
    with stream(own_site.url, cookie=cookie) as wire:
        tab, said = drawn(wire)
        assert b"sign-out" in said
        for stolen in (None, "x" * 43):  # while the tab is open
            with stream(own_site.url, "token", tab, cookie=stolen) as thief:
                number, seen = drawn(thief)
                assert number != tab and b"sign-out" not in seen
                assert EN("sign_in.password").encode() in seen
        assert drawn(wire)[0] == tab  # and it was not thrown out
    with stream(own_site.url, "token", tab) as thief:  # after it was closed
        number, seen = drawn(thief)
        assert number != tab and b"sign-out" not in seen
    with stream(own_site.url, "token", tab, cookie=cookie) as again:
        number, seen = drawn(again)
        assert number == tab and b"sign-out" in seen


def test_one_persons_cookie_neither_opens_nor_breaks_the_tab_of_another(own_site):
    cookies = {account: cookie_in(own_site, account) for account in ("kepala", "petugas")}
    with stream(own_site.url, cookie=cookies["kepala"]) as wire:
        tab, said = drawn(wire)
        assert b"sign-out" in said
        with stream(own_site.url, "token", tab, cookie=cookies["petugas"]) as thief:  # while it is open
            number, seen = drawn(thief)
            assert number != tab and b"sign-out" in seen  # a tab of the thief's own
        assert sent(own_site.url, "PUT", tab, cookies["petugas"]) == 403
        number, said = drawn(wire)
        assert number == tab and b"sign-out" in said  # the owner works on
    with stream(own_site.url, "token", tab, cookie=cookies["petugas"]) as thief:  # after it was closed
        assert drawn(thief)[0] != tab
    with stream(own_site.url, "token", tab, cookie=cookies["kepala"]) as again:
        number, said = drawn(again)
        assert number == tab and b"sign-out" in said


def test_what_was_uploaded_is_let_go_when_its_page_is_left(own_site, chrome, steps):
    with steps.serving(own_site.folder, TEPAT_UPLOADS="1") as url:
        context = chrome.new_context(locale="en-GB")
        context.set_default_timeout(steps.PATIENCE)
        page, answers = steps.watched(context.new_page()), []
        page.on("response", lambda one: answers.append(one.status) if "/upload_file/" in one.url else None)
        page.goto(url)
        steps.sign_in(page, "petugas", own_site.password)
        for _ in range(2):
            page.locator("[data-testid=stSidebarNavLink]").filter(has_text=EN("nav.data")).click()
            steps.settled(page)
            page.locator("input[type=file]").first.set_input_files(
                {"name": "students.csv", "mimeType": "text/csv", "buffer": b"student_id\n1\n"}
            )
            expect(page.get_by_text("students.csv").first).to_be_visible()
            steps.settled(page)
            steps.open_page(page, "consent")
        assert answers == [204, 204]
        context.close()


def test_a_page_that_the_role_does_not_have_is_refused_and_entered(own_site, chrome, steps):
    context = chrome.new_context(locale="en-GB")  # the browser says itself that there is no such page
    context.set_default_timeout(steps.PATIENCE)
    page = steps.watched(context.new_page())
    page.goto(own_site.url)
    steps.sign_in(page, "dosen.wali", own_site.password)
    cookie_of(page)
    page.goto(f"{own_site.url}/audit")
    store, found = open_store(folder=own_site.folder), []
    for _ in range(100):
        found = audit.entries(store, actor="dosen.wali", action="refuse_page")["object"].tolist()
        if found:
            break
        page.wait_for_timeout(100)
    steps.settled(page)
    assert page.get_by_text(EN("audit.lead")).count() == 0
    assert found == ["audit"]
    assert verify_chain(store).intact
    store.close()
    context.close()


def test_files_and_lines_are_limited_and_silent_strangers_are_let_go(own_site, steps):
    few = {"TEPAT_UPLOADS": "2", "TEPAT_CONNECTIONS_PER_ADDRESS": "2", "TEPAT_UNSIGNED_MINUTES": "0.1"}
    with steps.serving(own_site.folder, **few) as url:
        cookie = cookie_in(own_site, "kepala")
        with stream(url, cookie=cookie) as wire:
            tab = drawn(wire)[0]
            assert [sent(url, "PUT", tab, cookie, f"f{n}") for n in range(3)] == [204, 204, 413]
            with stream(url), stream(url):
                with pytest.raises(InvalidStatus, match="403"):
                    stream(url)
                stream(url, cookie=cookie).close()  # who is signed in does not stand in that queue
            with stream(url) as silent:
                drawn(silent)
                with pytest.raises(ConnectionClosed) as closed:
                    while True:
                        silent.recv(timeout=30)
                assert closed.value.rcvd.code == 1001
            assert drawn(wire)[0] == tab


def test_a_browser_that_loses_its_connection_right_after_sign_in_goes_on(own_site, own_visitor, steps):
    page = own_visitor
    routed = []
    page.route_web_socket("**/_stcore/stream", lambda wire: routed.append((wire, wire.connect_to_server())))
    page.reload()
    steps.sign_in(page, "kepala", own_site.password)
    cookie_of(page)
    first = len(routed)
    routed[-1][0].close(code=4000)
    for _ in range(300):
        if len(routed) > first:
            break
        page.wait_for_timeout(100)
    assert len(routed) > first
    expect(page.locator(".st-key-sign-out button")).to_be_visible()


def test_a_page_of_another_port_or_host_hears_nothing_though_the_cookie_comes_along(own_site):
    cookie, host = cookie_in(own_site, "kepala"), urlsplit(own_site.url)
    for origin in ("http://localhost:1", "http://localhost", "http://evil.example", "null"):
        with pytest.raises(InvalidStatus) as refused:
            stream(own_site.url, cookie=cookie, origin=origin)
        assert refused.value.response.status_code == 403
    with stream(own_site.url, cookie=cookie, origin=f"http://LOCALHOST:{host.port}") as wire:
        assert b"sign-out" in drawn(wire)[1]


def test_a_ticket_that_breaks_off_leaves_no_trace_in_the_log(own_site):
    wire = http.client.HTTPConnection(urlsplit(own_site.url).netloc, timeout=30)
    wire.putrequest("POST", "/session")
    wire.putheader("Content-Length", "100")
    wire.endheaders(b"x")
    time.sleep(0.5)
    wire.close()
    assert asked(own_site.url, "GET", "/health")[0] == 200
    time.sleep(0.5)
    assert "ClientDisconnect" not in (own_site.folder / "server.log").read_text()
