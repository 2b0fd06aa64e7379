"""``python -m fusion versus``: a candidate beside the served model."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.frame import opened_store


def versus(model: Annotated[str, typer.Argument(help="The candidate.")]) -> None:
    """Compare a candidate with the served model on the same forward split."""
    from fusion.service.registry import compare_models
    from fusion.validation.report import table

    with opened_store() as store:
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
