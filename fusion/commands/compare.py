"""``python -m fusion compare``: records, signature and both on the same students."""

from __future__ import annotations

import typer

from fusion.commands.shared import JsonFile, Seed, assessed


def compare(seed: Seed = 0, json_file: JsonFile = None) -> None:
    """Records, signature and both on the same students, and the verdict in words."""
    from fusion.validation.report import ablation_text, assessment_text

    found = assessed(seed, json_file)
    typer.echo(assessment_text(found))
    for ablation in found.ablations.values():
        typer.echo("\n" + ablation_text(ablation))
