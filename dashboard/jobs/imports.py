"""An import as a job: the files wait encrypted, and the worker checks and writes them.

The files are checked again when they are written: the store may have changed since the page showed its check.
A job that was killed finds what it had written under its import's id and goes on from there.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from dashboard.importing import plan as importing
from dashboard.importing.check_result import CheckResult, from_json, result_of
from dashboard.importing.plan import PagePlan, UploadedFile
from dashboard.jobs import asking as jobs
from dashboard.jobs.asking import Refused, Task
from dashboard.shell.access import may_change_register, scope_for
from data.engine.progress import Progress, renamed
from data.files.mapping import Mapping, mapping_from_dict, mapping_to_dict
from data.files.reading import Reading
from data.jobs import live as jobs_live
from data.jobs import table
from data.records.imports import records_written
from data.records.ingest import RefusedImport
from data.signatures.ingest import DATE_RULES, RefusedSignatures
from data.store import Store
from data.trust.accounts import Account
from data.trust.origin import RealDataRefused, refuse_in_demo

Rule = date | str | None
LEFT_OUT = "left_out.json"


def start(
    store: Store,
    person: Account,
    files: Sequence[UploadedFile],
    kinds: Sequence[str],
    *,
    mapping: Mapping | None,
    captured_on: Rule,
    skip_bad: bool,
    reading: Dict[str, Reading] | None = None,
) -> str:
    """Keep the files and ask for their import. Returns the job's id.

    Parameters
    ----------
    files, kinds : sequences
        As for :func:`dashboard.importing.plan.chosen_files`.
    mapping : Mapping or None
        None detects file by file.
    captured_on : date, "file", "entry" or None
        As for :func:`data.signatures.ingest.plan_signatures`.
    skip_bad : bool
        Whether bad rows are left out.
    reading : mapping of str to Reading, optional
        Table → how its file is to be read.

    Raises
    ------
    data.trust.origin.RealDataRefused
        When the store is a demo.
    """
    refuse_in_demo(store)  # before a file is kept
    asked = kept_request(store, files, kinds, mapping, captured_on, reading or {})
    return jobs.start(store, person, "import", **asked, skip_bad=skip_bad, import_id=uuid.uuid4().hex)


def kept_request(
    store: Store,
    files: Sequence[UploadedFile],
    kinds: Sequence[str],
    mapping: Mapping | None,
    captured_on: Rule,
    reading: Dict[str, Reading],
) -> dict:
    """Keep the files for a job; its arguments as far as they say what is read and how.

    Raises
    ------
    ValueError
        When two files are said to hold the same table; nothing is kept then.
    """
    importing.chosen_files(files, kinds)
    return {
        "files": jobs_live.keep_files(store, [(file.name, file.data) for file in files]),
        "kinds": list(kinds),
        "mapping": None if mapping is None else mapping_to_dict(mapping),
        "captured_on": captured_on.isoformat() if isinstance(captured_on, date) else captured_on,
        "reading": {table: said.to_dict() for table, said in reading.items()},
    }


def requested_plan(task: Task, progress: Progress) -> PagePlan:
    """The plan of the files and choices of a job.

    Raises
    ------
    Refused
        When its files were deleted.
    """
    asked = task.arguments
    try:
        kept = jobs_live.kept_files(task.store, asked["files"])
    except FileNotFoundError:
        raise Refused("files_gone") from None
    files = [UploadedFile(name, content) for name, content in kept]
    return importing.make_plan(
        task.store,
        importing.chosen_files(files, asked["kinds"]),
        None if asked["mapping"] is None else mapping_from_dict(asked["mapping"]),
        _rule(asked["captured_on"]),
        progress,
        {table: Reading(**said) for table, said in asked.get("reading", {}).items()},
    )


def run(task: Task) -> dict:
    """Check and write the files. ``{"import_id", "counts", "refused"}``, and ``"left_out"`` where any were.

    ``refused`` is how many rows and files were left out, ``left_out`` the id of the kept list of them."""
    asked = task.arguments
    if not jobs_live.files_are_kept(task.store, asked["files"]):
        raise Refused("files_gone")
    try:
        records_written(task.store, asked["import_id"])
    except ValueError:
        raise Refused("undone") from None
    # Steps are named anew: those of the check name files, and a file's name may say whose it is.
    plan = requested_plan(task, renamed(task.report, "checking the files"))
    try:
        counts = importing.write_plan(
            task.store,
            plan,
            actor=task.job.actor,
            role=task.job.role,
            skip_bad=asked["skip_bad"],
            import_id=asked["import_id"],
            progress=task.report,
        )
    except (RefusedImport, RefusedSignatures):
        raise Refused("rows_refused") from None
    except RealDataRefused:
        raise Refused("demo_store") from None
    told = {"import_id": asked["import_id"], "counts": counts, "refused": plan.refused}
    if plan.refused:
        listed = result_of(plan).to_json()
        told["left_out"] = jobs_live.keep_files(task.store, [(LEFT_OUT, listed)])
    return told


def newest_of(store: Store, person: Account, since: datetime) -> str | None:
    """The newest import that somebody has asked for since a moment (UTC); none when it was undone."""
    own = [job for job in table.recent(store, ["import"]) if job.actor == person.account]
    if not own or own[0].created_at < since:
        return None
    try:
        records_written(store, own[0].arguments["import_id"])
    except ValueError:
        return None
    return own[0].job_id


@dataclass(frozen=True)
class LeftOut:
    """What an import left out.

    Parameters
    ----------
    rows : int
        Of tables, and files of signatures.
    file_id : str
        Of the list with the rows and why; empty: it is not kept any more.
    actor : str
        Who gave the files.
    """

    rows: int
    file_id: str = ""
    actor: str = ""


def left_out(store: Store) -> dict[str, LeftOut]:
    """Import → what it left out, of the imports that a job made and of which the job is still known."""
    found = {}
    for job in table.recent(store, ["import"]):
        told = job.result or {}
        if job.status == "done" and "import_id" in told:
            kept = told.get("left_out", "")
            there = kept if kept and jobs_live.files_are_kept(store, kept) else ""
            found[told["import_id"]] = LeftOut(int(told.get("refused", 0)), there, job.actor)
    return found


def may_have_rows(person: Account, found: LeftOut) -> bool:
    """Whether somebody may have the rows that an import left out, with names and numbers: whoever may import
    and see who is meant, and whoever gave the very files."""
    if not may_change_register(person, "run import"):
        return False
    return found.actor == person.account or scope_for(person).may_identify


def left_out_list(store: Store, file_id: str) -> CheckResult:
    """The kept list.

    Raises
    ------
    FileNotFoundError
        When it is not kept any more.
    """
    ((_, content),) = jobs_live.kept_files(store, file_id)
    return from_json(content)


def _rule(text: str | None) -> Rule:
    return text if text is None or text in DATE_RULES else date.fromisoformat(text)
