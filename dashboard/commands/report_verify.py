"""``python -m dashboard report-verify``: whether a stored report, or a file of it, is what was approved."""

from __future__ import annotations

from pathlib import Path

import typer

from data.commands.frame import DONE, FOUND, opened_store


def report_verify(
    report_id: str = typer.Argument(..., help="Number of the report, as printed at the foot of its pages."),
    file: Path = typer.Argument(None, exists=True, dir_okay=False, help="A file to recognise."),
) -> None:
    """Recompute the seals and compare them with the audit log; exit 1 when something was altered."""
    from dashboard.reports import pipeline
    from data.trust.scope import Scope

    with opened_store() as store:
        proof = pipeline.prove(store, Scope.system(), report_id, file.read_bytes() if file else None)
    typer.echo("intact" if proof.intact else "altered: " + ", ".join(proof.problems))
    raise typer.Exit(DONE if proof.intact else FOUND)
