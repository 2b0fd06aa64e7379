"""A server made by ``docs/deployment.md`` word by word: sign-in through nginx, sessions of several processes,
headers, limits, upgrade and roll-back."""

from __future__ import annotations

import http.client
import re
import shutil
import signal
import ssl
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from dashboard.shell.processes.heads import COOKIE, mark_name
from dashboard.shell.sessions import HOST_COOKIE
from dashboard.shell.web_guard import HEADERS, HSTS
from dashboard.shell.wording import Words
from data.engine.database import connect, writing
from data.engine.migrate import current_revision, newest_revision
from data.store import open_store
from data.trust import audit
from data.trust.audit_chain import verify_chain
from tests.deployment.conftest import PASSWORD, Server
from tests.deployment.document import blocks, placed, unit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
EN = Words("en")
WAY = "tepat_way"
OLDER = "0012"
STUDENTS = b"student_id\n1\n"


def asked(server: Server, method: str, path: str, body: bytes | None = None, **headers: str):
    """Status and headers that a client of its own gets through nginx."""
    host, _, port = server.url.removeprefix("https://").partition(":")
    wire = http.client.HTTPSConnection(host, int(port), context=ssl._create_unverified_context(), timeout=30)
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(wire):
        wire.request(method, path, body, told)
        answer = wire.getresponse()
        answer.read()
        return answer.status, answer.headers


def sign_in(page, server: Server) -> None:
    page.goto(server.url)
    page.locator("input[autocomplete=username]").fill("kepala")
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("[data-testid=stFormSubmitButton] button").click()
    page.locator(".st-key-page-header").wait_for()
    cookie(page, HOST_COOKIE)


def cookie(page, name: str) -> dict:
    """A cookie of a window, once it is there."""
    for _ in range(100):
        for one in page.context.cookies():
            if one["name"] == name:
                return one
        page.wait_for_timeout(100)
    raise AssertionError(f"no cookie {name}")


def lines_of(server: Server) -> dict[int, int]:
    """App process → established connections to it, from the kernel's table."""
    table = (
        Path("/proc/net/tcp").read_text().splitlines()[1:]
        + Path("/proc/net/tcp6").read_text().splitlines()[1:]
    )
    found = dict.fromkeys(server.apps, 0)
    for line in table:
        _, local, _, state, *_ = line.split()
        port = int(local.rpartition(":")[2], 16)
        if port in found and state == "01":
            found[port] += 1
    return found


def test_a_browser_signs_in_uploads_a_file_and_is_signed_out_in_both_processes(server, window):
    first, second = window(), window()
    page = first.new_page()
    uploads = []
    page.on("response", lambda one: uploads.append(one.status) if "/upload_file/" in one.url else None)
    sign_in(page, server)
    session = cookie(page, HOST_COOKIE)
    assert (session["secure"], session["httpOnly"], session["sameSite"], session["path"]) == (
        True,
        True,
        "Strict",
        "/",
    )
    # The upload goes by HTTP, the tab by WebSocket: nginx must lead both to one process.
    page.goto(f"{server.url}/data")
    page.locator("input[type=file]").first.set_input_files(
        {"name": "students.csv", "mimeType": "text/csv", "buffer": STUDENTS}
    )
    expect(page.get_by_text("students.csv").first).to_be_visible()
    page.wait_for_timeout(500)
    assert uploads and set(uploads) == {204}

    # The same session in another browser that nginx leads to the other process.
    other = another_way(server, cookie(page, WAY)["value"])
    second.add_cookies([{**session}, {**cookie(page, WAY), "value": other}])
    elsewhere = second.new_page()
    elsewhere.goto(server.url)
    elsewhere.locator(".st-key-page-header").wait_for()
    assert all(lines_of(server).values()), lines_of(server)
    page.locator(".st-key-sign-out button").click()
    expect(page.locator("input[type=password]")).to_be_visible()
    expect(elsewhere.locator("input[type=password]")).to_be_visible()  # nobody touched it
    elsewhere.reload()
    expect(elsewhere.locator("input[type=password]")).to_be_visible()


def another_way(server: Server, taken: str) -> str:
    """A value of nginx's cookie that leads to the other process than a given one."""
    for number in range(200):
        if process_of(server, f"w{number}") != process_of(server, taken):
            return f"w{number}"
    raise AssertionError("every way leads to one process")


def process_of(server: Server, way: str) -> str:
    """The port of the process to which nginx leads a browser with this cookie, as its log tells."""
    assert asked(server, "GET", "/health", Cookie=f"{WAY}={way}")[0] == 200
    lines = (server.folder / "tepat.log").read_text(encoding="utf-8").splitlines()
    [last] = [line for line in lines if " GET /health " in line][-1:]
    return last.rpartition(":")[2]


def test_a_download_made_in_one_process_is_fetched_from_it(server, window):
    page = window().new_page()
    sign_in(page, server)
    page.goto(f"{server.url}/audit")
    page.locator(".st-key-page-header").wait_for()
    page.locator("[class*=st-key-export-] button").first.click()
    with page.expect_download() as waiting:
        page.locator("[class*=st-key-export-][class*=-csv] button").first.click()
    assert Path(waiting.value.path()).read_bytes().startswith(b"\xef\xbb\xbf")
    url = waiting.value.url.removeprefix(server.url)
    assert asked(server, "GET", url)[0] == 404


def test_when_a_process_ends_its_browsers_go_on_in_the_other_still_signed_in(server, window):
    page = window().new_page()
    sign_in(page, server)
    [home] = [port for port in server.apps if str(port) == process_of(server, cookie(page, WAY)["value"])]
    server.stop(f"tepat@{home}")
    try:
        page.reload()
        page.locator(".st-key-page-header").wait_for()
        expect(page.locator(".st-key-sign-out button")).to_be_visible()
    finally:
        server.start(f"tepat@{home}", home)
        server.wait(f"http://localhost:{home}/health", f"tepat@{home}")


def test_every_answer_carries_the_headers(server):
    for path in ("/", "/student", "/health", "/media/x.png", "/static/favicon.png", "/_stcore/health"):
        _, headers = asked(server, "GET", path)
        for name, value in HEADERS.items():
            assert headers.get_all(name) == [value], (path, name)
        assert headers.get_all("Strict-Transport-Security") == [HSTS], path
    policy = HEADERS["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy and "default-src 'self'" in policy


def test_plain_http_leads_to_tls_and_an_unknown_host_nowhere(server):
    host, _, port = server.plain.removeprefix("http://").partition(":")
    with closing(http.client.HTTPConnection(host, int(port), timeout=10)) as wire:
        wire.request("GET", "/student?s=1", headers={"Host": "localhost"})
        answer = wire.getresponse()
        assert (answer.status, answer.getheader("location")) == (301, f"{server.url}/student?s=1")
    for forged in ("evil.example", "localhost.evil.example", "127.0.0.1", ""):
        try:
            status = asked(server, "GET", "/", Host=forged)[0]
        except (http.client.RemoteDisconnected, ConnectionResetError):
            continue
        assert (forged, status) == ("", 400)


def test_bodies_requests_and_figures_are_limited_before_the_app(server):
    assert asked(server, "POST", "/session", b"x" * 5000)[0] == 413
    assert asked(server, "PUT", "/_stcore/upload_file/t/f", Content_Length=str(300 * 2**20))[0] == 413
    assert asked(server, "GET", "/_stcore/metrics")[0] == 404
    host, _, port = server.url.removeprefix("https://").partition(":")
    context, answered = ssl._create_unverified_context(), []
    with closing(http.client.HTTPSConnection(host, int(port), context=context, timeout=30)) as wire:
        while 503 not in answered and len(answered) < 500:
            wire.request("POST", "/session", b"no ticket")
            answer = wire.getresponse()
            answer.read()
            answered.append(answer.status)
    assert set(answered) == {403, 503} and len(answered) > 20
    assert asked(server, "GET", "/health")[0] == 200


def test_a_visitor_can_neither_forge_an_address_nor_bring_a_host(server):
    forged = {"X_Forwarded_For": "198.51.100.9", "X_Forwarded_Host": "evil.example"}
    upgrade_ = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13"}
    upgrade_ |= {"Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Origin": "https://evil.example"}
    assert asked(server, "GET", "/_stcore/stream", **forged, **upgrade_)[0] == 403


def test_the_proxys_log_tells_no_student_and_its_disk_holds_no_file(server):
    asked(server, "GET", "/student?s=0123456789abcdef")
    log = (server.folder / "tepat.log").read_text(encoding="utf-8")
    assert " GET /student 200 " in log and "0123456789abcdef" not in log
    for folder in ("bodies", "proxied"):
        assert [path for path in (server.folder / folder).rglob("*") if path.is_file()] == []


def test_the_units_are_valid(tmp_path, server):
    names = [name for name in blocks() if name.startswith("/etc/systemd/")]
    assert len(names) == 5
    for name in names:
        (tmp_path / Path(name).name).write_text(server.block(name), encoding="utf-8")
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    command = ["systemd-analyze", "verify", "--man=no", *(str(path) for path in tmp_path.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "tepat" in line.lower()]
    assert told == [], done.stderr
    for name in names:
        if name.endswith(".service"):
            assert {"User": "tepat"}.items() <= unit(blocks()[name]).items()


def test_the_rotation_is_valid(tmp_path, server):
    program = shutil.which("logrotate") or shutil.which("logrotate", path="/usr/sbin")
    if program is None:
        pytest.skip("logrotate is not installed")
    config = tmp_path / "tepat"
    config.write_text(server.block("/etc/logrotate.d/tepat"), encoding="utf-8")
    config.chmod(0o644)
    command = [program, "-d", "-s", str(tmp_path / "state"), str(config)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "error:" not in done.stderr, done.stderr
    assert str(server.folder / "tepat.log") in done.stderr


def test_the_lines_of_the_logs_hold_the_heads(server):
    said = "".join((server.folder / f"tepat@{port}.unit.log").read_text() for port in server.apps)
    assert re.search(r"audit head \d+ [0-9a-f]{64}", said)


@pytest.fixture
def one_port(server):
    """The single unit with several processes in the place of the others, and nginx before it."""
    file, nginx = server.folder / "tepat.conf", server.processes["nginx"]
    before = file.read_text(encoding="utf-8")
    own = re.split(r"(?<=^}\n)", server.block("one-port"), flags=re.MULTILINE)
    text = before
    for part in filter(None, own):
        head = re.escape(part.splitlines()[0])
        text, replaced = re.subn(
            rf"^{head}\n.*?^}}\n", lambda _, p=part: p, text, flags=re.MULTILINE | re.DOTALL
        )
        assert replaced == 1, head
    server.stop()
    server.start("tepat")
    try:
        server.wait(f"http://localhost:{server.apps[0]}/health", "tepat")
        file.write_text(text, encoding="utf-8")
        nginx.send_signal(signal.SIGHUP)
        yield server
    finally:
        server.stop("tepat")
        file.write_text(before, encoding="utf-8")
        nginx.send_signal(signal.SIGHUP)
        server.start_all()


def test_behind_nginx_on_one_port_the_cookie_leads_every_request_to_its_process(one_port, window):
    page = window().new_page()
    uploads = []
    page.on("response", lambda one: uploads.append(one.status) if "/upload_file/" in one.url else None)
    sign_in(page, one_port)
    mark = cookie(page, mark_name(True))
    assert (mark["value"] in ("1", "2"), mark["secure"], mark["httpOnly"]) == (True, True, True)
    page.goto(f"{one_port.url}/data")
    for number in range(3):  # each a request of its own, which nginx makes on a connection of its own
        page.locator("input[type=file]").first.set_input_files(
            {"name": f"students{number}.csv", "mimeType": "text/csv", "buffer": STUDENTS}
        )
        expect(page.get_by_text(f"students{number}.csv").first).to_be_visible()
        # as a person does, who chooses the next file when the page has taken this one
        expect(page.get_by_role("combobox", name=re.compile(f"students{number}"))).to_be_visible()
    assert set(uploads) == {204} and len(uploads) >= 3
    for number in ("1", "2"):
        _, headers = asked(one_port, "GET", "/", Cookie=f"{mark_name(True)}={number}")
        assert not [one for one in headers.get_all("set-cookie", []) if COOKIE in one]
    told = asked(one_port, "GET", "/", Cookie=f"{mark_name(True)}=7")[1].get_all("set-cookie")
    assert [one for one in told if re.match(rf"{mark_name(True)}=[12]; .*; Secure$", one)]

    one_port.processes["tepat"].send_signal(signal.SIGHUP)  # what `systemctl reload` does
    log = one_port.folder / "tepat.unit.log"
    for _ in range(600):
        assert asked(one_port, "GET", "/health")[0] == 200
        if "takes the place of" in log.read_text():
            break
        page.wait_for_timeout(200)
    page.reload()
    page.locator(".st-key-page-header").wait_for()
    expect(page.locator(".st-key-sign-out button")).to_be_visible()
    assert re.search(r"audit head \d+ [0-9a-f]{64}", log.read_text())


def test_an_upgrade_and_its_roll_back_as_they_are_told(server):
    """Last in this file: the store goes back to a revision of before, as an operator's upgrade finds it."""
    url = placed("postgresql://tepat@/tepat?host=/var/run/postgresql", server.instead)
    server.stop()
    with closing(open_store(url, folder=server.store_folder)) as store:
        entries = audit.newest_entry(store)
        assert verify_chain(store).intact
    go_back(url)
    told = server.do("upgrade")
    assert f"at revision {newest_revision()}" in told
    with closing(open_store(url, folder=server.store_folder, create=False)) as store:
        assert verify_chain(store).intact and audit.newest_entry(store) >= entries
        audit.append(store, actor="rina", role="registry", action="view student", object="since the dump")
    server.do("roll-back")  # its last command is this software's: it brings the store to its revision again
    with closing(open_store(url, folder=server.store_folder, create=False)) as store:
        found = audit.entries(store)
        assert "since the dump" not in set(found["object"])
        report = verify_chain(store)
        assert report.intact and report.accepted
    server.start_all()
    assert asked(server, "GET", "/health")[0] == 200


def go_back(url: str) -> None:
    """Bring the store to the revision of a version before."""
    from alembic import command

    from data.engine.migrate import _configuration

    engine = connect(url)
    with writing(engine, "migrate") as connection:
        command.downgrade(_configuration(connection), OLDER)
    assert current_revision(engine) == OLDER
    engine.dispose()
