"""Long work that is done again every night or week; no scheduler, a job asks for its own successor."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from dashboard.jobs.asking import KINDS, Task, may_start
from data.engine.clock import now
from data.jobs import table as jobs
from data.jobs.table import Job
from data.store import Store
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
    actor = task.job.actor if KINDS[kind].personal else None
    if waiting_for_night(task.store, kind, but=task.job.job_id, actor=actor) is not None:
        return
    begins = next_night(int(hour), now(), task.arguments.get("weekday"))
    arguments = {**task.arguments, "not_before": begins.isoformat()}
    jobs.enqueue(task.store, kind, arguments, actor=task.job.actor, role=task.job.role)


def waiting_for_night(store: Store, kind: str, but: str = "", actor: str | None = None) -> Job | None:
    """The job of a kind that waits for its night; None when there is none.

    Parameters
    ----------
    but : str
        The id of a job that does not count.
    actor : str, optional
        Whose job it must be; anybody's.
    """
    waiting = (job for job in jobs.open_jobs(store) if job.job_id != but and job.kind == kind)
    own = (job for job in waiting if actor is None or job.actor == actor)
    return next((job for job in own if job.begins_at is not None), None)


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
