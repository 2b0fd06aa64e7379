"""``python -m fusion approve``: put a candidate into service."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from fusion.commands.shared import Actor, Reason, decide


def approve(
    model: str,
    reason: Reason,
    actor: Actor = "",
    confirmed: Annotated[
        bool,
        typer.Option("--confirmed", help="What looks wrong in the register was looked at and is right."),
    ] = False,
) -> None:
    """Score a candidate, then serve it; the reason goes into the audit log.

    A model whose register looked wrong is served only with --confirmed.
    """
    from fusion.service.registry import approve as step

    decide(partial(step, version=model, confirmed=confirmed), actor, reason, "serving")
