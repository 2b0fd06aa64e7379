"""Long work as rows of one table: asked for by a page, done by a worker, followed by the page.

A row says what holds across restarts: who asked for what, who works on it, how it ended. How far it has come
from second to second lies beside it in files (:mod:`data.jobs.live`), because SQLite takes no second
writer while an import writes. Whoever works on a job is the only worker (:mod:`data.jobs.lock`), so a
running job of another worker is one whose worker died: it is taken again, at most :data:`ATTEMPTS` times.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from data import schema
from data.engine.clock import now
from data.engine.database import Store
from data.jobs import live as jobs_live
from data.trust import audit

ATTEMPTS = 4  # a job that ends its worker so often is given up
OPEN = ("waiting", "running")
FINAL = ("done", "failed", "cancelled")


class LostJob(RuntimeError):
    """The job is held by another worker by now; what was to be written is not."""


@dataclass(frozen=True)
class Job:
    """A row of ``jobs``.

    Parameters
    ----------
    job_id, kind, status : str
        Which, of what kind, one of :data:`data.columns.JOB_STATUSES`.
    arguments : dict
        What the work needs; never identity.
    actor, role : str
        Who asked for it.
    created_at, started_at, finished_at, cancel_at : datetime or None
        UTC.
    worker : str or None
        Who holds it.
    attempts : int
        How often it was taken.
    done, total : int or None
        Of the last report.
    step : str or None
        What was done last.
    result : dict or None
        What came of it; no identity.
    problem : str or None
        Code of why it failed.
    retry_of : str or None
        The job that this one repeats.
    """

    job_id: str
    kind: str
    status: str
    arguments: dict[str, Any] = field(repr=False)
    actor: str
    role: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    worker: str | None = None
    attempts: int = 0
    cancel_at: datetime | None = None
    done: int | None = None
    total: int | None = None
    step: str | None = None
    result: dict[str, Any] | None = None
    problem: str | None = None
    retry_of: str | None = None

    @property
    def begins_at(self) -> datetime | None:
        """UTC; before then it waits, however idle the worker. None: as soon as it is its turn."""
        return _begins(self.arguments)

    @property
    def open(self) -> bool:
        """Whether it waits or runs."""
        return self.status in OPEN


def enqueue(
    store: Store, kind: str, arguments: dict, *, actor: str, role: str, retry_of: str | None = None
) -> str:
    """Ask for work; the row and its audit entry stand or fall together. Returns the job's id.

    Parameters
    ----------
    kind : str
        What is to be done; whether ``role`` may is the caller's to know.
    arguments : dict
        JSON without identity. ``not_before``, a moment in UTC as ISO 8601, makes the job wait until then.
    """
    job_id = uuid.uuid4().hex
    row = {"job_id": job_id, "kind": kind, "status": "waiting", "arguments": arguments, "attempts": 0}
    row |= {"actor": actor, "role": role, "created_at": now(), "retry_of": retry_of}
    with store.writing("jobs") as connection:
        connection.execute(insert(schema.jobs).values(**row))
        audit.append_in(
            connection, actor=actor, role=role, action="start job", object=job_id, detail={"kind": kind}
        )
    return job_id


def find(store: Store, job_id: str) -> Job | None:
    """The job of that id."""
    with store.reading() as connection:
        return _one(connection, job_id)


def recent(store: Store, kinds: Collection[str], limit: int = 200, actor: str | None = None) -> list[Job]:
    """Jobs of some kinds, the newest first; with an actor, those that this account asked for."""
    jobs = schema.jobs
    statement = select(jobs).where(jobs.c.kind.in_(list(kinds)))
    if actor is not None:
        statement = statement.where(jobs.c.actor == actor)
    statement = statement.order_by(jobs.c.created_at.desc(), jobs.c.job_id).limit(limit)
    with store.reading() as connection:
        return [Job(**row) for row in connection.execute(statement).mappings()]


def open_jobs(store: Store) -> list[Job]:
    """Jobs that wait or run, in the order in which they will be done."""
    statement = select(schema.jobs).where(schema.jobs.c.status.in_(OPEN))
    with store.reading() as connection:
        return [Job(**row) for row in connection.execute(_in_turn(statement)).mappings()]


def ahead_of(store: Store, job_id: str) -> list[Job]:
    """Jobs that will be done before one that waits, in their order; whoever asked for them. Those that begin
    at an hour of their own, later than now, are not among them."""
    ahead = []
    for job in open_jobs(store):
        if job.job_id == job_id:
            return ahead
        if job.status == "running" or job.begins_at is None or job.begins_at <= now():
            ahead.append(job)
    return []


def cancel(store: Store, job_id: str, *, actor: str, role: str) -> None:
    """Ask for a job to stop: at once when it waits, else at its next step or by force soon after.

    The marker on disk comes first: while an import writes into SQLite, the row cannot change before the
    import has stopped.
    """
    jobs_live.ask_to_stop(store, job_id)
    jobs = schema.jobs
    unasked = (jobs.c.job_id == job_id, jobs.c.cancel_at.is_(None))
    with store.writing("jobs") as connection:

        def mark(before: str, **values) -> int:
            marked = update(jobs).where(*unasked, jobs.c.status == before).values(cancel_at=now(), **values)
            return connection.execute(marked).rowcount

        runs = mark("running")
        # The worker may have seen the marker, and ended the job, before the row could change.
        if runs or mark("waiting", status="cancelled", finished_at=now()) or mark("cancelled"):
            audit.append_in(connection, actor=actor, role=role, action="cancel job", object=job_id)
    if not runs:
        jobs_live.clear(store, job_id)


def take(store: Store, worker: str) -> Job | None:
    """The next job for the only worker; None when there is nothing to do.

    Parameters
    ----------
    worker : str
        Its token; jobs that another token holds were left behind by a worker that died.
    """
    jobs = schema.jobs
    open_to_take = jobs.c.status.in_(OPEN) & or_(jobs.c.worker.is_(None), jobs.c.worker != worker)
    statement = _in_turn(select(jobs).where(open_to_take))
    with store.reading() as connection:
        if not any(map(_is_due, connection.execute(statement).mappings())):
            return None
    with store.writing("jobs") as connection:
        for row in filter(_is_due, connection.execute(statement).mappings().all()):
            this = update(jobs).where(jobs.c.job_id == row["job_id"])
            if row["cancel_at"] is not None:
                connection.execute(this.values(status="cancelled", finished_at=now()))
            elif row["attempts"] >= ATTEMPTS:
                connection.execute(this.values(status="failed", problem="ended", finished_at=now()))
            else:
                held = {"status": "running", "worker": worker, "attempts": row["attempts"] + 1}
                connection.execute(this.values(**held, started_at=now()))
                return _one(connection, row["job_id"])
    return None


def give_back(store: Store, job: Job, *, counts: bool = False) -> None:
    """Let a running job be begun anew, by the next worker or by this one.

    Parameters
    ----------
    counts : bool
        Whether this was an attempt; it was none when the worker itself is being stopped.
    """
    _change(store, job, status="waiting", worker=None, attempts=job.attempts - (not counts))


def finish(
    store: Store,
    job: Job,
    status: str,
    *,
    result: dict | None = None,
    problem: str | None = None,
    progress: tuple[int, int, str] | None = None,
) -> None:
    """Write how a job ended.

    Parameters
    ----------
    job : Job
        As :func:`take` gave it.
    status : {"done", "failed", "cancelled"}
    result : dict, optional
        JSON without identity.
    problem : str, optional
        Code for the wording file.
    progress : (int, int, str), optional
        The last report.

    Raises
    ------
    LostJob
        When another worker has taken the job since.
    """
    if status not in FINAL:
        raise ValueError(f"status must be one of {', '.join(FINAL)}, got {status!r}")
    done, total, step = progress or (job.done, job.total, job.step)
    step = None if step is None else step[:120]
    about = {"result": result, "problem": problem, "done": done, "total": total, "step": step}
    _change(store, job, status=status, finished_at=now(), **about)
    jobs_live.clear(store, job.job_id)


def _change(store: Store, job: Job, **values) -> None:
    jobs = schema.jobs
    mine = (jobs.c.job_id == job.job_id, jobs.c.worker == job.worker, jobs.c.status == "running")
    with store.writing("jobs") as connection:
        if connection.execute(update(jobs).where(*mine).values(**values)).rowcount == 0:
            raise LostJob(f"job {job.job_id} is not held by this worker any more")


def _is_due(row) -> bool:
    begins = _begins(row["arguments"])
    return row["cancel_at"] is not None or begins is None or begins <= now()


def _begins(arguments: dict) -> datetime | None:
    text = arguments.get("not_before")
    return None if text is None else datetime.fromisoformat(text)


def _in_turn(statement):
    jobs = schema.jobs
    begun_first = jobs.c.status != "running"
    return statement.order_by(begun_first, jobs.c.created_at, jobs.c.job_id)


def _one(connection: Connection, job_id: str) -> Job | None:
    row = connection.execute(select(schema.jobs).where(schema.jobs.c.job_id == job_id)).mappings().first()
    return None if row is None else Job(**row)
