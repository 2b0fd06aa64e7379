"""Long work on signatures: a folder of questioned ones, enrolment of everybody, thresholds, duplicates.

What a folder's comparison found lists file names, which may say whose they are: it is kept encrypted beside
the job and never in the job's row.
"""

from __future__ import annotations

import io

import pandas as pd

from dashboard.jobs import asking as jobs
from dashboard.jobs.asking import Refused, Task
from data.jobs import live as jobs_live
from data.jobs.table import Job
from data.signatures.specimens import RefusedFile
from data.store import Store
from data.trust.accounts import Account

RESULT = "comparisons.json"


def start_folder(store: Store, person: Account, name: str, data: bytes) -> str:
    """Keep a ZIP of questioned signatures and ask for their comparison. Returns the job's id."""
    kept = jobs_live.keep_files(store, [(name, data)])
    return jobs.start(store, person, "verify", files=kept)


def verify(task: Task) -> dict:
    """Compare every signature of the archive. ``{"found", "compared", "problems", "reach"}``; ``found`` is
    the id of the kept list."""
    from vision.verification.verification_pipeline import verify_folder

    try:
        ((_, data),) = jobs_live.kept_files(task.store, task.arguments["files"])
    except FileNotFoundError:
        raise Refused("files_gone") from None
    about = {"actor": task.job.actor, "role": task.job.role}
    try:
        results = verify_folder(
            task.store,
            data,
            task.scope,
            since=task.job.created_at,
            progress=task.report,
            **about,
        )
    except RefusedFile:
        raise Refused("archive_refused") from None
    content = results.to_json(orient="split", index=False).encode()
    problems = int(results["problem"].notna().sum())
    kept = jobs_live.keep_files(task.store, [(RESULT, content)])
    return {
        "found": kept,
        "compared": len(results) - problems,
        "problems": problems,
        "reach": jobs.reach_of(task.scope),
    }


def folder_result(store: Store, job: Job) -> pd.DataFrame | None:
    """What :func:`verify` found: the columns of
    :func:`vision.verification.verification_pipeline.verify_folder`; None when the list is no longer kept."""
    try:
        ((_, content),) = jobs_live.kept_files(store, job.result["found"])
    except FileNotFoundError:
        return None
    return pd.read_json(io.BytesIO(content), orient="split", dtype=False, convert_dates=False)


def enrol(task: Task) -> dict:
    """Enrol every consenting student who is not enrolled. ``{"enrolled", "left_out"}``."""
    from vision.verification.verification_pipeline import enrol_all

    return enrol_all(
        task.store,
        task.scope,
        actor=task.job.actor,
        role=task.job.role,
        progress=task.report,
    )


def calibrate(task: Task) -> dict:
    """Learn thresholds from this register's own students. ``{"source", "version"}``."""
    from vision.verification.verification_tools import calibrate as run

    ground = run(
        task.store,
        actor=task.job.actor,
        role=task.job.role,
        progress=task.report,
    )
    return {"source": ground.source, "version": ground.version}


def duplicates(task: Task) -> dict:
    """Search the register for duplicates. ``{"findings"}``."""
    from vision.search.duplicate_search import search_duplicates
    from vision.verification.verification_pipeline import describe_pending

    describe_pending(task.store, task.report)
    pairs = search_duplicates(
        task.store,
        actor=task.job.actor,
        role=task.job.role,
        progress=task.report,
    )
    return {"findings": len(pairs)}
