"""What stands before the service: whose token it is, how often it asks, how much it sends. Plain ASGI.

A request is refused before its body is read. What a token may do is asked of the store every time, so that a
revoked one opens nothing from that moment on.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.websockets import WebSocketClose

from dashboard.shell.service.limits import MOST_KEYS, Limiter
from dashboard.shell.service.problems import Problem, answer
from dashboard.shell.service.turns import Client
from dashboard.shell.session_route import capped_body
from data.engine.health import DATABASE_PROBLEMS
from data.store import Store
from data.trust import audit, tokens
from data.trust.throttle import network_of
from data.trust.tokens import Token

PATIENCE = 30  # seconds that a body may take to arrive
FAILURES_PER_MINUTE = 20  # of one address, without a valid token
NOTED_EVERY = 10  # minutes between two entries about the same refusal
AT_ONCE = 16  # requests whose bodies are held in memory
AT_ONCE_EACH = 6  # of them of one token: a client that sends slowly leaves places to the others
BEARER = "bearer "
OPEN = ""  # the scope of what needs no token
Rules = Mapping[tuple[str, str], str]
_PULSES = ThreadPoolExecutor(1, "token use")
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Parameters
    ----------
    token : Token
    address : str
        Of the client.
    """

    token: Token
    address: str


@dataclass(frozen=True)
class Limits:
    """How much the service takes.

    Parameters
    ----------
    per_token, per_address : Limiter
    body_bytes : int
        Of one request.
    """

    per_token: Limiter
    per_address: Limiter
    body_bytes: int


class Gate:
    """Lets a request in with a token that may do what it asks for.

    Parameters
    ----------
    app
        The ASGI application behind it; finds the :class:`Caller` in ``scope["state"]["caller"]``, and with a
        body the :class:`Client` in ``scope["state"]["client"]``.
    store_of : callable
        The store.
    rules : mapping
        (method, whole path) → scope of a token, or :data:`OPEN`. What is not listed does not exist.
    limits : Limits
    trusted : callable, optional
        Of an ASGI scope: whether it is let in without a token.
    measure : callable, optional
        Is told method, path (of ``rules``, else "other"), status and seconds of every answer.
    """

    def __init__(
        self,
        app,
        store_of: Callable[[], Store],
        rules: Rules,
        limits: Limits,
        trusted: Callable[[dict], bool] = lambda _scope: False,
        measure: Callable[[str, str, int, float], None] = lambda *_: None,
    ):
        self.app, self._store_of, self._rules, self._limits = app, store_of, rules, limits
        self._trusted, self._measure = trusted, measure
        self._failures = Limiter(FAILURES_PER_MINUTE, burst=FAILURES_PER_MINUTE)
        self._noted = Limiter(1 / NOTED_EVERY, burst=1)
        self._valid: set[bytes] = set()  # digests of tokens that were valid when they were asked for last
        self._held: Counter[str] = Counter()  # bodies, by the token that sends them

    async def __call__(self, scope, receive, send) -> None:
        """Pass on, or answer why not."""
        if scope["type"] == "websocket":
            return await WebSocketClose(code=1008)(scope, receive, send)
        began, statuses = time.monotonic(), []

        async def told(message: dict) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        try:
            await self._answered(scope, receive, told)
        finally:
            known = any(scope["path"] == path for _, path in self._rules)
            path = scope["path"] if known else "other"
            self._measure(scope["method"], path, *statuses[:1] or [499], time.monotonic() - began)

    async def _answered(self, scope, receive, send) -> None:
        try:
            scope = await self._admitted(scope)
            await self._with_body(scope, receive, send)
        except Problem as problem:
            headers = {"Connection": "close"} if problem.status in (408, 413) else {}
            if problem.code == "method_not_allowed":
                headers["Allow"] = ", ".join(sorted(self._methods(scope["path"])))
            await answer(problem, headers)(scope, receive, send)
        except DATABASE_PROBLEMS as problem:
            logger.error("the store does not answer: %s", type(problem).__name__)
            await answer(unavailable())(scope, receive, send)

    def _methods(self, path: str) -> set[str]:
        return {method for method, one in self._rules if one == path}

    async def _admitted(self, scope) -> dict:
        """The scope with its caller."""
        address, presented = (scope.get("client") or ("",))[0], _presented(Headers(scope=scope))
        # Requests with a token that was valid before are counted apart: guessing holds them up no longer.
        counted = (network_of(address), presented is not None and _digest(presented) in self._valid)
        _within(self._limits.per_address.take(counted), "from this address")
        needed = self._rules.get((scope["method"], scope["path"]))
        if needed is None:
            if self._methods(scope["path"]):
                raise Problem("method_not_allowed", "See the header Allow for what it takes.")
            raise Problem("no_such_path", "See openapi.json for what there is.")
        if needed == OPEN or self._trusted(scope):
            return scope
        caller = await self._caller(scope, address, presented, needed)
        _within(self._limits.per_token.take(caller.token.name), "with this token")
        return dict(scope) | {"state": {**scope.get("state", {}), "caller": caller}}

    async def _caller(self, scope, address: str, presented: str | None, needed: str) -> Caller:
        network = network_of(address)
        if presented is None:
            self._fail(network)
            raise Problem("token_missing", "Send the header Authorization: Bearer and the token.")
        token = await run_in_threadpool(tokens.find_token, self._store_of(), presented)
        state = "unknown" if token is None else token.state()
        if state != "valid":
            self._valid.discard(_digest(presented))
            self._fail(network)
            await self._note(token, f"token_{state}", address, scope["path"])
            raise Problem(f"token_{state}", "Ask the administrator of this server for a new one.")
        if len(self._valid) < MOST_KEYS:
            self._valid.add(_digest(presented))
        if needed not in token.scopes:
            await self._note(token, "scope_missing", address, scope["path"])
            raise Problem("scope_missing", f"This needs a token with the scope {needed}.")
        _PULSES.submit(_tell, self._store_of(), token)
        return Caller(token, address)

    def _fail(self, network) -> None:
        # A valid token is never held up by what others send from the same address.
        _within(self._failures.take(network), "without a valid token, from this address")

    async def _note(self, token: Token | None, why: str, address: str, path: str) -> None:
        """An entry in the audit log, once in a while for the same refusal: nothing leaves the log again."""
        who = audit.NOBODY if token is None else token.actor
        if self._noted.take((who, why, network_of(address), path)):
            return
        role = "" if token is None else tokens.ROLE
        about = {"why": why, "address": address}
        words = {"actor": who, "role": role, "action": "refuse_token", "object": path[:120]}
        await run_in_threadpool(audit.append, self._store_of(), **words, detail=about)

    async def _with_body(self, scope, receive, send) -> None:
        if scope["method"] in ("GET", "HEAD"):
            return await self.app(scope, receive, send)
        caller = scope.get("state", {}).get("caller")
        whose = "" if caller is None else caller.token.name
        if self._held.total() >= AT_ONCE or self._held[whose] >= AT_ONCE_EACH:
            raise Problem("busy", "Try again in a moment.", retry_after=2)
        self._held[whose] += 1
        try:
            body, client = await self._read(scope, receive), Client()
            watch = asyncio.create_task(client.watch(receive))
            scope = dict(scope) | {"state": {**scope.get("state", {}), "client": client}}
            try:
                await self.app(scope, _told_at_once(body, watch), send)
            finally:
                watch.cancel()
        finally:
            self._held[whose] -= 1
            if not self._held[whose]:
                del self._held[whose]

    async def _read(self, scope, receive) -> bytes:
        most = self._limits.body_bytes
        try:
            async with asyncio.timeout(PATIENCE):
                body = await capped_body(Request(scope, receive), most)
        except TimeoutError:
            raise Problem("too_slow", f"The whole of it must arrive within {PATIENCE} seconds.") from None
        except ClientDisconnect:
            raise Problem("invalid", "The request broke off.") from None
        if body is None:
            raise Problem("too_large", f"At most {most // 2**20} MB are taken.")
        return body


def from_this_machine(scope) -> bool:
    """Whether a connection comes from this machine itself, and no proxy says that it speaks for another."""
    headers = Headers(scope=scope)
    passed_on = ("forwarded", "x-forwarded-for", "x-real-ip", "x-forwarded-host", "via")
    if any(name in headers for name in passed_on):
        return False
    try:
        return ipaddress.ip_address((scope.get("client") or ("",))[0]).is_loopback
    except ValueError:
        return False


def _presented(headers: Headers) -> str | None:
    """The token that a request brings; None when it brings none, or several."""
    told = headers.getlist("authorization")
    if len(told) != 1 or not told[0].lower().startswith(BEARER):
        return None
    return told[0][len(BEARER) :].strip() or None


def _digest(presented: str) -> bytes:
    return hashlib.sha256(presented.encode("utf-8", "surrogatepass")).digest()


def _tell(store: Store, token: Token) -> None:
    # Beside the answer: on SQLite a long import holds up every writer, and nobody waits for that.
    try:
        tokens.used(store, token)
    except DATABASE_PROBLEMS:
        logger.exception("the use of a token was not noted")


def _within(wait: float, whose: str) -> None:
    if wait > 0:
        raise Problem("too_many", f"Too many requests {whose}; see Retry-After.", retry_after=wait)


def unavailable() -> Problem:
    """What is said while the store cannot be used."""
    return Problem("store_unavailable", "Try again later; the server's log says why.", retry_after=10)


def _told_at_once(body: bytes, watch: asyncio.Task):
    """The body that was read, then that the client has gone; two may not listen to a connection at once."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def told() -> dict:
        if left:
            return left.pop()
        await asyncio.wait([watch])
        return {"type": "http.disconnect"}

    return told
