"""Long work from the pages: which kinds there are, who may ask for them, and asking.

A kind is a function ``run(task) -> dict`` named by its module, so that the page that asks for a training
never imports what trains. The worker (:mod:`dashboard.jobs.worker`) calls it in a process of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.shell.access import may, may_change_register, scope_for
from data.engine.progress import Progress
from data.jobs import live as jobs_live
from data.jobs import table as jobs
from data.jobs.table import Job
from data.store import Store
from data.trust.accounts import Account, find_account
from data.trust.scope import Scope


@dataclass(frozen=True)
class Kind:
    """A kind of long work.

    Parameters
    ----------
    run : str
        "module:function".
    brings_records : bool
        Whether it changes the whole register: only an account of every programme may ask, and no demo
        takes it.
    repeats : bool
        Whether it is done again every night where its arguments name an ``hour``
        (:func:`dashboard.jobs.nightly.ask_for_next_night`), or every week where they name a ``weekday`` too.
    personal : bool
        Whether it concerns whoever asked alone: colleagues neither see nor stop it.
    """

    run: str
    brings_records: bool = False
    repeats: bool = False
    personal: bool = False


KINDS = {
    "import": Kind("dashboard.jobs.imports:run", brings_records=True),
    "check": Kind("dashboard.jobs.checks:run", brings_records=True),
    "feeder": Kind("dashboard.jobs.feeder:run", brings_records=True, repeats=True),
    "embed": Kind("dashboard.jobs.kinds:embed"),
    "train": Kind("dashboard.jobs.kinds:train"),
    "score": Kind("dashboard.jobs.kinds:score"),
    "serve": Kind("dashboard.jobs.kinds:serve"),
    "reports": Kind("dashboard.jobs.kinds:reports"),
    "retention": Kind("dashboard.jobs.retention:run", brings_records=True, repeats=True),
    "erase": Kind("dashboard.jobs.retention:erase"),
    "pack": Kind("dashboard.jobs.packs:run"),
    "verify": Kind("dashboard.jobs.signatures:verify"),
    "enrol": Kind("dashboard.jobs.signatures:enrol"),
    "duplicates": Kind("dashboard.jobs.signatures:duplicates"),
    "calibrate": Kind("dashboard.jobs.signatures:calibrate"),
    "digest": Kind("dashboard.jobs.digest_mail:run", repeats=True, personal=True),
}


class Cancelled(Exception):
    """Somebody asked the job to stop; what it had not committed is rolled back."""


class Refused(Exception):
    """The job cannot be done.

    Parameters
    ----------
    code : str
        The wording file says ``job_problem.<code>``.
    result : dict, optional
        What the job has found nevertheless; no identity.
    """

    def __init__(self, code: str, result: dict | None = None):
        super().__init__(code)
        self.code, self.result = code, result


@dataclass(frozen=True)
class Task:
    """What a kind's function gets.

    Parameters
    ----------
    store : Store
        Open, its own.
    job : Job
        Who asked for what.
    report : Progress
        Call it often: it is where a job can be stopped, by :class:`Cancelled`.
    """

    store: Store
    job: Job
    report: Progress

    @property
    def scope(self) -> Scope:
        """What the person who asked may read: their account as it is now, not as it was when they asked.

        Raises
        ------
        Refused
            When the account is closed or may no longer ask for such work.
        """
        person = find_account(self.store, self.job.actor)
        if person is None or not may(person.role, f"run {self.job.kind}"):
            raise Refused("not_allowed")
        return scope_for(person)

    @property
    def arguments(self) -> dict:
        """What was asked for."""
        return self.job.arguments


def kinds_for(role: str) -> tuple[str, ...]:
    """The kinds that a role may ask for and follow."""
    return tuple(kind for kind in KINDS if may(role, f"run {kind}"))


def shared_kinds(role: str) -> tuple[str, ...]:
    """The kinds of :func:`kinds_for` that colleagues of a role follow together."""
    return tuple(kind for kind in kinds_for(role) if not KINDS[kind].personal)


def may_start(person: Account, kind: str) -> bool:
    """Whether somebody may ask for a kind: the role may, and what changes the register reaches everybody."""
    if KINDS[kind].brings_records:
        return may_change_register(person, f"run {kind}")
    return may(person.role, f"run {kind}")


def start(store: Store, person: Account, kind: str, **arguments) -> str:
    """Ask for a job, unless the same is waiting already for the same person. Returns its id.

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
    same = (one for one in jobs.open_jobs(store) if one.status == "waiting" and one.actor == person.account)
    asked = next((one for one in same if (one.kind, one.arguments) == (kind, arguments)), None)
    if asked is not None:  # pressed twice: what waits will do both
        return asked.job_id
    return jobs.enqueue(store, kind, arguments, actor=person.account, role=person.role)


def stop(store: Store, person: Account, job: Job) -> None:
    """Ask a job to stop; somebody confined to programmes only their own."""
    _check(person, job.kind)
    _own(person, job)
    jobs.cancel(store, job.job_id, actor=person.account, role=person.role)


def again(store: Store, person: Account, job: Job) -> str:
    """Ask for the same once more. Returns the new job's id."""
    _check(person, job.kind)
    _own(person, job)
    if not can_repeat(store, job):
        raise ValueError(f"job must have ended and have its files, got {job.job_id} ({job.status})")
    about = {"actor": person.account, "role": person.role, "retry_of": job.job_id}
    return jobs.enqueue(store, job.kind, job.arguments, **about)


def reach_of(scope: Scope) -> list[str] | None:
    """What a job's result says of whose rows it holds: programme codes, or None for every programme."""
    return None if scope.program_codes is None else list(scope.program_codes)


def may_fetch(person: Account, job: Job) -> bool:
    """Whether somebody may have what a job has made: it must hold no programme that they may not see.

    Colleagues of a role see each other's jobs, but their accounts may be confined to different programmes;
    and what says who is meant is for those who may know it.
    """
    if (job.result or {}).get("identified") and not scope_for(person).may_identify:
        return False
    if person.program_codes is None:
        return True
    reach = (job.result or {}).get("reach")  # missing: nobody wrote down whose rows it holds
    return reach is not None and set(reach) <= set(person.program_codes)


def can_repeat(store: Store, job: Job) -> bool:
    """Whether a job that did not succeed can be asked for once more."""
    if job.status not in ("failed", "cancelled"):
        return False
    files = job.arguments.get("files")
    return files is None or jobs_live.files_are_kept(store, files)


def _own(person: Account, job: Job) -> None:
    if KINDS[job.kind].personal and job.actor != person.account:
        raise PermissionError(f"a job of kind {job.kind!r} concerns whoever asked for it alone")
    if person.program_codes is not None and job.actor != person.account:
        raise PermissionError("an account confined to programmes may stop and repeat its own jobs only")


def _check(person: Account, kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if not may(person.role, f"run {kind}"):
        raise PermissionError(f"role {person.role!r} may not run {kind!r}")
    if not may_start(person, kind):
        what = "retention" if kind == "retention" else "an import"
        raise PermissionError(f"{what} needs an account of every programme: it may reach rows of any")
