"""Keeps a worker running beside the app: started with it, started again when it dies, ended with it."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = (sys.executable, "-m", "dashboard", "worker", "--attached")
PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0)  # seconds before it is started again, the last for ever
STEADY = 120.0  # seconds after which a worker counts as well
GOODBYE = 8.0

logger = logging.getLogger(__name__)


@contextmanager
def kept_worker(command: Sequence[str] = COMMAND, pauses: Sequence[float] = PAUSES) -> Iterator[None]:
    """A worker runs during the block.

    The worker ends when its standard input closes, so it cannot outlive this process, however that ends.

    Parameters
    ----------
    command : sequence of str
        Starts it.
    pauses : sequence of float
        Seconds to wait after the first, second, … end in a row.
    """
    stop = Event()
    keeper = Thread(target=_keep, args=(command, pauses, stop), name="worker keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join(2 * GOODBYE)


def _keep(command: Sequence[str], pauses: Sequence[float], stop: Event) -> None:
    ends = 0
    while not stop.is_set():
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as process:
            waited = _wait(process, stop)
        if stop.is_set():
            return
        ends = 1 if waited > STEADY else ends + 1
        pause = pauses[min(ends, len(pauses)) - 1]
        logger.warning("the worker ended with code %s; another begins in %g s", process.returncode, pause)
        stop.wait(pause)


def _wait(process: subprocess.Popen, stop: Event) -> float:
    """Until the worker has ended, or should: then it is let go, and killed if it does not. Seconds it ran."""
    ran = 0.0
    while process.poll() is None and not stop.wait(0.5):
        ran += 0.5
    if process.poll() is None:
        process.stdin.close()
        try:
            process.wait(GOODBYE)
        except subprocess.TimeoutExpired:
            process.kill()
    return ran
