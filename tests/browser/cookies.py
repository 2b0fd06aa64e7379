"""What a window of the browser holds."""

from __future__ import annotations

from dashboard.shell.sessions import COOKIE


def cookie_of(page) -> str:
    """The session cookie of a window, once the page has exchanged its ticket."""
    for _ in range(100):
        for cookie in page.context.cookies():
            if cookie["name"] == COOKIE:
                return cookie["value"]
        page.wait_for_timeout(100)
    raise AssertionError("no session cookie")
