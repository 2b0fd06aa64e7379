"""The check of large files as a job: reading them in the process of the pages would make everybody wait.

The files wait encrypted until the check is over; what it found is kept in the same way for a day.
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from collections.abc import Sequence

from dashboard.importing import check_result
from dashboard.importing.check_result import CheckResult
from dashboard.importing.plan import UploadedFile
from dashboard.jobs import asking as jobs
from dashboard.jobs.asking import Task
from dashboard.jobs.imports import kept_request, requested_plan
from data.engine.progress import renamed
from data.files.mapping import Mapping
from data.files.reading import Reading
from data.jobs import live as jobs_live
from data.jobs.table import Job
from data.store import Store
from data.trust.accounts import Account

LARGE = 4 * 2**20  # bytes of all files of a check; smaller ones are read while the reader looks on


def is_large(files: Sequence[UploadedFile]) -> bool:
    """Whether the check of these files belongs into a process of its own."""
    return sum(len(file.data) for file in files) > LARGE


def start(
    store: Store,
    person: Account,
    files: Sequence[UploadedFile],
    kinds: Sequence[str],
    *,
    mapping: Mapping | None,
    captured_on: str | None,
    reading: Dict[str, Reading],
) -> str:
    """Keep the files and ask for their check; parameters as :func:`dashboard.jobs.imports.start`. Returns the
    job's id."""
    asked = kept_request(store, files, kinds, mapping, captured_on, reading)
    return jobs.start(store, person, "check", **asked)


def run(task: Task) -> dict:
    """Check the files; write nothing. ``{"checked", "problems"}``: where the result is kept, how many
    problems it has."""
    steps = renamed(task.report, "checking the files")
    found = check_result.result_of(requested_plan(task, steps))
    kept = jobs_live.keep_files(task.store, [("check.json", found.to_json())])
    return {"checked": kept, "problems": len(found.problems)}


def result(store: Store, job: Job) -> CheckResult | None:
    """What a check that is done has found; None when it was deleted meanwhile."""
    try:
        [(_, data)] = jobs_live.kept_files(store, job.result["checked"])
    except FileNotFoundError:
        return None
    return check_result.from_json(data)
