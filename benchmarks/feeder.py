"""A pull from PDDikti Neo Feeder: how long, how much memory, killed ten times, and once more for nothing.

The service of the tests answers from a thread of this process, so its share of the time is in the figures; a
real Feeder is slower and far away.
"""

from __future__ import annotations

import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from benchmarks.report_file import write_result
from data import schema
from data.engine.bulk import fetch
from data.store import open_store

ROOT = Path(__file__).resolve().parent.parent
TABLES = ("programs", "students", "identities", "terms", "outcomes", "flow_cube", "term_cube")


def main(
    students: Annotated[int, typer.Option(min=8, help="Students of the invented Feeder.")] = 20_000,
    page: Annotated[int, typer.Option(min=2, help="Rows asked for at a time.")] = 500,
    kills: Annotated[int, typer.Option(min=0, help="How often the other pull is killed.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the moments of the kills.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Seconds and peak memory of a whole pull, of one that was killed, and of a second one."""
    from tests.data.feeder import registers
    from tests.data.feeder.server import served

    rows = registers.rows_of(registers.invented(students))
    with tempfile.TemporaryDirectory() as calm, tempfile.TemporaryDirectory() as killed:
        with served(rows, fixed=True) as feeder:
            for folder in (calm, killed):
                _command(folder, "data", "init", "--institution", "Invented").wait()
            whole = _timed(calm, feeder, page)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            pages = len(feeder.acts())
            second = _timed(calm, feeder, page)
            done = _killed(killed, feeder, page, kills, whole, random.Random(seed))
            last = _timed(killed, feeder, page)
        equal = _said(calm) == _said(killed)
    result = {
        "command": f"python -m benchmarks feeder --students {students} --page {page} --kills {kills}",
        "data": "invented students, eight cohorts, four programmes",
        "rows": {act: len(listed) for act, listed in rows.items()},
        "requests": pages,
        "seconds": round(whole, 1),
        "second_pull_seconds": round(second, 1),
        "peak_mebibytes": round(peak),
        "kills": done,
        "seconds_after_the_last_kill": round(last, 1),
        "equal_register": equal,
        "load_average": round(os.getloadavg()[0], 1),
    }
    for name in ("requests", "seconds", "second_pull_seconds", "peak_mebibytes", "kills", "equal_register"):
        typer.echo(f"{name:24s} {result[name]}")
    write_result(result, json_file)


def _command(folder: str, *words: str) -> subprocess.Popen:
    from tests.data.feeder.server import PASSWORD

    environment = {**os.environ, "TEPAT_FOLDER": folder, "TEPAT_FEEDER_PASSWORD": PASSWORD}
    environment.pop("DATABASE_URL", None)
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _pull(folder: str, feeder, page: int) -> subprocess.Popen:
    from tests.data.feeder.server import USER

    words = ("data", "feeder", "pull", "--url", feeder.url, "--user", USER, "--page", str(page))
    return _command(folder, *words)


def _timed(folder: str, feeder, page: int) -> float:
    began = time.perf_counter()
    if (code := _pull(folder, feeder, page).wait()) != 0:
        raise RuntimeError(f"the pull ended with code {code}")
    return time.perf_counter() - began


def _killed(folder: str, feeder, page: int, kills: int, whole: float, rng: random.Random) -> int:
    """Kill pulls at moments spread over the work; how many were still alive then, at most ``kills``.

    What a killed pull has read is not read again, so a later one may end before its moment: then another is
    begun and killed sooner. Three pulls are begun for each kill at most.
    """
    done, share = 0, 1.0
    for _ in range(3 * kills):
        if done == kills:
            break
        child = _pull(folder, feeder, page)
        # The early ones while pages are read, the late ones while rows are checked and written.
        try:
            child.wait(share * whole * rng.uniform(0.1, 0.3 if done < kills / 2 else 0.7))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
            done += 1
        else:
            share /= 2
    return done


def _said(folder: str) -> dict[str, str]:
    """Table → a hash of its rows by student number."""
    store, said = open_store(folder=Path(folder), create=False), {}
    with closing(store), store.reading() as connection:
        people = fetch(connection, select(schema.identities))  # each store has a key of its own
        numbers = dict(zip(people["student_key"], people["student_number"], strict=True))
        for name in TABLES:
            found = fetch(connection, select(schema.metadata.tables[name]))
            rows = sorted(
                str(
                    [
                        numbers.get(value, "") if column == "student_key" else _rounded(value)
                        for column, value in row.items()
                        if column not in ("import_id", "number_hash")
                    ]
                )
                for row in found.to_dict("records")
            )
            said[name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return said


def _rounded(value: object) -> object:
    """Sums of cubes are added in the order of a store's own keys."""
    return round(value, 6) if isinstance(value, float) else value
