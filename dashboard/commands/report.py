"""``python -m dashboard report``: an accreditation report as files."""

from __future__ import annotations

from pathlib import Path

import typer

from data.commands.frame import Refusal, opened_store

AUDIENCES = {"assessor": "internal", "public": "external"}
"""Whom files are for → the code that their names and the CSV bear; the code is understood too."""


def report(
    profile: str = typer.Argument(..., help="Rule profile, e.g. iaps40-8c; `list` names them all."),
    program: str = typer.Option("", help="Programme code; none: every programme together."),
    ts: int = typer.Option(None, help="TS, first calendar year of the last full academic year."),
    out: Path = typer.Option(Path("."), help="Folder for the files; made when missing."),
    language: list[str] = typer.Option(["id", "en"], help="id, en or both."),
    by_hand: Path = typer.Option(
        None,
        exists=True,
        dir_okay=False,
        help="CSV of figures: profile, program_code, ts, row, column, value; for a correction reason and by.",
    ),
    audience: str = typer.Option(
        "assessor", help="assessor: every cell, confidential; public: small cells hidden."
    ),
) -> None:
    """Compute a report and write XLSX, PDF and CSV. It is a draft: prepare and approve it in the app."""
    from dashboard.reports import pipeline
    from dashboard.reports.by_hand import read_figures
    from dashboard.reports.profile import profile_ids
    from data.trust.scope import Scope

    if profile == "list":
        typer.echo("\n".join(profile_ids()))
        return
    audience = AUDIENCES.get(audience, audience)
    if audience not in pipeline.AUDIENCES:
        raise Refusal(f"--audience must be one of {', '.join(AUDIENCES)}, got {audience!r}")
    with opened_store() as store:
        figures = read_figures(by_hand.read_bytes()) if by_hand else ()
        register = pipeline.read_register(store, Scope.system())
        year = register.last_full_year(program) if ts is None else ts
        request = pipeline.Request(profile, program, year, figures=figures)
        table, provenance = pipeline.build(store, register, request)
        files = pipeline.print_files(
            store, register, table, provenance, languages=language, audiences=[audience]
        )
    out.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (out / name).write_bytes(data)
        typer.echo(out / name)
