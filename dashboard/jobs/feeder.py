"""A pull from PDDikti Neo Feeder as a job, once or every night.

Address, account and password stand in the worker's environment and nowhere else: whoever may ask for a pull
cannot send the password to an address of their own.
"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, time, timedelta

from dashboard.jobs.asking import Refused, Task, reach_of
from dashboard.shell.access import may_change_register
from data.engine.clock import now
from data.feeder.handing_out import files_of
from data.feeder.lists import Cohorts
from data.feeder.protocol import FeederClient, FeederError, is_plain
from data.feeder.pull import Pulled, Wanted, pull
from data.feeder.reconcile import NOT_REPORTED, VANISHED
from data.jobs import live as jobs_live
from data.jobs import table as jobs
from data.settings import Settings
from data.trust.accounts import find_account
from data.trust.origin import RealDataRefused, refuse_in_demo

MOST_DIFFERENCES = 400  # rows that a job's result shows; the file has them all


def run(task: Task) -> dict:
    """Pull, write, compare. ``{"counts", "not_reported", "vanished", "refused", "erased", "differences",
    "files", …}``.

    Arguments: ``cohorts`` (text), ``skip_bad``, ``people``, ``hour`` (of the worker's clock; with it the next
    night's pull is asked for first, so that no failure ends the series).
    """
    asked, scope = task.arguments, task.scope
    if not may_change_register(find_account(task.store, task.job.actor), "run feeder"):
        raise Refused("not_allowed")
    try:
        refuse_in_demo(task.store)
    except RealDataRefused:
        raise Refused("demo_store") from None
    if asked.get("hour") is not None:
        ask_for_next_night(task)
    settings = Settings()  # as the environment is now; a page's process may have another
    password = settings.feeder_password.get_secret_value()
    if not (settings.feeder_url and settings.feeder_user and password):
        raise Refused("feeder_not_set")
    wanted = Wanted(Cohorts.read(asked.get("cohorts")), bool(asked.get("people")))
    task.report(0, 0, "asking feeder, 0 rows")
    try:
        with FeederClient(
            settings.feeder_url, settings.feeder_user, password, ca=settings.feeder_ca or None
        ) as client:
            pulled = pull(
                task.store,
                client,
                wanted,
                actor=task.job.actor,
                role=task.job.role,
                skip_bad=bool(asked.get("skip_bad")),
                progress=lambda done, total, what: task.report(done, total, _step(what)),
            )
    except FeederError as problem:
        raise Refused(f"feeder_{problem.code}") from None
    result = _told(task, pulled, scope) | {"plain": is_plain(settings.feeder_url)}
    if not pulled.written:
        raise Refused("feeder_rows", result)
    return result


def ask_for_next_night(task: Task) -> None:
    """Ask for the same at its hour of the next night, unless somebody has; it can be stopped like any job."""
    waiting = (job for job in jobs.open_jobs(task.store) if job.job_id != task.job.job_id)
    if any(job.kind == "feeder" and job.begins_at is not None for job in waiting):
        return
    when = next_night(int(task.arguments["hour"]), now())
    arguments = {**task.arguments, "not_before": when.isoformat()}
    jobs.enqueue(task.store, "feeder", arguments, actor=task.job.actor, role=task.job.role)


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


def _step(what: str) -> str:
    """Steps of the check are named anew: they name files."""
    known = what.startswith("asking feeder") or what in ("writing rows", "comparing with feeder")
    return what if known else "checking the rows"


def _told(task: Task, pulled: Pulled, scope) -> dict:
    both = pulled.reconciliation
    differing = both.counts[(both.counts["difference"] != 0) | (both.counts["not_reported"] != 0)]
    columns = ["program_code", "term_id", "ours", "feeder", "difference", "not_reported"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files_of(pulled, identified=scope.may_identify):
            archive.writestr(name, content)
    return {
        "counts": pulled.counts if pulled.written else {},
        "import_id": pulled.import_id,
        "refused": sum(pulled.plan.refused.values()),
        "erased": pulled.erased,
        "not_reported": both.number(NOT_REPORTED),
        "vanished": both.number(VANISHED),
        "differences": differing[columns].head(MOST_DIFFERENCES).values.tolist(),
        "files": jobs_live.keep_files(task.store, [("feeder.zip", packed.getvalue())]),
        "identified": scope.may_identify,
        "reach": reach_of(scope),
    }
