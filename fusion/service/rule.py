"""The switch that serves the credits-and-GPA rule in place of a model, target by target.

While it is on, pages show the rule's order under the rule's name and no probability; the model stays
registered, is scored as before, and comes back when the switch is turned off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from data.columns import TARGETS
from data.scores.page_state import SERVED_RULE
from data.store import Store, get_fact, set_fact
from data.trust.audit import Entry


@dataclass(frozen=True)
class Ruled:
    """That a target is told by the rule: who decided it, when (ISO 8601, UTC) and why."""

    target: str
    actor: str
    at: str
    reason: str


def ruled(store: Store) -> dict[str, Ruled]:
    """The targets that are told by the credits-and-GPA rule; empty while models speak about all."""
    return {target: Ruled(**about) for target, about in (get_fact(store, SERVED_RULE) or {}).items()}


def serve_rule(store: Store, target: str, *, on: bool, actor: str, role: str, reason: str) -> bool:
    """Turn the switch of one target; the audit log keeps who did it and why, in the same transaction.

    Parameters
    ----------
    store : Store
    target : {"late", "dropout"}
    on : bool
        True: the rule is served; False: the model in service speaks again.
    actor, role, reason : str

    Returns
    -------
    bool
        Whether anything changed.

    Raises
    ------
    ValueError
        Without a reason, or for an unknown target.
    """
    if target not in TARGETS:
        raise ValueError(f"target must be one of {TARGETS}, got {target!r}")
    if not reason.strip():
        raise ValueError("reason must say why, got nothing")
    now = ruled(store)
    if (target in now) == on:
        return False
    kept = {name: vars(about) for name, about in now.items() if name != target}
    if on:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        kept[target] = vars(Ruled(target, actor, at, reason.strip()))
    entry = Entry(actor, role, "model.rule", target, {"on": on, "reason": reason.strip()})
    set_fact(store, SERVED_RULE, kept, entry)
    return True
