"""``python -m vision train``: recipes that train a network."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from data.commands.frame import Refusal


def train(
    out: Annotated[Path, typer.Option(help="The file to write: .safetensors, of form-detector .json.")],
    recipe: Annotated[
        str,
        typer.Option(
            help="synthetic-encoder, signet, signet-f, signet-siamese, deepsign, mobilenet-transfer, "
            "identification, graduation or form-detector."
        ),
    ] = "synthetic-encoder",
    data: Annotated[Path | None, typer.Option(help="Folder of scans, for recipes that need one.")] = None,
    writers: Annotated[int, typer.Option(min=2, help="Synthetic writers, for synthetic-encoder.")] = 400,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.01, help="Training time, resumed parts included; default: 60, or no limit."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 7,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: all.")] = 0,
    processes: Annotated[
        int, typer.Option(min=0, help="Processes that draw signatures ahead, for synthetic-encoder.")
    ] = 0,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE, another setting of the recipe (epochs=10); may be repeated."),
    ] = None,
) -> None:
    """Train a network; interrupted, the same command goes on from its last checkpoint."""
    from vision.recipes.registry import RECIPES
    from vision.threads import use_threads

    use_threads(threads)
    ending = ".json" if recipe == "form-detector" else ".safetensors"
    if out.suffix != ending:
        raise Refusal(f"--out must end in {ending}, got {out.name!r}")
    if recipe not in RECIPES:
        raise Refusal(f"--recipe must be one of {', '.join(RECIPES)}, got {recipe!r}")
    out.parent.mkdir(parents=True, exist_ok=True)
    if recipe == "form-detector":
        line = _finder(out, {"seed": seed}, change)
    elif RECIPES[recipe].data == "synthetic":
        given = {"writers": writers, "minutes": minutes or 60.0, "seed": seed}
        line = _synthetic(out, given, change, processes)
    else:
        line = _on_scans(recipe, data, out, {"minutes": minutes or 0.0, "seed": seed}, change)
    typer.echo(line)


def _synthetic(out: Path, given: dict, change: list[str] | None, processes: int) -> str:
    from vision.recipes.synthetic_encoder import Settings
    from vision.recipes.synthetic_encoder import train as run

    manifest = run(Settings(**given | changed(Settings, change)), out, typer.echo, processes=processes)
    return f"{out}: {manifest['steps']} steps, {manifest['images']} images, sha256 {manifest['sha256']}"


def _finder(out: Path, given: dict, change: list[str] | None) -> str:
    from vision.recipes.form_detector import Settings
    from vision.recipes.form_detector import train as run

    made = run(Settings(**given | changed(Settings, change)), out, typer.echo)
    rates = f"found {made['held_out_found']}, other groups mistaken {made['held_out_mistaken']}"
    return f"{out}: {made['groups']} groups, on forms held out {rates}, sha256 {made['sha256']}"


def _on_scans(recipe: str, data: Path | None, out: Path, given: dict, change: list[str] | None) -> str:
    from vision.recipes.registry import published_settings
    from vision.recipes.run import run_recipe
    from vision.recipes.training import TrainSettings

    settings = published_settings(recipe, **given | changed(TrainSettings, change))
    if data is None:
        raise Refusal(f"--data: recipe {recipe} needs a folder of scans")
    manifest = run_recipe(settings, data, out, typer.echo)
    best = "  ".join(f"{name} {value}" for name, value in manifest["best"].items())
    return f"{out}: {manifest['steps']} steps on {manifest['device']}; best epoch: {best}"


def changed(kind: type, change: list[str] | None) -> dict:
    """Settings given as NAME=VALUE, each read as the type of the dataclass's default or annotation.

    Raises
    ------
    ValueError
        When a name is unknown or fixed by another option, or a value is of another type.
    """
    known = {field.name: str(field.type) for field in fields(kind)}
    allowed = sorted(set(known) - {"recipe", "minutes", "seed", "data"})
    values: dict[str, object] = {}
    for item in change or []:
        name, _, text = item.partition("=")
        if name not in allowed:
            raise ValueError(f"--set: name must be one of {', '.join(allowed)}, got {name!r}")
        try:
            values[name] = _read(text, known[name])
        except ValueError:
            raise ValueError(f"--set: {name} must be of type {known[name]}, got {text!r}") from None
    return values


def _read(text: str, kind: str) -> object:
    if "bool" in kind:
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    if "tuple" in kind:
        return tuple(int(part) for part in text.split(","))
    if "float" in kind:
        return float(text)
    return int(text) if "int" in kind else text
