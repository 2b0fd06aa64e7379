"""Clients that hang up, at a server with real connections: what they asked for is given up, and who comes
after them is not kept waiting by it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
import uvicorn
from starlette.applications import Starlette

from dashboard.shell.service import signatures
from dashboard.shell.service.routes import BASE, service_routes
from dashboard.shell.service.turns import Client, ClientLeft, NoTurn, Turns
from data.trust import audit
from data.trust.scope import Scope
from data.verification import queries as kept
from data.verification.write import NoConsent
from tests.dashboard.shell.conftest import stroke
from vision.verification import verification_pipeline

ALL, LONG = Scope.system(), 30.0


def until(true, what: str) -> None:
    """Wait for something that other threads do."""
    end = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


# --- turns ---
def test_places_are_taken_in_the_order_of_arrival_and_given_back_whatever_happens():
    turns, came, go = Turns(1), [], threading.Event()

    def work(number: int) -> None:
        with turns.one(Client(), LONG):
            came.append(number)
            go.wait(LONG)

    threads = []
    for number in range(4):
        threads.append(threading.Thread(target=work, args=(number,)))
        threads[-1].start()
        until(lambda n=number: came == [0] and turns.waiting == n, "they stand in line")
    go.set()
    for thread in threads:
        thread.join(LONG)
    assert came == [0, 1, 2, 3] and (turns.free, turns.waiting) == (1, 0)
    with pytest.raises(ZeroDivisionError), turns.one(Client(), LONG):
        1 / 0  # noqa: B018
    assert (turns.free, turns.waiting) == (1, 0)


def test_nobody_waits_longer_than_their_patience_and_a_free_place_needs_none():
    turns = Turns(1)
    with turns.one(Client(), 0):
        with pytest.raises(NoTurn), turns.one(Client(), 0):
            raise AssertionError("there was no place")
        assert (turns.free, turns.waiting) == (0, 0)
    assert turns.free == 1


def test_who_has_left_gets_no_place_though_one_is_free():
    turns, client = Turns(1), Client()
    client._left.set()
    with pytest.raises(ClientLeft), turns.one(client, LONG):
        raise AssertionError("nobody is there")
    assert (turns.free, turns.waiting) == (1, 0)


# --- a server ---
class Held:
    """Comparisons that go on until they are let go, in place of the real one up to its first step."""

    def __init__(self) -> None:
        self.begun, self.go, self._real = [], threading.Event(), verification_pipeline.verify

    def all_have_left(self) -> bool:
        """Whether the server knows that nobody waits for what was begun."""
        return all(client.left for client in self.begun)

    def __call__(self, store, key, image, *, go_on, **by):
        self.begun.append(go_on.__self__)
        assert self.go.wait(LONG)
        return self._real(store, key, image, go_on=go_on, **by)


@pytest.fixture
def held(monkeypatch) -> Iterator[Held]:
    """The comparisons of this test."""
    one = Held()
    monkeypatch.setattr(verification_pipeline, "verify", one)
    yield one
    one.go.set()
    until(lambda: signatures._WORK.free == signatures.AT_ONCE, "every place is free again")


@pytest.fixture(scope="module")
def port(service) -> Iterator[int]:
    """Where the service answers, over real connections."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        found = free.getsockname()[1]
    app = Starlette(routes=service_routes())
    server = uvicorn.Server(uvicorn.Config(app, host="localhost", port=found, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, "the server listens")
    yield found
    server.should_exit = True
    thread.join(LONG)


@contextmanager
def asked(service, port: int) -> Iterator[socket.socket]:
    """A connection on which a comparison was asked for and no answer has been read; closed at the end."""
    parts = {"files": {"image": ("s.png", stroke(), "image/png")}, "data": {"student_number": service.number}}
    parts["headers"] = {"Authorization": f"Bearer {service.token()}"}
    made = requests.Request("POST", f"http://localhost:{port}{BASE}/verify", **parts).prepare()
    lines = [f"POST {made.path_url} HTTP/1.1", f"Host: localhost:{port}"]
    lines += [f"{name}: {value}" for name, value in made.headers.items()]
    with socket.create_connection(("localhost", port), timeout=LONG) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode() + made.body)
        yield line


def decided(service) -> tuple[int, int]:
    """How many decisions there are, and how many the log tells of."""
    told = audit.entries(service.store, action="verify signature")
    return len(kept.decisions(service.store, ALL, key=service.key)), len(told)


def test_who_leaves_while_their_signature_waits_is_never_worked_on(service, port, held):
    before = decided(service)
    with asked(service, port), asked(service, port):
        until(lambda: len(held.begun) == signatures.AT_ONCE, "two are at work")
        with asked(service, port):
            until(lambda: signatures._WORK.waiting == 1, "a third one waits")
        until(lambda: signatures._WORK.waiting == 0, "it has left the line")
        assert len(held.begun) == signatures.AT_ONCE
    until(held.all_have_left, "the others have left too")
    held.go.set()
    until(lambda: signatures._WORK.free == signatures.AT_ONCE, "the others have ended")
    assert len(held.begun) == signatures.AT_ONCE and decided(service) == before


def test_who_leaves_while_their_signature_is_at_work_frees_the_place_when_the_work_ends_and_keeps_nothing(
    service, port, held
):
    before = decided(service)
    with asked(service, port), asked(service, port):
        until(lambda: len(held.begun) == signatures.AT_ONCE, "two are at work")
    with asked(service, port) as third:
        until(lambda: signatures._WORK.waiting == 1, "a third one waits")
        until(held.all_have_left, "the server has noticed who left")
        assert signatures._WORK.free == 0  # a thread at work holds its place, whoever has left
        held.go.set()
        assert third.recv(20).startswith(b"HTTP/1.1 200")
    assert decided(service) == (before[0] + 1, before[1] + 1)


def test_a_client_that_stays_is_answered_and_one_that_leaves_is_counted(service, port, held):
    held.go.set()
    with asked(service, port) as line:
        assert line.recv(20).startswith(b"HTTP/1.1 200")
    headers = {"Authorization": f"Bearer {service.token('metrics')}"}
    held.go.clear()
    with asked(service, port):
        until(lambda: len(held.begun) == 2, "it is at work")
    until(lambda: held.begun[-1].left, "the server has noticed who left")
    held.go.set()

    def counted() -> bool:
        figures = requests.get(f"http://localhost:{port}/metrics", headers=headers, timeout=LONG).text
        return 'path="/verify",status="499"' in figures.replace(BASE, "")

    until(counted, "the figures tell of who left")


def test_what_a_refusal_says_reaches_who_is_there(service, port, held, monkeypatch):
    def refuse(*_, **__):
        raise NoConsent("the student has not agreed")

    monkeypatch.setattr(verification_pipeline, "verify", refuse)
    with asked(service, port) as line:
        assert line.recv(20).startswith(b"HTTP/1.1 409")
    assert signatures._WORK.free == signatures.AT_ONCE
