"""``python -m fusion records-only``: the present model without signatures."""

from __future__ import annotations

from fusion.commands.shared import Actor, Reason, decide


def records_only(reason: Reason, actor: Actor = "") -> None:
    """Score the students by the present model without signatures, then serve it so."""
    from fusion.service.registry import serve_records_only as step

    decide(step, actor, reason, "serving records only")
