"""Staying signed in over a reload: a one-time ticket becomes an HttpOnly cookie. No Streamlit here.

Streamlit begins a new session with every page load. After sign-in the page posts a ticket, valid once and for
a minute, to ``/session``; the answer sets a cookie that no script can read. Only hashes of cookies are kept,
in memory: a restart signs everybody out. Which account a cookie stands for is looked up again on every page
load, so a closed account is out at once.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from threading import Lock

COOKIE = "tepat_session"
TICKET_SECONDS = 60
SESSION_SECONDS = 8 * 3600  # a working day
MOST = 10_000  # sessions kept; the oldest go first


class Sessions:
    """Tickets and cookies of one server process.

    Parameters
    ----------
    clock : callable
        Seconds, rising.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self.served = False  # whether a server is there that can set cookies
        self._clock, self._lock = clock, Lock()
        self._tickets: dict[str, tuple[str, float]] = {}
        self._cookies: dict[str, tuple[str, float]] = {}

    def ticket(self, account: str) -> str:
        """A new ticket for an account that has just signed in."""
        text = secrets.token_urlsafe(32)
        with self._lock:
            self._tickets[_hash(text)] = (account, self._clock() + TICKET_SECONDS)
            _trim(self._tickets)
        return text

    def redeem(self, ticket: str) -> str | None:
        """The value of a new cookie; None when the ticket is unknown, used or too old."""
        with self._lock:
            account, until = self._tickets.pop(_hash(ticket), ("", 0.0))
            if not account or self._clock() > until:
                return None
            cookie = secrets.token_urlsafe(32)
            self._cookies[_hash(cookie)] = (account, self._clock() + SESSION_SECONDS)
            _trim(self._cookies)
            return cookie

    def account(self, cookie: str | None) -> str | None:
        """Whose cookie it is; None when it is unknown or too old."""
        if not cookie:
            return None
        with self._lock:
            account, until = self._cookies.get(_hash(cookie), ("", 0.0))
            return account if account and self._clock() <= until else None

    def end(self, cookie: str | None) -> None:
        """Forget a cookie."""
        if cookie:
            with self._lock:
                self._cookies.pop(_hash(cookie), None)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _trim(table: dict) -> None:
    while len(table) > MOST:
        table.pop(next(iter(table)))


SESSIONS = Sessions()
