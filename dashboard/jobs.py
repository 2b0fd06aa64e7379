"""Long work from the pages: which kinds there are, who may ask for them, and asking.

A kind is a function ``run(task) -> dict`` named by its module, so that the page that asks for a training
never imports what trains. The worker (:mod:`dashboard.worker`) calls it in a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dashboard.access import may
from data import jobs, jobs_live
from data.accounts import Account
from data.jobs import Job
from data.store import Store

Report = Callable[[int, int, str], None]  # done, total, step; raises Cancelled when asked to stop

KINDS = {  # kind → "module:function"
    "import": "dashboard.jobs_import:run",
    "embed": "dashboard.jobs_kinds:embed",
    "train": "dashboard.jobs_kinds:train",
    "score": "dashboard.jobs_kinds:score",
    "reports": "dashboard.jobs_kinds:reports",
    "verify": "dashboard.jobs_verification:verify",
    "enrol": "dashboard.jobs_verification:enrol",
    "duplicates": "dashboard.jobs_verification:duplicates",
    "calibrate": "dashboard.jobs_verification:calibrate",
}


class Cancelled(Exception):
    """Somebody asked the job to stop; what it had not committed is rolled back."""


class Refused(Exception):
    """The job cannot be done.

    Parameters
    ----------
    code : str
        The wording file says ``job_problem.<code>``.
    """

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Task:
    """What a kind's function gets.

    Parameters
    ----------
    store : Store
        Open, its own.
    job : Job
        Who asked for what.
    report : callable
        ``report(done, total, step)``; call it often: it is where a job can be stopped.
    """

    store: Store
    job: Job
    report: Report

    @property
    def arguments(self) -> dict:
        """What was asked for."""
        return self.job.arguments


def kinds_for(role: str) -> tuple[str, ...]:
    """The kinds that a role may ask for and follow."""
    return tuple(kind for kind in KINDS if may(role, f"run {kind}"))


def start(store: Store, person: Account, kind: str, **arguments) -> str:
    """Ask for a job. Returns its id.

    Parameters
    ----------
    person : Account
        Who asks.
    kind : str
        One of :data:`KINDS`.
    **arguments
        JSON without identity.

    Raises
    ------
    PermissionError
        When the role may not.
    """
    _check(person, kind)
    return jobs.enqueue(store, kind, arguments, actor=person.account, role=person.role)


def stop(store: Store, person: Account, job: Job) -> None:
    """Ask a job to stop."""
    _check(person, job.kind)
    jobs.cancel(store, job.job_id, actor=person.account, role=person.role)


def again(store: Store, person: Account, job: Job) -> str:
    """Ask for the same once more. Returns the new job's id."""
    _check(person, job.kind)
    if not can_repeat(store, job):
        raise ValueError(f"job must have ended and have its files, got {job.job_id} ({job.status})")
    about = {"actor": person.account, "role": person.role, "retry_of": job.job_id}
    return jobs.enqueue(store, job.kind, job.arguments, **about)


def can_repeat(store: Store, job: Job) -> bool:
    """Whether a job that did not succeed can be asked for once more."""
    if job.status not in ("failed", "cancelled"):
        return False
    files = job.arguments.get("files")
    return files is None or jobs_live.files_are_kept(store, files)


def _check(person: Account, kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if not may(person.role, f"run {kind}"):
        raise PermissionError(f"role {person.role!r} may not run {kind!r}")
