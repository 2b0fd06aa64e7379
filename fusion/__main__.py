"""``python -m fusion``: train, score, evaluate, compare, and what decides about models in service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fusion import commands

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals hold records
    help="The risk model: train, score, evaluate, compare.",
)
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")]


def _open():
    from data.store import open_store

    return open_store()


class _Bar:
    """One progress bar that renames itself; used as ``progress(what, done, total)``."""

    def __init__(self) -> None:
        self.bar = None

    def __call__(self, what: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if self.bar is None:
            self.bar = tqdm(total=total, unit="step", mininterval=0.2)
        self.bar.set_description(what)
        self.bar.update(done - self.bar.n)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, failure, *_) -> None:
        if self.bar is not None:
            if failure is None:
                self.bar.update(self.bar.total - self.bar.n)
            self.bar.close()


def _synthetic_notice(store) -> None:
    from data.origin import is_synthetic

    if is_synthetic(store):
        typer.echo("synthetic demo data: nothing here is about real people")


@app.command()
def train(
    seed: Seed = 0,
    serve: Annotated[bool, typer.Option("--serve", help="Serve the model at once.")] = False,
    encoder: Annotated[str, typer.Option(help="Encoder whose embeddings to use (name@version).")] = "",
    tune: Annotated[int, typer.Option(min=0, help="Optuna trials, nested in the training part.")] = 0,
) -> None:
    """Judge the method on the later cohorts, then train on every known outcome and register the model."""
    from fusion.pipeline import NotTrainable
    from fusion.pipeline import train as run
    from fusion.report import ablation_text, assessment_text

    store = _open()
    try:
        with _Bar() as bar:
            options = {"seed": seed, "serve": serve, "encoder_id": encoder or None, "tune_trials": tune}
            result = run(store, progress=bar, **options)
        if result.assessment:
            typer.echo(assessment_text(result.assessment))
            for ablation in result.assessment.ablations.values():
                typer.echo("\n" + ablation_text(ablation))
        state = "served" if result.served else "a candidate; approve it to serve it"
        typer.echo(
            f"model {result.model.version}: {'new' if result.new else 'found as trained before'}, {state}"
        )
        _synthetic_notice(store)
    except NotTrainable as problem:
        typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(2) from None
    finally:
        store.close()


@app.command()
def score(
    model: Annotated[str, typer.Option(help="Model version; default: the served one.")] = "",
) -> None:
    """Score every enrolled student at every as-of term up to now; a broken run is completed by the next."""
    from fusion.pipeline import score as run

    store = _open()
    try:
        with _Bar() as bar:
            written = run(store, model or None, progress=bar)
        typer.echo(f"{written} new scores, each with its explanation")
        _synthetic_notice(store)
    except LookupError as problem:
        typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(2) from None
    finally:
        store.close()


def _assess(seed: int):
    from fusion.pipeline import evaluate as run

    store = _open()
    try:
        with _Bar() as bar:
            result = run(store, seed=seed, progress=bar)
        if result is None:
            typer.echo("error: no student's outcome is known yet", err=True)
            raise typer.Exit(2)
        _synthetic_notice(store)
        return result
    finally:
        store.close()


def _write(result, path: Path | None) -> None:
    if path is not None:
        path.write_text(json.dumps(result.as_dict(), indent=1), encoding="utf-8")


@app.command()
def evaluate(seed: Seed = 0, json_file: JsonFile = None) -> None:
    """Every figure of the method on the later cohorts, beside the baselines."""
    from fusion.report import assessment_text

    result = _assess(seed)
    typer.echo(assessment_text(result))
    _write(result, json_file)


@app.command()
def compare(seed: Seed = 0, json_file: JsonFile = None) -> None:
    """Records, signature and both on the same students, and the verdict in words."""
    from fusion.report import ablation_text, assessment_text

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
