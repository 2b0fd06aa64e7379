"""A worker on PostgreSQL is killed in the middle of an import; the next one finishes it, once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dashboard.importing import plan as importing
from dashboard.importing.plan import UploadedFile
from dashboard.jobs import imports as jobs_import
from data import queries
from data.jobs import table as jobs
from data.jobs.lock import held_alone
from data.trust import audit
from data.trust.accounts import Account

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "tests" / "samples"
FILES = ("siakad_students.csv", "siakad_terms.csv", "siakad_outcomes.csv", "signatures.zip")
pytestmark = pytest.mark.slow


def worker(store_url: str, folder: Path, *options: str) -> subprocess.Popen:
    environment = {
        **os.environ,
        "DATABASE_URL": store_url,
        "TEPAT_FOLDER": str(folder),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "dashboard", "worker", *options]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def until(ask, process: subprocess.Popen | None = None, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not ask():
        assert process is None or process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, "what was waited for did not happen"
        time.sleep(0.02)


def nobody_works(store) -> bool:
    with held_alone(store, "worker") as still_held:
        return still_held is not None


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_killed_worker_loses_its_lock_and_the_next_one_finishes_the_import(store, store_url):
    files = [UploadedFile(name, (SAMPLES / name).read_bytes()) for name in FILES]
    kinds = [importing.guess_kind(file) for file in files]
    person = Account("registry", "Registry", "registry")
    about = {"mapping": None, "captured_on": None, "skip_bad": True}
    job_id = jobs_import.start(store, person, files, kinds, **about)
    with worker(store_url, store.folder) as killed:
        until(lambda: jobs.find(store, job_id).status == "running", killed)
        assert not nobody_works(store)
        killed.kill()
    until(lambda: nobody_works(store))  # the server takes a moment to see that the session is gone
    assert jobs.find(store, job_id).status == "running"
    with worker(store_url, store.folder, "--until-idle") as second:
        _, said = second.communicate(timeout=180)
    assert second.returncode == 0, said
    done = jobs.find(store, job_id)
    assert (done.status, done.attempts) == ("done", 2), said
    rows = queries.counts(store).set_index("table")["rows"]
    assert (rows["students"], rows["signature_specimens"], rows["imports"]) == (30, 12, 1)
    assert sorted(audit.entries(store)["action"]) == ["import files", "start job"]
