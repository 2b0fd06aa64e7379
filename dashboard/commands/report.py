"""``python -m dashboard report``: an accreditation report as files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    into: Path = typer.Option(
        None,
        exists=True,
        dir_okay=False,
        help="An XLSX or XLSM file of your own: write the figures into a copy.",
    ),
    map_file: Path = typer.Option(
        None, "--map", exists=True, dir_okay=False, help="TOML file: which figure belongs into which cell."
    ),
    check: bool = typer.Option(
        False, "--check", help="With --into: say what would be written, write nothing."
    ),
    force: bool = typer.Option(False, "--force", help="With --into: replace a copy that is there already."),
) -> None:
    """Compute a report and write XLSX, PDF and CSV, or write its figures into a workbook of your own.

    It is a draft: prepare and approve it in the app. With --into, PROFILE may be `all`: every profile that
    the map names.
    """
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
    if (into is None) != (map_file is None):
        raise Refusal("--into and --map belong together: the workbook, and which figure goes into which cell")
    with opened_store() as store:
        figures = read_figures(by_hand.read_bytes(), profile_ids()) if by_hand else ()
        register = pipeline.read_register(store, Scope.system())
        year = register.last_full_year(program) if ts is None else ts
        if blank is not None:
            blank.write_bytes(pipeline.blank_figures(register, profile, program, year))
            typer.echo(blank)
            return
        if into is not None:
            wanted = (profile, program, year, figures, audience)
            return _into(store, register, wanted, (into, map_file, out), check=check, force=force)
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


def _into(
    store, register, wanted: tuple, files: tuple[Path, Path, Path], *, check: bool, force: bool
) -> None:
    """The figures in a copy of a workbook; what is refused or will look odd is said before it is written."""
    from dashboard.reports import pipeline
    from dashboard.reports.into_workbook import KEPT, MapRefused, Step, read_map, warnings_of, write_into
    from dashboard.reports.sheet_patch import Template

    profile, program, year, figures, audience = wanted
    source, map_file, out = files
    mapped = [part for part in read_map(map_file.read_bytes()) if profile in ("all", part.profile)]
    if not mapped:
        raise MapRefused(f"{map_file.name} has no table for the profile {profile!r}")
    target = out / f"{source.stem}_{program or 'all'}_TS{year}{source.suffix}"
    if target.exists() and (not force or target.samefile(source)):
        raise Refusal(f"{target} is there already: --force replaces it, and --out names another folder")
    tables = {
        name: pipeline.build(store, register, pipeline.Request(name, program, year, figures=figures))[0]
        for name in dict.fromkeys(part.profile for part in mapped)
    }

    def filled(shown: Callable) -> tuple[Template, list[Step]]:
        template = Template(source.read_bytes(), source.name)
        ready = {name: shown(store, register, table) for name, table in tables.items()}
        return template, [step for part in mapped for step in write_into(template, ready[part.profile], part)]

    # what is refused is refused before anything counts as public
    template, steps = filled(
        pipeline.preview if audience == "external" else lambda _store, _register, table: table
    )
    for said in warnings_of(template):
        note(said)
    for step in steps:
        now = step.before if step.act == KEPT else step.value
        was = f" (was {step.before})" if step.before and step.act != KEPT else ""
        typer.echo(
            f"{step.sheet}!{step.address}  {step.figure}  {step.act} {'' if now is None else now}{was}"
        )
    note("check the figures against the official instrument; formulas are computed when the file is opened")
    if audience == "internal":
        note("confidential: the workbook holds small cells, for the institution and the assessors only")
    if check:
        return
    if audience == "external":
        template, _ = filled(pipeline.public)
    out.mkdir(parents=True, exist_ok=True)
    target.write_bytes(template.save())
    typer.echo(target)
