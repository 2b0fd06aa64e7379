"""``python -m data retention``: how long is kept what, what has fallen due, and deleting it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.commands.bars import Bars
from data.commands.frame import ACTOR, Refusal, opened_store

if TYPE_CHECKING:
    from data.keeping.rule import Rule

DRY = typer.Option("--dry-run", help="Show what has fallen due, and delete nothing.")
AFTER_EXIT = typer.Option(min=0, help="Signatures: years after a student has left.")
AT_MOST = typer.Option(min=0, help="Signatures: years after they were given, at most.")
RECORDS = typer.Option(help="Records of who has left: keep, pseudonymise or erase.")
RECORDS_AFTER = typer.Option(min=0, help="Records: years after a student has left.")
ON = typer.Option(help="As of this day, YYYY-MM-DD; today unless it is given.", formats=["%Y-%m-%d"])


def retention(
    dry_run: Annotated[bool, DRY] = False,
    signatures_after_exit: Annotated[int | None, AFTER_EXIT] = None,
    signatures_at_most: Annotated[int | None, AT_MOST] = None,
    records: Annotated[str | None, RECORDS] = None,
    records_after: Annotated[int | None, RECORDS_AFTER] = None,
    on: Annotated[datetime | None, ON] = None,
    receipt: Annotated[Path | None, typer.Option(help="Write the receipts into this file.")] = None,
    yes: Annotated[bool, typer.Option(help="Do not ask.")] = False,
    actor: Annotated[str, typer.Option(help="Who decides or deletes, for the log.")] = ACTOR,
) -> None:
    """Delete what was to be kept until a day before today, after a question; with an option, set the rule.

    A rule sets dates and deletes nothing; give it in one call, and call again to delete.
    """
    from data.calendar import clock
    from data.keeping import retention as keeping

    asked = {"after_exit": signatures_after_exit, "at_most": signatures_at_most}
    asked |= {"records": records, "records_after": records_after}
    asked = {name: value for name, value in asked.items() if value is not None}
    with opened_store() as store:
        today = clock.today(store)
        day = on.date() if on else today
        if day > today and not dry_run:
            raise Refusal("--on must not lie in the future, except with --dry-run")
        if asked:
            if dry_run:
                raise Refusal("a rule is set, or what is due is shown: not both in one call")
            moved = keeping.decide(store, replace(keeping.rule_of(store), **asked), actor=actor)
            typer.echo(in_words(keeping.rule_of(store)))
            typer.echo(f"dates      of {moved:,} signatures are others now; nothing was deleted")
            return
        if not dry_run:
            keeping.redate(store)
        due = keeping.due(store, day)
        typer.echo(in_words(due.rule))
        typer.echo(f"due        {due.signatures:,} signatures of {len(due.specimens):,} students")
        typer.echo(f"           {due.questioned:,} questioned images")
        typer.echo(f"           records of {len(due.records):,} students who have left")
        if dry_run or not due.anything:
            return
        if not yes:
            typer.confirm("Delete all of this? It cannot be undone.", abort=True)
        with Bars() as progress:
            receipts, gone = keeping.carry_out(store, day, actor=actor, progress=progress)
    text = "\n\n".join(one.as_text() for one in receipts)
    typer.echo(text)
    if gone:
        typer.echo(f"deleted       {gone} × questioned images; the decisions about them stay")
    if receipt is not None:
        receipt.write_text(text + "\n", encoding="utf-8")


def in_words(rule: Rule) -> str:
    """A rule in two lines."""
    state = "as decided" if rule.decided else "a proposal, nobody has decided"
    kept = (
        f"rule       signatures: {rule.after_exit} years after exit, {rule.at_most} years at most ({state})"
    )
    if rule.records == "keep":
        return f"{kept}\n           records of who has left: kept"
    return f"{kept}\n           records of who has left: {rule.records} after {rule.records_after} years"
