"""Which file was handed to whom: an address under ``/media/`` is worth nothing to anybody else.

Streamlit gives every file of a page an address that anybody may open. Here stands who was given it: the
account, and the browser tab that showed it. What nobody was given is refused.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

MOST_PER_TAB = 500  # files of one tab that are remembered; a rerun of the page hands them out anew


class HandedFiles:
    """Files by tab and account.

    Parameters
    ----------
    alive : callable
        Whether a tab, by its id, is still connected.
    """

    def __init__(self, alive: Callable[[str], bool]):
        self._alive, self._lock = alive, Lock()
        self._tabs: dict[str, OrderedDict[str, str]] = {}

    def note(self, file: str, tab: str, account: str) -> None:
        """Remember that a page of ``account`` in ``tab`` was given a file.

        Parameters
        ----------
        file : str
            Its address, or the name under which it will be asked for.
        """
        with self._lock:
            if tab not in self._tabs:
                self._tabs = {known: files for known, files in self._tabs.items() if self._alive(known)}
            files = self._tabs.setdefault(tab, OrderedDict())
            files[_name(file)] = account
            files.move_to_end(_name(file))
            while len(files) > MOST_PER_TAB:
                files.popitem(last=False)

    def note_made(self, file: str, asked_for: str) -> None:
        """A file was made for whoever had been given the name ``asked_for``."""
        with self._lock:
            owners = [(tab, files.get(_name(asked_for))) for tab, files in self._tabs.items()]
        for tab, account in owners:
            if account is not None:
                self.note(file, tab, account)

    def may_have(self, file: str, account: str | None) -> bool:
        """Whether a tab that is still open gave this file to this account."""
        if not account:
            return False
        with self._lock:
            tabs = [tab for tab, files in self._tabs.items() if files.get(_name(file)) == account]
        return any(self._alive(tab) for tab in tabs)


def _name(file: str) -> str:
    """The last part of an address without its ending, as Streamlit looks it up."""
    return file.rsplit("/", 1)[-1].rsplit(".", 1)[0]
