"""Killed at a random moment and started again: does anything get lost, doubled or left half-written?

Every kind of work is done once undisturbed. Then copies of the same starting store suffer a SIGKILL, every
other one at a moment drawn between the beginning of the work and its usual end, every other at a write drawn
from all that the work makes (a statement, a commit, a file); the same work is started again, and the store,
its files and its audit log must say what the undisturbed ones say. ``app`` is the served app while browsers
sign in; ``worker`` is the worker with its job, killed with and without the job's own process; ``two workers``
are started on one job and one of them is killed: nobody starts anything again, the other must do it.
``full disk`` is no kill: the import meets a disk on which files can grow to a size drawn by chance.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import fault_programs, fault_stages, store_said
from benchmarks.fault_findings import COUNTED, FIRST_STEP, ONE_STEP, Found, compare, in_between, said, sound
from benchmarks.report_file import write_result

FULL = "full disk"
SHARES = {  # of the kills; what takes long suffers fewer
    "import": 0.2,
    "pull": 0.13,
    "undo": 0.12,
    "erasure": 0.13,
    "migration": 0.08,
    "restore": 0.09,
    "backup": 0.05,
    "rotation": 0.06,
    "approval": 0.06,
    "scoring": 0.01,
    "embedding": 0.02,
    "training": 0.005,
    "worker": 0.02,
    "two workers": 0.01,
    "app": 0.02,
    FULL: 0.05,
}
PATIENCE = 900.0


def main(
    kills: Annotated[int, typer.Option(min=15, help="Of all kinds of work together.")] = 200,
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
        trial = Trial(Path(base), feeder.url, USER)
        before = fault_stages.prepare(
            Path(base), students, trial.command, [one for one in chosen if one != FULL]
        )
        found = {}
        for name in chosen:
            count = max(1, round(kills * SHARES[name]))
            rng = random.Random(f"{seed} {name}")
            since = time.monotonic()
            if name == FULL:
                found[name] = filled(trial, before["import"], count, rng)
            elif name == "app":
                found[name] = fault_programs.killed_apps(trial.base, before[name], count, rng)
            else:
                found[name] = killed(trial, name, before[name], count, rng)
            found[name].took = time.monotonic() - since
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
        self,
        work: str | tuple[str, ...],
        folder: Path,
        kill_at: int = 0,
        count_to: Path | None = None,
        room: int = 0,
    ):
        """A process that does a stage, by name, or a command."""
        arguments = (work, self._feeder, folder, kill_at, count_to, room)
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

    def killed_at(self, name: str, folder: Path, write: int) -> bool:
        """Kill a stage at the write of that number; whether it came so far."""
        process = self.start(name, folder, kill_at=write)
        process.join(PATIENCE)
        return process.exitcode == -signal.SIGKILL

    def killed_after(self, name: str, folder: Path, seconds: float) -> bool:
        """Kill a stage after so many seconds; whether it was at work still."""
        process = self.start(name, folder)
        process.join(seconds)
        hit = process.is_alive()
        process.kill()
        process.join()
        return hit

    def to_the_end(self, name: str, folder: Path) -> bool:
        """Do a stage once more; whether it was done."""
        process = self.start(name, folder)
        process.join(PATIENCE)
        return process.exitcode == 0


def _work(work, feeder: tuple[str, str], folder: Path, *about) -> None:
    run = work if isinstance(work, tuple) else fault_stages.stages(*feeder)[work]
    fault_stages.do(run, folder, *about)


def killed(trial: Trial, name: str, before: Path, count: int, rng: random.Random) -> Found:
    """Kill one kind of work so often, and compare.

    Parameters
    ----------
    name : str
        A stage of :mod:`benchmarks.fault_stages`, "worker" or "two workers".
    before : pathlib.Path
        The folder of the store that it starts from.
    count : int
        Kills that come while it is at work.
    """
    calm, programs = trial.base / f"{name}-calm", name.endswith(("worker", "workers"))
    shutil.copytree(before, calm)
    began, writes = time.monotonic(), None
    if programs:
        fault_programs.worker(calm)
        seconds = time.monotonic() - began
    else:
        seconds, writes = trial.undisturbed(name, calm)
    wanted, found, tries = said(calm), Found(round(seconds, 2), writes), 0
    states = _states(trial, name, before, wanted) if name in ONE_STEP else []
    while found.kills < count and tries < 4 * count:
        tries += 1
        folder = trial.base / f"{name}-{tries}"
        shutil.copytree(before, folder)
        at_a_write = not programs and tries % 2 == 0
        if name == "two workers":
            hit = fault_programs.kill_one_of_two(folder, rng.uniform(1, seconds), rng)
        elif name == "worker":
            hit = fault_programs.kill_worker(folder, rng.uniform(1, seconds), alone=tries % 4 == 1)
        elif at_a_write:
            hit = trial.killed_at(name, folder, write=rng.randint(1, writes))
        else:
            hit = trial.killed_after(name, folder, rng.uniform(0, seconds))
        if hit:
            found.at_a_write += at_a_write
            found.at_a_moment += not at_a_write
            found.damaged += not sound(folder)
            found.half_written += bool(states) and in_between(folder, *states)
            done = _again(trial, name, folder)
            compare(found, wanted, said(folder), folder, done)
        shutil.rmtree(folder)
    shutil.rmtree(calm)
    return found


def filled(trial: Trial, before: Path, count: int, rng: random.Random) -> Found:
    """Let so many imports meet a disk that fills up at a size drawn by chance, and do them again with room.

    Each step, the records and the signatures, has happened wholly or not at all.
    """
    calm = trial.base / "full-calm"
    shutil.copytree(before, calm)
    seconds, writes = trial.undisturbed("import", calm)
    wanted, found = said(calm), Found(round(seconds, 2), writes)
    states = _states(trial, "import", before, wanted)
    largest = (calm / "tepat.db").stat().st_size  # the log of what is written grows to a third of it
    for turn in range(count):
        folder = trial.base / f"full-{turn}"
        shutil.copytree(before, folder)
        process = trial.start("import", folder, room=rng.randint(largest // 16, largest // 3))
        process.join(PATIENCE)
        found.filled += process.exitcode != 0
        found.damaged += not sound(folder)
        found.half_written += in_between(folder, *states)
        found.not_done += process.exitcode not in (0, 2)  # 2 is a refusal in words
        done = trial.to_the_end("import", folder)
        compare(found, wanted, said(folder), folder, done)
        shutil.rmtree(folder)
    return found


def _states(trial: Trial, name: str, before: Path, wanted: dict) -> list[dict]:
    """What a store may say right after a kill."""
    found = [store_said.fingerprint(before), wanted["tables"]]
    if name in FIRST_STEP:
        folder = trial.base / f"{FIRST_STEP[name]}-calm"
        shutil.copytree(before, folder)
        trial.undisturbed(FIRST_STEP[name], folder)
        found.append(store_said.fingerprint(folder))
        shutil.rmtree(folder)
    return found


def _again(trial: Trial, name: str, folder: Path) -> bool:
    """Start the work once more, unless that is nobody's to do; whether it ended well."""
    if name == "two workers":
        return True
    return fault_programs.worker(folder) if name == "worker" else trial.to_the_end(name, folder)


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
    listed = {
        name: {
            "kills": one.kills,
            "at_a_moment": one.at_a_moment,
            "at_a_write": one.at_a_write,
            "disks_filled": one.filled,
            "seconds_undisturbed": one.seconds,
            "writes_undisturbed": one.writes,
            "seconds": round(one.took),
        }
        | {what: getattr(one, what) for what in (*COUNTED, "told_again")}
        for name, one in found.items()
    }
    listed = {name: one for name, one in before.items() if name not in listed} | listed
    return {
        "command": f"python -m benchmarks faults --kills {kills} --students {students} --pulled {pulled} "
        f"--seed {seed}",
        "data": "invented students; the office's files and the Feeder of the tests; SQLite",
        "kills": sum(one["kills"] for one in listed.values()),
        "disks_filled": sum(one["disks_filled"] for one in listed.values()),
        **{what: sum(one[what] for one in listed.values()) for what in COUNTED},
        "wrong": sum(one[what] for one in listed.values() for what in COUNTED),
        "work": listed,
        "told": {name: one.told[:20] for name, one in found.items() if one.told},
        "seconds": round(seconds),
        "load_average": round(os.getloadavg()[0], 1),
    }


def _show(name: str, found: Found) -> None:
    typer.echo(
        f"{name:11s} {found.kills:4d} kills ({found.at_a_write} at a write)  lost {found.lost}  doubled "
        f"{found.doubled}  half-written {found.half_written}  log {found.audit}  damaged {found.damaged}  "
        f"not done {found.not_done}  {found.took:.0f} s"
    )
    for line in found.told[:5]:
        typer.echo(f"           {line}")


def _show_sum(result: dict) -> None:
    typer.echo(
        f"{result['kills']} kills: {result['lost']} lost, {result['doubled']} doubled, "
        f"{result['half_written']} half-written; {result['seconds']} s"
    )
