"""What stands around Streamlit's routes of the institution's sign-in: plain ASGI, no Streamlit.

Streamlit leads everybody back to the start whatever went wrong; here the address says what, for the sign-in
to tell. Its cookies live a month and go over any line; here as long as a session may, and behind TLS over
TLS.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.requests import Request

from dashboard.shell.provider import CALLBACK
from dashboard.shell.sessions import cookie_name
from dashboard.shell.web_guard import behind_tls

LOGIN, LOGOUT = "/auth/login", "/auth/logout"
SAID = "sign_in"  # of the address: what came of it
DONE, WRONG = "done", ("denied", "failed", "unreachable")
_STREAMLIT, _IDENTITY = b"_streamlit_", "_streamlit_user"
_AGE = re.compile(r"max-age=\d+", re.IGNORECASE)


class ProviderGuard:
    """Around the three routes; everything else passes.

    Parameters
    ----------
    app
        The ASGI application behind it.
    seconds : int
        How long the provider's answer may lie in a browser.
    """

    def __init__(self, app, seconds: int):
        self.app, self._seconds = app, seconds

    async def __call__(self, scope, receive, send: Callable) -> None:
        """Pass on, and say what went wrong."""
        if scope["type"] != "http" or scope["path"] not in (LOGIN, LOGOUT, CALLBACK):
            return await self.app(scope, receive, send)
        replaced = False

        async def told(message: dict) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                said = _said(scope, message)
                if said:
                    replaced = True
                    message = _led_back(message, said)
                self._cookies(scope, message)
            elif replaced:
                message = message | {"body": b""}
            await send(message)

        await self.app(scope, receive, told)

    def _cookies(self, scope, message: dict) -> None:
        tls, raw = behind_tls(scope), []
        for name, value in message["headers"]:
            if name.lower() == b"set-cookie" and value.startswith(_STREAMLIT):
                text = value.decode("latin-1")
                age = _AGE.search(text)
                if text.startswith(_IDENTITY) and age and age[0].lower() != "max-age=0":
                    text = _AGE.sub(f"Max-Age={self._seconds}", text)
                if tls and "; secure" not in text.lower():
                    text += "; Secure"
                value = text.encode("latin-1")
            raw.append((name, value))
        message["headers"] = raw
        if scope["path"] == LOGOUT and _own(scope):
            gone = f'{cookie_name(tls)}=""; HttpOnly; Max-Age=0; Path=/; SameSite=strict'
            raw.append((b"set-cookie", (gone + ("; Secure" if tls else "")).encode()))


def _own(scope) -> bool:
    """Whether a page of this app asks: another site must not take the cookie away."""
    return Request(scope).headers.get("sec-fetch-site", "same-origin") == "same-origin"


def _said(scope, message: dict) -> str:
    """What came of it, :data:`DONE` or one of :data:`WRONG`; nothing where there is nothing to say yet."""
    if scope["path"] == LOGIN and message["status"] >= 400:
        return "unreachable"
    if scope["path"] != CALLBACK:
        return ""
    query = Request(scope).query_params
    if "error" in query:
        return "denied" if query["error"] == "access_denied" else "failed"
    if "code" not in query and "state" not in query:  # back from the provider's sign-out
        return ""
    given = [
        value
        for name, value in message["headers"]
        if name.lower() == b"set-cookie" and value.startswith(f"{_IDENTITY}=".encode())
    ]
    taken_away = b'""', b"null"
    good = any(not value.partition(b"=")[2].startswith(taken_away) for value in given)
    return DONE if message["status"] < 400 and good else "failed"


def _led_back(message: dict, said: str) -> dict:
    kept = [
        (name, value)
        for name, value in message["headers"]
        if name.lower() not in (b"location", b"content-length", b"content-type")
    ]
    kept += [(b"location", f"/?{SAID}={said}".encode()), (b"content-length", b"0")]
    return message | {"status": 302, "headers": kept}
