"""``python -m dashboard digest``: an advisor's week as a file, for whoever sends it out."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from data.commands.frame import ACTOR, Refusal, opened_store

ACCOUNT = typer.Option(help="The advisor's account.")
OUT = typer.Option(help="The PDF to write.")
TARGET = typer.Option(help="late or dropout.")
LANGUAGE = typer.Option(help="en or id.")
ON = typer.Option(formats=["%Y-%m-%d"], help="Last day covered; today when not given.")


def digest(
    account: Annotated[str, ACCOUNT],
    out: Annotated[Path, OUT],
    target: Annotated[str, TARGET] = "late",
    language: Annotated[str, LANGUAGE] = "en",
    on: Annotated[datetime | None, ON] = None,
) -> None:
    """Write what changed this week for one advisor's students. The file names students: keep it safe."""
    from dashboard.cases.digest import gather
    from dashboard.cases.digest_pdf import digest_pdf
    from dashboard.reports.provenance import provenance_of
    from dashboard.shell.access import scope_for
    from dashboard.shell.wording import LANGUAGES, Words
    from data.calendar.clock import today
    from data.columns import TARGETS
    from data.trust import audit
    from data.trust.account_names import as_account_name
    from data.trust.accounts import find_account

    for name, value, allowed in (("target", target, TARGETS), ("language", language, tuple(LANGUAGES))):
        if value not in allowed:
            raise Refusal(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
    with opened_store() as store:
        person = find_account(store, as_account_name(account))
        if person is None or person.role != "advisor":
            raise Refusal(f"account must be an advisor who may sign in, got {account!r}")
        week = gather(store, scope_for(person), target, on.date() if on else today(store))
        file = digest_pdf(week, provenance_of(store), Words(language), person.display_name)
        audit.append(
            store,
            actor=ACTOR,
            role="system",
            action="export",
            object="digest",
            detail={"of": account},
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(file)
    counts = {"new": week.new, "worse": week.worse, "waiting": week.waiting, "due": week.due}
    typer.echo(", ".join(f"{name} {len(rows)}" for name, rows in counts.items()) + f" -> {out.name}")
