"""The table of long work: asked for once, held by one worker, taken again when that worker has died."""

from __future__ import annotations

import os
import stat
import threading
import time
from datetime import datetime

import pytest

from data.jobs import live as jobs_live
from data.jobs import table as jobs
from data.jobs.live import JobProgress
from data.jobs.lock import held_alone
from data.jobs.table import LostJob
from data.trust import audit, audit_chain

WHO = {"actor": "admin", "role": "administrator"}
KINDS = ("score", "import")


def asked(store, kind="score", **arguments) -> str:
    return jobs.enqueue(store, kind, arguments, **WHO)


def test_a_job_is_asked_for_taken_reported_and_done(store):
    job_id = asked(store, model="m1")
    assert [job.job_id for job in jobs.open_jobs(store)] == [job_id]
    job = jobs.take(store, "a")
    assert (job.job_id, job.status, job.attempts, job.arguments) == (job_id, "running", 1, {"model": "m1"})
    assert jobs.take(store, "a") is None
    jobs.finish(store, job, "done", result={"scores": 3}, progress=(9, 9, "scoring"))
    done = jobs.find(store, job_id)
    assert (done.status, done.result, done.done, done.step) == ("done", {"scores": 3}, 9, "scoring")
    assert done.created_at <= done.started_at <= done.finished_at
    assert not done.open
    assert jobs.recent(store, ["import"]) == []
    assert jobs.recent(store, KINDS) == [done]


def test_asking_and_cancelling_each_leave_one_audit_entry(store):
    job_id = asked(store)
    for _ in range(2):
        jobs.cancel(store, job_id, **WHO)
    entries = audit.entries(store)
    assert entries["action"].tolist() == ["cancel job", "start job"]
    assert set(entries["object"]) == {job_id}
    assert audit_chain.verify_chain(store).intact


def test_jobs_are_taken_in_the_order_they_were_asked_for(store):
    first, second = asked(store), asked(store, "import")
    job = jobs.take(store, "a")
    assert job.job_id == first
    jobs.finish(store, job, "failed", problem="no_model")
    assert jobs.take(store, "a").job_id == second


def test_a_job_of_a_worker_that_died_is_taken_again_before_all_others(store):
    first, _ = asked(store), asked(store, "import")
    left = jobs.take(store, "a")
    again = jobs.take(store, "b")
    assert (again.job_id, again.worker, again.attempts) == (first, "b", 2)
    with pytest.raises(LostJob, match="not held by this worker"):
        jobs.finish(store, left, "done")
    assert jobs.find(store, first).status == "running"


def test_a_job_that_ends_every_worker_is_given_up(store):
    job_id = asked(store)
    for attempt in range(jobs.ATTEMPTS):
        assert jobs.take(store, f"worker {attempt}").attempts == attempt + 1
    assert jobs.take(store, "one more") is None
    given_up = jobs.find(store, job_id)
    assert (given_up.status, given_up.problem) == ("failed", "ended")


def test_a_worker_that_is_stopped_gives_its_job_back_without_an_attempt(store):
    job_id = asked(store)
    jobs.give_back(store, jobs.take(store, "a"))
    waiting = jobs.find(store, job_id)
    assert (waiting.status, waiting.worker, waiting.attempts) == ("waiting", None, 0)
    jobs.give_back(store, jobs.take(store, "a"), counts=True)
    assert jobs.find(store, job_id).attempts == 1


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked(store):
    waiting, running = asked(store, "import"), asked(store)
    jobs.cancel(store, waiting, **WHO)
    assert jobs.find(store, waiting).status == "cancelled"
    assert not jobs_live.asked_to_stop(store, waiting)
    job = jobs.take(store, "a")
    assert job.job_id == running
    jobs.cancel(store, running, **WHO)
    assert jobs.find(store, running).status == "running"
    assert jobs.find(store, running).cancel_at is not None
    assert jobs_live.asked_to_stop(store, running)
    assert jobs.take(store, "b") is None  # its worker died before it could stop: nothing is left to do
    assert jobs.find(store, running).status == "cancelled"


def test_a_worker_that_sees_the_wish_before_the_row_says_so_still_leaves_an_audit_entry(store):
    job_id = asked(store)
    job = jobs.take(store, "a")
    jobs_live.ask_to_stop(store, job_id)
    jobs.finish(store, job, "cancelled")
    jobs.cancel(store, job_id, **WHO)
    assert audit.entries(store)["action"].tolist() == ["cancel job", "start job"]


def test_a_finished_job_cannot_be_cancelled_and_no_marker_stays(store):
    job_id = asked(store)
    jobs.finish(store, jobs.take(store, "a"), "done")
    jobs.cancel(store, job_id, **WHO)
    assert jobs.find(store, job_id).status == "done"
    assert not jobs_live.asked_to_stop(store, job_id)
    assert audit.entries(store)["action"].tolist() == ["start job"]


def test_only_final_statuses_end_a_job(store):
    asked(store)
    with pytest.raises(ValueError, match="done, failed, cancelled, got 'waiting'"):
        jobs.finish(store, jobs.take(store, "a"), "waiting")


def test_progress_is_what_was_said_last_until_the_end(store):
    job_id = asked(store)
    assert jobs_live.progress_of(store, job_id) is None
    for done in (1, 2):
        jobs_live.report(store, job_id, JobProgress(done, 4, "scoring"))
    assert jobs_live.progress_of(store, job_id) == JobProgress(2, 4, "scoring")
    assert jobs_live.progress_of(store, job_id).share == 0.5
    jobs.finish(store, jobs.take(store, "a"), "done")
    assert jobs_live.progress_of(store, job_id) is None


def aged(store, job_id: str, seconds: float) -> None:
    """Let a step have begun so many seconds ago."""
    began = time.time() - seconds
    os.utime(store.folder / "jobs" / job_id / "first", (began, began))


def test_what_is_left_of_a_step_is_told_at_the_pace_that_it_has_had(store):
    job_id = asked(store)

    def left(done: int, total: int, step: str) -> float | None:
        jobs_live.report(store, job_id, JobProgress(done, total, step))
        return jobs_live.progress_of(store, job_id).left

    assert left(64, 1_000, "describing") is None  # how long those took nobody saw
    aged(store, job_id, 30)
    assert left(64, 1_000, "describing") is None
    assert left(164, 1_000, "describing") == pytest.approx(30 / 100 * 836, rel=0.05)
    assert left(1_000, 1_000, "describing") == 0
    assert left(0, 9, "comparing") is None  # another step has a pace of its own
    aged(store, job_id, jobs_live.LEAST_PACE - 1)
    assert left(1, 9, "comparing") is None  # too soon to tell
    aged(store, job_id, 16)
    assert left(2, 9, "comparing") == pytest.approx(16 / 2 * 7, rel=0.05)
    assert left(1, 9, "comparing") is not None
    assert left(0, 9, "comparing") is None


def test_a_job_taken_anew_is_told_at_its_own_pace_and_not_at_that_of_the_one_that_was_killed(store):
    job_id = asked(store)
    for done in (0, 3):
        jobs_live.report(store, job_id, JobProgress(done, 9, "comparing"))
    aged(store, job_id, 3_600)
    for said in (
        JobProgress(0, 0, "starting"),
        JobProgress(0, 9, "comparing"),
        JobProgress(3, 9, "comparing"),
    ):
        jobs_live.report(store, job_id, said)
    assert jobs_live.progress_of(store, job_id).left is None
    aged(store, job_id, 10)
    assert jobs_live.progress_of(store, job_id).left == pytest.approx(20, rel=0.1)


def test_progress_can_be_said_while_an_import_holds_the_store(store):
    job_id = asked(store)
    with store.writing():
        jobs_live.report(store, job_id, JobProgress(1, 2, "writing rows"))
        assert jobs_live.progress_of(store, job_id).done == 1


def test_a_wish_to_stop_reaches_an_import_that_holds_the_store(store):
    job_id = asked(store, "import")
    job = jobs.take(store, "a")
    holds, seen = threading.Event(), threading.Event()

    def imports() -> None:
        with store.writing():
            holds.set()
            end = time.monotonic() + 30
            while not jobs_live.asked_to_stop(store, job_id) and time.monotonic() < end:
                time.sleep(0.01)
            seen.set()

    thread = threading.Thread(target=imports)
    thread.start()
    assert holds.wait(30)
    jobs.cancel(store, job_id, **WHO)
    thread.join(30)
    assert seen.is_set()
    jobs.finish(store, job, "cancelled")
    assert audit.entries(store)["action"].tolist() == ["cancel job", "start job"]


@pytest.mark.parametrize(
    ("progress", "share"), [((0, 0), 0.0), ((5, 4), 1.0), ((-1, 4), 0.0), ((1, 4), 0.25)]
)
def test_a_share_stays_between_nothing_and_all(progress, share):
    assert JobProgress(*progress, "x").share == share


def test_kept_files_come_back_and_lie_encrypted_for_their_owner_only(store):
    files = [("Siti 2101001.png", b"ink of Siti"), ("b.csv", b"")]
    kept = jobs_live.keep_files(store, files)
    assert jobs_live.kept_files(store, kept) == files
    folder = store.folder / "jobs" / kept
    assert stat.S_IMODE((store.folder / "jobs").stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"Siti" not in path.read_bytes()
        assert "Siti" not in path.name
    jobs_live.drop_files(store, kept)
    assert not folder.exists()
    assert not jobs_live.files_are_kept(store, kept)
    with pytest.raises(FileNotFoundError):
        jobs_live.kept_files(store, kept)


def test_files_that_nobody_needs_any_more_are_swept_away(store):
    needed, old = (jobs_live.keep_files(store, [("a", b"a")]) for _ in range(2))
    assert jobs_live.sweep(store, {needed}, older_than=3600) == 0
    assert jobs_live.sweep(store, {needed, None}, older_than=-1) == 1
    assert jobs_live.files_are_kept(store, needed)
    assert not jobs_live.files_are_kept(store, old)


@pytest.mark.parametrize("strange", ["../key", "", "A" * 32, "0" * 31])
def test_an_id_cannot_leave_the_folder(store, strange):
    with pytest.raises(ValueError, match="32 hexadecimal digits"):
        jobs_live.kept_files(store, strange)


def test_a_worker_is_alive_while_it_says_so(store):
    assert not jobs_live.worker_alive(store)
    jobs_live.beat(store)
    assert jobs_live.worker_alive(store)


def test_a_lock_is_held_by_one_and_free_afterwards(store):
    with held_alone(store, "worker") as first:
        assert first()
        with held_alone(store, "worker") as second, held_alone(store, "job") as other:
            assert second is None
            assert other()
    with held_alone(store, "worker") as again:
        assert again()


def test_a_lock_of_another_name_is_refused(store):
    with pytest.raises(ValueError, match="'worker' or 'job', got 'audit'"):
        with held_alone(store, "audit"):
            pass


def test_a_job_that_begins_later_waits_lets_others_pass_and_can_be_stopped(store, monkeypatch):
    clock = datetime(2026, 9, 1, 20, 0)
    monkeypatch.setattr(jobs, "now", lambda: clock)
    later = asked(store, not_before="2026-09-02T01:00:00")
    assert jobs.take(store, "a") is None
    assert jobs.find(store, later).begins_at == datetime(2026, 9, 2, 1, 0)
    other = asked(store, "import")
    taken = jobs.take(store, "a")
    assert (taken.job_id, taken.begins_at) == (other, None)
    jobs.finish(store, taken, "done")
    clock = datetime(2026, 9, 2, 1, 0)
    assert jobs.take(store, "a").job_id == later
    never = asked(store, not_before="2026-09-03T01:00:00")
    jobs.cancel(store, never, **WHO)
    assert jobs.find(store, never).status == "cancelled"
