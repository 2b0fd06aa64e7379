"""Work of every night: a job asks for its successor before it begins, so no failure ends the series."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from dashboard.jobs.asking import Task
from data.engine.clock import now
from data.jobs import table as jobs
from data.jobs.table import Job
from data.store import Store


def ask_for_next_night(task: Task) -> None:
    """Ask for the same at its hour of the next night, unless somebody has; it can be stopped like any job."""
    if waiting_for_night(task.store, task.job.kind, task.job.job_id):
        return
    when = next_night(int(task.arguments["hour"]), now())
    arguments = {**task.arguments, "not_before": when.isoformat()}
    jobs.enqueue(task.store, task.job.kind, arguments, actor=task.job.actor, role=task.job.role)


def waiting_for_night(store: Store, kind: str, but: str = "") -> Job | None:
    """The job of a kind that waits for its night; None when there is none.

    Parameters
    ----------
    but : str
        The id of a job that does not count.
    """
    waiting = (job for job in jobs.open_jobs(store) if job.job_id != but and job.kind == kind)
    return next((job for job in waiting if job.begins_at is not None), None)


def next_night(hour: int, moment: datetime) -> datetime:
    """When the worker's clock next shows an hour.

    Parameters
    ----------
    hour : int
        0 to 23, of the machine's own time zone.
    moment : datetime
        UTC, without a zone.

    Returns
    -------
    datetime
        UTC, without a zone; later than ``moment``.
    """
    if not 0 <= hour <= 23:
        raise ValueError(f"hour must be between 0 and 23, got {hour}")
    here = moment.replace(tzinfo=UTC).astimezone()
    day = here.date()
    while (when := datetime.combine(day, time(hour)).astimezone()) <= here:
        day += timedelta(days=1)
    return when.astimezone(UTC).replace(tzinfo=None)
