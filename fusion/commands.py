"""Commands about models in service: card, approve, roll back, compare two models, controls."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from data.trust.scope import Scope

Reason = Annotated[str, typer.Option(help="Why; written to the audit log.")]
Actor = Annotated[str, typer.Option(help="Account that decides.")]


def _actor(given: str) -> str:
    return given or os.environ.get("USER", "command line")


def _open():
    from data.store import open_store

    return open_store()


def card(
    model: Annotated[str, typer.Option(help="Model version; default: the served one.")] = "",
    out: Annotated[Path, typer.Option(help="Folder for the two Markdown files.")] = Path("."),
) -> None:
    """Write the model card and the fairness report of a trained model as Markdown."""
    from data.store import get_fact
    from data.trust.origin import is_synthetic
    from fusion.service.cards import fairness_report, model_card
    from fusion.service.sources import load_model

    store = _open()
    try:
        manifest = load_model(store, model or None).manifest
        synthetic = is_synthetic(store)
        institution = str(get_fact(store, "institution", "") or "")
        out.mkdir(parents=True, exist_ok=True)
        pages = {
            "model-card.md": model_card(manifest, synthetic=synthetic, institution=institution),
            "fairness-report.md": fairness_report(manifest, synthetic=synthetic),
        }
        for name, text in pages.items():
            (out / name).write_text(text, encoding="utf-8")
            typer.echo(f"wrote {name}")
    except LookupError as problem:
        typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(2) from None
    finally:
        store.close()


def approve(model: str, reason: Reason, actor: Actor = "") -> None:
    """Score a candidate, then serve it; the reason goes into the audit log."""
    from fusion.service.registry import approve as step

    _decide(partial(step, version=model), actor, reason, "serving")


def roll_back(reason: Reason, actor: Actor = "") -> None:
    """Serve the model that was served before the present one; terms that came since are scored first."""
    from fusion.service.registry import roll_back as step

    _decide(step, actor, reason, "rolled back to")


def records_only(reason: Reason, actor: Actor = "") -> None:
    """Score the students by the present model without signatures, then serve it so."""
    from fusion.service.registry import serve_records_only as step

    _decide(step, actor, reason, "serving records only")


def versus(model: Annotated[str, typer.Argument(help="The candidate.")]) -> None:
    """Compare a candidate with the served model on the same forward split."""
    from fusion.service.registry import compare_models
    from fusion.validation.report import table

    store = _open()
    try:
        found = compare_models(store, model)
        rows = [
            [
                f"{r.target} {r.figure}",
                f"{r.candidate:.4f}",
                f"{r.served:.4f}",
                f"{r.difference:+.4f} ({r.difference_low:+.4f} to {r.difference_high:+.4f})",
            ]
            for r in found.table.itertuples()
        ]
        typer.echo(table(["", found.candidate, found.served, "difference"], rows))
    except LookupError as problem:
        typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(2) from None
    finally:
        store.close()


def controls(
    seed: Annotated[int, typer.Option(min=0)] = 0,
    networks: Annotated[bool, typer.Option(help="Also blank paper and an untrained network.")] = False,
) -> None:
    """Negative controls: the verdict with noise, swapped signatures, and scan facts in place of ink.

    With --networks every specimen is embedded twice more: its paper without ink, and its ink by the same
    network with shuffled weights.
    """
    from data import queries
    from fusion.service.sources import PURPOSE, read_rows, read_signatures
    from fusion.validation.controls import run_controls
    from fusion.validation.report import ablation_text

    store = _open()
    try:
        rows = read_rows(store, read_signatures(store))
        if not rows.signed.any():
            typer.echo("no consenting student has an embedded specimen; there is nothing to control")
            return
        specimens = queries.specimen_table(store, PURPOSE)
        further = _network_controls(store, specimens, rows.signatures.encoder_id, seed) if networks else {}
        found = run_controls(queries.records_until(store), rows, specimens, seed=seed, further=further)
        for name, ablations in found.items():
            for ablation in ablations.values():
                typer.echo(f"\nControl: {name}\n{ablation_text(ablation)}")
    finally:
        store.close()


def _network_controls(store, specimens, encoder_id: str, seed: int) -> dict:
    import numpy as np

    from data import queries
    from data.settings import get_settings
    from fusion.validation.controls import network_controls
    from vision.encoder.backbones import load_encoder

    encoder = load_encoder(get_settings().encoder or None)
    if encoder.info.encoder_id != encoder_id:
        typer.echo(
            f"error: these controls need the encoder {encoder_id}, not {encoder.info.encoder_id}", err=True
        )
        raise typer.Exit(2)
    rng = np.random.default_rng([seed, 71])
    return network_controls(
        encoder, specimens, lambda key: queries.specimen_image(store, key, Scope.system()), rng
    )


def drift(
    model: Annotated[str, typer.Option(help="Model version; default: the served one.")] = "",
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Do the young cohorts still resemble those that taught the model? Told before any outcome is known."""
    from fusion.service.upkeep import watch_served
    from fusion.validation.report import monitor_text

    store = _open()
    try:
        typer.echo(monitor_text(watch_served(store, model or None, seed=seed)))
    except LookupError as problem:
        typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(2) from None
    finally:
        store.close()


def _decide(step, actor: str, reason: str, done: str) -> None:
    from fusion.bars import Bar

    store = _open()
    try:
        with Bar() as bar:
            version = step(store, actor=_actor(actor), role="administrator", reason=reason, progress=bar)
        typer.echo(f"{done}: {version}")
    except (LookupError, ValueError) as problem:
        typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(2) from None
    finally:
        store.close()
