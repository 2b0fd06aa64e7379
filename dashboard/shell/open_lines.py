"""The connections of browsers to this process, and whose each tab is. No Streamlit here.

A line is an open WebSocket: a tab that is looked at. The server gives each a number in a header of its own,
by which the script that runs for the tab tells who is signed in there.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

HEADER = "x-tepat-line"
REMEMBERED = 3600.0  # seconds that a tab without a line is known; Streamlit forgets it after minutes


@dataclass(frozen=True)
class Limits:
    """How many connections may be open at once.

    Parameters
    ----------
    all : int
        In this process.
    unsigned : int
        Of visitors who have not signed in, in this process.
    per_address : int
        Of those, from one address.
    per_account : int
        Of one account.
    """

    all: int
    unsigned: int
    per_address: int
    per_account: int


@dataclass
class _Line:
    address: str
    account: str | None


@dataclass(frozen=True)
class _Tab:
    session_id: str
    account: str
    seen: float = field(default_factory=monotonic)


class OpenLines:
    """Lines by number, and tabs by Streamlit's number."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lines: dict[str, _Line] = {}
        self._tabs: dict[str, _Tab] = {}

    def open(self, address: str, account: str | None, limits: Limits) -> str | None:
        """The number of a new line; None when there are too many.

        Parameters
        ----------
        address : str
            Where the browser speaks from.
        account : str or None
            Whose cookie it brought.
        """
        with self._lock:
            lines = self._lines.values()
            if account is None:
                unsigned = [one.address for one in lines if one.account is None]
                full = len(unsigned) >= limits.unsigned or unsigned.count(address) >= limits.per_address
            else:
                full = sum(one.account == account for one in lines) >= limits.per_account
            if full or len(self._lines) >= limits.all:
                return None
            number = secrets.token_hex(8)
            self._lines[number] = _Line(address, account)
            return number

    def close(self, number: str) -> None:
        """The line is gone."""
        with self._lock:
            self._lines.pop(number, None)

    def count(self) -> int:
        """How many lines are open."""
        return len(self._lines)

    def signed_in(self, number: str | None, tab: str, session_id: str, account: str) -> None:
        """In the tab on that line somebody is signed in."""
        with self._lock:
            if number in self._lines:
                self._lines[number].account = account
            if tab not in self._tabs:
                old = monotonic() - REMEMBERED
                self._tabs = {known: one for known, one in self._tabs.items() if one.seen > old}
            self._tabs[tab] = _Tab(session_id, account)

    def signed_out(self, number: str | None, tab: str) -> None:
        """In the tab on that line nobody is signed in any more."""
        with self._lock:
            if number in self._lines:
                self._lines[number].account = None
            self._tabs.pop(tab, None)

    def is_signed_in(self, number: str) -> bool:
        """Whether somebody is signed in on a line."""
        line = self._lines.get(number)
        return line is not None and line.account is not None

    def session_of(self, tab: str) -> str | None:
        """The session that a tab is bound to, as its last run knew it."""
        found = self._tabs.get(tab)
        return None if found is None else found.session_id

    def tabs_of(self, account: str) -> list[str]:
        """The tabs in which an account is signed in."""
        with self._lock:
            return [tab for tab, one in self._tabs.items() if one.account == account]

    def __len__(self) -> int:
        return len(self._lines)


LINES = OpenLines()  # of this process
