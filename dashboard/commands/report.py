"""``python -m dashboard report``: an accreditation report as files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from data.commands.frame import Refusal, note, opened_store

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
    blank: Path = typer.Option(
        None, help="Write a file to fill in for --by-hand, a line for each figure the register lacks."
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
        typer.echo("\n".join(listed(profile_ids())))
        return
    audience = AUDIENCES.get(audience, audience)
    if audience not in pipeline.AUDIENCES:
        raise Refusal(f"--audience must be one of {', '.join(AUDIENCES)}, got {audience!r}")
    with opened_store() as store:
        figures = read_figures(by_hand.read_bytes(), profile_ids()) if by_hand else ()
        register = pipeline.read_register(store, Scope.system())
        year = register.last_full_year(program) if ts is None else ts
        if blank is not None:
            blank.write_bytes(pipeline.blank_figures(register, profile, program, year))
            typer.echo(blank)
            return
        request = pipeline.Request(profile, program, year, figures=figures)
        _note_left_aside(figures, request)
        table, provenance = pipeline.build(store, register, request)
        files = pipeline.print_files(
            store, register, table, provenance, languages=language, audiences=[audience]
        )
    out.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (out / name).write_bytes(data)
        typer.echo(out / name)


def listed(profiles: Iterable[str]) -> list[str]:
    """Each profile with its instrument, its number there and its titles."""
    from dashboard.reports.profile import profile_about

    lines = []
    for name in profiles:
        about = profile_about(name)
        titles = " / ".join(dict.fromkeys(about["title"][one] for one in ("id", "en")))
        lines.append(f"{name:<20} {about['instrument']}, {about['number']}: {titles}".replace(", : ", ": "))
    return lines


def _note_left_aside(figures, request) -> None:
    """Say how many lines of a file of figures are about another report."""
    about = (request.profile_id, request.program_code, request.ts)
    aside = [one for one in figures if (one.profile_id, one.program_code, one.ts) != about]
    if aside:
        program = request.program_code or "every programme"
        note(
            f"{len(aside)} of {len(figures)} lines of the figures are of another profile, programme or TS "
            f"than {request.profile_id}, {program}, {request.ts}, and left aside; the first is line "
            f"{aside[0].line}"
        )
