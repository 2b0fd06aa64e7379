"""Programs that are killed as they are started: the worker, two workers at once, and the served app."""

from __future__ import annotations

import http.client
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from benchmarks.fault_findings import Found, sound

ROOT = Path(__file__).resolve().parent.parent
SIGN_INS = 40
PATIENCE = 900.0
UNTIL_IDLE = ("dashboard", "worker", "--until-idle")
FOR_EVER = ("dashboard", "worker")


# --- the worker ---------------------------------------------------------------------------------------------
def worker(folder: Path) -> bool:
    """Let a worker do what waits; whether it ended well."""
    return _program(folder, *UNTIL_IDLE).wait() == 0


def _program(folder: Path, *words: str) -> subprocess.Popen:
    environment = {**os.environ, "TEPAT_FOLDER": str(folder), "DATABASE_URL": ""}
    log = folder.with_suffix(".log").open("ab")
    started = subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    log.close()
    return started


def kill_worker(folder: Path, after: float, *, alone: bool) -> bool:
    """Kill the worker, with the process of its job or without; whether it was still at work."""
    process = _program(folder, *UNTIL_IDLE)
    try:
        process.wait(after)
        return False
    except subprocess.TimeoutExpired:
        process.kill() if alone else os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def kill_one_of_two(folder: Path, after: float, rng: random.Random) -> bool:
    """Two workers at once, one of which is killed, with its job's process or without: was a job open then?

    Nobody starts anything again: the other has to take the job. It is told to end when no job is open.
    """
    both = [_program(folder, *FOR_EVER) for _ in range(2)]
    end = time.monotonic() + after
    while time.monotonic() < end and _open_jobs(folder):
        time.sleep(0.05)
    hit, dead = _open_jobs(folder), both.pop(rng.randrange(2))
    dead.kill() if rng.random() < 0.5 else os.killpg(dead.pid, signal.SIGKILL)
    dead.wait()
    end = time.monotonic() + PATIENCE
    while _open_jobs(folder) and both[0].poll() is None and time.monotonic() < end:
        time.sleep(0.2)
    both[0].terminate()
    both[0].wait()
    return hit


def _open_jobs(folder: Path) -> bool:
    with closing(sqlite3.connect(folder / "tepat.db", timeout=30)) as connection:
        found = connection.execute("SELECT 1 FROM jobs WHERE status IN ('waiting', 'running')").fetchone()
    return found is not None


# --- the app ------------------------------------------------------------------------------------------------
def killed_apps(base: Path, before: Path, count: int, rng: random.Random) -> Found:
    """Kill the served app while browsers exchange their tickets for cookies, and serve again.

    A sign-in whose answer arrived must hold; one whose answer did not may be begun again, and is there once.
    """
    found, seconds = Found(0.0), _sign_in_seconds(base, before)
    found.seconds = round(seconds, 2)
    for turn in range(count):
        folder = base / f"app-{turn}"
        shutil.copytree(before, folder)
        tickets, port = [], _free_port()
        process = _program(folder, "dashboard", "serve", "--no-worker", "--port", str(port))
        _wait_for(port, process)
        tickets = _tickets(folder)
        answered = _sign_in(port, tickets, until=time.monotonic() + rng.uniform(0, seconds), kill=process)
        process.wait()
        found.at_a_moment += 1
        found.damaged += not sound(folder)
        again = _program(folder, "dashboard", "serve", "--no-worker", "--port", str(port))
        found.not_done += not _wait_for(port, again)
        rest = _sign_in(port, [one for one in tickets if one not in answered], until=time.monotonic() + 60)
        _compare_sign_ins(found, folder, tickets, answered, rest)
        os.killpg(again.pid, signal.SIGKILL)
        again.wait()
        shutil.rmtree(folder)
    return found


def _sign_in_seconds(base: Path, before: Path) -> float:
    folder, port = base / "app-calm", _free_port()
    shutil.copytree(before, folder)
    process = _program(folder, "dashboard", "serve", "--no-worker", "--port", str(port))
    _wait_for(port, process)
    tickets, began = _tickets(folder), time.monotonic()
    answered = _sign_in(port, tickets, until=began + 60)
    seconds = time.monotonic() - began
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if len(answered) != len(tickets):
        raise RuntimeError(f"{len(answered)} of {len(tickets)} sign-ins were answered by an undisturbed app")
    return seconds


def _tickets(folder: Path) -> list[str]:
    from data.store import open_store
    from data.trust.accounts import Account, write_accounts
    from data.trust.sessions import begin

    store, someone = open_store(folder=folder), Account("rina", "Rina", "registry")
    write_accounts(store, [someone])
    tickets = [begin(store, someone)[1] for _ in range(SIGN_INS)]
    store.close()
    return tickets


def _sign_in(
    port: int, tickets: list[str], until: float, kill: subprocess.Popen | None = None
) -> dict[str, str]:
    """Ticket → cookie of those that were answered; with ``kill``, the app dies at ``until``."""
    import threading

    stop = threading.Timer(max(until - time.monotonic(), 0), lambda: os.killpg(kill.pid, signal.SIGKILL))
    if kill is not None:
        stop.start()
    answered = {}
    for ticket in tickets:
        line = http.client.HTTPConnection("localhost", port, timeout=30)
        try:
            line.request("POST", "/session", ticket)
            answer = line.getresponse()
            if answer.status == 204:
                answered[ticket] = answer.getheader("set-cookie").partition("=")[2].partition(";")[0]
        except (OSError, http.client.HTTPException):
            if kill is not None:
                break
        finally:
            line.close()
    if kill is not None:
        stop.join()
    return answered


def _compare_sign_ins(found: Found, folder: Path, tickets: list, answered: dict, rest: dict) -> None:
    from data.store import open_store
    from data.trust.audit_chain import verify_chain
    from data.trust.sessions import find_by_cookie, sessions_of

    store = open_store(folder=folder)
    lost = sum(find_by_cookie(store, cookie) is None for cookie in (*answered.values(), *rest.values()))
    there = len(sessions_of(store, "rina"))
    unanswered = len(tickets) - len(answered) - len(rest)  # the answer under way at the kill, at most
    found.lost += lost + max(len(tickets) - there, 0)
    found.doubled += max(there - len(tickets), 0)
    found.half_written += max(unanswered - 1, 0)
    found.audit += not verify_chain(store).intact
    if lost or there != len(tickets) or unanswered > 1:
        found.told.append(
            f"app: {lost} cookies lost, {there} sessions, {unanswered} tickets without an answer"
        )
    store.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return free.getsockname()[1]


def _wait_for(port: int, process: subprocess.Popen, seconds: float = 120) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        line = http.client.HTTPConnection("localhost", port, timeout=5)
        try:
            line.request("GET", "/health")
            if line.getresponse().status == 200:
                return True
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
        finally:
            line.close()
    return False
