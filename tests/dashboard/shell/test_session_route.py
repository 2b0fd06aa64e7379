"""The server's own routes: what a cookie is like, bodies without an end, and a store that is not there."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import update
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from dashboard.shell import current_session, server, session_route, stores
from dashboard.shell.session_route import LONGEST_TICKET, answer, capped_body, session_of
from dashboard.shell.sessions import COOKIE, HOST_COOKIE, Serving, over_tls
from data import schema
from data.engine.clock import now
from data.engine.migrate import newest_revision
from data.settings import get_settings
from data.store import open_store
from data.trust import sessions
from data.trust.accounts import Account, find_account, write_accounts
from tests.conftest import run_apart

CHUNK = bytes(64 * 1024)


class Body:
    """What a client sends, and how much of it was read."""

    def __init__(self, *chunks: bytes, endless: bool = False):
        self.chunks, self.endless, self.read = list(chunks), endless, 0

    async def receive(self) -> dict:
        chunk = CHUNK if self.endless else (self.chunks.pop(0) if self.chunks else b"")
        self.read += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": self.endless or bool(self.chunks)}


def request(method: str = "POST", body: Body | None = None, scheme: str = "http", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": "/session", "query_string": b"", "scheme": scheme}
    return Request(scope | {"headers": raw, "server": ("localhost", 80)}, (body or Body()).receive)


def asked(store, *args, **kwargs):
    return run_apart(answer(request(*args, **kwargs), store))


@pytest.fixture
def people(store):
    write_accounts(store, [Account("ani", "Ani", "advisor", password="seven quiet otters")])
    return store


def ticket(store) -> Body:
    return Body(sessions.begin(store, find_account(store, "ani"))[1].encode())


def cookie(said) -> str:
    return said.headers["set-cookie"]


def test_a_ticket_is_answered_by_a_cookie_that_scripts_cannot_read(people):
    said = asked(people, "POST", ticket(people))
    assert said.status_code == 204
    name, _, rest = cookie(said).partition("=")
    assert name == COOKIE
    for part in ("HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={8 * 3600}"):
        assert part in rest
    assert "Secure" not in rest
    assert "Domain" not in rest
    assert said.headers["cache-control"] == "no-store"
    assert sessions.find_by_cookie(people, rest.partition(";")[0]).account.account == "ani"


@pytest.mark.parametrize(
    "told", [{"scheme": "https"}, {"x_forwarded_proto": "https"}, {"origin": "https://tepat.example.edu"}]
)
def test_behind_tls_the_cookie_is_of_this_host_alone(people, told):
    said = cookie(asked(people, "POST", ticket(people), **told))
    assert said.startswith(f"{HOST_COOKIE}=")
    assert "Secure" in said
    assert "Path=/" in said
    assert "Domain" not in said


def test_behind_tls_a_plain_cookie_is_not_believed(people):
    value = cookie(asked(people, "POST", ticket(people))).partition("=")[2].partition(";")[0]
    asked(people, "DELETE", cookie=f"{COOKIE}={value}", x_forwarded_proto="https")
    assert sessions.find_by_cookie(people, value) is not None
    asked(people, "DELETE", cookie=f"{COOKIE}={value}")
    assert sessions.find_by_cookie(people, value) is None


@pytest.mark.parametrize(
    ("headers", "tls"),
    [({}, False), ({"x-forwarded-proto": "https, http"}, True), ({"origin": "http://a"}, False)],
)
def test_whether_the_browser_speaks_tls(headers, tls):
    assert over_tls(headers) is tls
    assert over_tls(headers, "wss")


def test_a_request_is_known_by_its_cookie_until_the_session_ends(people):
    value = cookie(asked(people, "POST", ticket(people))).partition("=")[2].partition(";")[0]

    def known(**headers) -> bool:
        return run_apart(session_of(request("GET", **headers), people)) is not None

    assert known(cookie=f"{COOKIE}={value}")
    assert not known()
    assert not known(cookie=f"{COOKIE}={value}", x_forwarded_proto="https")
    assert known(cookie=f"{HOST_COOKIE}={value}", x_forwarded_proto="https")
    sessions.end_all(people, "ani")
    assert not known(cookie=f"{COOKIE}={value}")


def test_delete_ends_the_session_and_takes_the_cookie_away(people):
    said = asked(people, "POST", ticket(people))
    value = cookie(said).partition("=")[2].partition(";")[0]
    gone = asked(people, "DELETE", cookie=f"{COOKIE}={value}")
    assert gone.status_code == 204
    assert "Max-Age=0" in cookie(gone)
    assert sessions.find_by_cookie(people, value) is None


@pytest.mark.parametrize("junk", [b"", b"junk", b"\xff\xfe", bytes(LONGEST_TICKET)])
def test_junk_is_no_ticket(people, junk):
    assert asked(people, "POST", Body(junk)).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_another_site_signs_nobody_in_or_out(people, method, site):
    assert asked(people, method, ticket(people), sec_fetch_site=site).status_code == 403
    assert asked(people, "POST", ticket(people), sec_fetch_site="same-origin").status_code == 204


@pytest.mark.parametrize(
    ("body", "told", "read"),
    [
        (Body(b"x" * 10), {}, b"x" * 10),
        (Body(b"x" * 5, b"y" * 5), {}, b"xxxxxyyyyy"),
        (Body(b"x" * 6, b"y" * 5), {}, None),
        (Body(b"x" * 11), {"content_length": "11"}, None),
        (Body(b"x"), {"content_length": "-1"}, b"x"),
    ],
)
def test_a_body_is_read_to_its_cap(body, told, read):
    assert run_apart(capped_body(request("POST", body, **told), 10)) == read


def test_a_body_whose_length_is_told_is_not_read_at_all():
    body = Body(endless=True)
    run_apart(capped_body(request("POST", body, content_length=str(300 << 20)), LONGEST_TICKET))
    assert body.read == 0


@pytest.mark.parametrize(
    ("route", "method"), [(server._session, "POST"), (server._session, "DELETE"), (server._health, "GET")]
)
def test_no_route_reads_an_endless_body(people, monkeypatch, route, method):
    monkeypatch.setattr(stores, "store", lambda: people)
    monkeypatch.setattr(server, "health", lambda: ({}, 200))
    body = Body(endless=True)
    said = run_apart(route(request(method, body)))
    assert body.read <= len(CHUNK)
    assert said.status_code == {"POST": 413, "DELETE": 204, "GET": 200}[method]


class BrokenOff:
    """A client that goes away after some bytes."""

    def __init__(self, *chunks: bytes):
        self.chunks = list(chunks)

    async def receive(self) -> dict:
        if self.chunks:
            return {"type": "http.request", "body": self.chunks.pop(0), "more_body": True}
        return {"type": "http.disconnect"}


@pytest.mark.parametrize("chunks", [(), (b"x",), (b"x" * LONGEST_TICKET,)])
def test_a_client_that_breaks_off_is_no_error_of_the_server(people, chunks):
    said = asked(people, "POST", BrokenOff(*chunks))
    assert (said.status_code, "set-cookie" in said.headers) == (400, False)


def test_a_body_that_does_not_come_is_not_waited_for(people, monkeypatch):
    class Slow:
        async def receive(self) -> dict:
            await asyncio.sleep(0.01)  # byte by byte, each of them soon
            return {"type": "http.request", "body": b"", "more_body": True}

    monkeypatch.setattr(session_route, "PATIENCE", 0.1)
    said = asked(people, "POST", Slow())
    assert (said.status_code, said.headers["connection"]) == (408, "close")


# --- whose browser a tab's connection is from --------------------------------------------------------------
def _who() -> None:
    import streamlit as st

    from dashboard.shell import current_session

    st.session_state.setdefault("language", "en")
    someone = current_session.person()
    st.markdown(someone.account if someone else "nobody")


@pytest.fixture
def wire(people, monkeypatch):
    """Function: a tab's next run, over a connection that was made with a cookie."""
    monkeypatch.setattr(Serving, "cookies", True)
    monkeypatch.setattr(stores, "store", lambda: people)

    def run(tab: AppTest, cookie: str | None) -> str:
        monkeypatch.setattr(current_session, "cookie", lambda: cookie)
        tab.run()
        assert not tab.exception
        return tab.markdown[0].value

    return run


@pytest.fixture
def tab() -> AppTest:
    return AppTest.from_function(_who, default_timeout=60)


def cookie_of(store, account: str = "ani") -> tuple[str, str]:
    """A session and its cookie."""
    session_id, given = sessions.begin(store, find_account(store, account))
    return session_id, sessions.redeem(store, given)


def test_a_tab_goes_on_when_its_browser_comes_back_with_the_cookie_it_has_got_meanwhile(people, wire, tab):
    session_id, own = cookie_of(people)
    tab.session_state["session"] = session_id  # as sign-in does, over a connection without a cookie
    assert [wire(tab, cookie) for cookie in (None, own, None, own)] == ["ani"] * 4
    sessions.end(people, session_id)
    assert wire(tab, own) == "nobody"


def test_a_tab_that_was_signed_in_over_a_connection_with_a_cookie_that_is_over_goes_on(people, wire, tab):
    tab.session_state["session"], tab.session_state["came_with"] = cookie_of(people)[0], "over"
    assert wire(tab, "over") == "ani"


def test_an_idle_row_does_not_end_a_tab_that_is_in_use(people, wire, tab):
    own = cookie_of(people)[1]
    assert wire(tab, own) == "ani"
    with people.writing("accounts") as connection:
        connection.execute(update(schema.sessions).values(seen_at=now() - timedelta(minutes=31)))
    assert wire(tab, own) == "ani"


@pytest.mark.parametrize("bound_by", ["sign-in", "cookie"])
@pytest.mark.parametrize("then", ["lasts", "was ended after it had let the browser in", "is no cookie"])
def test_a_strangers_cookie_does_not_bring_a_browser_into_a_tab(people, wire, tab, bound_by, then):
    write_accounts(people, [Account("budi", "Budi", "registry", password="seven quiet otters")])
    session_id, own = cookie_of(people)
    if bound_by == "sign-in":
        tab.session_state["session"] = session_id
    assert wire(tab, own if bound_by == "cookie" else None) == "ani"
    strangers, cookie = cookie_of(people, "budi")
    if then.startswith("was ended"):
        sessions.end(people, strangers)
    assert wire(tab, "junk" if then == "is no cookie" else cookie) == "nobody"
    assert "session" not in tab.session_state
    assert wire(tab, cookie) == "nobody"
    assert sessions.find(people, session_id) is not None  # of the other tabs


def test_another_session_of_the_same_person_is_another_browser(people, wire, tab):
    tab.session_state["session"] = cookie_of(people)[0]
    assert wire(tab, cookie_of(people)[1]) == "nobody"


# --- health ----------------------------------------------------------------------------------------------
@pytest.fixture
def settings_of(monkeypatch):
    """A function that points the settings at a folder and a database."""

    def point(folder, url: str = "") -> None:
        monkeypatch.setenv("TEPAT_FOLDER", str(folder))
        monkeypatch.setenv("DATABASE_URL", url)
        get_settings.cache_clear()

    yield point
    get_settings.cache_clear()


def test_a_store_that_answers_is_healthy(store, store_url, settings_of):
    settings_of(store.folder, store_url)
    assert server.health() == ({"status": "ok", "model": None}, 200)


def test_a_database_that_is_down_is_told_without_its_address(tmp_path, settings_of):
    settings_of(tmp_path, "postgresql://somebody:secret@127.0.0.1:9/nothing")
    document, status = server.health()
    assert (status, document["status"]) == (503, "unavailable")
    assert "secret" not in str(document)
    assert "127" not in str(document)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", [True, False], ids=["empty folder", "no folder"])
def test_an_unmounted_folder_gets_neither_store_nor_key(tmp_path, settings_of, there):
    folder = tmp_path / "mount"
    if there:
        folder.mkdir()
    settings_of(folder)
    assert server.health() == ({"status": "unavailable", "reason": "NoStore"}, 503)
    assert list(tmp_path.rglob("*")) == ([folder] if there else [])


def test_an_empty_database_and_an_older_one_stay_as_they_are(tmp_path, settings_of):
    (tmp_path / "tepat.db").touch()
    settings_of(tmp_path)
    assert server.health()[1] == 503
    assert (tmp_path / "tepat.db").stat().st_size == 0
    open_store(folder=tmp_path).close()
    assert server.health()[1] == 200
    _set_revision(tmp_path, "0007")
    assert server.health()[1] == 503
    _set_revision(tmp_path, newest_revision())


def _set_revision(folder, revision: str) -> None:
    import sqlite3

    with sqlite3.connect(folder / "tepat.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


def test_a_store_without_its_key_is_not_healthy_and_gets_no_new_one(tmp_path, settings_of):
    open_store(folder=tmp_path).close()
    (tmp_path / "key").unlink()
    settings_of(tmp_path)
    assert server.health() == ({"status": "unavailable", "reason": "KeyProblem"}, 503)
    assert not (tmp_path / "key").exists()


def test_a_database_that_hangs_is_down(monkeypatch):
    import time

    monkeypatch.setattr(server, "HEALTH_SECONDS", 0.1)
    monkeypatch.setattr(server, "health", lambda: time.sleep(0.5))
    said = run_apart(server._health(request("GET")))
    assert (said.status_code, b"TimeoutError" in said.body) == (503, True)


@pytest.mark.parametrize("believed", ["", "10.0.0.0/8,127.0.0.1"])
def test_forwarded_addresses_are_believed_only_as_the_settings_say(monkeypatch, believed):
    ran = []
    monkeypatch.setattr(
        server, "get_settings", lambda: SimpleNamespace(trusted_proxies=believed, upload_mb=7)
    )
    monkeypatch.setattr(server, "application", lambda: SimpleNamespace(run=lambda config: ran.append(config)))
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    server.serve(8501, "localhost", worker=False)
    assert os.environ["FORWARDED_ALLOW_IPS"] == believed
    assert ran == [{"server.port": 8501, "server.address": "localhost", "server.maxUploadSize": 7}]
