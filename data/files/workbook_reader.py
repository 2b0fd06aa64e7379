"""The process that reads old workbooks: started once, kept for the next one, ended when it takes too long."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Lock, Timer

from data.files.workbook_child import LENGTH, TAKEN

SECONDS = 120.0
KEPT = 2  # processes that wait for the next workbook
CHILD = Path(__file__).with_name("workbook_child.py")


class ReaderEnded(RuntimeError):
    """The process ended without an answer: the workbook broke it."""


def read(source: bytes) -> dict:
    """What :mod:`data.files.workbook_child` answers about a workbook.

    Raises
    ------
    TimeoutError
        When there is no answer after :data:`SECONDS`; the process is ended.
    ReaderEnded
        When the process ended.
    """
    process, fresh = _waiting.take()
    answer = _answer(process, source)
    if answer is None and not fresh:  # it may have ended while it waited
        process, _ = _waiting.take(fresh=True)
        answer = _answer(process, source)
    if answer is None:
        raise ReaderEnded
    _waiting.give_back(process)
    return json.loads(answer)


def _answer(process: subprocess.Popen, source: bytes) -> bytes | None:
    """The answer in time; None, and the process gone, where it had ended before it took the workbook."""
    late: list[bool] = []
    timer = Timer(SECONDS, lambda: (late.append(True), _kill(process)))
    timer.daemon = True
    timer.start()
    try:
        answer = _ask(process, source)
    except ReaderEnded:
        _end(process)
        if late:
            raise TimeoutError(f"no answer after {SECONDS:g} seconds") from None
        raise
    except BaseException:
        _end(process)
        raise
    finally:
        timer.cancel()
    if answer is None:
        _end(process)
        if late:
            raise TimeoutError(f"no answer after {SECONDS:g} seconds")
    return answer


def _ask(process: subprocess.Popen, source: bytes) -> bytes | None:
    """The answer; None where the process had ended before it took the workbook.

    Raises
    ------
    ReaderEnded
        When it ended after that: the next would, too, and take as long.
    """
    questions, answers = process.stdin, process.stdout
    assert questions is not None and answers is not None  # both are pipes
    try:
        questions.write(len(source).to_bytes(LENGTH, "big"))
        questions.write(source)
        questions.flush()
    except OSError:
        return None
    if answers.read(len(TAKEN)) != TAKEN:
        return None
    length = answers.read(LENGTH)
    answer = answers.read(int.from_bytes(length, "big"))
    if len(length) < LENGTH or len(answer) < int.from_bytes(length, "big"):
        raise ReaderEnded
    return answer


def _kill(process: subprocess.Popen) -> None:
    """End a process and what it has forked, unless it is known to have ended: its number may be another's."""
    if process.returncode is not None:
        return
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()


def _end(process: subprocess.Popen) -> None:
    _kill(process)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if pipe is not None:
                pipe.close()


class _Waiting:
    """Processes that wait for a workbook. They end with this process, as their standard input then closes."""

    def __init__(self) -> None:
        self.lock, self.owner, self.kept = Lock(), os.getpid(), []

    def take(self, *, fresh: bool = False) -> tuple[subprocess.Popen, bool]:
        """A process for the caller alone, and whether it was started just now, as ``fresh`` demands."""
        with self.lock:
            if self.owner != os.getpid():  # after a fork they are the parent's, and so are their pipes
                self.owner, self.kept = os.getpid(), []
            while self.kept and not fresh:
                process, child = self.kept.pop()
                if process.poll() is None and child == CHILD:
                    return process, False
                _end(process)
        process = subprocess.Popen(
            [sys.executable, "-I", str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return process, True

    def give_back(self, process: subprocess.Popen) -> None:
        """Keep a process for the next workbook, or end it where enough of them wait."""
        with self.lock:
            if process.poll() is None and len(self.kept) < KEPT and hasattr(os, "fork"):
                self.kept.append((process, CHILD))
                return
        _end(process)


_waiting = _Waiting()
