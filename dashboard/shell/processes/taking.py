"""The server of an app process that listens on no port: its parent hands it connections that it accepted.

Over a pair of Unix sockets the parent sends one byte each: :data:`TAKE`, with a connection's descriptor
beside it, or :data:`LEAVE`. The process answers with lines "taken open": connections taken so far, and those
that are open; the first line says that it is ready. When the parent's end closes, the process ends.
"""

from __future__ import annotations

import asyncio
import logging
import socket

import uvicorn

from dashboard.shell.processes.marking import Place
from dashboard.shell.processes.patience import patient

TAKE, LEAVE = b"t", b"l"
logger = logging.getLogger(__name__)


class TakingServer(uvicorn.Server):
    """Serves the connections that come over a channel.

    Parameters
    ----------
    config : uvicorn.Config
        With the application; host and port are not used.
    channel : socket.socket
        The process's end of the pair.
    place : Place
        Told when the process is to leave.
    """

    def __init__(self, config: uvicorn.Config, channel: socket.socket, place: Place):
        super().__init__(config)
        self._channel, self._place = channel, place
        self._taken, self._told = 0, b""
        self._beginning: set[asyncio.Task] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then take what is handed over."""
        await super().startup(sockets=[])
        self._channel.setblocking(False)
        asyncio.get_running_loop().add_reader(self._channel, self._hear)
        self._tell()

    async def on_tick(self, counter: int) -> bool:
        """Tell the parent what is open, ten times a second where it has changed."""
        self._tell()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing more; what is being answered is answered."""
        asyncio.get_running_loop().remove_reader(self._channel)
        if self._beginning:
            await asyncio.wait(self._beginning, timeout=1)
        await super().shutdown(sockets=[])
        self._channel.close()

    def _hear(self) -> None:
        try:
            word, descriptors, _, _ = socket.recv_fds(self._channel, 1, 1)
        except BlockingIOError:
            return
        except ConnectionError:
            word, descriptors = b"", []
        if word == TAKE:
            self._taken += 1
            for descriptor in descriptors:  # none where no further one fits into this process
                self._take(socket.socket(fileno=descriptor))
        elif word == LEAVE:
            self._place.leaving = True
        elif not word:
            asyncio.get_running_loop().remove_reader(self._channel)
            self.should_exit = True

    def _take(self, connection: socket.socket) -> None:
        connection.set_inheritable(False)
        connection.setblocking(False)
        beginning = asyncio.get_running_loop().create_task(self._begin(connection))
        self._beginning.add(beginning)
        beginning.add_done_callback(self._beginning.discard)

    async def _begin(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        own = connection.family == socket.AF_UNIX  # the parent's question how one is
        tls = None if own else self.config.ssl
        try:
            await loop.connect_accepted_socket(self._protocol, connection, ssl=tls)
        except OSError as problem:  # the browser has gone, or speaks no TLS
            logger.debug("a connection did not begin: %s", type(problem).__name__)
            connection.close()

    def _protocol(self) -> asyncio.Protocol:
        return patient(self.config.http_protocol_class)(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    def _tell(self) -> None:
        line = b"%d %d\n" % (self._taken, len(self.server_state.connections) + len(self._beginning))
        if line == self._told:
            return
        try:
            self._channel.send(line)
            self._told = line
        except BlockingIOError:
            return  # the parent is busy: it hears of it at the next tick
        except OSError:
            self.should_exit = True
