"""Long work that is done again every night or week; no scheduler, a job asks for its own successor."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from dashboard.jobs.asking import KINDS, Task, may_start
from data.engine.clock import now
from data.jobs import table as jobs
from data.trust.accounts import find_account
from data.trust.origin import RealDataRefused, refuse_in_demo


def ask_for_next_night(task: Task) -> None:
    """Ask for the same at its hour of the next night, unless somebody has; it can be stopped like any job.

    Called before the work begins, so that no failure ends the series. It ends where its account may ask for
    such work no more, and where the store takes none.
    """
    kind, hour = task.job.kind, task.arguments.get("hour")
    person = find_account(task.store, task.job.actor)
    if hour is None or not KINDS[kind].repeats or person is None or not may_start(person, kind):
        return
    if KINDS[kind].brings_records and _is_demo(task):
        return
    waiting = (job for job in jobs.open_jobs(task.store) if job.job_id != task.job.job_id)
    same = [job for job in waiting if job.kind == kind and job.begins_at is not None]
    if any(not KINDS[kind].personal or job.actor == task.job.actor for job in same):
        return
    begins = next_night(int(hour), now(), task.arguments.get("weekday"))
    arguments = {**task.arguments, "not_before": begins.isoformat()}
    jobs.enqueue(task.store, kind, arguments, actor=task.job.actor, role=task.job.role)


def next_night(hour: int, moment: datetime, weekday: int | None = None) -> datetime:
    """When the worker's clock next shows an hour, on a day of the week if one is given.

    Parameters
    ----------
    hour : int
        0 to 23, of the machine's own time zone.
    moment : datetime
        UTC, without a zone.
    weekday : int, optional
        0 (Monday) to 6.

    Returns
    -------
    datetime
        UTC, without a zone; later than ``moment``.
    """
    if not 0 <= hour <= 23:
        raise ValueError(f"hour must be between 0 and 23, got {hour}")
    if weekday is not None and not 0 <= weekday <= 6:
        raise ValueError(f"weekday must be between 0 and 6, got {weekday}")
    here = moment.replace(tzinfo=UTC).astimezone()
    day = here.date()
    while (when := datetime.combine(day, time(hour)).astimezone()) <= here or (
        weekday is not None and day.weekday() != weekday
    ):
        day += timedelta(days=1)
    return when.astimezone(UTC).replace(tzinfo=None)


def _is_demo(task: Task) -> bool:
    try:
        refuse_in_demo(task.store)
    except RealDataRefused:
        return True
    return False
