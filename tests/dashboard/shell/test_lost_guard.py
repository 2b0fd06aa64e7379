"""An address of several parts leads to the page that says nothing is there; files stay where they are."""

from __future__ import annotations

import pytest

from dashboard.shell.access import PAGES
from dashboard.shell.lost_guard import LostGuard
from tests.conftest import run_apart


def asked(path: str, *, kind: str = "text/html; charset=utf-8", status: int = 200, base: str = "", **more):
    """Status, place to go, and body of an answer, over an app that answers everything alike."""

    async def app(scope, receive, send):
        headers = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"the page"})

    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []} | more
    run_apart(LostGuard(app, lambda: base)(scope, receive, send))
    told = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in sent[1:])
    assert [message["type"] for message in sent].count("http.response.start") == 1
    return sent[0]["status"], told.get("location"), body


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/foo/bar", "/foo-bar"),
        ("/foo/bar/baz", "/foo-bar-baz"),
        ("/caseload/x", "/caseload-x"),
        ("//evil.example/x", "/evil.example-x"),
        ("/a\\b/c?d", "/a%5Cb-c%3Fd"),
        ("/" + "a" * 200 + "/b", "/" + "a" * 60),
    ],
)
def test_an_address_of_several_parts_leads_to_one_of_a_single_part(path, place):
    assert asked(path) == (307, place, b"")
    assert asked(path, method="HEAD") == (307, place, b"")


def test_no_page_of_the_app_can_be_meant_by_it():
    assert all(asked(f"/{name}/{name}")[1].lstrip("/") not in PAGES for name in PAGES)


@pytest.mark.parametrize(
    "path",
    ["/", "/caseload", "/no-such-page", "/static/js/x.html", "/component/a/index.html", "/media/a.html"],
)
def test_pages_and_files_are_answered_as_before(path):
    assert asked(path) == (200, None, b"the page")


def test_only_a_page_is_redirected():
    assert asked("/api/v1/cohorts", kind="application/json") == (200, None, b"the page")
    assert asked("/foo/_stcore/health", kind="text/html", status=404)[0] == 404
    assert asked("/foo/bar", method="POST") == (200, None, b"the page")


def test_an_app_served_below_a_path_keeps_its_pages():
    assert asked("/tepat/caseload", base="/tepat/") == (200, None, b"the page")
    assert asked("/tepat/foo/bar", base="tepat") == (307, "/tepat/foo-bar", b"")
    assert asked("/tepat/static/js/x.html", base="tepat") == (200, None, b"the page")


def test_a_connection_that_is_no_request_passes():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    run_apart(LostGuard(app, lambda: "")({"type": "websocket", "path": "/a/b"}, None, None))
    assert seen == ["websocket"]
