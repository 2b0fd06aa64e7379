"""``python -m dashboard report-verify``: whether a stored report, or a file of it, is what was approved."""

from __future__ import annotations

from pathlib import Path

import typer


def report_verify(
    report_id: str = typer.Argument(
        None, help="Number of the report, as printed at the foot of its pages; none: every report."
    ),
    file: Path = typer.Argument(None, exists=True, dir_okay=False, help="A file to recognise."),
) -> None:
    """Recompute the seals and compare content, people, files and row with the audit log and its chain.

    Exit 1 when something was altered, deleted or withdrawn, 2 when nobody knows the report.
    """
    from dashboard.reports import pipeline
    from data.reports_store import known_reports
    from data.store import open_store
    from data.trust.scope import Scope

    store = open_store()
    try:
        data = file.read_bytes() if file else None
        numbers = [report_id] if report_id else known_reports(store)
        found = {
            number: pipeline.prove(store, Scope.system(), number, data, whole_log=True) for number in numbers
        }
    except KeyError as error:
        typer.echo(error.args[0], err=True)
        raise typer.Exit(2) from None
    finally:
        store.close()
    for number, proof in found.items():
        said = "intact" if proof.intact else "altered: " + ", ".join(proof.problems)
        said += f"; approval withdrawn: {proof.withdrawn}" if proof.withdrawn else ""
        typer.echo(said if report_id else f"{number} {said}")
    raise typer.Exit(0 if all(proof.intact and not proof.withdrawn for proof in found.values()) else 1)
