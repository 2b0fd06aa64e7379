"""``python -m fusion train``: judge the method, then learn from every known outcome."""

from __future__ import annotations

from typing import Annotated

import typer

from data.columns import MOST_STUDENTS
from data.commands.bars import Bars
from data.commands.cluster import Cluster
from data.commands.frame import note_invented, opened_store
from fusion.commands.shared import RULE, MostStudents, Seed, learning


def train(
    seed: Seed = 0,
    serve: Annotated[
        bool, typer.Option("--serve", help="Score the students with the model and serve it.")
    ] = False,
    encoder: Annotated[str, typer.Option(help="Encoder whose embeddings to use (name@version).")] = "",
    tune: Annotated[int, typer.Option(min=0, help="Optuna trials, nested in the training part.")] = 0,
    one_cohort: Annotated[
        bool, typer.Option("--one-cohort", help="The register cannot tell its entry cohorts apart.")
    ] = False,
    most_students: MostStudents = MOST_STUDENTS,
    confirmed: Annotated[
        bool,
        typer.Option("--confirmed", help="What looks wrong in the register was looked at and is right."),
    ] = False,
    cluster: Cluster = "",
) -> None:
    """Judge the method on the later cohorts, then train on every known outcome and register the model.

    The first model of a store, and every one with --serve, scores the students before it goes into service.
    Where something in the register looks wrong, it goes into service only with --confirmed.
    A target of which too little is known is left out. Exit code 3: nothing can be learned from this register
    yet.
    """
    from data.engine.spread import spread_over
    from fusion.pipeline import train as run
    from fusion.validation.doubts import DOUBTS
    from fusion.validation.report import ablation_text, assessment_text, fitness_text

    options = {"seed": seed, "serve": serve, "encoder_id": encoder or None, "tune_trials": tune}
    options |= {"one_cohort": one_cohort, "most_students": most_students, "confirmed": confirmed}
    with opened_store() as store, learning():
        with spread_over(cluster) as spread, Bars() as bars:
            result = run(store, progress=bars, spread=spread, **options)
        if result.assessment:
            typer.echo(assessment_text(result.assessment))
            for ablation in result.assessment.ablations.values():
                typer.echo("\n" + ablation_text(ablation))
        for lacking in filter(None, map(fitness_text, result.fitness.values())):
            typer.echo(f"\nNot learned, and not scored: {lacking}\n{RULE}")
        for code in result.doubts:
            typer.echo(f"\nLooks wrong: {DOUBTS[code]}")
        new = "new" if result.new else "found as trained before"
        state = "a candidate; approve it to serve it"
        if result.served:
            state = f"served, {result.scores} new scores"
        taught = result.model.manifest.trained_on
        if taught.drawn_from is not None:
            typer.echo(f"learned from {taught.students:,} of {taught.drawn_from:,} students, drawn by lot")
        typer.echo(f"model {result.model.version}: {new}, {state}")
        note_invented(store)
