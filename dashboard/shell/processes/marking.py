"""An app process tells browsers its number, so that they come back to it. Plain ASGI, no Streamlit."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection

from dashboard.shell.processes.heads import mark_name
from dashboard.shell.sessions import over_tls


@dataclass
class Place:
    """One app process among several.

    Parameters
    ----------
    number : int
        From 1 on; no two of one parent have the same.
    leaving : bool
        Whether it ends as soon as its tabs are closed, and takes no new ones.
    """

    number: int
    leaving: bool = False


class ProcessMark:
    """Sets the cookie that names this process, on pages and on WebSockets.

    A process that is leaving takes its cookie away with the next page, and ends every connection after one
    answer, so that the browser comes to another process by itself.

    Parameters
    ----------
    app
        The ASGI application behind it.
    place : Place
    """

    def __init__(self, app, place: Place):
        self.app, self._place = app, place

    async def __call__(self, scope, receive, send) -> None:
        """Pass on, with the cookie on what comes back where the browser brought another or none."""
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        wire = HTTPConnection(scope)
        tls = over_tls(wire.headers, scope.get("scheme", "http"))
        name = mark_name(tls)
        brought = wire.cookies.get(name) == str(self._place.number)

        async def marked(message: dict) -> None:
            leaving, page = self._place.leaving, _is_page(message)
            if brought and leaving and page:
                _add_cookie(message, f'{name}=""; Max-Age=0', tls)
            elif not brought and not leaving and (page or message["type"] == "websocket.accept"):
                _add_cookie(message, f"{name}={self._place.number}", tls)
            if leaving and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        await self.app(scope, receive, marked)


def _add_cookie(message: dict, cookie: str, tls: bool) -> None:
    message.setdefault("headers", [])
    told = f"{cookie}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if tls else ''}"
    MutableHeaders(scope=message).append("set-cookie", told)


def _is_page(message: dict) -> bool:
    if message["type"] != "http.response.start" or message["status"] != 200:
        return False
    return Headers(raw=message.get("headers", [])).get("content-type", "").startswith("text/html")
