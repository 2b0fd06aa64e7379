"""The steps from an empty store to colleagues at work, and how far each is. No Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.jobs.next_steps import STEPS, open_steps
from data import queries
from data.calendar.setting import NAME, SETTINGS
from data.columns import TARGETS
from data.jobs import table
from data.jobs.table import Job
from data.store import Store, get_fact
from data.trust import accounts, origin
from data.trust.scope import Scope

FIRST_STEPS = ("institution", *STEPS, "accounts")
FEWEST_ACCOUNTS = 2  # whoever began the store, and somebody else


@dataclass(frozen=True)
class Step:
    """One step.

    Parameters
    ----------
    name : str
        One of :data:`FIRST_STEPS`.
    state : {"done", "none", "open", "under_way", "failed", "later"}
        ``none`` has nothing to work on, and no step waits for it; ``later`` waits for an earlier step;
        ``failed`` was tried and may be tried again. The import is ``open`` too while no exit is known:
        nothing can be learned then.
    job : Job or None
        The job that is under way, or that failed.
    n : int
        What there is of it: students, specimens, known outcomes, accounts that can sign in; 0 for scores.
    """

    name: str
    state: str
    job: Job | None = None
    n: int = 0


def first_steps(store: Store) -> list[Step]:
    """Every step with its state, in order; none once a first model is in service and a colleague can sign in.

    A demo needs no accounts: its seats are open.
    """
    can_sign_in = len({*accounts.with_password(store), *accounts.bound_accounts(store)})
    colleagues = can_sign_in >= FEWEST_ACCOUNTS or origin.is_synthetic(store)
    if colleagues and queries.served_model(store) is not None:
        return []
    left, running = open_steps(store), table.open_jobs(store)
    counts = _counts(store) | {"accounts": can_sign_in}
    if not counts["train"] and "train" in left:  # of nobody it is known how their studies ended
        left = ["import", *(name for name in left if name != "train")]
    steps = []
    for name in FIRST_STEPS:
        job = next((one for one in running if one.kind == name), None)
        steps.append(_step(store, name, left, colleagues, job, counts[name]))
    return steps


def _step(store: Store, name: str, left: Sequence[str], colleagues: bool, job: Job | None, n: int) -> Step:
    if job is not None:
        return Step(name, "under_way", job, n)
    if name == "accounts":
        return Step(name, "done" if colleagues else "open", n=n)
    if name == "institution":
        return Step(name, "done" if _described(store) else "open")
    if name in left:
        last = next((one for one in table.recent(store, [name], 1)), None)
        failed = name != "import" and last is not None and last.status == "failed"
        return Step(name, "failed" if failed else "open", last if failed else None, n)
    waits = "import" in left or (name == "score" and "train" in left)
    if waits and name != "import":
        return Step(name, "later", n=n)
    return Step(name, "none" if name == "embed" and not n else "done", n=n)


def _described(store: Store) -> bool:
    """Whether the institution has a name and a clock."""
    return bool(get_fact(store, NAME) and (get_fact(store, SETTINGS) or {}).get("time_zone"))


def _counts(store: Store) -> dict[str, int]:
    scope = Scope.system()
    found, specimens = queries.kpi_counts(store, scope), queries.specimen_counts(store, scope)["specimens"]
    known = found["students"] - found["enrolled"]
    return {"import": found["students"], "embed": specimens, "train": known, "score": 0, "institution": 0}


def not_learned(store: Store) -> dict[str, Any]:
    """What the last training lacked, by target (:class:`fusion.validation.fitness.Fitness`); empty where no
    training lacked anything."""
    from fusion.validation.fitness import FACT, verdict

    fact = get_fact(store, FACT)
    found = {target: verdict(None, fact, target) for target in TARGETS}
    return {target: one for target, one in found.items() if one is not None and not one.fit}
