"""How cost grows with the register: each step at 1,000, 10,000, 100,000 students, by the README's commands.

Each step is a command in a process of its own on the store of the step before. Time is processor time of the
process and of those it started, memory the most that one of them held. An exponent says how a figure grows
from one size to the next: 1 is in proportion. The greatest of the steps between two sizes stands in the
result; start-up, which costs the same at any size, makes those between small ones look better than they are.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
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
    """

    seconds: float
    megabytes: float


def main(
    sizes: Annotated[str, typer.Option(help="Students, rising, with commas.")] = "1000,10000,100000",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Processor time and memory of each step at each size, and their exponents."""
    students = [int(part) for part in sizes.split(",")]
    if len(students) < 2 or students != sorted(set(students)) or students[0] < 100:
        raise typer.BadParameter("two or more numbers, rising, of at least 100", param_hint="--sizes")
    costs: dict[str, list[Cost]] = {name: [] for name in STEPS}
    for size in students:
        with tempfile.TemporaryDirectory() as folder:
            for name, cost in one_size(size, folder).items():
                costs[name].append(cost)
                typer.echo(f"{size:9,d}  {name:9s} {cost.seconds:9.1f} s  {cost.megabytes:8.0f} MB")
    rows = [grown(name, students, costs[name]) for name in STEPS]
    for row in rows:
        typer.echo(f"{row['step']:9s} time {row['time_exponent']:.2f}  memory {row['memory_exponent']:.2f}")
    write_result(
        {
            "command": f"python -m benchmarks growth --sizes {sizes}",
            "data": "synthetic demo university without signatures, seed 1",
            "protocol": "each step one process, processor time and most memory of one process; exponents: "
            "the greatest between neighbouring sizes",
            "students": students,
            "load_average": round(os.getloadavg()[0], 1),
            "rows": rows,
            "target_exponent": TARGET,
        },
        json_file,
    )


def one_size(students: int, folder: str) -> dict[str, Cost]:
    """The cost of every step on a new store of so many students."""
    further = {
        "register": [str(students)],
        "report": [str(Path(folder) / "reports")],
    }
    return {name: cost_of([*command, *further.get(name, [])], folder) for name, command in STEPS.items()}


def cost_of(command: Sequence[str], folder: str) -> Cost:
    """What ``python -m command`` costs on the store in ``folder``.

    Raises
    ------
    RuntimeError
        When it fails.
    """
    with (Path(folder) / "output.txt").open("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=Place(folder).environment,
            stdout=output,
            stderr=output,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"{' '.join(command)}: {output.read()[-500:]}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def grown(step: str, students: Sequence[int], costs: Sequence[Cost]) -> dict[str, object]:
    """The row of a step: its figures, and the greatest exponents between neighbouring sizes."""
    return {
        "step": step,
        "time_exponent": exponent(students, [cost.seconds for cost in costs]),
        "memory_exponent": exponent(students, [cost.megabytes for cost in costs]),
        "seconds": [round(cost.seconds, 2) for cost in costs],
        "megabytes": [round(cost.megabytes, 1) for cost in costs],
    }


def exponent(sizes: Sequence[int], figures: Sequence[float]) -> float:
    """The greatest of log(figure ratio) / log(size ratio) over neighbouring sizes."""
    steps = zip(pairwise(figures), pairwise(sizes), strict=True)
    return round(max(float(np.log(b / a) / np.log(n / m)) for (a, b), (m, n) in steps), 2)
