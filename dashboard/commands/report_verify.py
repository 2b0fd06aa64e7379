"""``python -m dashboard report-verify``: whether a stored report, or a file of it, is what was approved."""

from __future__ import annotations

from pathlib import Path

import typer


def report_verify(
    report_id: str = typer.Argument(..., help="Number of the report, as printed at the foot of its pages."),
    file: Path = typer.Argument(None, exists=True, dir_okay=False, help="A file to recognise."),
) -> None:
    """Recompute the seals and compare them with the audit log; exit 1 when something was altered."""
    from dashboard.reports import pipeline
    from data.store import open_store
    from data.trust.scope import Scope

    store = open_store()
    try:
        proof = pipeline.prove(store, Scope.system(), report_id, file.read_bytes() if file else None)
    except KeyError as error:
        typer.echo(error.args[0], err=True)
        raise typer.Exit(2) from None
    finally:
        store.close()
    typer.echo("intact" if proof.intact else "altered: " + ", ".join(proof.problems))
    raise typer.Exit(0 if proof.intact else 1)
