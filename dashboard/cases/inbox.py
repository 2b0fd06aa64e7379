"""What waits for somebody: reports and trials to approve, signatures to judge, steps due, jobs that ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from dashboard.cases.followups import owned
from dashboard.cases.trials import open_steps
from dashboard.jobs.asking import KINDS, kinds_for
from dashboard.shell.access import may, pages_for, scope_for
from data import queries
from data.cases.saved_views import get_preference, set_preference
from data.engine.clock import now
from data.jobs import table as jobs
from data.store import Store
from data.trust import reports_store
from data.trust.accounts import Account
from data.verification.reviews import review_queue

SEEN = "inbox_seen"  # the account's preference: when it last looked, UTC as ISO 8601
FIRST_LOOK = timedelta(days=7)  # how far back jobs are told to whoever never looked
PAGE_OF = {
    "approvals": "reports",
    "trials": "trial",
    "opinions": "review",
    "steps": "followups",
    "jobs": "jobs",
}
REPORT = ["profile", "program_code", "ts_year"]


@dataclass(frozen=True)
class Waiting:
    """One kind of what waits.

    Parameters
    ----------
    kind : str
        A key of :data:`PAGE_OF`.
    items : list of dict
        The oldest first: rows of :func:`data.trust.reports_store.report_list`,
        :func:`data.verification.reviews.review_queue`, :func:`data.queries.followups_due`,
        ``{"job": Job}`` or ``{"trial": Trial}``.
    """

    kind: str
    items: list[dict[str, Any]]


def has_inbox(role: str) -> bool:
    """Whether anything ever waits for a role."""
    return bool(_kinds(role))


def waiting(store: Store, person: Account, since: datetime, on: date) -> list[Waiting]:
    """What waits for somebody, a part for each kind that their role has; a part may be empty.

    Parameters
    ----------
    since : datetime
        UTC: jobs that ended later are told.
    on : date
        Steps due by then.
    """
    found = {
        "approvals": _approvals,
        "trials": _trials,
        "opinions": _opinions,
        "steps": _steps,
        "jobs": _jobs,
    }
    return [Waiting(kind, found[kind](store, person, since, on)) for kind in _kinds(person.role)]


def last_look(store: Store, account: str) -> datetime:
    """When an account last looked at its inbox, UTC; :data:`FIRST_LOOK` ago when it never did."""
    seen = get_preference(store, account, SEEN)
    return now() - FIRST_LOOK if seen is None else datetime.fromisoformat(seen)


def looked(store: Store, account: str) -> None:
    """Note that an account looks at its inbox now."""
    set_preference(store, account, SEEN, now().isoformat())


def _kinds(role: str) -> list[str]:
    pages = {page.name for page in pages_for(role)}
    kinds = [kind for kind, page in PAGE_OF.items() if page in pages or (kind == "jobs" and kinds_for(role))]
    return [kind for kind in kinds if kind != "approvals" or may(role, "approve report")]


def _approvals(store: Store, person: Account, _since: datetime, _on: date) -> list[dict]:
    """The newest version of each report, where it waits and somebody else prepared it."""
    listed = reports_store.report_list(store, scope_for(person))
    newest = listed.sort_values("version").drop_duplicates(REPORT, keep="last")
    rows = newest.sort_values("prepared_at").to_dict("records")
    return [
        row
        for row in rows
        if row["status"] == "prepared" and not reports_store.same_account(row["prepared_by"], person.account)
    ]


def _trials(store: Store, person: Account, _since: datetime, on: date) -> list[dict]:
    """The trials that somebody else registered and that wait for an approval."""
    listed = queries.trials(store, scope_for(person))
    return [{"trial": one} for one in reversed(listed) if "approve" in open_steps(one, person, on)]


def _opinions(store: Store, person: Account, _since: datetime, _on: date) -> list[dict]:
    queue = review_queue(store, scope_for(person))
    return queue[queue["mine_to_do"]].to_dict("records")


def _steps(store: Store, person: Account, _since: datetime, on: date) -> list[dict]:
    due = queries.followups_due(store, scope_for(person), on)
    return owned(due, "mine", person.account).to_dict("records")


def _jobs(store: Store, person: Account, since: datetime, _on: date) -> list[dict]:
    """What somebody asked for and has ended, well or not; of what goes on by itself only what failed."""
    recent = jobs.recent(store, kinds_for(person.role), actor=person.account)
    ended = [
        job
        for job in recent
        if job.finished_at is not None
        and job.finished_at > since
        and (job.status == "failed" or not KINDS[job.kind].personal)
    ]
    return [{"job": job} for job in sorted(ended, key=lambda job: job.finished_at)]
