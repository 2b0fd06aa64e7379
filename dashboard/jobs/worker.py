"""The worker: takes one job at a time and does it in a process of its own.

The process of the job can be ended without harm: pipelines write in transactions. When this worker dies the
job's process sees its standard input close and ends; the next worker takes the job again.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
import uuid
from pathlib import Path
from threading import Event

from dashboard.jobs.worker_child import DATABASE_LOST
from data.feeder import staging
from data.jobs import live as jobs_live
from data.jobs import table as jobs
from data.jobs.lock import StillHeld, held_alone
from data.jobs.table import Job, LostJob
from data.store import Store

ROOT = Path(__file__).resolve().parent.parent.parent
POLL = 0.5  # seconds between two looks at the table
WATCH = 0.2  # seconds between two looks at a running process
GRACE = 10.0  # seconds that a job has to stop at a step of its own
LAST_CALL = 3.0  # seconds between asking a process to end and ending it
SWEEP = 3600.0
ENDED = "ended"  # problem of a job whose process ended without a word

logger = logging.getLogger(__name__)


def work(store: Store, stop: Event, *, until_idle: bool = False) -> None:
    """Do jobs until ``stop`` is set; wait while another worker is at work.

    Parameters
    ----------
    stop : threading.Event
        Ends the running job's process and gives the job back.
    until_idle : bool
        Return when nothing is left to do, or another worker is at work.
    """
    while not stop.is_set():
        with held_alone(store, "worker") as still_held:
            if still_held is not None:
                _work_alone(store, stop, still_held, until_idle)
            if until_idle:
                return
        stop.wait(POLL)


def _work_alone(store: Store, stop: Event, still_held: StillHeld, until_idle: bool) -> None:
    me, swept = uuid.uuid4().hex, -SWEEP
    while not stop.is_set() and still_held():
        jobs_live.beat(store)
        if time.monotonic() - swept > SWEEP:
            _sweep(store)
            swept = time.monotonic()
        job = jobs.take(store, me)
        if job is not None:
            _do(store, job, stop, still_held)
        elif until_idle:
            return
        else:
            stop.wait(POLL)


def _sweep(store: Store) -> None:
    needed = set()
    for job in jobs.open_jobs(store):
        needed |= {job.job_id, job.arguments.get("files")}
    jobs_live.sweep(store, needed)
    staging.sweep(store)


def command_of(job: Job) -> tuple[str, ...]:
    """What does the job; it ends when its standard input closes."""
    return (sys.executable, "-m", "dashboard.jobs.worker_child", job.job_id, job.worker)


def _do(store: Store, job: Job, stop: Event, still_held: StillHeld) -> None:
    logger.info("job %s (%s) begins, attempt %d", job.job_id, job.kind, job.attempts)
    began = time.monotonic()
    with subprocess.Popen(command_of(job), cwd=ROOT, stdin=subprocess.PIPE) as process:
        try:
            _watch(store, job, process, stop, still_held)
        finally:
            _end(process)
    _close(store, job, process.returncode, stop.is_set() or not still_held())
    logger.info("job %s (%s) is over after %.1f s", job.job_id, job.kind, time.monotonic() - began)


def _watch(store: Store, job: Job, process, stop: Event, still_held: StillHeld) -> None:
    """Return when the process has ended, or should."""
    asked = None
    while process.poll() is None and not stop.is_set():
        jobs_live.beat(store)
        if asked is None and _asked_to_stop(store, job):
            asked = time.monotonic()
            jobs_live.ask_to_stop(store, job.job_id)
        if (asked is not None and time.monotonic() - asked > GRACE) or not still_held():
            return
        stop.wait(WATCH)


def _asked_to_stop(store: Store, job: Job) -> bool:
    if jobs_live.asked_to_stop(store, job.job_id):
        return True
    now = jobs.find(store, job.job_id)
    return now is not None and now.cancel_at is not None


def _end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(LAST_CALL)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _close(store: Store, job: Job, code: int, stopping: bool) -> None:
    """Write how a job ended whose process did not say so itself."""
    now = jobs.find(store, job.job_id)
    if now is None or now.status != "running" or now.worker != job.worker:
        return
    try:
        if _asked_to_stop(store, job):
            jobs.finish(store, job, "cancelled", progress=_last_words(store, job))
        elif stopping:
            jobs.give_back(store, job)
        elif (code < 0 or code == DATABASE_LOST) and job.attempts < jobs.ATTEMPTS:
            # Killed from outside, perhaps for its memory; or the database was gone for a moment.
            logger.warning("job %s: its process ended with code %d; it is tried again", job.job_id, code)
            jobs.give_back(store, job, counts=True)
        else:
            logger.error("job %s: its process ended with code %d", job.job_id, code)
            jobs.finish(store, job, "failed", problem=ENDED, progress=_last_words(store, job))
    except LostJob:
        logger.warning("job %s was taken by another worker", job.job_id)


def _last_words(store: Store, job: Job) -> tuple[int, int, str] | None:
    said = jobs_live.progress_of(store, job.job_id)
    return None if said is None else (said.done, said.total, said.step)
