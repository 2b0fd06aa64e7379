"""What stands between the network and the app: who may have or send a file, whose tab it is, and headers.

Plain ASGI, no Streamlit: a request that is refused here never reaches it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocketClose

from dashboard.shell.sessions import cookie_name, over_tls
from data.trust.accounts import Account

# Streamlit's own fonts lie under /static/media/: they are everybody's.
_MEDIA = re.compile(r"(?P<before>.*?)/media/(?P<file>.*)", re.DOTALL)
_METRICS = "/_stcore/metrics"
UPLOADS = "/_stcore/upload_file/"
_OFFERED = "sec-websocket-protocol"
_PORTS = {"http": 80, "https": 443}
HSTS = "max-age=31536000"
# Streamlit's page begins with a script in its text, and so do the app's two; every address is the app's own.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",  # blob: a component's own script
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data:",  # the camera's picture is read from where it stands in the page
        "worker-src 'self' blob:",
        "frame-src 'self' blob: data:",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "base-uri 'self'",
        "object-src 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

AccountOf = Callable[[str | None], Account | None]
MayHave = Callable[[str, str | None], bool]
MayGoOn = Callable[[str, str], bool]


class FileGuard:
    """Refuses files of people, and the server's figures, to whoever may not see them, and strangers' files.

    Streamlit keeps an uploaded file in memory for whoever knows the number of a tab. Here only somebody who
    is signed in may send one; a refusal comes before the body is read.

    Parameters
    ----------
    app
        The ASGI application behind it.
    account_of : callable
        Who a session cookie stands for now; None for nobody.
    may_have : callable
        Whether an account was given the file of that address
        (:class:`dashboard.shell.handed_files.HandedFiles`).
    """

    def __init__(self, app, account_of: AccountOf, may_have: MayHave):
        self.app, self._account_of, self._may_have = app, account_of, may_have

    async def __call__(self, scope, receive, send) -> None:
        """Pass the request on, or answer that there is nothing (404) or that nothing is taken (403)."""
        if scope["type"] != "http" or not _guarded(scope["path"]):
            return await self.app(scope, receive, send)
        request = Request(scope)
        cookie = request.cookies.get(cookie_name(over_tls(request.headers, request.url.scheme)))
        if await run_in_threadpool(self._allowed, scope["path"], cookie):
            return await self.app(scope, receive, send)
        refusal = PlainTextResponse("Not found", status_code=404)
        if _is_upload(scope["path"]):
            refusal = PlainTextResponse("Sign in first", status_code=403, headers={"connection": "close"})
        await refusal(scope, receive, send)

    def _allowed(self, path: str, cookie: str | None) -> bool:
        someone = self._account_of(cookie)
        if someone is None:
            return False
        if _is_upload(path):
            return True
        file = media_file(path)
        if file is None:
            return someone.role == "administrator"  # of the server's figures
        return self._may_have(file, someone.account)


def _guarded(path: str) -> bool:
    return media_file(path) is not None or _is_upload(path) or path.rstrip("/").endswith(_METRICS)


def _is_upload(path: str) -> bool:
    return UPLOADS in path


def media_file(path: str) -> str | None:
    """The file that a path asks Streamlit's media route for; None when it asks for something else."""
    match = _MEDIA.fullmatch(path)
    return None if match is None or match["before"].endswith("/static") else match["file"]


class TabGuard:
    """Lets WebSockets in from the app's own pages only, and back to a tab only with the cookie of a session.

    Streamlit takes whoever names a tab's number for the tab's browser. The number stands in addresses of
    uploads, thus in the logs of proxies: it is no secret. Whoever brings no cookie gets a new tab, at the
    sign-in; so does whoever brings the cookie of another session than the tab's, and the tab stays with its
    owner, connected or not.

    Parameters
    ----------
    app
        The ASGI application behind it.
    may_go_on : callable
        Whether the session of a cookie is the one that a tab, by its number, is bound to.
    """

    def __init__(self, app, may_go_on: MayGoOn):
        self.app, self._may_go_on = app, may_go_on

    async def __call__(self, scope, receive, send) -> None:
        """Pass on, without the number of the tab where it does not count; or refuse (HTTP 403)."""
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)
        if not from_own_page(scope):
            return await WebSocketClose(code=1008)(scope, receive, send)
        scope = _host_as_in_origin(scope)
        if len(_offered(scope)) > 2 and not await run_in_threadpool(self._own_tab, scope):
            scope = _without_tab(scope)
        await self.app(scope, receive, send)

    def _own_tab(self, scope) -> bool:
        wire = HTTPConnection(scope)
        # Told by the headers alone, as the tab will: both must look at the same cookie.
        cookie = wire.cookies.get(cookie_name(over_tls(wire.headers)))
        return cookie is not None and self._may_go_on(cookie, _offered(scope)[2])


def from_own_page(scope) -> bool:
    """Whether a handshake comes from a page of the very host and port that it speaks to, or from no page.

    A page cannot choose the headers ``Origin``, ``Host`` and ``X-Forwarded-Host`` of a WebSocket. Cookies are
    sent to every port of a host, whatever their SameSite says.
    """
    headers = Headers(scope=scope)
    told = headers.getlist("origin")
    if not told:
        return True
    scheme, _, place = told[0].partition("://")
    scheme = scheme.lower()
    if len(told) > 1 or scheme not in _PORTS:
        return False
    page = _host_and_port(place, _PORTS[scheme])
    usual = _PORTS["https" if over_tls(headers, scope.get("scheme", "ws")) else "http"]
    spoken_to = (headers.get("host"), (headers.get("x-forwarded-host") or "").split(",")[0])
    return page is not None and page in [_host_and_port(host, usual) for host in spoken_to]


def _host_and_port(place: str | None, usual: int) -> tuple[str, int] | None:
    """``host[:port]`` in parts; None where it is not of that form."""
    place = (place or "").strip()
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.netloc != place or "@" in place:
        return None
    return host, usual if port is None else port


def _host_as_in_origin(scope):
    """The same request, its host spelt as in Origin; where they differ Streamlit asks other servers why."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is None:
        return scope
    return with_header(scope, "host", [origin.partition("://")[2]])


def _offered(scope) -> list[str]:
    """The subprotocols of a handshake: Streamlit's name, a token, and the number of a tab to go on with."""
    lines = Headers(scope=scope).getlist(_OFFERED)
    return [protocol.strip() for line in lines for protocol in line.split(",")]


def _without_tab(scope):
    kept = _offered(scope)[:2]
    return with_header(scope, _OFFERED, [", ".join(kept)]) | {"subprotocols": list(filter(None, kept))}


def with_header(scope, name: str, values: list[str]):
    """The same request with one header replaced by these."""
    raw = [pair for pair in scope["headers"] if pair[0] != name.encode()]
    return dict(scope) | {"headers": raw + [(name.encode(), value.encode("latin-1")) for value in values]}


class ProtectiveHeaders:
    """Tells browsers, on every answer, what a page of this app may do.

    Nothing of the app may be framed by another site, load from one, or send to one. Behind TLS browsers are
    told to stay there.
    """

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send: Callable[[dict], Awaitable[None]]) -> None:
        """Pass on, with headers on what comes back."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def with_headers(message: dict) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if behind_tls(scope):
                    headers["Strict-Transport-Security"] = HSTS
                if media_file(scope["path"]) is not None:
                    headers["Cache-Control"] = "no-store"
                else:
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)


def behind_tls(scope) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy before us."""
    request = Request(scope)
    return over_tls(request.headers, request.url.scheme)
