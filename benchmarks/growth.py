"""How cost grows with the register: each step at 1,000, 10,000, 100,000 students, by the README's commands.

Each step is a command in a process of its own on the store of the step before. Time is processor time of the
process and of those it started, memory the most that one of them held. An exponent says how a figure grows
from one size to the next: 1 is in proportion. The greatest of the steps between two sizes stands in the
result; start-up, which costs the same at any size, makes those between small ones look better than they are.

One size alone is measured on a store that stays, for what is to be measured on it further: a million, say.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.main_job import ROOT, Place
from benchmarks.report_file import write_result

TARGET = 1.05
STEPS = {
    "register": ("data", "demo", "--no-signatures", "--students"),
    "train": ("fusion", "train", "--serve"),
    "score": ("fusion", "score"),
    "report": ("dashboard", "report", "iku1-aee-pt", "--audience", "public", "--language", "en", "--out"),
}


@dataclass(frozen=True)
class Cost:
    """What a command cost.

    Attributes
    ----------
    seconds : float
        Processor time.
    megabytes : float
        Most memory held by one of its processes.
    wall : float
        Seconds from its start to its end.
    """

    seconds: float
    megabytes: float
    wall: float


def main(
    sizes: Annotated[str, typer.Option(help="Students, rising, with commas.")] = "1000,10000,100000",
    folder: Annotated[Path | None, typer.Option(help="The store of one size, new; it stays.")] = None,
    url: Annotated[str, typer.Option(help="Its database, empty; by default SQLite in the folder.")] = "",
    begin: Annotated[
        str, typer.Option("--from", help="The first step, on a store that had those before.")
    ] = ("register"),
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Processor time and memory of each step at each size, and their exponents."""
    students = [int(part) for part in sizes.split(",")]
    if students != sorted(set(students)) or students[0] < 100:
        raise typer.BadParameter("numbers, rising, of at least 100", param_hint="--sizes")
    if (len(students) == 1) != (folder is not None):
        raise typer.BadParameter("two sizes or more; one with --folder", param_hint="--sizes")
    if url and folder is None:
        raise typer.BadParameter("needs --folder for key and models", param_hint="--url")
    if begin not in STEPS or (begin != "register" and folder is None):
        raise typer.BadParameter(f"one of {', '.join(STEPS)}; with --folder", param_hint="--from")
    steps = list(STEPS)[list(STEPS).index(begin) :]
    costs: dict[str, list[Cost]] = {name: [] for name in steps}
    for size in students:
        with _place(folder, url) as place:
            for name, cost in one_size(size, place, steps):
                costs[name].append(cost)
                typer.echo(
                    f"{size:9,d}  {name:9s} {cost.seconds:9.1f} s  {cost.megabytes:8.0f} MB  "
                    f"{cost.wall:9.1f} s on the wall"
                )
    rows = [grown(name, students, costs[name]) for name in steps]
    for row in rows if len(students) > 1 else []:
        typer.echo(f"{row['step']:9s} time {row['time_exponent']:.2f}  memory {row['memory_exponent']:.2f}")
    write_result(
        {
            "command": f"python -m benchmarks growth --sizes {sizes}",
            "data": "synthetic demo university without signatures, seed 1",
            "protocol": "each step one process, processor time and most memory of one process; exponents: "
            "the greatest between neighbouring sizes",
            "database": "PostgreSQL" if url else "SQLite",
            "students": students,
            "load_average": round(os.getloadavg()[0], 1),
            "rows": rows,
            "target_exponent": TARGET,
        },
        json_file,
    )


@contextmanager
def _place(folder: Path | None, url: str) -> Iterator[Place]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield Place(str(folder), url)
        return
    with tempfile.TemporaryDirectory() as passing:
        yield Place(passing)


def one_size(students: int, place: Place, steps: Sequence[str]) -> Iterator[tuple[str, Cost]]:
    """The cost of each step on a store of so many students, one after the other."""
    further = {
        "register": [str(students)],
        "report": [str(Path(place.folder) / "reports")],
    }
    for name in steps:
        yield name, cost_of([*STEPS[name], *further.get(name, [])], place)


def cost_of(command: Sequence[str], place: Place) -> Cost:
    """What ``python -m command`` costs on a store; a database's server is not counted.

    Raises
    ------
    RuntimeError
        When it fails.
    """
    begun = time.perf_counter()
    with (Path(place.folder) / "output.txt").open("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=place.environment,
            stdout=output,
            stderr=output,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"{' '.join(command)}: {output.read()[-500:]}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, time.perf_counter() - begun)


def grown(step: str, students: Sequence[int], costs: Sequence[Cost]) -> dict[str, object]:
    """The row of a step: its figures, and the greatest exponents between neighbouring sizes, if any."""
    several = len(students) > 1
    return {
        "step": step,
        "time_exponent": exponent(students, [cost.seconds for cost in costs]) if several else None,
        "memory_exponent": exponent(students, [cost.megabytes for cost in costs]) if several else None,
        "seconds": [round(cost.seconds, 2) for cost in costs],
        "megabytes": [round(cost.megabytes, 1) for cost in costs],
        "wall_seconds": [round(cost.wall, 1) for cost in costs],
    }


def exponent(sizes: Sequence[int], figures: Sequence[float]) -> float:
    """The greatest of log(figure ratio) / log(size ratio) over neighbouring sizes."""
    steps = zip(pairwise(figures), pairwise(sizes), strict=True)
    return round(max(float(np.log(b / a) / np.log(n / m)) for (a, b), (m, n) in steps), 2)
