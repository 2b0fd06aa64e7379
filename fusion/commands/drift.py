"""``python -m fusion drift``: whether the young cohorts resemble those that taught the model."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.frame import opened_store
from fusion.commands.shared import Served


def drift(model: Served = "", seed: Annotated[int, typer.Option(min=0)] = 0) -> None:
    """Do the young cohorts still resemble those that taught the model? Told before any outcome is known."""
    from fusion.service.upkeep import watch_served
    from fusion.validation.report import monitor_text

    with opened_store() as store:
        typer.echo(monitor_text(watch_served(store, model or None, seed=seed)))
