"""Damaged files: whether each parser refuses them in words, and how long the worst of them takes.

The files are those of ``tests/data/files/mutations.py``: a parser and a number give the same bytes
everywhere. They are read in a process of its own, so that one that ends it is seen. Each is read and its
cells typed; some go through the whole check of an import too. Seconds are told twice: of the processor, and
by the clock, in which the load of the machine shows.
"""

from __future__ import annotations

import json
import os
import time
import traceback
import warnings
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.options import JsonFile
from benchmarks.report_file import write_result

SLOW = 2.0  # seconds
BATCH = 50  # files that one task reads
ENDED = "the process ended"


@dataclass(frozen=True)
class Read:
    """What became of one damaged file: seconds of processor and clock, whether it was taken, what broke."""

    number: int
    cpu: float
    wall: float
    taken: bool = False
    broken: str = ""


def main(
    mutations: Annotated[int, typer.Option(min=1, help="Damaged files for each parser.")] = 5_000,
    only: Annotated[list[str] | None, typer.Option(help="This parser; repeatable; default: all.")] = None,
    whole_every: Annotated[int, typer.Option(min=1, help="Which of them goes through the whole check.")] = 5,
    first: Annotated[int, typer.Option(min=0, help="Number of the first file, as a seed.")] = 0,
    json_file: JsonFile = None,
) -> None:
    """Inputs, tracebacks, inputs over 2 s, p99 and greatest seconds of every parser of an office's files."""
    from tests.data.files.mutations import parsers

    began, load = time.perf_counter(), [os.getloadavg()[0]]
    found = _kept(json_file, _command(mutations, whole_every, first)) if only else {}
    for name in only or list(parsers()):
        found[name] = summary(_all_read(name, range(first, first + mutations), whole_every), whole_every)
        load.append(os.getloadavg()[0])
        write_result(_result(found, mutations, whole_every, first, began, load), json_file)  # as far as it is
        told = found[name]
        typer.echo(
            f"{name:8s} {told['inputs']:6,} inputs {told['tracebacks']:4} tracebacks "
            f"{told['over_2_s']:4} over 2 s   processor p99 {told['cpu_p99']:6.3f} max {told['cpu_max']:6.3f}"
            f"   clock p99 {told['wall_p99']:6.3f} max {told['wall_max']:6.3f}"
        )
        for where, numbers in told["broken"].items():
            typer.echo(f"    {len(numbers)} × {where}; {numbers[:5]}")


def _result(
    found: dict, mutations: int, whole_every: int, first: int, began: float, load: list[float]
) -> dict:
    return {
        "command": _command(mutations, whole_every, first),
        "data": "samples and small files of the tests, one to six places damaged; seed: parser and number",
        "seconds_are": "of the processor, children included (cpu), and by the clock (wall)",
        "parsers": found,
        "minutes": round((time.perf_counter() - began) / 60, 1),
        "load_average": {"least": round(min(load), 1), "greatest": round(max(load), 1)},
    }


def _command(mutations: int, whole_every: int, first: int) -> str:
    told = f"--mutations {mutations} --whole-every {whole_every} --first {first}"
    return f"python -m benchmarks parsers {told}"


def _kept(path: Path | None, command: str) -> dict:
    """What a file holds of other parsers, measured with the same numbers, when ``--only`` asks for some."""
    if path is None or not path.exists():
        return {}
    held = json.loads(path.read_text(encoding="utf-8"))
    if held["command"] != command:
        raise typer.BadParameter(
            f"{path.name} was measured by {held['command']!r}; name another file, or the same numbers",
            param_hint="--json",
        )
    return held["parsers"]


def summary(read: list[Read], whole_every: int) -> dict:
    """The figures of one parser."""
    cpu, wall = (np.array([getattr(one, name) for one in read]) for name in ("cpu", "wall"))
    broken: dict[str, list[int]] = {}
    for one in read:
        if one.broken:
            broken.setdefault(one.broken, []).append(one.number)
    figures: dict = {
        "inputs": len(read),
        "checked_whole": sum(one.number % whole_every == 0 for one in read),
        "taken": sum(one.taken for one in read),
        "tracebacks": sum(map(len, broken.values())),
        "over_2_s": int((cpu > SLOW).sum()),
        "over_2_s_by_the_clock": int((wall > SLOW).sum()),
    }
    for name, seconds in (("cpu", cpu), ("wall", wall)):
        figures[f"{name}_median"] = round(float(np.median(seconds)), 4)
        figures[f"{name}_p99"] = round(float(np.quantile(seconds, 0.99)), 4)
        figures[f"{name}_max"] = round(float(seconds.max()), 4)
    slowest = read[int(cpu.argmax())]
    return figures | {"slowest_number": slowest.number, "broken": broken}


def _all_read(name: str, numbers: range, whole_every: int) -> list[Read]:
    """Every damaged file of a parser, read in a process of its own, a new one where that ended."""
    read: list[Read] = []
    waiting = [numbers[at : at + BATCH] for at in range(0, len(numbers), BATCH)]
    while waiting:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            try:
                while waiting:
                    read += pool.submit(_batch, name, waiting[0], whole_every).result()
                    del waiting[0]
            except BrokenProcessPool:
                ended = waiting.pop(0)
                if len(ended) == 1:
                    read.append(Read(ended[0], 0.0, 0.0, broken=ENDED))
                else:  # one after the other, to find which
                    waiting[:0] = [range(number, number + 1) for number in ended]
    return read


def _batch(name: str, numbers: range, whole_every: int) -> list[Read]:
    from tests.data.files.mutations import cpu_seconds, parsers

    warnings.simplefilter("ignore")  # of pictures that are cut off
    parser, read = parsers()[name], []
    for what, whole in parser.wholes:
        parser.read(what, whole, True)  # what is loaded at the first use is not of the file that comes first
    for number in numbers:
        what, data = parser.damaged(name, number)
        cpu, wall, broken, taken = cpu_seconds(), time.perf_counter(), "", False
        try:
            taken = parser.read(what, data, number % whole_every == 0)
        except Exception as problem:  # noqa: BLE001 (every kind of traceback is what is counted)
            broken = _where(problem)
        read.append(Read(number, cpu_seconds() - cpu, time.perf_counter() - wall, taken, broken))
    return read


def _where(problem: Exception) -> str:
    last = traceback.extract_tb(problem.__traceback__)[-1]
    return f"{type(problem).__name__} in {Path(last.filename).name}:{last.lineno}: {str(problem)[:100]}"
