"""Who is let in: every route with every kind of wrong token, limits, and what is written down."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from dashboard.shell.service import gate, problems
from dashboard.shell.service.gate import Gate, Limits
from dashboard.shell.service.limits import Limiter
from dashboard.shell.service.routes import BASE, DOCUMENT, FIELDS, METRICS, NEEDS, api
from data import queries, schema
from data.engine.clock import now
from data.trust import audit, tokens
from data.trust.audit_chain import verify_chain
from data.trust.scope import Scope
from data.trust.tokens import SCOPES, revoke_token
from tests.conftest import run_apart

ROUTES = {**{route: scope for route, scope in NEEDS.items() if scope}, ("GET", METRICS): "metrics"}
TWICE = ("target=late&program=a&program=b", "target=late&target=dropout", "target=late&limit=1&limit=1")
QUERY = {f"{BASE}/scores": {"target": "late"}}


def asked(service, method: str, path: str, token: str | None, **headers):
    """A request that would be answered if the token were right."""
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if method == "POST":
        files = {"image": ("s.png", b"x", "image/png")}
        fields = {"student_number": service.number}
        return service.client.post(path, data=fields, files=files, headers=headers)
    return service.client.get(path, params=QUERY.get(path, {}), headers=headers)


def is_problem(answer, status: int, code: str) -> dict:
    said = answer.json()
    assert (answer.status_code, said["code"]) == (status, code), said
    assert answer.headers["content-type"] == problems.MEDIA_TYPE
    assert (said["status"], said["type"]) == (status, problems.NAMESPACE + code)
    return said


def ended(service, token: str, **columns) -> str:
    """The token, with other dates."""
    table = schema.api_tokens
    with service.store.writing("accounts") as connection:
        mine = update(table).where(table.c.name == service.secrets[token])
        connection.execute(mine.values(**columns))
    return token


def entries(service, action: str, actor: str | None = None):
    return audit.entries(service.store, action=action, actor=actor)


def test_every_route_that_there_is_stands_in_the_rules():
    routes = {
        (method, f"{BASE}{route.path}") for route in api().routes for method in route.methods - {"HEAD"}
    }
    assert routes == set(NEEDS)
    assert set(NEEDS.values()) - {gate.OPEN} | {"identify", "metrics"} == set(SCOPES)
    assert [route for route, scope in NEEDS.items() if scope == gate.OPEN] == [("GET", DOCUMENT)]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_route_answers_a_token_that_is_not_right(service, method, path):
    good = service.token()
    kinds = {
        "token_missing": None,
        "token_unknown": good[:-1] + ("A" if good[-1] != "A" else "B"),
        "token_expired": ended(service, service.token(), expires_at=now()),
        "token_revoked": ended(service, service.token(), revoked_at=now()),
        "scope_missing": service.token(*(set(SCOPES) - {ROUTES[method, path]})),
    }
    for code, token in kinds.items():
        answer = asked(service, method, path, token)
        is_problem(answer, 403 if code == "scope_missing" else 401, code)
        assert answer.headers["www-authenticate"].startswith('Bearer realm="tepat"')
        assert service.number not in answer.text and service.key not in answer.text
        assert token is None or token not in answer.text
    right = asked(service, method, path, good)
    assert right.status_code == 200 or right.json()["code"] in ("image_refused", "no_recipe")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic dDp0", "bearer tepat_é", "Token x", "x" * 9000]
)
def test_what_is_no_token_is_refused_quietly(service, header):
    answer = service.client.get(f"{BASE}/cohorts", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401, answer.text


def test_two_tokens_in_one_request_are_none(service):
    good = service.token("cohorts")
    several = [("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {good}")]
    is_problem(service.client.get(f"{BASE}/cohorts", headers=several), 401, "token_missing")


def test_the_cookie_of_a_session_opens_nothing_here(service):
    service.client.cookies.set("tepat_session", "whatever")
    is_problem(service.get("/cohorts"), 401, "token_missing")
    service.client.cookies.clear()


def test_a_revoked_token_opens_nothing_from_that_moment_on(service):
    token = service.token("cohorts")
    assert service.get("/cohorts", token).status_code == 200
    revoke_token(service.store, service.secrets[token], actor="kepala", role="administrator")
    is_problem(service.get("/cohorts", token), 401, "token_revoked")


def test_a_token_of_one_programme_reaches_no_student_of_another(service):
    everybody = queries.caseload(service.store, Scope.system(), "late", 500)
    other = next(code for code in sorted(set(everybody["program_code"])) if code != service.program)
    token = service.token(programs=[other])
    answer = service.get("/scores", token, target="late", limit=500)
    rows = answer.json()["rows"]
    assert rows and {row["program_code"] for row in rows} == {other}
    assert {row["student_key"] for row in rows} == set(
        everybody.loc[everybody["program_code"] == other, "student_key"]
    )
    for student in (service.number, service.key):
        is_problem(service.get("/scores", token, target="late", student=student), 404, "no_such_student")
    assert service.get("/scores", token, target="late", program=service.program).json()["rows"] == []
    counted = service.get("/cohorts", token).json()["rows"]
    assert counted and {row["program_code"] for row in counted} == {other}
    for path in ("/verify", "/predict-signature"):
        is_problem(service.send(path, token), 404, "no_such_student")
    nobody = service.token(programs=[])
    assert service.get("/scores", nobody, target="late").json()["rows"] == []
    assert service.get("/cohorts", nobody).json()["rows"] == []
    refused = entries(service, "refuse_student", f"token:{service.secrets[token]}")
    assert len(refused) == 4
    assert service.number not in json.dumps(refused["detail"].tolist()) + "".join(refused["object"])


def test_refusals_are_written_down_once_in_a_while_and_hold_no_token(service):
    token = ended(service, service.token("scores"), revoked_at=now())
    before = len(entries(service, "refuse_token"))
    for _ in range(5):
        service.get("/scores", token, target="late")
    found = entries(service, "refuse_token")
    assert len(found) == before + 1
    newest = found.iloc[0]
    assert newest["actor"] == f"token:{service.secrets[token]}"
    assert newest["detail"] == {"why": "token_revoked", "address": "testclient"}
    assert newest["object"] == f"{BASE}/scores"
    assert token not in found.to_json()


def test_looks_are_written_down_with_how_they_were_narrowed_and_the_log_stays_whole(service):
    token = service.token("scores", "cohorts", "identify")
    actor = f"token:{service.secrets[token]}"
    service.get("/scores", token, target="late", student=service.number)
    service.get("/cohorts", token, program=service.program)
    looks = audit.entries(service.store, actor=actor)
    assert [*looks["action"]] == ["view_cohorts", "view_scores"]
    assert looks["role"].eq(tokens.ROLE).all()
    assert looks["detail"].iloc[1]["one_student"] is True
    assert service.number not in looks.to_json()
    assert verify_chain(service.store).intact


def test_other_methods_and_addresses_are_told_apart(service):
    token = service.token()
    for method in ("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"):
        answer = service.client.request(
            method, f"{BASE}/scores", headers={"Authorization": f"Bearer {token}"}
        )
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET"), method
    for path in ("/nothing", "/scores/", "//scores", "/Scores", "/docs", "/redoc"):
        is_problem(service.get(path, token), 404, "no_such_path")


def test_what_is_said_twice_is_refused(service):
    token = service.token()
    for query in (
        "target=late&program=a&program=b",
        "target=late&target=dropout",
        "target=late&limit=1&limit=1",
    ):
        answer = service.client.get(f"{BASE}/scores?{query}", headers={"Authorization": f"Bearer {token}"})
        assert is_problem(answer, 422, "invalid")["errors"][0]["message"] == "Must be given once."
    files = {"image": ("s.png", b"x", "image/png")}
    numbers = {"student_number": [service.number, "another"]}
    headers = {"Authorization": f"Bearer {token}"}
    answer = service.client.post(f"{BASE}/verify", data=numbers, files=files, headers=headers)
    assert is_problem(answer, 422, "invalid")["errors"][0]["where"] == "body.student_number"
    misspelt = {"student_number": service.number, "keep_imgae": "true"}
    answer = service.client.post(f"{BASE}/predict-signature", data=misspelt, files=files, headers=headers)
    assert is_problem(answer, 422, "invalid")["errors"][0]["where"] == "body.keep_imgae"


@pytest.mark.parametrize("path", ["verify", "predict-signature"])
def test_an_image_sent_as_text_is_refused_in_words_of_the_service(service, path):
    headers = {"Authorization": f"Bearer {service.token()}"}
    sent = {"student_number": service.number, "image": "a drawing"}
    answer = service.client.post(f"{BASE}/{path}", data=sent, headers=headers)
    assert is_problem(answer, 422, "invalid")["errors"] == [
        {
            "where": "body.image",
            "message": "Must be a file, sent as multipart/form-data with a file name.",
        }
    ]


def test_the_fields_of_bodies_are_those_of_the_document():
    parts = api().openapi()["components"]["schemas"]
    told = {name: set(part["properties"]) for name, part in parts.items() if name.startswith("Body_")}
    assert sorted(map(sorted, told.values())) == sorted(map(sorted, FIELDS.values()))


def test_too_many_requests_wait_by_token_and_by_address():
    clock = [0.0]
    limiter = Limiter(60, burst=3, now=lambda: clock[0])
    assert [limiter.take("a") for _ in range(3)] == [0, 0, 0]
    assert 0 < limiter.take("a") <= 1 and limiter.wait("a") > 0
    assert limiter.take("b") == 0
    clock[0] += 1
    assert limiter.take("a") == 0 and limiter.take("a") > 0


def test_the_memory_of_a_limiter_is_bounded(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("dashboard.shell.service.limits.MOST_KEYS", 10)
    limiter = Limiter(60, burst=1, now=lambda: clock[0])
    for name in range(100):
        limiter.take(name)
    assert len(limiter._due) <= 11
    assert limiter.take("one more") > 0  # strangers share a rate while there are too many
    clock[0] += 60
    assert limiter.take("later") == 0


def _gate(service, **limits) -> Gate:
    usual = {"per_token": Limiter(10_000), "per_address": Limiter(10_000), "body_bytes": 2**20}
    return Gate(api(), lambda: service.store, NEEDS, Limits(**usual | limits))


def _limited(service, **limits):
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.testclient import TestClient

    mounted = Starlette(routes=[Mount(BASE, app=_gate(service, **limits))])
    return TestClient(mounted, raise_server_exceptions=False)


@pytest.mark.parametrize("which", ["per_token", "per_address"])
def test_the_service_says_how_long_to_wait(service, which):
    client = _limited(service, **{which: Limiter(2, burst=1)})
    headers = {"Authorization": f"Bearer {service.token('cohorts')}"}
    for _ in range(1 if which == "per_token" else 2):  # an address has a count of its own for known tokens
        assert client.get(f"{BASE}/cohorts", headers=headers).status_code == 200
    answer = client.get(f"{BASE}/cohorts", headers=headers)
    is_problem(answer, 429, "too_many")
    assert 1 <= int(answer.headers["retry-after"]) <= 31


def test_guessing_is_told_to_wait_and_a_valid_token_of_the_same_address_goes_on(service, monkeypatch):
    monkeypatch.setattr(gate, "FAILURES_PER_MINUTE", 3)
    client = _limited(service)
    before = len(audit.entries(service.store, action="refuse_token"))
    wrong = [{"Authorization": f"Bearer tepat_{n}"} for n in range(5)] + [{}]
    statuses = [client.get(f"{BASE}/cohorts", headers=headers).status_code for headers in wrong]
    assert statuses == [401, 401, 401, 429, 429, 429]
    assert len(audit.entries(service.store, action="refuse_token")) <= before + 3
    valid = {"Authorization": f"Bearer {service.token('cohorts')}"}
    assert client.get(f"{BASE}/cohorts", headers=valid).status_code == 200


def test_a_flood_of_guesses_does_not_hold_up_a_token_that_was_used_before(service):
    client = _limited(service, per_address=Limiter(60, burst=5))
    valid = {"Authorization": f"Bearer {service.token('cohorts')}"}
    assert client.get(f"{BASE}/cohorts", headers=valid).status_code == 200
    guesses = [
        client.get(f"{BASE}/cohorts", headers={"Authorization": f"Bearer tepat_{n}"}).status_code
        for n in range(30)
    ]
    assert guesses[-1] == 429
    assert client.get(f"{BASE}/cohorts", headers=valid).status_code == 200


@pytest.mark.parametrize("told", [True, False], ids=["with a length", "in chunks"])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(service, told):
    """Nothing of it is taken where its length is told, else no more than the limit of 1 MB and one piece."""
    taken, sent = [], []

    async def receive():
        taken.append(1)
        return {"type": "http.request", "body": b"x" * 2**18, "more_body": len(taken) < 100}

    async def send(message):
        sent.append(message)

    asking = _asking(service.token("verify"))
    asking["headers"] += [(b"content-length", str(100 * 2**18).encode())] if told else []
    run_apart(_gate(service)(asking, receive, send))
    assert sent[0]["status"] == 413 and b'"too_large"' in b"".join(one.get("body", b"") for one in sent)
    assert len(taken) == (0 if told else 5)


def _asking(token: str) -> dict:
    """A POST of a token, as ASGI tells it."""
    return {
        "type": "http",
        "method": "POST",
        "path": f"{BASE}/verify",
        "headers": [(b"authorization", f"Bearer {token}".encode())],
        "query_string": b"",
        "client": ("10.0.0.7", 5),
        "root_path": BASE,
        "scheme": "http",
        "http_version": "1.1",
    }


def test_a_token_that_sends_slowly_leaves_places_to_the_others(service, monkeypatch):
    """Its own further request is told to wait; another's is answered; the slow ones end at their time."""
    monkeypatch.setattr(gate, "PATIENCE", 1.0)
    slow, other = service.token("verify"), service.token("verify")
    before, one = _gate(service), gate.AT_ONCE_EACH

    async def statuses() -> tuple[list[int], int, int]:
        async def dribbled():
            await asyncio.sleep(60)

        async def at_once():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def sent(token: str, receive) -> int:
            said = []

            async def send(message):
                said.append(message)

            await before(_asking(token), receive, send)
            return said[0]["status"]

        held = [asyncio.create_task(sent(slow, dribbled)) for _ in range(one)]
        while before._held.total() < one:
            await asyncio.sleep(0.01)
        more, another = await sent(slow, at_once), await sent(other, at_once)
        return list(await asyncio.gather(*held)), more, another

    held, more, another = run_apart(statuses())
    assert (more, another) == (429, 422) and held == [408] * one
    assert not before._held


def test_a_request_too_many_of_an_address_does_not_reach_the_store(service, monkeypatch):
    client, asked_for = _limited(service, per_address=Limiter(2, burst=2)), []
    find = tokens.find_token
    monkeypatch.setattr(tokens, "find_token", lambda *of: asked_for.append(1) or find(*of))
    wrong = [{"Authorization": f"Bearer tepat_{n}"} for n in range(9)]
    statuses = [client.get(f"{BASE}/cohorts", headers=headers).status_code for headers in wrong]
    assert statuses == [401, 401] + [429] * 7 and len(asked_for) == 2


def test_a_database_that_is_gone_is_a_problem_and_no_traceback(service, monkeypatch, caplog):
    token = service.token()

    def gone(*_, **__):
        raise OperationalError("SELECT secret", {}, Exception("down"))

    with monkeypatch.context() as patched:
        patched.setattr(tokens, "find_token", gone)
        is_problem(service.get("/cohorts", token), 503, "store_unavailable")
    monkeypatch.setattr(queries, "flow_counts", gone)
    answer = service.get("/cohorts", token)
    is_problem(answer, 503, "store_unavailable")
    assert "secret" not in answer.text + caplog.text


def test_a_mistake_in_the_program_shows_nothing_of_it(service, monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL)

    def wrong(*_, **__):
        raise RuntimeError("S01 Siti Aminah")

    monkeypatch.setattr(queries, "flow_counts", wrong)
    answer = service.get("/cohorts", service.token())
    is_problem(answer, 500, "failed")
    assert "Siti" not in answer.text and "Traceback" not in answer.text


def test_figures_of_the_server_hold_nothing_of_people(service):
    service.get("/scores", service.token("scores"), target="late", student=service.key)
    answer = asked(service, "GET", METRICS, service.token("metrics"))
    assert answer.status_code == 200
    assert 'tepat_requests_total{method="GET",path="/api/v1/scores",status="200"}' in answer.text
    assert "tepat_store_up 1.0" in answer.text
    for personal in (
        service.number,
        service.key,
        service.program,
        *service.secrets,
        *service.secrets.values(),
    ):
        assert personal not in answer.text


@pytest.mark.parametrize(
    ("client", "headers", "let_in"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("10.0.0.7", {}, False),
        ("testclient", {}, False),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.9"}, False),
        ("127.0.0.1", {"forwarded": "for=203.0.113.9"}, False),
        ("127.0.0.1", {"via": "1.1 proxy"}, False),
    ],
)
def test_this_machine_itself_is_known_by_its_address_and_no_proxy(client, headers, let_in):
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert gate.from_this_machine({"client": (client, 1), "headers": raw}) is let_in


def test_figures_are_open_to_this_machine_only_by_the_setting(service, monkeypatch):
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    from dashboard.shell.service.routes import service_routes
    from data.settings import get_settings

    for api_on, loopback, status in (("0", "1", 200), ("1", "0", 401), ("0", "0", 404)):
        monkeypatch.setenv("TEPAT_API", api_on)
        monkeypatch.setenv("TEPAT_METRICS_LOOPBACK", loopback)
        get_settings.cache_clear()
        app = Starlette(routes=service_routes())
        assert TestClient(app, client=("127.0.0.1", 5)).get(METRICS).status_code == status
        assert TestClient(app, client=("10.0.0.7", 5)).get(METRICS).status_code in (401, 404)
    get_settings.cache_clear()
