"""An address of several parts, which no page has: the browser is sent to one that says so.

Streamlit answers it with its own page, whose programs it then looks for in the wrong place: a blank window.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse

OWN = ("_stcore", "app", "component", "media", "static")  # where Streamlit's files of several parts lie
LONGEST = 60  # letters of a wrong address that are kept


class LostGuard:
    """Answers a page under an address of several parts with a redirection to one of a single part.

    Parameters
    ----------
    app
        The ASGI application behind it.
    base : callable
        The path under which the app is served, such as ``tepat``; empty: at the root.
    """

    def __init__(self, app, base: Callable[[], str]):
        self.app, self._base = app, base

    async def __call__(self, scope, receive, send) -> None:
        """Pass on; where Streamlit's page comes back and nothing lies at the address, redirect (HTTP 307)."""
        root, wrong = self._parts(scope) if scope["type"] == "http" else ("", [])
        if len(wrong) < 2 or wrong[0] in OWN or scope["method"] not in ("GET", "HEAD"):
            return await self.app(scope, receive, send)
        redirected = False

        async def watched(message: dict) -> None:
            nonlocal redirected
            if message["type"] == "http.response.start":
                told = Headers(raw=message["headers"]).get("content-type", "")
                redirected = message["status"] == 200 and told.startswith("text/html")
                if redirected:
                    name = quote("-".join(wrong)[:LONGEST], safe="")
                    await RedirectResponse(f"{root}/{name}")(scope, receive, send)
            if not redirected:
                await send(message)

        await self.app(scope, receive, watched)

    def _parts(self, scope) -> tuple[str, list[str]]:
        """The path of the app, without a slash at its end, and the parts of the address below it."""
        parts = [part for part in scope["path"].split("/") if part]
        base = [part for part in self._base().split("/") if part]
        under = bool(base) and parts[: len(base)] == base
        return ("/" + "/".join(base), parts[len(base) :]) if under else ("", parts)
