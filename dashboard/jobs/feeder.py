"""A pull from PDDikti Neo Feeder as a job, once or every night.

Address, account and password stand in the worker's environment and nowhere else: whoever may ask for a pull
cannot send the password to an address of their own.
"""

from __future__ import annotations

import io
import zipfile

from dashboard.jobs.asking import Refused, Task, reach_of
from dashboard.shell.access import may_change_register
from data.feeder.handing_out import files_of
from data.feeder.lists import Cohorts
from data.feeder.protocol import FeederClient, FeederError, is_plain
from data.feeder.pull import Pulled, Wanted, pull
from data.feeder.reconcile import NOT_REPORTED, VANISHED
from data.jobs import live as jobs_live
from data.settings import Settings
from data.trust.accounts import find_account
from data.trust.origin import RealDataRefused, refuse_in_demo

MOST_DIFFERENCES = 400  # rows that a job's result shows; the file has them all


def run(task: Task) -> dict:
    """Pull, write, compare. ``{"counts", "not_reported", "vanished", "refused", "erased", "differences",
    "files", …}``.

    Arguments: ``cohorts`` (text), ``skip_bad``, ``people``, ``hour`` (of the worker's clock, for a pull every
    night).
    """
    asked, scope = task.arguments, task.scope
    if not may_change_register(find_account(task.store, task.job.actor), "run feeder"):
        raise Refused("not_allowed")
    try:
        refuse_in_demo(task.store)
    except RealDataRefused:
        raise Refused("demo_store") from None
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
