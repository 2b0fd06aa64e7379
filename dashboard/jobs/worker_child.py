"""``python -m dashboard.jobs.asking.worker_child JOB WORKER``: one job, in a process that may be ended at any
moment."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from contextlib import closing
from importlib import import_module

from dashboard.jobs.asking import KINDS, Cancelled, Refused, Task
from dashboard.jobs.nightly import ask_for_next_night
from data.engine.database import DatabaseProblem, is_full, is_lost
from data.jobs import live as jobs_live
from data.jobs import table as jobs
from data.jobs.live import JobProgress
from data.jobs.lock import held_alone
from data.jobs.table import Job, LostJob
from data.store import Store, open_store

BETWEEN = 0.3  # seconds between two reports that are written down
PATIENCE = 60.0  # seconds to wait for the process of a worker that died
NICENESS = 10  # pages come first
UNKNOWN, NO_ROOM = "unknown", "no_room"
DATABASE_LOST = 75  # exit code: try again later

logger = logging.getLogger(__name__)


class Reporter:
    """Writes down how far a job is, a few times a second, and stops it when somebody asked for that."""

    def __init__(self, store: Store, job: Job):
        self.store, self.job = store, job
        self.last: JobProgress | None = None
        self._written = float("-inf")

    def __call__(self, done: int, total: int, step: str) -> None:
        """Say how far the job is.

        Raises
        ------
        Cancelled
            When somebody asked for the job to stop.
        """
        new_step = self.last is None or self.last.step != step
        self.last = JobProgress(int(done), int(total), step)
        if jobs_live.asked_to_stop(self.store, self.job.job_id):
            raise Cancelled
        if new_step or time.monotonic() - self._written > BETWEEN:
            jobs_live.report(self.store, self.job.job_id, self.last)
            self._written = time.monotonic()

    @property
    def words(self) -> tuple[int, int, str] | None:
        """The last report."""
        return None if self.last is None else (self.last.done, self.last.total, self.last.step)


def do(store: Store, job: Job) -> None:
    """Run a job's function and write how it ended."""
    report = Reporter(store, job)
    ending = {"status": "done"}
    try:
        module, function = KINDS[job.kind].run.split(":")
        report(0, 0, "starting")
        task = Task(store, job, report)
        ask_for_next_night(task)
        ending["result"] = getattr(import_module(module), function)(task)
    except Cancelled:
        ending = {"status": "cancelled"}
    except Refused as refusal:
        ending = {"status": "failed", "problem": refusal.code, "result": refusal.result}
    except MemoryError:
        ending = {"status": "failed", "problem": "memory"}
    except Exception as problem:  # noqa: BLE001 (whatever a pipeline raises must end in the job's row)
        if is_lost(problem):  # no fault of the job's: main() tells the worker
            raise
        # Where, not what: a message may quote a cell of somebody's record.
        where = "".join(traceback.format_tb(problem.__traceback__))
        logger.error("job %s failed with %s\n%s", job.job_id, type(problem).__name__, where)
        ending = {"status": "failed", "problem": NO_ROOM if is_full(problem) else UNKNOWN}
    jobs.finish(store, job, progress=report.words, **ending)
    files = job.arguments.get("files")
    if ending["status"] == "done" and files:
        jobs_live.drop_files(store, files)


def main(job_id: str, worker: str) -> int:
    """Do the job if this worker still holds it; 0 when its ending was written."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(NICENESS)
    with closing(open_store()) as store:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with held_alone(store, "job") as still_held:
                if still_held is None:
                    time.sleep(BETWEEN)
                    continue
                job = jobs.find(store, job_id)
                if job is None or job.worker != worker or job.status != "running":
                    return 0
                try:
                    do(store, job)
                except LostJob:
                    logger.warning("job %s was taken by another worker", job_id)
                except DatabaseProblem as problem:
                    logger.error("job %s: the database does not answer (%s)", job_id, type(problem).__name__)
                    os._exit(DATABASE_LOST)  # the lock went with the connection; nothing can be written
                return 0
    return 1


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):  # ends when the worker that holds the other end is gone
        pass
    os._exit(1)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.exit(main(sys.argv[1], sys.argv[2]))
