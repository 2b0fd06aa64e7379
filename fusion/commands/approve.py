"""``python -m fusion approve``: put a candidate into service."""

from __future__ import annotations

from functools import partial

from fusion.commands.shared import Actor, Reason, decide


def approve(model: str, reason: Reason, actor: Actor = "") -> None:
    """Score a candidate, then serve it; the reason goes into the audit log."""
    from fusion.service.registry import approve as step

    decide(partial(step, version=model), actor, reason, "serving")
