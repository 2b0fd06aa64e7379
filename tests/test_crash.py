"""Killed at a random moment and started again, an import, a training that serves, another model's way into
service and the worker that does an import as a job lose and double nothing.

Each stage runs once undisturbed; then a copy of the same starting store suffers a SIGKILL at a moment drawn
between the start of the stage's work and its usual end, the same command runs again, and the store must say
exactly what the undisturbed one says.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from benchmarks.store_said import fingerprint
from dashboard.importing import plan as importing
from dashboard.importing.plan import UploadedFile
from dashboard.jobs import imports as jobs_import
from data import schema
from data.jobs import table as jobs
from data.queries import specimen_table
from data.signatures.encoder_info import EncoderInfo
from data.store import open_store, write_embeddings
from data.trust import audit
from data.trust.accounts import Account

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "tests" / "samples"
LOAD = (
    "data",
    "load",
    *("--students", str(SAMPLES / "siakad_students.csv")),
    *("--terms", str(SAMPLES / "siakad_terms.csv")),
    *("--outcomes", str(SAMPLES / "siakad_outcomes.csv")),
    *("--signatures", str(SAMPLES / "signatures.zip")),
    "--synthetic",
)
TRAIN, SCORE = ("fusion", "train", "--serve"), ("fusion", "records-only", "--reason", "a try")
WORK = ("dashboard", "worker", "--until-idle")
FILES = ("siakad_students.csv", "siakad_terms.csv", "siakad_outcomes.csv", "signatures.zip")
MOMENTS = {"import": 8, "train": 5, "score": 7, "job": 3}
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Stage:
    """A command, the store it starts from, how long it takes and what the store says afterwards."""

    command: tuple[str, ...]
    before: Path
    seconds: float
    idle: float  # spent starting Python, before any work
    said: dict[str, tuple[int, str]]


def run(command, folder: Path, kill_after: float | None = None, *, alone: bool = False) -> float:
    """Run ``python -m command`` on the store in ``folder``; return the seconds it took.

    With ``alone`` only the process itself is killed, not those that it started.
    """
    environment = {**os.environ, "TEPAT_FOLDER": str(folder), "OMP_NUM_THREADS": "1"}
    environment.pop("DATABASE_URL", None)
    start = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=kill_after or 300)
        except subprocess.TimeoutExpired:
            process.kill() if alone else os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return time.monotonic() - start
    assert process.returncode == 0, output
    return time.monotonic() - start


def stage(command, before: Path, folder: Path) -> Stage:
    shutil.copytree(before, folder)
    idle = run((command[0], "--help"), folder)
    seconds = run(command, folder)
    return Stage(command, before, seconds, idle, fingerprint(folder))


@pytest.fixture(scope="module")
def stages(tmp_path_factory) -> dict[str, Stage]:
    """An office's files, as a job and by a command; a small demo with embeddings, trained; then served."""
    base = tmp_path_factory.mktemp("crash")
    empty = base / "empty"
    open_store(f"sqlite:///{empty / 'tepat.db'}", folder=empty).close()
    demo = base / "demo"
    demo.mkdir()
    run(("data", "demo", "--students", "160", "--seed", "3"), demo)
    embed_at_random(demo)
    trained = base / "trained"
    train = stage(TRAIN, demo, trained)
    asked = base / "asked"
    shutil.copytree(empty, asked)
    ask_for_import(asked)
    return {
        "job": stage(WORK, asked, base / "worked"),
        "import": stage(LOAD, empty, base / "loaded"),
        "train": train,
        "score": stage(SCORE, trained, base / "scored"),
    }


def ask_for_import(folder: Path) -> None:
    """Leave the files of the office, and a job that imports them."""
    store = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    files = [UploadedFile(name, (SAMPLES / name).read_bytes()) for name in FILES]
    kinds = [importing.guess_kind(file) for file in files]
    person = Account("registry", "Registry", "registry")
    jobs_import.start(store, person, files, kinds, mapping=None, captured_on=None, skip_bad=True)
    store.close()


def embed_at_random(folder: Path) -> None:
    """Random vectors stand in for the network's: this test is about transactions, not about signatures."""
    store = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    specimens = specimen_table(store)
    vectors = np.random.default_rng(0).normal(size=(len(specimens), 32)).astype(np.float32)
    info = EncoderInfo("random-for-tests", "1", "0" * 64, f"tests, {date(2026, 1, 1)}", 32)
    write_embeddings(store, info, list(specimens.specimen_id), vectors)
    store.close()


@pytest.mark.parametrize(
    ("name", "moment"), [(name, moment) for name, count in MOMENTS.items() for moment in range(count)]
)
def test_a_killed_stage_started_again_loses_and_doubles_nothing(stages, name, moment, tmp_path):
    wanted = stages[name]
    folder = tmp_path / "store"
    shutil.copytree(wanted.before, folder)
    share = random.Random(f"{name} {moment}").random()
    kill_after = wanted.idle + share * max(0.5, wanted.seconds - wanted.idle)
    run(wanted.command, folder, kill_after, alone=name == "job" and moment % 2 == 1)
    run(wanted.command, folder)
    assert fingerprint(folder) == wanted.said
    if name == "job":
        assert_done_once(folder)
    leftovers = [path.name for path in (folder / "models").glob("*") if path.name.startswith((".", "tmp"))]
    assert leftovers == []


def assert_done_once(folder: Path) -> None:
    """One job, done; one import; one entry for each in the audit log; no file left."""
    store = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    (job,) = jobs.recent(store, ["import"])
    assert job.status == "done"
    assert job.attempts <= 2
    with store.reading() as connection:
        assert connection.scalars(select(schema.imports.c.import_id)).all() == [job.result["import_id"]]
    assert sorted(audit.entries(store)["action"]) == ["import files", "start job"]
    assert not list((folder / "jobs").glob("*/*"))
    store.close()


def test_the_stages_under_test_really_write_something(stages):
    assert stages["import"].said["students"][0] >= 20
    assert stages["import"].said["specimen_images"][0] >= 10
    assert stages["job"].said["specimen_images"] == stages["import"].said["specimen_images"]
    assert stages["train"].said["models"][0] == 1
    scored = stages["train"].said["scores"][0]
    assert scored > 250  # the first model has scored everybody before it went into service
    assert stages["score"].said["scores"][0] == stages["score"].said["explanations"][0] == 2 * scored
    assert stages["score"].said["models"][0] == 2
