"""The tables of one submission as a job: prepare them, approve them, or pack them into one ZIP."""

from __future__ import annotations

from dashboard.jobs.asking import Refused, Task, reach_of
from dashboard.shell.access import may
from data.jobs import live as jobs_live
from data.trust.accounts import find_account
from data.trust.origin import is_synthetic

NEEDS = {"prepare": "prepare report", "approve": "approve report", "print": "run pack"}


def run(task: Task) -> dict:
    """Do one step for all tables. ``{"act", "reach", "tables", …}``; of approve also ``own`` (tables that
    wait for another person), of print also ``files`` and ``approved``.

    Arguments: ``act`` (one of :data:`NEEDS`), ``program_code``, ``ts``, ``profiles``; of prepare and approve
    also ``zone``, whose clock the files tell where no setting says; of print also ``signed`` and
    ``audience``. Who asked for the job has decided.
    """
    from dashboard.reports import pack, pipeline

    asked, scope = task.arguments, task.scope
    act, code = asked["act"], asked["program_code"]
    person = find_account(task.store, task.job.actor)
    if not may(person.role, NEEDS[act]):
        raise Refused("not_allowed")
    task.report(0, 0, "reading the register")
    register = pipeline.read_register(task.store, scope)
    if register.snapshot is None:
        raise Refused("no_records")
    if (code or scope.program_codes is not None) and code not in set(register.programs["program_code"]):
        raise Refused("not_allowed")
    which = (task.store, register, code, int(asked["ts"]), asked["profiles"])
    who = {"actor": person.account, "role": person.role, "progress": task.report}
    zone = asked.get("zone", "")
    told = {"act": act, "reach": [code] if code else reach_of(scope)}
    if act == "prepare":
        return told | {"tables": pack.prepare_all(*which, zone=zone, **who)}
    if act == "approve":
        approved, own = pack.approve_all(*which, zone=zone, **who)
        return told | {"tables": approved, "own": own}
    audience = asked.get("audience", pipeline.AUDIENCES[0])
    try:
        made = pack.submission_pack(
            *which, signed=bool(asked["signed"]), audience=audience, progress=task.report
        )
    except pack.PackRefused:
        raise Refused("pack_not_signed") from None
    name = pack.pack_name(code, int(asked["ts"]), audience, is_synthetic(task.store))
    kept = jobs_live.keep_files(task.store, [(name, made.data)], of_nobody=True)
    return told | {"files": kept, "tables": made.tables, "approved": made.approved}
