"""``python -m fusion evaluate``: the figures of the method."""

from __future__ import annotations

import typer

from data.columns import MOST_STUDENTS
from fusion.commands.shared import JsonFile, MostStudents, Seed, assessed


def evaluate(seed: Seed = 0, most_students: MostStudents = MOST_STUDENTS, json_file: JsonFile = None) -> None:
    """Every figure of the method on the later cohorts, beside the baselines."""
    from fusion.validation.report import assessment_text

    typer.echo(assessment_text(assessed(seed, json_file, most_students)))
