"""Killed at a random moment and started again: does anything get lost, doubled or left half-written?

Every kind of work is done once undisturbed. Then copies of the same starting store suffer a SIGKILL, every
other one at a moment drawn between the beginning of the work and its usual end, every other at a write drawn
from all that the work makes (a statement, a commit, a file); the same work is started again, and the store,
its files and its audit log must say what the undisturbed ones say. ``app`` is the served app while browsers
sign in; ``worker`` is the worker with its job, killed with and without the job's own process.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import fault_stages, store_said
from benchmarks.report_file import write_result

ROOT = Path(__file__).resolve().parent.parent
SHARES = {  # of the kills; what takes long suffers fewer
    "import": 0.22,
    "pull": 0.16,
    "embedding": 0.03,
    "training": 0.03,
    "scoring": 0.05,
    "approval": 0.08,
    "undo": 0.15,
    "erasure": 0.12,
    "migration": 0.1,
    "worker": 0.03,
    "app": 0.03,
}
SIGN_INS = 40
IMPORTED = "import files"
PATIENCE = 900.0
WORK = ("dashboard", "worker", "--until-idle")


@dataclass
class Found:
    """What kills of one kind of work have left behind.

    Parameters
    ----------
    seconds : float
        Of the undisturbed work.
    writes : int or None
        Statements, commits and file operations of it.
    at_a_moment, at_a_write : int
        Kills of either kind.
    lost, doubled, half_written : int
        Rows and files that are missing, too many, or say something else than undisturbed.
    audit : int
        Logs that are not whole, or do not tell of each act once.
    damaged : int
        Databases that do not pass their own check right after the kill.
    not_done : int
        Works that could not be done when started again.
    told_again : int
        Imports that were over when the kill came, so that starting again was a second import of the same
        rows, which changed nothing and is in the log as what it was. Nothing is wrong with them.
    told : list of str
        What was found, for whoever mends it.
    """

    seconds: float
    writes: int | None = None
    at_a_moment: int = 0
    at_a_write: int = 0
    lost: int = 0
    doubled: int = 0
    half_written: int = 0
    audit: int = 0
    damaged: int = 0
    not_done: int = 0
    told_again: int = 0
    told: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """All of them."""
        return self.at_a_moment + self.at_a_write

    @property
    def wrong(self) -> int:
        """How much of it must not be."""
        return self.lost + self.doubled + self.half_written + self.audit + self.damaged + self.not_done


def main(
    kills: Annotated[int, typer.Option(min=11, help="Of all kinds of work together.")] = 200,
    students: Annotated[int, typer.Option(min=120, help="Of the university on which models learn.")] = 160,
    pulled: Annotated[int, typer.Option(min=8, help="Students of the invented Feeder.")] = 120,
    only: Annotated[str, typer.Option(help="Kinds of work; the others stay in the file as they are.")] = "",
    seed: Annotated[int, typer.Option(help="Of the moments.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Kill every kind of work at random moments; exit code 1 when anything is lost, doubled, half-written."""
    from tests.data.feeder import registers
    from tests.data.feeder.server import PASSWORD, USER, served

    os.environ |= {"OMP_NUM_THREADS": "1", "TEPAT_FEEDER_PASSWORD": PASSWORD, "TEPAT_THREADS": "1"}
    chosen = [name for name in SHARES if not only or name in only.split(",")]
    before_this = _earlier(json_file) if only else {}
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as base,
        served(registers.rows_of(registers.invented(pulled))) as feeder,
    ):
        runs = fault_stages.stages(feeder.url, USER)
        trial = Trial(Path(base), feeder.url, USER)
        before = fault_stages.prepare(Path(base), students, trial.command, chosen)
        found = {}
        for name in chosen:
            count = max(1, round(kills * SHARES[name]))
            rng = random.Random(f"{seed} {name}")
            if name == "app":
                found[name] = killed_apps(trial, before[name], count, rng)
            else:
                found[name] = killed(trial, name, before[name], count, rng, forked=name in runs)
            _show(name, found[name])
            result = _result(found, before_this, kills, students, pulled, seed, time.monotonic() - began)
            write_result(result, json_file)  # an hour's work is not lost with its last minute
    _show_sum(result)
    if result["wrong"]:
        raise typer.Exit(1)


class Trial:
    """Runs work in processes that can be killed.

    Parameters
    ----------
    base : pathlib.Path
        Folder for stores.
    feeder_url, feeder_user : str
    """

    def __init__(self, base: Path, feeder_url: str, feeder_user: str):
        self.base, self._feeder = base, (feeder_url, feeder_user)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(fault_stages.PRELOAD))

    def start(
        self, work: str | tuple[str, ...], folder: Path, kill_at: int = 0, count_to: Path | None = None
    ):
        """A process that does a stage, by name, or a command."""
        arguments = (work, self._feeder, folder, kill_at, count_to)
        process = self._context.Process(target=_work, args=arguments)
        process.start()
        return process

    def command(self, words: tuple[str, ...], folder: Path) -> None:
        """Do the words of a command to the end."""
        self._ended(self.start(words, folder), folder, words)

    def undisturbed(self, name: str, folder: Path) -> tuple[float, int]:
        """Seconds and writes of a stage."""
        count_to = folder.with_suffix(".count")
        began = time.monotonic()
        self._ended(self.start(name, folder, 0, count_to), folder, name)
        return time.monotonic() - began, int(count_to.read_text(encoding="utf-8"))

    def _ended(self, process, folder: Path, what) -> None:
        process.join(PATIENCE)
        if process.exitcode != 0:
            said = folder.with_suffix(".log").read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"{what} ended with {process.exitcode}: {said}")

    def to_the_end(self, name: str, folder: Path) -> bool:
        """Do a stage once more; whether it was done."""
        process = self.start(name, folder)
        process.join(PATIENCE)
        return process.exitcode == 0


def _work(work, feeder: tuple[str, str], folder: Path, kill_at: int, count_to: Path | None) -> None:
    run = work if isinstance(work, tuple) else fault_stages.stages(*feeder)[work]
    fault_stages.do(run, folder, kill_at, count_to)


def killed(trial: Trial, name: str, before: Path, count: int, rng: random.Random, *, forked: bool) -> Found:
    """Kill one kind of work so often, and compare.

    Parameters
    ----------
    forked : bool
        Whether it is a stage; else it is the worker, a program with a child of its own.
    """
    calm = trial.base / f"{name}-calm"
    shutil.copytree(before, calm)
    began = time.monotonic()
    writes = None
    if forked:
        seconds, writes = trial.undisturbed(name, calm)
    else:
        _worker(calm).wait()
        seconds = time.monotonic() - began
    wanted, found, tries = said(calm), Found(round(seconds, 2), writes), 0
    while found.kills < count and tries < 4 * count:
        tries += 1
        folder = trial.base / f"{name}-{tries}"
        shutil.copytree(before, folder)
        at_a_write = forked and tries % 2 == 0
        if at_a_write:
            process = trial.start(name, folder, kill_at=rng.randint(1, writes))
            process.join(PATIENCE)
            hit = process.exitcode == -signal.SIGKILL
        elif forked:
            process = trial.start(name, folder)
            process.join(rng.uniform(0, seconds))
            hit = process.is_alive()
            process.kill()
            process.join()
        else:
            hit = _kill_worker(folder, rng.uniform(1, seconds), alone=tries % 4 == 1)
        if hit:
            found.at_a_write += at_a_write
            found.at_a_moment += not at_a_write
            found.damaged += not sound(folder)
            done = trial.to_the_end(name, folder) if forked else _worker(folder).wait() == 0
            compare(found, wanted, said(folder), folder, done)
        shutil.rmtree(folder)
    return found


def said(folder: Path) -> dict[str, object]:
    """What the store of a folder says, its log and its files included."""
    from sqlalchemy import select

    from data import schema
    from data.store import open_store
    from data.trust.audit_chain import verify_chain

    store = open_store(folder=folder)
    with store.reading() as connection:
        jobs = Counter(connection.scalars(select(schema.jobs.c.status)))
    whole = verify_chain(store).intact and _reports_prove(store)
    store.close()
    about = {"tables": store_said.fingerprint(folder), "entries": store_said.entries(folder), "whole": whole}
    return about | {
        "jobs": jobs,
        "files": Counter(store_said.files(folder)),
        "drafts": store_said.drafts(folder),
    }


def _reports_prove(store) -> bool:
    from dashboard.reports import pipeline
    from data.trust import reports_store
    from data.trust.scope import Scope

    everybody = Scope.system()
    listed = reports_store.report_list(store, everybody)["report_id"]
    return all(pipeline.prove(store, everybody, one).intact for one in listed)


def sound(folder: Path) -> bool:
    """Whether SQLite finds nothing wrong with the database, right after the kill."""
    connection = sqlite3.connect(folder / "tepat.db")
    try:
        checks = [
            connection.execute(f"PRAGMA {check}").fetchall()
            for check in ("integrity_check", "foreign_key_check")
        ]
    finally:
        connection.close()
    return checks == [[("ok",)], []]


def compare(found: Found, wanted: dict, got: dict, folder: Path, done: bool) -> None:
    """Add to what was found the difference between an undisturbed store and one that was killed."""
    differences = []
    for table, (rows, digest) in wanted["tables"].items():
        has, same = got["tables"][table]
        found.lost += max(rows - has, 0)
        found.doubled += max(has - rows, 0)
        found.half_written += has == rows and digest != same
        if (has, same) != (rows, digest):
            differences.append(f"{table}: {has} rows for {rows}")
    missing, more = wanted["files"] - got["files"], got["files"] - wanted["files"]
    found.lost += missing.total()
    found.doubled += more.total()
    found.half_written += len(got["drafts"])
    again = {action: count - wanted["entries"].get(action, 0) for action, count in got["entries"].items()}
    found.told_again += (
        again.get(IMPORTED, 0) == 1
    )  # killed after its end and done once more: two true entries
    again[IMPORTED] = again.get(IMPORTED, 0) - (again.get(IMPORTED, 0) == 1)
    audit = not got["whole"] or any(again.values()) or not wanted["entries"].keys() <= got["entries"].keys()
    found.audit += audit
    found.not_done += not done or got["jobs"] != wanted["jobs"]
    if missing or more:
        differences.append(f"files missing {sorted(missing)}, more {sorted(more)}")
    if audit:
        differences.append(f"log whole: {got['whole']}, entries {got['entries']} for {wanted['entries']}")
    if not done or got["jobs"] != wanted["jobs"]:
        log = folder.with_suffix(".log")
        last = log.read_text(encoding="utf-8", errors="replace")[-600:] if log.exists() else ""
        differences.append(f"done: {done}, jobs {dict(got['jobs'])}: {last}")
    found.told += differences


# --- the worker ---------------------------------------------------------------------------------------------
def _worker(folder: Path) -> subprocess.Popen:
    return _program(folder, *WORK)


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


def _kill_worker(folder: Path, after: float, *, alone: bool) -> bool:
    """Kill the worker, with the process of its job or without; whether it was still at work."""
    process = _worker(folder)
    try:
        process.wait(after)
        return False
    except subprocess.TimeoutExpired:
        process.kill() if alone else os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


# --- the app ------------------------------------------------------------------------------------------------
def killed_apps(trial: Trial, before: Path, count: int, rng: random.Random) -> Found:
    """Kill the served app while browsers exchange their tickets for cookies, and serve again.

    A sign-in whose answer arrived must hold; one whose answer did not may be begun again, and is there once.
    """
    found, seconds = Found(0.0), _sign_in_seconds(trial, before)
    found.seconds = round(seconds, 2)
    for turn in range(count):
        folder = trial.base / f"app-{turn}"
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


def _sign_in_seconds(trial: Trial, before: Path) -> float:
    folder, port = trial.base / "app-calm", _free_port()
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


# --- the answer ---------------------------------------------------------------------------------------------
def _earlier(path: Path | None) -> dict[str, dict]:
    """What a file holds of an earlier run, by kind of work."""
    if path is None or not path.exists():
        return {}
    return json.loads(path.read_text(encoding="utf-8"))["work"]


def _result(
    found: dict[str, Found],
    before: dict[str, dict],
    kills: int,
    students: int,
    pulled: int,
    seed: int,
    seconds: float,
) -> dict:
    counted = ("lost", "doubled", "half_written", "audit", "damaged", "not_done")
    listed = {
        name: {
            "kills": one.kills,
            "at_a_moment": one.at_a_moment,
            "at_a_write": one.at_a_write,
            "seconds_undisturbed": one.seconds,
            "writes_undisturbed": one.writes,
        }
        | {what: getattr(one, what) for what in (*counted, "told_again")}
        for name, one in found.items()
    }
    listed = {name: one for name, one in before.items() if name not in listed} | listed
    return {
        "command": f"python -m benchmarks faults --kills {kills} --students {students} --pulled {pulled} "
        f"--seed {seed}",
        "data": "invented students; the office's files and the Feeder of the tests; SQLite",
        "kills": sum(one["kills"] for one in listed.values()),
        **{what: sum(one[what] for one in listed.values()) for what in counted},
        "wrong": sum(one[what] for one in listed.values() for what in counted),
        "work": listed,
        "told": {name: one.told[:20] for name, one in found.items() if one.told},
        "seconds": round(seconds),
        "load_average": round(os.getloadavg()[0], 1),
    }


def _show(name: str, found: Found) -> None:
    typer.echo(
        f"{name:10s} {found.kills:4d} kills ({found.at_a_write} at a write)  lost {found.lost}  doubled "
        f"{found.doubled}  half-written {found.half_written}  log {found.audit}  damaged {found.damaged}  "
        f"not done {found.not_done}"
    )
    for line in found.told[:5]:
        typer.echo(f"           {line}")


def _show_sum(result: dict) -> None:
    typer.echo(
        f"{result['kills']} kills: {result['lost']} lost, {result['doubled']} doubled, "
        f"{result['half_written']} half-written; {result['seconds']} s"
    )
