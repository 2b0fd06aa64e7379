"""``python -m data grade-rules``: which of several attempts at a course counts, and what passes."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.frame import ACTOR, Refusal, opened_store


def grade_rules(
    counts: Annotated[
        str | None, typer.Option(help="Which of several attempts at a course counts: best or last.")
    ] = None,
    pass_points: Annotated[
        float | None, typer.Option(help="Least grade points that pass, e.g. 1 for a D, 2 for a C.")
    ] = None,
    actor: Annotated[str, typer.Option(help="Who changes it, for the log.")] = ACTOR,
) -> None:
    """Set what is given, then show both rules. Term figures derived from grades follow; train and score
    again."""
    from data.records.course_queries import change_grade_rules

    given = {"counts": counts, "pass_points": pass_points}
    given = {name: value for name, value in given.items() if value is not None}
    with opened_store() as store:
        try:
            rules = change_grade_rules(store, given, actor=actor)
        except ValueError as problem:
            raise Refusal(str(problem)) from None
    for name, value in rules.fact.items():
        typer.echo(f"{name}: {value}")
