"""The parent's door: accepts connections, looks at the first request's head, hands each to an app process.

A head is looked at without taking it out of the socket, so the process reads it again from the beginning, and
the address that it sees is the browser's. A connection on which nothing comes holds up nobody; it is closed
after a while, and the oldest of them earlier when there are many.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import secrets
import socket
from collections.abc import Callable, Sequence
from typing import Protocol

from dashboard.shell.processes.heads import MOST, Head, is_http, is_whole, read_head

HEAD_SECONDS = 15.0  # that the first head may take to arrive
SILENT = 400  # connections whose head has not arrived, at once
HAND_SECONDS = 5.0  # that a process may take to make room for another connection
_TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_NOBODY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
logger = logging.getLogger(__name__)


class AppProcess(Protocol):
    """An app process as the door sees it."""

    number: int
    leaving: bool

    @property
    def load(self) -> int:
        """How many connections it holds."""
        ...

    async def hand(self, connection: socket.socket) -> bool:
        """Give it a connection; False when it takes none any more."""
        ...


class Chooser:
    """Which process a connection goes to.

    The one that the cookie names; one that is leaving only where its tab goes on. Else, where something stays
    the same on all connections of a browser or program, the same process for the same: several tabs of one
    browser whose process has died meet again in one, and a program's requests are counted in one. Else the
    one with the fewest connections.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)

    def choose(self, head: Head, processes: Sequence[AppProcess]) -> AppProcess | None:
        """The process for a connection; None when there is none.

        Parameters
        ----------
        head : Head
            Of its first request.
        processes : sequence
            That are ready.
        """
        named = next((one for one in processes if one.number == head.process), None)
        if named is not None and not (named.leaving and head.begins):
            return named
        staying = [one for one in processes if not one.leaving] or list(processes)
        if head.stays is not None and staying:
            return max(staying, key=lambda one: self._worth(head.stays or "", one.number))
        return min(staying, key=lambda one: one.load, default=None)

    def _worth(self, stays: str, number: int) -> bytes:
        # Whatever processes come and go, whoever is not theirs stays where they were.
        text = f"{number} {stays}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=8).digest()


class Doorkeeper:
    """Hands connections of a listening socket over.

    Parameters
    ----------
    listening : socket.socket
        Bound; not blocking.
    processes : callable
        The processes that are ready now.
    head_seconds : float
        A connection on which no whole head has come is closed after so long.
    silent : int
        How many of those may wait at once; then the oldest is closed.
    """

    def __init__(
        self,
        listening: socket.socket,
        processes: Callable[[], Sequence[AppProcess]],
        head_seconds: float = HEAD_SECONDS,
        silent: int = SILENT,
    ):
        self._listening, self._processes = listening, processes
        self._head_seconds, self._silent = head_seconds, silent
        self._chooser = Chooser()
        self._waiting: dict[asyncio.Task, None] = {}  # whose head has not come, the oldest first
        self._tasks: set[asyncio.Task] = set()

    def open(self) -> None:
        """Begin to accept, in the running loop."""
        self._listening.listen(2048)
        asyncio.get_running_loop().add_reader(self._listening, self._accept)

    async def close(self) -> None:
        """Accept no more, and let go whoever has not been handed over."""
        asyncio.get_running_loop().remove_reader(self._listening)
        self._listening.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self) -> None:
        for _ in range(100):
            try:
                connection, _address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as problem:
                if problem.errno not in _FULL:
                    raise
                logger.warning("no further connection fits: %s", problem.strerror)
                return self._pause()
            connection.setblocking(False)
            if len(self._waiting) >= self._silent:
                next(iter(self._waiting)).cancel()
            task = asyncio.get_running_loop().create_task(self._attend(connection))
            self._tasks.add(task)
            self._waiting[task] = None
            task.add_done_callback(self._forget)

    def _pause(self) -> None:
        """No descriptor is left: what waits at the door waits there for half a second."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listening)

        def again() -> None:
            if self._listening.fileno() >= 0:
                loop.add_reader(self._listening, self._accept)

        loop.call_later(0.5, again)

    def _forget(self, task: asyncio.Task) -> None:
        self._tasks.discard(task)
        self._waiting.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a connection was not handed over", exc_info=task.exception())

    async def _attend(self, connection: socket.socket) -> None:
        with connection:
            try:
                async with asyncio.timeout(self._head_seconds):
                    data = await peeked(connection)
            except TimeoutError:
                return _say(connection, _TOO_LATE)
            except OSError:
                return  # the browser has gone
            task = asyncio.current_task()
            if task is not None:
                self._waiting.pop(task, None)
            if data:
                await self._hand(connection, data)

    async def _hand(self, connection: socket.socket, data: bytes) -> None:
        head, tried = read_head(data), set()
        if head.stays is None and not is_http(data):
            head = Head(stays=_address_of(connection))  # TLS to be ended by the app: nothing else is legible
        while True:
            left = [one for one in self._processes() if one.number not in tried]
            process = self._chooser.choose(head, left)
            if process is None:
                return _say(connection, _NOBODY)
            if await process.hand(connection):
                return
            tried.add(process.number)


async def peeked(connection: socket.socket) -> bytes:
    """The head of the first request on a connection, left where it is; empty when the browser hangs up.

    At most :data:`dashboard.shell.processes.heads.MOST` bytes. Waits for as long as the caller lets it.

    Raises
    ------
    OSError
        When the connection breaks.
    """
    pause = 0.005
    await _legible(connection)
    while True:
        try:
            data = connection.recv(MOST, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            await _legible(connection)
            continue
        if not data or is_whole(data):
            return data
        # What was looked at stays, so the socket goes on saying that there is something.
        await asyncio.sleep(pause)
        pause = min(2 * pause, 0.25)


async def _legible(connection: socket.socket) -> None:
    loop, come = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(connection, come.set)
    try:
        await come.wait()
    finally:
        loop.remove_reader(connection)


def _say(connection: socket.socket, answer: bytes) -> None:
    """Answer what was asked for, if anything was."""
    try:
        if connection.recv(MOST):
            connection.send(answer)
    except OSError:
        logger.debug("nobody was there to be told")


def _address_of(connection: socket.socket) -> str | None:
    try:
        return str(connection.getpeername()[0])
    except (OSError, IndexError):
        return None
