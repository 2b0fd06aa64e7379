"""What each page and each change of a filter costs, at the size of a large university.

The real server, the real pages, and a visitor that speaks the app's websocket protocol. Two times: how long
the script ran, by Streamlit's own clock, and how long the visitor waited, from the message to the app until
the app said that its script had finished. Nothing else is asked of the server meanwhile. The first look at
every page fills caches and is not counted. What the overview costs before the server has drawn ahead
(:mod:`dashboard.components.ahead`) has a row of its own; the others are measured after that. In the browser:
from the request to the drawn first page, in a fresh profile.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.main_job import ROOT, Place, first_page, free_port, run, wait_until_up
from benchmarks.report_file import write_result
from benchmarks.visitor import Visit, Visitor
from dashboard.shell.access import pages_for, scope_for
from data import queries
from data.columns import ROLES, TARGETS
from data.store import open_store
from data.trust.accounts import list_accounts

LIMITS = {"p95_ms": 100, "message_bytes": 200_000, "megabytes_per_session": 30}
SESSIONS = 20
AHEAD_SECONDS = 60
# Streamlit tells its time only with its usage statistics, which the app has off: every call of a page would
# be noted at a cost that no reader pays.
UNTRACKED = "from streamlit.runtime import metrics_util; metrics_util._MAX_TRACKED_COMMANDS = 0"


def main(
    students: Annotated[int, typer.Option(min=300, help="Students of the demo university.")] = 100_000,
    store: Annotated[
        Path | None, typer.Option(help="A folder with a demo store; by default a new one.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=5, help="Counted runs of each action.")] = 30,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
    url: Annotated[str, typer.Option(help="Its database; by default SQLite in the folder.")] = "",
) -> None:
    """Time every page of every role and its filters; memory per session; the first page in Chromium."""
    with tempfile.TemporaryDirectory() as new:
        place = Place(str(store or new), url)
        seconds = {} if store else build(students, place)
        with served(place) as (address, _process):
            rows = [first_looks(address)]
            time.sleep(AHEAD_SECONDS)
            rows += [row for role in ROLES for row in role_rows(address, role, place, repeats)]
        with served(place) as (address, process):  # a new one: what was freed would hide what is taken
            megabytes = memory_per_session(address, process)
        pages = first_page(place, 5)
        with open_at(place) as opened:
            counts = queries.counts(opened).set_index("table")["rows"]
    for row in rows:
        typer.echo(
            f"{row['page']:12s} {row['action']:24s} script {row['p50_ms']:5.0f} {row['p95_ms']:5.0f} ms, "
            f"answered {row['answered_p50_ms']:5.0f} {row['answered_p95_ms']:5.0f} ms, "
            f"{row['message_bytes']:8,d} bytes"
        )
    typer.echo(
        f"memory per session {megabytes:.1f} MB; first page {', '.join(f'{s:.2f}' for s in sorted(pages))} s"
    )
    write_result(
        {
            "command": f"python -m benchmarks pages --students {students}",
            "data": f"synthetic demo university, {int(counts['students'])} students, no signature images",
            "protocol": "one visitor; script: time by Streamlit's own clock, its usage statistics not kept; "
            "answered: from the message to the app until the visitor has read that the script has finished; "
            f"{repeats} runs per action after one that fills caches; "
            f"'first look at once': before anything was drawn ahead, the others {AHEAD_SECONDS} s later",
            "database": "PostgreSQL" if url else "SQLite",
            "store": {name: int(n) for name, n in counts.items()},
            "build_seconds": seconds,
            "load_average": round(os.getloadavg()[0], 1),
            "rows": rows,
            "megabytes_per_session": round(megabytes, 1),
            "first_page_seconds": [round(value, 2) for value in pages],
            "limits": LIMITS,
            "rows_over_limit": [f"{r['page']}: {r['action']}" for r in rows if over(r)],
        },
        json_file,
    )


def build(students: int, place: Place) -> dict[str, float]:
    """Wall seconds of each step that makes a scored store of so many students."""
    steps = {
        "demo": ("data", "demo", "--students", str(students), "--no-signatures"),
        "train": ("fusion", "train", "--serve"),
    }
    return {name: round(run(command, place), 1) for name, command in steps.items()}


@contextmanager
def served_by(processes: int, place: Place) -> Iterator[tuple[str, subprocess.Popen]]:
    """``serve --processes`` on a store, open to as many visitors from one address: its address and parent."""
    port = free_port()
    command = [sys.executable, "-m", "dashboard", "serve", "--no-worker", "--port", str(port)]
    many = {f"TEPAT_CONNECTIONS_PER_{whose}": "2000" for whose in ("ADDRESS", "ACCOUNT")}
    many["TEPAT_CONNECTIONS_UNSIGNED"] = "2000"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        [*command, "--processes", str(processes)], cwd=ROOT, env=place.environment | many, **quiet
    ) as parent:
        try:
            yield wait_until_up(port), parent
        finally:
            parent.terminate()


@contextmanager
def served(place: Place) -> Iterator[tuple[str, subprocess.Popen]]:
    """The app on a store, made to tell how long its script ran: its address and process."""
    port = free_port()
    config = {"server.port": port, "server.address": "localhost", "browser.gatherUsageStats": True}
    server = f"{UNTRACKED}; from dashboard.shell.server import application; "
    server += f"application().run(config={config!r})"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        [sys.executable, "-c", server], cwd=ROOT, env=place.environment, **quiet
    ) as process:
        try:
            yield wait_until_up(port), process
        finally:
            process.terminate()


@contextmanager
def open_at(place: Place):
    """The store at a place."""
    opened = open_store(place.url or None, folder=Path(place.folder))
    try:
        yield opened
    finally:
        opened.close()


def role_rows(address: str, role: str, place: Place, repeats: int) -> list[dict]:
    """Rows of the pages of one role."""
    with Visitor(address) as visitor:
        visitor.press(visitor.open(), f"enter-{role}")
        return [
            row(page, action, call, repeats)
            for page in (entry.name for entry in pages_for(role))
            for action, call in actions(visitor, page, place, role)
        ]


def first_looks(address: str) -> dict:
    """The overview of programmes and cohorts that nobody has looked at since the server started."""
    with Visitor(address) as visitor:
        visitor.press(visitor.open(), "enter-leadership")
        here = visitor.open("overview")
        programs, cohorts = (len(here.widget("selectbox", key).options) for key in ("program", "cohort"))
        visitor.pick(here, "target", 1)  # the background begins with the other target
        visits = []
        for place in range(1, programs):
            visitor.select(here, "program", place)
            visits.append(visitor.select(here, "cohort", cohorts - 1 - place))
    return quantiles("overview", "first look at once", visits)


def actions(visitor: Visitor, page: str, place: Place, role: str) -> list[tuple[str, Callable[[], Visit]]]:
    """What a reader does on a page."""
    turn = count()
    if page == "student":
        keys = own_students(place, role)
        return [("open a student", lambda: visitor.open(page, f"s={keys[next(turn) % len(keys)]}"))]
    found = [("open", lambda: visitor.open(page))]
    here = visitor.open(page)
    if page == "overview":
        found.append(("choose a programme", lambda: visitor.select(here, "program", next(turn) % 4)))
        found.append(("choose a cohort", lambda: visitor.select(here, "cohort", next(turn) % 4)))
    if page in ("overview", "caseload"):
        found.append(("choose the target", lambda: visitor.pick(here, "target", next(turn) % len(TARGETS))))
    if page == "caseload":
        found.append(("move k", lambda: visitor.slide(here, "k", 10 + 5 * (next(turn) % 5))))
        found.append(("search", lambda: visitor.type(here, "search", "abcdeimnrs"[next(turn) % 10])))
        found.append(("clear the search", lambda: visitor.type(here, "search", "")))
    return found


def own_students(place: Place, role: str, n: int = 25) -> list[str]:
    """Keys of the students at the top of the first account's list."""
    with open_at(place) as store:
        account = next(a for a in list_accounts(store) if a.role == role)
        return queries.caseload(store, scope_for(account), TARGETS[0], n)["student_key"].tolist()


def row(page: str, action: str, call: Callable[[], Visit], repeats: int) -> dict:
    """Quantiles of one action."""
    call()
    return quantiles(page, action, [call() for _ in range(repeats)])


def quantiles(page: str, action: str, visits: list[Visit]) -> dict:
    """The row of some visits."""
    script, whole = (
        np.array([getattr(visit, name) for visit in visits]) * 1000 for name in ("script_seconds", "seconds")
    )
    return {
        "page": page,
        "action": action,
        "p50_ms": round(float(np.quantile(script, 0.5)), 1),
        "p95_ms": round(float(np.quantile(script, 0.95)), 1),
        "answered_p50_ms": round(float(np.quantile(whole, 0.5)), 1),
        "answered_p95_ms": round(float(np.quantile(whole, 0.95)), 1),
        "message_bytes": max(visit.message_bytes for visit in visits),
    }


def over(row: dict) -> bool:
    """Whether an action is over a limit."""
    return row["p95_ms"] > LIMITS["p95_ms"] or row["message_bytes"] > LIMITS["message_bytes"]


def memory_per_session(address: str, process: subprocess.Popen) -> float:
    """Megabytes by which the server's resident memory grows for each of the second twenty leaders."""
    visitors = [looked_around(address)]
    time.sleep(AHEAD_SECONDS)
    visitors += [looked_around(address) for _ in range(SESSIONS)]  # they take what the start has left free
    before = resident_megabytes(process.pid)
    visitors += [looked_around(address) for _ in range(SESSIONS)]
    grown = resident_megabytes(process.pid) - before
    for visitor in visitors:
        visitor.close()
    return max(grown, 0.0) / SESSIONS


def looked_around(address: str) -> Visitor:
    """A leader who has opened two pages and stays."""
    visitor = Visitor(address)
    visitor.press(visitor.open(), "enter-leadership")
    visitor.open("reports")
    visitor.open("overview")
    return visitor


def resident_megabytes(pid: int) -> float:
    """Resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
