"""``python -m fusion roll-back``: the model that was served before."""

from __future__ import annotations

from fusion.commands.shared import Actor, Reason, decide


def roll_back(reason: Reason, actor: Actor = "") -> None:
    """Serve the model that was served before the present one; terms that came since are scored first."""
    from fusion.service.registry import roll_back as step

    decide(step, actor, reason, "rolled back to")
