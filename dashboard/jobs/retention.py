"""Retention and erasure as jobs: what has fallen due, or what a student asked for, goes, with receipts.

Whoever asks for it has seen what is due on a day; the job deletes what is due on that day and nothing that
falls due later. A nightly one takes the day on which it runs.
"""

from __future__ import annotations

from datetime import date

from dashboard.jobs.asking import Refused, Task, reach_of
from data import queries
from data.calendar import clock
from data.jobs import live as jobs_live
from data.keeping import retention
from data.trust import erase as erasing

RECEIPTS = "receipts.txt"


def run(task: Task) -> dict:
    """Delete what is due. ``{"signatures", "questioned", "records", "files"}``; ``files`` holds the receipts.

    Arguments: ``on``, the day that somebody has confirmed, or ``hour``, of every night.
    """
    asked, scope = task.arguments, task.scope
    if scope.program_codes is not None:
        raise Refused("not_allowed")
    if asked.get("hour") is not None:
        day = clock.today(task.store)
    else:
        day = min(date.fromisoformat(asked["on"]), clock.today(task.store))
    task.report(0, 0, "setting the dates")
    retention.redate(task.store)
    due = retention.due(task.store, day)
    who = {"actor": task.job.actor, "role": task.job.role}
    receipts, gone = retention.carry_out(task.store, day, **who, progress=task.report)
    made = {"signatures": due.signatures, "questioned": gone, "records": len(due.records), "reach": None}
    if receipts:
        text = "\n\n".join(one.as_text() for one in receipts) + "\n"
        made["files"] = jobs_live.keep_files(task.store, [(RECEIPTS, text.encode())], of_nobody=True)
    return made


def erase(task: Task) -> dict:
    """Erase a student's signatures, or the student. ``{"rows", "files", "reach"}``; ``files`` holds the
    receipt.

    Arguments: ``student``, a key, and ``everything``. Asked for again after a kill it completes what is left.
    """
    key, scope = task.arguments["student"], task.scope
    there = queries.find_student(task.store, scope, key) == key
    if not there and not erasing.receipts(task.store, key):
        raise Refused("student_gone")
    task.report(0, 0, "erasing")
    act = erasing.erase_student if task.arguments.get("everything") else erasing.erase_student_signatures
    receipt = act(task.store, key, actor=task.job.actor, role=task.job.role)
    told = f"{receipt.as_text()}\n".encode()
    kept = jobs_live.keep_files(task.store, [(RECEIPTS, told)], of_nobody=True)
    return {"rows": sum(receipt.deleted.values()), "files": kept, "reach": reach_of(scope)}
