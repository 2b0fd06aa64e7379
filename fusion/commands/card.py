"""``python -m fusion card``: the model card and the fairness report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.commands.frame import opened_store
from fusion.commands.shared import Served


def card(
    model: Served = "",
    out: Annotated[Path, typer.Option(help="Folder for the two Markdown files.")] = Path("."),
) -> None:
    """Write the model card and the fairness report of a trained model as Markdown."""
    from data.queries import help_since_scores
    from data.store import get_fact
    from data.trust.origin import is_synthetic
    from fusion.service.cards import fairness_report, model_card
    from fusion.service.sources import load_model

    with opened_store() as store:
        manifest = load_model(store, model or None).manifest
        synthetic = is_synthetic(store)
        institution = str(get_fact(store, "institution", "") or "")
        helped = help_since_scores(store, manifest.version)
    out.mkdir(parents=True, exist_ok=True)
    pages = {
        "model-card.md": model_card(
            manifest, synthetic=synthetic, institution=institution, help_given=helped
        ),
        "fairness-report.md": fairness_report(manifest, synthetic=synthetic),
    }
    for name, text in pages.items():
        (out / name).write_text(text, encoding="utf-8")
        typer.echo(f"wrote {name}")
