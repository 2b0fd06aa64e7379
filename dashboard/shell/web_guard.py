"""What stands between the network and the app: who may have a file, and the headers of every answer.

Plain ASGI, no Streamlit: a request that is refused here never reaches it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from dashboard.shell.sessions import cookie_name, over_tls
from data.trust.accounts import Account

# Streamlit's own fonts lie under /static/media/: they are everybody's.
_MEDIA = re.compile(r"(?P<before>.*?)/media/(?P<file>.*)", re.DOTALL)
_METRICS = "/_stcore/metrics"
HSTS = "max-age=31536000"
# Streamlit's page begins with a script in its text, and so do the app's two; every address is the app's own.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
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


class FileGuard:
    """Refuses files of people, and the server's figures, to whoever may not see them.

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
        """Pass the request on, or answer that there is nothing."""
        if scope["type"] != "http" or not _guarded(scope["path"]):
            return await self.app(scope, receive, send)
        request = Request(scope)
        cookie = request.cookies.get(cookie_name(over_tls(request.headers, request.url.scheme)))
        if await run_in_threadpool(self._allowed, scope["path"], cookie):
            return await self.app(scope, receive, send)
        await PlainTextResponse("Not found", status_code=404)(scope, receive, send)

    def _allowed(self, path: str, cookie: str | None) -> bool:
        someone = self._account_of(cookie)
        if someone is None:
            return False
        file = media_file(path)
        if file is None:
            return someone.role == "administrator"  # of the server's figures
        return self._may_have(file, someone.account)


def _guarded(path: str) -> bool:
    return media_file(path) is not None or path.rstrip("/").endswith(_METRICS)


def media_file(path: str) -> str | None:
    """The file that a path asks Streamlit's media route for; None when it asks for something else."""
    found = _MEDIA.fullmatch(path)
    return None if found is None or found["before"].endswith("/static") else found["file"]


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
