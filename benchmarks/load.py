"""Many people at once: each signs in, filters, opens ten students, with a short pause between two acts.

The real server, in one process or several, and visitors that speak its websocket protocol, each in a thread.
A time runs from the message to the app until the app says that its script has finished, waiting for others
included.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.main_job import Place
from benchmarks.pages import build, own_students, served_by
from benchmarks.report_file import write_result
from benchmarks.visitor import AppFailed, Visit, Visitor

LIMIT_SECONDS = 1.0


def main(
    students: Annotated[int, typer.Option(min=300, help="Students of the demo university.")] = 10_000,
    sessions: Annotated[int, typer.Option(min=1, help="People at once.")] = 20,
    processes: Annotated[int, typer.Option(min=1, help="App processes behind the port.")] = 1,
    pause: Annotated[float, typer.Option(min=0, help="Mean seconds between two acts of a person.")] = 2.0,
    store: Annotated[
        Path | None, typer.Option(help="A folder with a demo store; by default a new one.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the pauses.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
    url: Annotated[str, typer.Option(help="Its database; by default SQLite in the folder.")] = "",
) -> None:
    """Latency of each kind of act under load, and every error."""
    with tempfile.TemporaryDirectory() as new:
        place = Place(str(store or new), url)
        if store is None:
            build(students, place)
        keys = own_students(place, "advisor")
        with served_by(processes, place) as (address, _parent), ThreadPoolExecutor(sessions) as pool:
            warm(address, keys, processes)
            load = os.getloadavg()[0]
            started = time.perf_counter()
            seeds = np.random.SeedSequence(seed).spawn(sessions)
            parts = list(pool.map(lambda own: one_person(address, keys, pause, own), seeds))
            seconds = time.perf_counter() - started
    acts = [act for part, _ in parts for act in part]
    errors = [problem for _, problem in parts if problem]
    rows = [quantiles(kind, [s for k, s in acts if k == kind]) for kind in dict.fromkeys(k for k, _ in acts)]
    rows.append(quantiles("all", [s for _, s in acts]))
    for row in rows:
        typer.echo(
            f"{row['action']:18s} n {row['n']:4d}  p50 {row['p50_ms']:6.0f}  p95 {row['p95_ms']:6.0f} ms"
        )
    typer.echo(f"{len(errors)} errors; {len(acts) / seconds:.1f} acts a second")
    write_result(
        {
            "command": f"python -m benchmarks load --students {students} --sessions {sessions} "
            f"--processes {processes} --pause {pause}",
            "data": "synthetic demo university",
            "database": "PostgreSQL" if url else "SQLite",
            "protocol": f"{sessions} sessions, {processes} app processes: sign in, move k, choose a target, "
            f"search, open 10 students each; pauses exponential with mean {pause} s; "
            "message to script finished",
            "load_average_before": round(load, 1),
            "load_average": round(os.getloadavg()[0], 1),
            "acts_per_second": round(len(acts) / seconds, 1),
            "rows": rows,
            "errors": errors,
            "limit_p95_ms": 1000 * LIMIT_SECONDS,
            "within_limit": all(row["p95_ms"] < 1000 * LIMIT_SECONDS for row in rows) and not errors,
        },
        json_file,
    )


def warm(address: str, keys: Sequence[str], processes: int) -> None:
    """One person in each process looks first, so that no measured one pays for a library's start."""
    with ExitStack() as tabs:
        # Whoever comes is led to the process with the fewest open tabs.
        for visitor in [tabs.enter_context(Visitor(address)) for _ in range(processes)]:
            visitor.press(visitor.open(), "enter-advisor")
            visitor.open("student", f"s={keys[0]}")


def one_person(
    address: str, keys: list[str], pause: float, seed: np.random.SeedSequence
) -> tuple[list[tuple[str, float]], str]:
    """The acts of one person with their seconds, and what went wrong."""
    rng = np.random.default_rng(seed)
    done: list[tuple[str, float]] = []

    def note(kind: str, visit: Visit) -> Visit:
        done.append((kind, visit.seconds))
        time.sleep(rng.exponential(pause))
        return visit

    try:
        time.sleep(rng.uniform(0, pause))
        with Visitor(address) as visitor:
            here = note("sign in", visitor.press(note("first page", visitor.open()), "enter-advisor"))
            note("filter", visitor.slide(here, "k", 30))
            note("filter", visitor.pick(here, "target", 1))
            note("filter", visitor.type(here, "search", "a"))
            for key in rng.permutation(keys)[:10]:
                note("open a student", visitor.open("student", f"s={key}"))
    except (AppFailed, OSError, TimeoutError) as problem:
        return done, f"{type(problem).__name__}: {problem}"
    return done, ""


def quantiles(kind: str, seconds: list[float]) -> dict:
    """p50 and p95 of one kind of act."""
    milliseconds = np.array(seconds) * 1000
    return {
        "action": kind,
        "n": len(seconds),
        "p50_ms": round(float(np.quantile(milliseconds, 0.5)), 1),
        "p95_ms": round(float(np.quantile(milliseconds, 0.95)), 1),
    }
