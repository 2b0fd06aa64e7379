"""Kills of each kind of work, a few of those that ``python -m benchmarks faults`` makes by the hundred.

What it looks at must show what it is there to find; then each kind of work is killed and started again.
Training, scoring and the import as a job are killed in test_crash.py.
"""

from __future__ import annotations

import random
import shutil
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from benchmarks import fault_programs, fault_stages
from benchmarks.fault_findings import BACKUP_KEY, Found, broken_backups, compare, in_between, said, sound
from benchmarks.faults import Trial, filled, killed
from benchmarks.store_said import fingerprint
from data.keeping.swapping import Journal
from data.store import open_store
from data.trust import audit
from tests.data.feeder import registers
from tests.data.feeder.server import PASSWORD, USER, served

STAGES = ("pull", "embedding", "approval", "undo", "erasure", "migration", "backup", "restore", "rotation")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """What runs work in processes that can be killed, and work → the store that it starts from."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in (("OMP_NUM_THREADS", "1"), ("TEPAT_THREADS", "1")):
            patch.setenv(name, value)
        patch.setenv("TEPAT_FEEDER_PASSWORD", PASSWORD)
        feeder = stack.enter_context(served(registers.rows_of(registers.invented(8))))
        base = tmp_path_factory.mktemp("kills")
        made = Trial(base, feeder.url, USER)
        starts = fault_stages.prepare(base, 120, made.command, ["import"])
        loaded, named, reported = (base / name for name in ("loaded", "named", "reported"))
        shutil.copytree(loaded, named)
        shutil.copytree(loaded, reported)
        more = {"erasure": fault_stages.with_name(named), "approval": fault_stages.with_report(reported)}
        yield made, starts | more


def about(found: Found) -> tuple:
    return found.wrong, found.told


# --- what is looked at ---
@pytest.fixture
def pair(trial, tmp_path):
    """What an undisturbed store says, and a copy of it to spoil."""
    whole, copy = trial[1]["rotation"], tmp_path / "copy"
    shutil.copytree(whole, copy)
    return said(whole), copy


# Whose row is the first is chance, and the very first student may have been erased.
CHANGED = "UPDATE students SET advisor = 'somebody' WHERE rowid = (SELECT min(rowid) FROM students)"


def spoil(folder: Path, statement: str, **values) -> None:
    engine = create_engine(f"sqlite:///{folder / 'tepat.db'}")
    with engine.begin() as connection:
        connection.execute(text(statement), values)
    engine.dispose()


def found_in(pair) -> Found:
    wanted, folder = pair
    found = Found(0.0)
    compare(found, wanted, said(folder), folder, done=True)
    return found


def test_a_store_that_is_as_it_was_is_found_to_be_so(pair):
    assert about(found_in(pair)) == (0, [])


def test_a_row_or_a_file_that_is_missing_too_many_or_altered_is_found(pair):
    _, folder = pair
    spoil(folder, "DELETE FROM embeddings WHERE rowid = (SELECT min(rowid) FROM embeddings)")
    assert found_in(pair).lost == 1
    (kept,) = [one for one in (folder / "jobs").iterdir() if one.is_dir()]
    (kept / "0").unlink()
    (kept / ".9.tmp").write_bytes(b"")
    found = found_in(pair)
    assert (found.lost, found.doubled, found.half_written, found.damaged) == (2, 1, 1, 1)
    spoil(folder, CHANGED)
    assert found_in(pair).half_written == 2


def test_what_the_stores_key_does_not_open_is_found(pair):
    _, folder = pair
    spoil(folder, "UPDATE embeddings SET ciphertext = zeroblob(60) WHERE rowid = 1")
    assert found_in(pair).damaged == 1


def test_an_act_that_the_log_tells_of_too_often_is_found_and_a_second_backup_is_none(pair):
    _, folder = pair
    with closing(open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)) as store:
        audit.append(store, actor="a", role="system", action="make backup", object="x")
        assert (found_in(pair).audit, found_in(pair).told_again) == (0, 1)
        audit.append(store, actor="a", role="system", action="undo import", object="x")
    assert found_in(pair).audit == 1


def test_half_a_backup_and_a_store_between_two_states_are_found(trial, tmp_path):
    _, starts = trial
    folder = tmp_path / "copy"
    shutil.copytree(starts["restore"], folder)
    before = fingerprint(folder)
    assert sound(folder) and not in_between(folder, before)
    file = folder / "kept" / "one.backup"
    file.write_bytes(file.read_bytes()[:-1000])
    assert (folder / BACKUP_KEY).is_file() and broken_backups(folder) == {"one.backup": 1}
    assert not sound(folder)
    spoil(folder, CHANGED)
    assert in_between(folder, before)
    Journal("0" * 32, "0" * 32, 1, "0" * 64).write(folder)  # nobody opens it: it says nothing yet
    assert not in_between(folder, before)


# --- kills ---
@pytest.mark.parametrize("name", STAGES)
def test_killed_work_started_again_loses_doubles_and_leaves_nothing(trial, name):
    made, starts = trial
    found = killed(made, name, starts[name], 2, random.Random(name))
    assert found.kills == 2, found
    assert about(found) == (0, [])


def test_of_two_workers_the_one_that_is_left_does_the_job_of_the_one_that_was_killed(trial):
    made, starts = trial
    found = killed(made, "two workers", starts["two workers"], 1, random.Random(4))
    assert found.kills == 1 and about(found) == (0, [])


def test_sign_ins_whose_answer_arrived_hold_after_the_app_was_killed(trial):
    made, starts = trial
    found = fault_programs.killed_apps(made.base, starts["app"], 1, random.Random(5))
    assert found.kills == 1 and about(found) == (0, [])


def test_each_step_of_an_import_on_a_disk_that_fills_up_is_done_wholly_or_not_at_all(trial):
    made, starts = trial
    found = filled(made, starts["import"], 3, random.Random(6))
    assert found.filled > 0 and about(found) == (0, [])
