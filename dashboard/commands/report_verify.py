"""``python -m dashboard report-verify``: whether a stored report, or a file of it, is what was approved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from data.commands.frame import DONE, FOUND, opened_store

if TYPE_CHECKING:
    from dashboard.reports.approve import Verification


def report_verify(
    report_id: str = typer.Argument(
        None, help="Number of the report, as printed at the foot of its pages; none: every report."
    ),
    file: Path = typer.Argument(None, exists=True, dir_okay=False, help="A file to recognise."),
    language: list[str] = typer.Option(["id", "en"], help="id, en or both."),
    as_json: bool = typer.Option(False, "--json", help="Codes instead of sentences, for programs."),
) -> None:
    """Recompute the seals and compare content, people, files and row with the audit log and its chain.

    Exit 1 when something was altered, deleted or withdrawn, 2 when nobody knows the report.
    """
    from dashboard.reports import pipeline
    from dashboard.reports.language import known_language
    from data.trust.reports_store import known_reports
    from data.trust.scope import Scope

    spoken = [known_language(one) for one in language]
    with opened_store() as store:
        data = file.read_bytes() if file else None
        numbers = [report_id] if report_id else known_reports(store)
        proofs = {
            number: pipeline.prove(store, Scope.system(), number, data, whole_log=True) for number in numbers
        }
    if as_json:
        told = {
            number: {"intact": proof.intact, "problems": list(proof.problems), "withdrawn": proof.withdrawn}
            for number, proof in proofs.items()
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
    for number, proof in () if as_json else proofs.items():
        for one in spoken:
            said = proof_line(proof, one, file is not None)
            typer.echo(said if report_id else f"{number} {said}")
    good = all(proof.intact and not proof.withdrawn for proof in proofs.values())
    raise typer.Exit(DONE if good else FOUND)


def proof_line(proof: Verification, language: str, with_file: bool = False) -> str:
    """What the check of a report has found, as the page *Reports* says it.

    Parameters
    ----------
    proof : Verification
        What was found.
    language : {"id", "en"}
    with_file : bool
        Whether a file was checked too.
    """
    from dashboard.shell.wording import Words

    words = Words(language)
    if proof.intact:
        said = [words("reports.intact"), *([words("reports.check_file_good")] if with_file else [])]
    else:
        named = "; ".join(words(f"reports.problem_{code}") for code in proof.problems)
        said = [words("reports.tampered", problems=named)]
    if proof.withdrawn:
        said.append(words("reports.withdrawn", reason=proof.withdrawn))
    return " ".join(said)
