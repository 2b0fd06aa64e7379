"""A limit on how long the head of a request may take, the first on a connection or a later one."""

from __future__ import annotations

import asyncio
from functools import lru_cache

HEAD_SECONDS = 15.0


@lru_cache
def patient(protocol: type[asyncio.Protocol], seconds: float = HEAD_SECONDS) -> type[asyncio.Protocol]:
    """The same protocol, which closes a connection whose next head does not arrive.

    The server waits five seconds for a further request, and for ever once half of one has come.

    Parameters
    ----------
    protocol : type
        One of uvicorn's for HTTP.
    seconds : float
        From the first byte of a head, or from the beginning of the connection, to its last.
    """
    return type("Patient", (_Patient, protocol), {"seconds": seconds})


class _Patient:
    """What is put before a protocol of uvicorn's."""

    seconds: float
    _until: asyncio.TimerHandle | None = None

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def connection_lost(self, exc) -> None:
        self._stop()
        super().connection_lost(exc)

    def _look(self) -> None:
        if self._is_answering() or self.transport.get_protocol() is not self:  # a WebSocket by now
            self._stop()
        elif self._until is None:
            self._until = self.loop.call_later(self.seconds, self._give_up)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _stop(self) -> None:
        if self._until is not None:
            self._until.cancel()
            self._until = None

    def _give_up(self) -> None:
        self._until = None
        if not self._is_answering():
            self.transport.close()
