"""A job in words: its kind, how far it is, how it ended. No Streamlit here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pandas as pd

from dashboard.reports.provenance import local_time
from dashboard.reports.words import clock_of
from dashboard.shell.wording import EMPTY, Words
from data.jobs.live import JobProgress
from data.jobs.table import Job

ICONS = {
    "waiting": ":material/schedule:",
    "running": ":material/progress_activity:",
    "done": ":material/check_circle:",
    "failed": ":material/error:",
    "cancelled": ":material/cancel:",
}
COLORS = {"waiting": "gray", "running": "blue", "done": "green", "failed": "red", "cancelled": "orange"}
_NUMBER = re.compile(r"\d+")
_NOT_A_WORD = re.compile(r"[^a-z]+")


def step_words(step: str | None, words: Words) -> str:
    """What a job is doing, in the reader's language; a step that no wording file knows as it is.

    Pipelines name their steps in English; the key is the step's words with ``n`` for a number.
    """
    if not step:
        return ""
    key = "job_step." + _NOT_A_WORD.sub("_", _NUMBER.sub("n", step.casefold())).strip("_")
    if not words.has(key):
        return step
    number = _NUMBER.search(step)
    return words(key, n=int(number.group())) if number else words(key)


def progress_words(progress: JobProgress, words: Words) -> str:
    """The line above a bar, such as "Embedding specimens · 40 of 120 · about 30 s more for this step"."""
    step = step_words(progress.step, words)
    if not progress.total:
        return step
    line = words("jobs.progress", step=step, done=progress.done, total=progress.total)
    if not progress.left or progress.done >= progress.total:
        return line
    return words("jobs.progress_left", progress=line, time=rough_words(progress.left, words))


def waiting_words(ahead: Sequence[Job], words: Words, hour: Callable[[datetime], str]) -> str:
    """Why a job waits: how many are before it, of whomever, and what is being done now.

    Parameters
    ----------
    ahead : sequence of Job
        From :func:`data.jobs.table.ahead_of`.
    words : Words
    hour : callable
        The time of day of a moment (UTC), for the reader.
    """
    if not ahead:
        return words("job_status.waiting")
    behind = words("jobs.behind", jobs=words.count("jobs", len(ahead)))
    first = ahead[0]
    if first.status != "running" or first.started_at is None:
        return behind
    kind = words(f"job_kind.{first.kind}")
    return f"{behind}: {words('jobs.now_done', kind=kind, since=hour(first.started_at))}"


def duration(job: Job, now: datetime | None = None) -> float | None:
    """Seconds from its start to its end, or to now; None before its start."""
    if job.started_at is None:
        return None
    end = job.finished_at or now or datetime.now(UTC).replace(tzinfo=None)
    return max((end - job.started_at).total_seconds(), 0.0)


def duration_words(seconds: float | None, words: Words) -> str:
    """Such as "12 s", "3 min 5 s" or "2 h 1 min"."""
    if seconds is None:
        return EMPTY
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return words("jobs.hours", h=hours, m=minutes)
    if minutes:
        return words("jobs.minutes", m=minutes, s=rest)
    return words("jobs.seconds", s=words.number(seconds, 1) if seconds < 10 else words.number(whole))


def rough_words(seconds: float, words: Words) -> str:
    """An estimate, rounded up: in tens of seconds, above 90 in minutes, above 90 of those in hours and tens
    of minutes."""
    minutes = math.ceil(seconds / 60)
    if seconds <= 90:
        return words("jobs.seconds", s=10 * math.ceil(seconds / 10))
    if minutes <= 90:
        return words("jobs.whole_minutes", m=minutes)
    tens = math.ceil(minutes / 10)
    return words("jobs.hours", h=tens // 6, m=10 * (tens % 6))


def outcome_words(job: Job, words: Words) -> str:
    """What came of a job, in a sentence; empty while it is open."""
    if job.status == "failed":
        why = words.named("job_problem", job.problem or "unknown")
        refused = (job.result or {}).get("refused")
        return f"{why} {words('feeder.refused', n=refused)}" if refused else why
    if job.status == "cancelled":
        return words("jobs.was_cancelled")
    if job.status != "done":
        return ""
    said = job.result or {}
    if job.kind == "import":
        counts = said.get("counts", {}).values()
        new, changed, same = (sum(c.get(k, 0) for c in counts) for k in ("new", "changed", "same"))
        told = [words("job_done.import", new=new, changed=changed, same=same)]
        if said.get("refused"):
            told.append(words("job_done.import_refused", n=said["refused"]))
        return " ".join(told)
    if job.kind == "feeder":
        return _feeder_words(said, words)
    left_out = ("files", "new", "served", "checked", "doubts")
    numbers = {name: value for name, value in said.items() if name not in left_out}
    state = said.get("act", "")
    if "new" in said:
        state = "served" if said.get("served") else "new" if said.get("new") else "found"
        state = "doubted" if said.get("doubts") and state != "served" else state
    key = f"job_done.{job.kind}_{state}" if state else f"job_done.{job.kind}"
    return words(key, **numbers) if words.has(key) else words("job_status.done")


def _feeder_words(said: dict, words: Words) -> str:
    counts = said.get("counts", {}).values()
    new, changed, same = (sum(c.get(k, 0) for c in counts) for k in ("new", "changed", "same"))
    told = [words("job_done.import", new=new, changed=changed, same=same)]
    for key in ("refused", "not_reported", "vanished", "erased"):
        if said.get(key):
            told.append(words(f"feeder.{key}", n=said[key]))
    if said.get("plain"):
        told.append(words("feeder.plain"))
    return " ".join(told)


def differences_table(job: Job, words: Words) -> pd.DataFrame | None:
    """Where ours and Feeder's register differ, by programme and term; None where a job compared nothing."""
    said = job.result or {}
    if job.kind != "feeder" or not said.get("differences"):
        return None
    names = ("program", "term", "ours", "feeder", "difference", "not_reported")
    rows = [(code, words.term(term), *numbers) for code, term, *numbers in said["differences"]]
    return pd.DataFrame(rows, columns=[words(f"feeder.column_{name}") for name in names])


def history_table(
    jobs: Sequence[Job], words: Words, named: Callable[[str], str] = str, zone: str = ""
) -> pd.DataFrame:
    """One row per job: when, what, by whom, how long, how it ended.

    Parameters
    ----------
    jobs : sequence of Job
    words : Words
    named : callable
        The name of an account's owner.
    zone : str
        Whose clock moments are told on, as an IANA name; empty: UTC. Its name stands above them.
    """
    when = words("column.on_clock", column=words("column.when"), clock=clock_of(zone))
    rows = [
        {
            when: local_time(job.created_at.isoformat(), zone).replace(tzinfo=None),
            words("column.job"): words(f"job_kind.{job.kind}"),
            words("column.state"): words(f"job_status.{job.status}"),
            words("column.actor"): named(job.actor),
            words("column.duration"): duration_words(duration(job), words),
            words("column.outcome"): outcome_words(job, words),
        }
        for job in jobs
    ]
    return pd.DataFrame(rows)
