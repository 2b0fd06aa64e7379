"""``python -m fusion rule``: serve the credits-and-GPA rule in place of the model, or the model again."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from data.columns import TARGETS
from data.commands.frame import ACTOR, Refusal, opened_store
from fusion.commands.shared import Actor, Reason


def rule(
    target: Annotated[str, typer.Argument(help="Which risk: late or dropout.")],
    reason: Reason,
    off: Annotated[bool, typer.Option("--off", help="Let the model in service speak again.")] = False,
    actor: Actor = "",
) -> None:
    """Serve the credits-and-GPA rule for one risk: its order under its name, and no probability."""
    from fusion.service.rule import serve_rule

    with opened_store() as store:
        if target not in TARGETS:
            raise Refusal(f"target must be one of {', '.join(TARGETS)}, got {target!r}")
        who = {"actor": actor or os.environ.get("USER", ACTOR), "role": "administrator"}
        changed = serve_rule(store, target, on=not off, reason=reason, **who)
    speaks = "the model in service" if off else "the credits-and-GPA rule"
    typer.echo(f"{target} is told by {speaks}" + ("" if changed else ", as before"))
