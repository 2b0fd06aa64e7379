"""``python -m dashboard report-pack``: tables of a programme and TS, an index and checksums as a ZIP."""

from __future__ import annotations

from pathlib import Path

import typer

from dashboard.commands.report import AUDIENCES
from data.commands.frame import Refusal, note, opened_store


def report_pack(
    program: str = typer.Option("", help="Programme code; none: the tables of every programme together."),
    ts: int = typer.Option(None, help="TS, first calendar year of the last full academic year."),
    profile: list[str] = typer.Option([], help="Rule profile, several times; none: every one of the level."),
    out: Path = typer.Option(Path("."), help="Folder for the ZIP; made when missing."),
    language: list[str] = typer.Option(["id", "en"], help="id, en or both."),
    audience: str = typer.Option("assessor", help="assessor: every cell; public: small cells hidden."),
    signed: bool = typer.Option(
        False, "--signed", help="Refuse unless every table is approved and unaltered."
    ),
) -> None:
    """Pack the newest version of each table, a draft where none is fit; approving needs people."""
    from dashboard.reports import pack, pipeline
    from data.trust.origin import is_synthetic
    from data.trust.scope import Scope

    code = AUDIENCES.get(audience, audience)
    if code not in pipeline.AUDIENCES:
        raise Refusal(f"--audience must be one of {', '.join(AUDIENCES)}, got {audience!r}")
    with opened_store() as store:
        register = pipeline.read_register(store, Scope.system())
        year = register.last_full_year(program) if ts is None else ts
        known = pack.instruments(register, program)
        if unknown := [name for name in profile if name not in known]:
            raise Refusal(f"--profile must be one of {', '.join(known)} here, got {unknown[0]!r}")
        made = pack.submission_pack(
            store, register, program, year, profile or known, signed=signed, audience=code, languages=language
        )
        name = pack.pack_name(program, year, code, is_synthetic(store))
    out.mkdir(parents=True, exist_ok=True)
    (out / name).write_bytes(made.data)
    typer.echo(out / name)
    note(
        f"{made.tables} tables, {made.approved} of them approved; check each against the official instrument"
    )
