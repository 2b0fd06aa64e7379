"""Who is still there, and whose turn it is: few signatures are worked on at once, in the order of arrival.

A thread cannot be ended from outside. So work whose client has left gives up by itself: it never begins while
it waits, and between its steps it asks whether anybody wants its answer. A place is free again when the work
in it has ended, and not before: what the work holds is held until then.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

LOOK = 0.2  # seconds between two looks of who waits at whether the client is there


class ClientLeft(Exception):
    """Whoever asked has hung up: there is nobody to answer."""


class NoTurn(Exception):
    """No place became free in the time that somebody waits for one."""


class Client:
    """Whoever has sent a request, and whether they still wait for its answer."""

    def __init__(self) -> None:
        self._left = threading.Event()

    @property
    def left(self) -> bool:
        """Whether they have hung up."""
        return self._left.is_set()

    def must_be_there(self) -> None:
        """Go on only for somebody.

        Raises
        ------
        ClientLeft
        """
        if self.left:
            raise ClientLeft

    async def watch(self, receive) -> None:
        """Return when the server says that the connection is gone.

        Parameters
        ----------
        receive
            Of ASGI; the body must have been read.
        """
        while (await receive())["type"] != "http.disconnect":
            pass
        self._left.set()


class Turns:
    """So many places, taken in the order of arrival.

    Parameters
    ----------
    places : int
        How many are at work at once.
    """

    def __init__(self, places: int) -> None:
        self._free, self._line, self._changed = places, deque(), threading.Condition()

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        with self._changed:
            return len(self._line)

    @property
    def free(self) -> int:
        """How many places nobody is at work in."""
        with self._changed:
            return self._free

    @contextmanager
    def one(self, client: Client, patience: float) -> Iterator[None]:
        """Within it a place is taken.

        Parameters
        ----------
        patience : float
            Seconds to wait for it.

        Raises
        ------
        NoTurn
        ClientLeft
            When the client has hung up before the turn came.
        """
        self._take(client, time.monotonic() + patience)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _take(self, client: Client, until: float) -> None:
        me = object()
        with self._changed:
            self._line.append(me)
            try:
                while True:
                    client.must_be_there()
                    if self._free and self._line[0] is me:
                        self._free -= 1
                        return
                    rest = until - time.monotonic()
                    if rest <= 0:
                        raise NoTurn
                    self._changed.wait(min(rest, LOOK))
            finally:
                self._line.remove(me)
                self._changed.notify_all()
