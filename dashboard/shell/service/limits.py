"""How often somebody may ask: an even rate with room for a burst, for each key, in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

MOST_KEYS = 10_000
BURST = 0.25  # of a minute's requests may come at once


class Limiter:
    """Counts requests by key: the generic cell rate algorithm (ITU-T I.371, as a meter).

    Used from one event loop only. Keys beyond :data:`MOST_KEYS` that are at work at once share one rate, so
    that memory stays bounded whoever asks.

    Parameters
    ----------
    per_minute : float
        Requests of one key in the long run, > 0.
    burst : float, optional
        Requests that may come at once; by default a quarter of a minute's, at least one.
    now : callable
        Seconds of a clock that only goes forward.
    """

    def __init__(
        self, per_minute: float, burst: float | None = None, now: Callable[[], float] = time.monotonic
    ):
        self._step = 60 / per_minute
        self._room = self._step * (max(1.0, per_minute * BURST) if burst is None else burst)
        self._now = now
        self._due: dict[Hashable, float] = {}

    def take(self, key: Hashable) -> float:
        """Count one request. Returns 0, or the seconds to wait when it comes too soon and was not counted."""
        at, key = self._now(), self._known(key)
        due = max(self._due.get(key, at), at)
        wait = due + self._step - self._room - at
        if wait > 1e-9:
            return wait
        self._due[key] = due + self._step
        return 0.0

    def wait(self, key: Hashable) -> float:
        """The seconds that a request of the key would have to wait now; nothing is counted."""
        at = self._now()
        return max(0.0, max(self._due.get(key, at), at) + self._step - self._room - at - 1e-9)

    def _known(self, key: Hashable) -> Hashable:
        if key in self._due or len(self._due) < MOST_KEYS:
            return key
        at = self._now()
        self._due = {name: due for name, due in self._due.items() if due > at}
        return key if len(self._due) < MOST_KEYS else ""
