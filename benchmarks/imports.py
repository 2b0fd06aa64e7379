"""Files of a large register: the first import and the same files again, from the command line to the end.

The files are the demo university's records as CSV with the columns of the templates. Each import is a command
in a process of its own, start-up included: reading, checking every row, comparing with the store, writing.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.growth import cost_of
from benchmarks.main_job import Place
from benchmarks.report_file import write_result
from data.synthetic.cohort import BLOCK, make_university

TABLES = ("students", "terms", "outcomes")
LIMITS = {"first": 60, "again": 15}


def main(
    students: Annotated[int, typer.Option(min=100, help="Students in the files.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the university.")] = 1,
    url: Annotated[str, typer.Option(help="Database to use, empty; by default a new SQLite file.")] = "",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Import the files of a register, then import them again."""
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{name}.csv" for name in TABLES}
        # Elsewhere: a process that is started by this one would begin with the memory that this one held.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
            rows = elsewhere.submit(write_files, files, students, seed).result()
        megabytes = round(sum(path.stat().st_size for path in files.values()) / 1e6, 1)
        place = Place(folder, url)
        cost_of(["data", "init"], place)
        command = ["data", "load", "--synthetic", *(part for name in TABLES for part in _option(name, files))]
        found = {}
        for name in LIMITS:
            cost = cost_of(command, place)
            found[name] = {
                "seconds": round(cost.wall, 1),
                "processor_seconds": round(cost.seconds, 1),
                "megabytes": round(cost.megabytes),
            }
            told = f"{cost.wall:8.1f} s, {cost.seconds:8.1f} s of the processor, {cost.megabytes:7.0f} MB"
            typer.echo(f"{name:6s} {told}")
    write_result(
        {
            "command": f"python -m benchmarks imports --students {students}",
            "data": f"synthetic demo university as CSV, seed {seed}",
            "protocol": "python -m data load in a process of its own, the same files twice; memory: the most "
            "that one process held",
            "database": "PostgreSQL" if url else "SQLite",
            "rows": rows,
            "megabytes_of_files": megabytes,
            "load_average": round(os.getloadavg()[0], 1),
            **found,
            "limits_seconds": LIMITS,
        },
        json_file,
    )


def write_files(files: dict[str, Path], students: int, seed: int) -> dict[str, int]:
    """Write a university as one CSV file per table, block by block; returns the rows of each."""
    rows = dict.fromkeys(files, 0)
    for block, first in enumerate(range(0, students, BLOCK)):
        rng = np.random.default_rng([seed, block] if block else seed)
        frames = make_university(min(BLOCK, students - first), rng, block=block).frames
        programs = frames.need("programs").rename(columns={"name": "program_name"})
        for name, path in files.items():
            told = frames.need(name).drop(columns="known_at", errors="ignore")
            if name == "students":
                told = told.merge(programs, on="program_code")
            told.to_csv(path, mode="a" if block else "w", header=not block, index=False)
            rows[name] += len(told)
    return rows


def _option(name: str, files: dict[str, Path]) -> tuple[str, str]:
    return f"--{name}", str(files[name])
