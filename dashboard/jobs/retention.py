"""Retention as a job: what has fallen due is deleted, with receipts, once or every night.

Whoever asks for it has seen what is due on a day; the job deletes what is due on that day and nothing that
falls due later. A nightly one takes the day on which it runs.
"""

from __future__ import annotations

from datetime import UTC, date

from dashboard.jobs.asking import Refused, Task
from dashboard.jobs.nights import ask_for_next_night
from data.engine.clock import now
from data.jobs import live as jobs_live
from data.keeping import retention

RECEIPTS = "receipts.txt"


def run(task: Task) -> dict:
    """Delete what is due. ``{"signatures", "questioned", "records", "files"}``; ``files`` holds the receipts.

    Arguments: ``on``, the day that somebody has confirmed, or ``hour``, of every night.
    """
    asked, scope = task.arguments, task.scope
    if scope.program_codes is not None:
        raise Refused("not_allowed")
    if asked.get("hour") is not None:
        ask_for_next_night(task)
        day = today()
    else:
        day = min(date.fromisoformat(asked["on"]), today())
    task.report(0, 0, "setting the dates")
    retention.redate(task.store)
    due = retention.due(task.store, day)
    who = {"actor": task.job.actor, "role": task.job.role}
    receipts, gone = retention.carry_out(task.store, day, **who, progress=task.report)
    made = {"signatures": due.signatures, "questioned": gone, "records": len(due.records), "reach": None}
    if receipts:
        text = "\n\n".join(one.as_text() for one in receipts) + "\n"
        made["files"] = jobs_live.keep_files(task.store, [(RECEIPTS, text.encode())])
    return made


def today() -> date:
    """The day of the machine's own time zone."""
    return now().replace(tzinfo=UTC).astimezone().date()
