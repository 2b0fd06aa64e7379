"""``python -m fusion``: train, score, evaluate, compare, and what decides about models in service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from fusion import commands
from fusion.bars import Bar

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals hold records
    help="The risk model: train, score, evaluate, compare.",
)
NOTHING_TO_LEARN = 3  # exit code of train, evaluate, compare
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")]
RULE = "Until then the caseload lists students by the credits-and-GPA rule."
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")]


def _open():
    from data.store import open_store

    return open_store()


def _synthetic_notice(store) -> None:
    from data.trust.origin import is_synthetic

    if is_synthetic(store):
        typer.echo("synthetic demo data: nothing here is about real people")


@app.command()
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
) -> None:
    """Judge the method on the later cohorts, then train on every known outcome and register the model.

    The first model of a store, and every one with --serve, scores the students before it goes into service.
    A target of which too little is known is left out. Exit code 0: done. 2: wrong use. 3: nothing can be
    learned from this register yet.
    """
    from fusion.pipeline import NotTrainable
    from fusion.pipeline import train as run
    from fusion.validation.report import ablation_text, assessment_text, fitness_text

    store = _open()
    try:
        with Bar() as bar:
            options = {"seed": seed, "serve": serve, "encoder_id": encoder or None, "tune_trials": tune}
            result = run(store, progress=bar, one_cohort=one_cohort, **options)
        if result.assessment:
            typer.echo(assessment_text(result.assessment))
            for ablation in result.assessment.ablations.values():
                typer.echo("\n" + ablation_text(ablation))
        for lacking in filter(None, map(fitness_text, result.fitness.values())):
            typer.echo(f"\nNot learned, and not scored: {lacking}\n{RULE}")
        new = "new" if result.new else "found as trained before"
        state = "a candidate; approve it to serve it"
        if result.served:
            state = f"served, {result.scores} new scores"
        typer.echo(f"model {result.model.version}: {new}, {state}")
        _synthetic_notice(store)
    except NotTrainable as problem:
        _nothing_to_learn(problem)
    finally:
        store.close()


def _nothing_to_learn(problem) -> NoReturn:
    typer.echo(f"error: nothing can be learned from this register yet.\n{problem}\n{RULE}", err=True)
    raise typer.Exit(NOTHING_TO_LEARN) from None


@app.command()
def score(
    model: Annotated[str, typer.Option(help="Model version; default: the served one.")] = "",
) -> None:
    """Score every enrolled student at every as-of term up to now; a broken run is completed by the next."""
    from fusion.pipeline import score as run

    store = _open()
    try:
        with Bar() as bar:
            written = run(store, model or None, progress=bar)
        typer.echo(f"{written} new scores, each with its explanation")
        _synthetic_notice(store)
    except LookupError as problem:
        typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(2) from None
    finally:
        store.close()


def _assess(seed: int):
    from fusion.pipeline import NotTrainable
    from fusion.pipeline import evaluate as run

    store = _open()
    try:
        with Bar() as bar:
            result = run(store, seed=seed, progress=bar)
        if result is None:
            raise NotTrainable({})
        _synthetic_notice(store)
        return result
    except NotTrainable as problem:
        _nothing_to_learn(problem)
    finally:
        store.close()


def _write(result, path: Path | None) -> None:
    if path is not None:
        from fusion.model.plain_json import to_plain

        path.write_text(json.dumps(to_plain(result.examination()), indent=1), encoding="utf-8")


@app.command()
def evaluate(seed: Seed = 0, json_file: JsonFile = None) -> None:
    """Every figure of the method on the later cohorts, beside the baselines."""
    from fusion.validation.report import assessment_text

    result = _assess(seed)
    typer.echo(assessment_text(result))
    _write(result, json_file)


@app.command()
def compare(seed: Seed = 0, json_file: JsonFile = None) -> None:
    """Records, signature and both on the same students, and the verdict in words."""
    from fusion.validation.report import ablation_text, assessment_text

    result = _assess(seed)
    typer.echo(assessment_text(result))
    for ablation in result.ablations.values():
        typer.echo("\n" + ablation_text(ablation))
    _write(result, json_file)


for _command in (
    commands.card,
    commands.approve,
    commands.roll_back,
    commands.records_only,
    commands.versus,
    commands.controls,
    commands.drift,
):
    app.command(_command.__name__.replace("_", "-"))(_command)


if __name__ == "__main__":
    app()
