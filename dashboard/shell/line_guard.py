"""How many connections and files one visitor may hold: plain ASGI, no Streamlit.

Streamlit keeps the state of a page for every WebSocket, and uploaded files for every tab, in memory. What is
over a limit is refused before it is read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocketClose

from dashboard.shell.open_lines import HEADER, Limits, OpenLines
from dashboard.shell.sessions import cookie_name, over_tls
from dashboard.shell.web_guard import UPLOADS, with_header
from data.trust.sessions import Session

SessionOf = Callable[[str | None], Session | None]
Held = Callable[[Iterable[str]], tuple[int, int]]
FRAME = 64 * 1024  # bytes around a file in its request
_TOO_MANY, _IDLE = 1013, 1001  # WebSocket codes: try again later; going away


class LineGuard:
    """Counts the open WebSockets, and closes those on which nobody signs in.

    Parameters
    ----------
    app
        The ASGI application behind it.
    session_of : callable
        The session of a cookie; None for nobody.
    lines : OpenLines
    limits : Limits
    idle_seconds : float
        A line on which nobody is signed in ends after so long without a word from the browser.
    """

    def __init__(self, app, session_of: SessionOf, lines: OpenLines, limits: Limits, idle_seconds: float):
        self.app, self._session_of = app, session_of
        self._lines, self._limits, self._idle_seconds = lines, limits, idle_seconds

    async def __call__(self, scope, receive, send) -> None:
        """Pass a WebSocket on with its number, or refuse it (HTTP 403)."""
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)
        session = await session_on(scope, self._session_of)
        address = (scope.get("client") or ("",))[0]
        account = None if session is None else session.account.account
        number = self._lines.open(address, account, self._limits)
        if number is None:
            return await WebSocketClose(code=_TOO_MANY)(scope, receive, send)
        ear = _Ear(receive, send, self._idle_seconds, lambda: self._lines.is_signed_in(number))
        try:
            await self.app(with_header(scope, HEADER, [number]), ear.receive, ear.send)
        finally:
            ear.forget()
            self._lines.close(number)


class _Ear:
    """Listens to one browser, and closes the line when it has been silent for too long without a sign-in."""

    def __init__(self, receive, send, seconds: float, signed_in: Callable[[], bool]):
        self._receive, self._send, self._seconds, self._signed_in = receive, send, seconds, signed_in
        self._waiting: asyncio.Task | None = None
        self._closed = False

    async def receive(self) -> dict:
        """The next word; the end of the line when none comes."""
        self._waiting = self._waiting or asyncio.ensure_future(self._receive())
        while not (await asyncio.wait({self._waiting}, timeout=self._seconds))[0]:
            if not self._signed_in():
                await self.send({"type": "websocket.close", "code": _IDLE, "reason": "nobody signed in"})
                self._closed = True
                return {"type": "websocket.disconnect", "code": _IDLE}
        heard, self._waiting = self._waiting.result(), None
        return heard

    async def send(self, message: dict) -> None:
        """Pass on; after the end there is nobody to hear it."""
        if not self._closed:
            await self._send(message)

    def forget(self) -> None:
        """Wait for nothing any more."""
        if self._waiting is not None:
            self._waiting.cancel()


@dataclass(frozen=True)
class UploadLimits:
    """What may be held in memory.

    Parameters
    ----------
    file_bytes : int
        Of one file.
    account_bytes, account_files : int
        Of one account, in all its tabs.
    """

    file_bytes: int
    account_bytes: int
    account_files: int


class UploadGuard:
    """Takes files for one's own tabs only, and no more than the limits allow.

    Parameters
    ----------
    app
        The ASGI application behind it.
    session_of : callable
        The session of a cookie; None for nobody.
    lines : OpenLines
        Knows whose a tab is.
    held : callable
        How many bytes and files are held for some tabs.
    limits : UploadLimits
    """

    def __init__(self, app, session_of: SessionOf, lines: OpenLines, held: Held, limits: UploadLimits):
        self.app, self._session_of, self._lines = app, session_of, lines
        self._held, self._limits = held, limits
        self._coming_bytes: Counter[str] = Counter()
        self._coming_files: Counter[str] = Counter()

    async def __call__(self, scope, receive, send) -> None:
        """Pass on, or answer 403 (not one's own tab) or 413 (too much) before the body is read."""
        if scope["type"] != "http" or UPLOADS not in scope["path"] or scope["method"] == "OPTIONS":
            return await self.app(scope, receive, send)
        session = await session_on(scope, self._session_of)
        tab = unquote(scope["path"].partition(UPLOADS)[2].partition("/")[0])
        if session is None or self._lines.session_of(tab) != session.session_id:
            return await _refused(403, "Not a tab of yours")(scope, receive, send)
        if scope["method"] == "DELETE":
            return await self.app(scope, receive, send)
        await self._taken(session.account.account, scope, receive, send)

    async def _taken(self, account: str, scope, receive, send) -> None:
        told = Headers(scope=scope).get("content-length", "")
        allowed = self._room(account)
        wanted = int(told) if told.isdecimal() else allowed
        if allowed <= 0 or wanted > allowed:
            return await _refused(413, "Too much")(scope, receive, send)
        self._coming_bytes[account] += wanted
        self._coming_files[account] += 1
        body = _Body(receive, send, wanted)
        try:
            await self.app(scope, body.receive, body.send)
        except ClientDisconnect:
            if not body.too_long:
                raise
        finally:
            self._coming_bytes[account] -= wanted
            self._coming_files[account] -= 1

    def _room(self, account: str) -> int:
        """The most bytes that the next request of an account may have."""
        size, files = self._held(self._lines.tabs_of(account))
        if files + self._coming_files[account] >= self._limits.account_files:
            return 0
        left = self._limits.account_bytes - size - self._coming_bytes[account]
        return min(left, self._limits.file_bytes) + FRAME if left > 0 else 0


class _Body:
    """A request whose body hangs up when it has more than it told, or than is allowed."""

    def __init__(self, receive, send, most: int):
        self._receive, self._send, self._left = receive, send, most
        self.too_long = False

    async def receive(self) -> dict:
        """The next part."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        self.too_long = self.too_long or self._left < 0
        return {"type": "http.disconnect"} if self.too_long else message

    async def send(self, message: dict) -> None:
        """Pass on; what was too long is answered by 413, whatever the app makes of the broken body."""
        if self.too_long and message["type"] == "http.response.start":
            message = message | {"status": 413}
        await self._send(message)


def _refused(status: int, text: str) -> PlainTextResponse:
    return PlainTextResponse(text, status_code=status, headers={"connection": "close"})


async def session_on(scope, session_of: SessionOf) -> Session | None:
    """The session whose cookie a connection brings."""
    wire = HTTPConnection(scope)
    # Of a WebSocket the headers alone tell, as they do in the tab: both must look at the same cookie.
    scheme = scope["scheme"] if scope["type"] == "http" else "ws"
    cookie = wire.cookies.get(cookie_name(over_tls(wire.headers, scheme)))
    return None if cookie is None else await run_in_threadpool(session_of, cookie)
