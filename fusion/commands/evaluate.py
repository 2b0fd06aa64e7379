"""``python -m fusion evaluate``: the figures of the method."""

from __future__ import annotations

import typer

from fusion.commands.shared import JsonFile, Seed, assessed


def evaluate(seed: Seed = 0, json_file: JsonFile = None) -> None:
    """Every figure of the method on the later cohorts, beside the baselines."""
    from fusion.validation.report import assessment_text

    typer.echo(assessment_text(assessed(seed, json_file)))
