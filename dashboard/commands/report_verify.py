"""``python -m dashboard report-verify``: whether a stored report, or a file of it, is what was approved."""

from __future__ import annotations

from pathlib import Path

import typer

from data.commands.frame import DONE, FOUND, opened_store


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
    from data.trust.reports_store import known_reports
    from data.trust.scope import Scope

    with opened_store() as store:
        data = file.read_bytes() if file else None
        numbers = [report_id] if report_id else known_reports(store)
        proofs = {
            number: pipeline.prove(store, Scope.system(), number, data, whole_log=True) for number in numbers
        }
    for number, proof in proofs.items():
        said = "intact" if proof.intact else "altered: " + ", ".join(proof.problems)
        said += f"; approval withdrawn: {proof.withdrawn}" if proof.withdrawn else ""
        typer.echo(said if report_id else f"{number} {said}")
    good = all(proof.intact and not proof.withdrawn for proof in proofs.values())
    raise typer.Exit(DONE if good else FOUND)
