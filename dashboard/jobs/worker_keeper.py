"""Keeps a worker running beside the app: started with it, started again when it dies, ended with it."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
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
def kept_worker(
    command: Sequence[str] = COMMAND, pauses: Sequence[float] = PAUSES, folder: Path = ROOT
) -> Iterator[Callable[[], None]]:
    """A worker runs during the block, which gets a function that lets another one take its place.

    The worker ends when its standard input closes, so it cannot outlive this process, however that ends.

    Parameters
    ----------
    command : sequence of str
        Starts it.
    pauses : sequence of float
        Seconds to wait after the first, second, … end in a row.
    folder : pathlib.Path
        Where it is started, looked up anew every time.
    """
    stop, renew = Event(), Event()
    words = (command, pauses, folder, stop, renew)
    keeper = Thread(target=_keep, args=words, name="worker keeper", daemon=True)
    keeper.start()
    try:
        yield renew.set
    finally:
        stop.set()
        keeper.join(2 * GOODBYE)


def _keep(command: Sequence[str], pauses: Sequence[float], folder: Path, stop: Event, renew: Event) -> None:
    ends = 0
    while not stop.is_set():
        renew.clear()
        with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE) as process:
            waited = _wait(process, stop, renew)
        if stop.is_set():
            return
        if renew.is_set():
            logger.info("another worker takes the place of the one before")
            continue
        ends = 1 if waited > STEADY else ends + 1
        pause = pauses[min(ends, len(pauses)) - 1]
        logger.warning("the worker ended with code %s; another begins in %g s", process.returncode, pause)
        stop.wait(pause)


def _wait(process: subprocess.Popen, stop: Event, renew: Event) -> float:
    """Until the worker has ended, or should: then it is let go, and killed if it does not. Seconds it ran."""
    ran = 0.0
    while process.poll() is None and not renew.is_set() and not stop.wait(0.5):
        ran += 0.5
    if process.poll() is None:
        process.stdin.close()
        try:
            process.wait(GOODBYE)
        except subprocess.TimeoutExpired:
            process.kill()
    return ran
