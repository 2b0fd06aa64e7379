"""``python -m data consent``: what students agreed to, and changing it by hand."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from data.commands.frame import ACTOR, FOUND, Refusal, opened_store, student_key

consent = typer.Typer(
    no_args_is_help=True,
    help="Consents of students: show, grant, withdraw, list who lacks one. Files come in by load --consents.",
)
Student = Annotated[str, typer.Option(help="Student number or student key.")]
Purpose = Annotated[
    str, typer.Option(help="verification, outcome_model, research, a word for one of them, or all.")
]
Day = Annotated[str, typer.Option("--on", help="Date of the paper as 2024-08-31; default: today.")]
Origin = Annotated[str, typer.Option(help="Where it can be looked up, e.g. form 12/2024.")]
Actor = Annotated[str, typer.Option(help="Who records it, for the log.")]


@consent.command()
def show(student: Student) -> None:
    """What holds for a student, and every decision on record."""
    from data.consents.queries import consent_standing
    from data.queries import consent_history
    from data.trust.scope import Scope

    with opened_store() as store:
        key = student_key(store, student)
        held = consent_standing(store, Scope.system(), key)
        history = consent_history(store, Scope.system(), key)
    for row in held.itertuples():
        typer.echo(
            f"{row.purpose:<14} {_said(row) if isinstance(row.decision, str) else 'nothing on record'}"
        )
    typer.echo(f"history: {len(history)} decisions")
    for row in history.itertuples():
        recorded = f"recorded {row.recorded_at:%Y-%m-%d %H:%M} UTC by {row.recorded_by}"
        typer.echo(f"  {row.consent_id:>6} {row.purpose:<14} {_said(row)}; {recorded}")


@consent.command()
def grant(
    student: Student,
    purpose: Purpose,
    on: Day = "",
    source: Origin = "",
    again: Annotated[bool, typer.Option("--again", help="Although the student had said no.")] = False,
    actor: Actor = ACTOR,
) -> None:
    """Record a yes. Where a no stands it needs --again, and exits with 1 without."""
    _record(student, purpose, "renewed" if again else "granted", on, source, actor)


@consent.command()
def withdraw(
    student: Student,
    purpose: Purpose,
    on: Day = "",
    source: Origin = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    actor: Actor = ACTOR,
) -> None:
    """Record a no. It holds at once, whatever date it carries."""
    if not yes:
        typer.echo("Signatures are no longer compared, enrolled or used in scores for what is withdrawn;")
        typer.echo("what is stored stays until it is erased (python -m data erase).")
        typer.confirm(f"Withdraw {purpose}?", abort=True)
    _record(student, purpose, "withdrawn", on, source, actor)


@consent.command()
def missing(
    purpose: Purpose = "verification",
    with_specimens: Annotated[
        bool, typer.Option("--with-specimens", help="Only students with a signature in the store.")
    ] = False,
    program: Annotated[str, typer.Option(help="Only this programme.")] = "",
) -> None:
    """Numbers of the students who do not agree, one a line, and how many they are on standard error."""
    from data.consents.queries import without_consent
    from data.trust.scope import Scope

    about = {"with_specimens": with_specimens, "program_code": program or None}
    with opened_store() as store:
        for one in _purposes(purpose):
            found = without_consent(store, Scope.system(), one, **about)
            for row in found.itertuples():
                typer.echo(f"{row.student_number}\t{one}\t{row.decision}")
            typer.echo(f"{len(found):,} students without consent to {one}", err=True)


def _record(student: str, purpose: str, decision: str, on: str, source: str, actor: str) -> None:
    from data.consents.consent import NeedsRenewal, record_consents

    day, purposes = _day(on), _purposes(purpose)
    with opened_store() as store:
        key, about = student_key(store, student), {"actor": actor, "decided_on": day, "source": source}
        try:
            changed = record_consents(store, key, purposes, decision, **about)
        except NeedsRenewal as problem:
            raise Refusal(f"nothing was written: {problem}: give --again", FOUND) from None
    for one, new in changed.items():
        typer.echo(f"{one}: {'recorded' if new else 'nothing changed, that holds already'}")


def _purposes(text: str) -> list[str]:
    """The purposes that a word or a list of words names."""
    from data.columns import CONSENT_COLUMNS, CONSENT_PURPOSES
    from data.files.matching import listed_values, shipped_words

    column = next(one for one in CONSENT_COLUMNS if one.name == "purpose")
    named = listed_values(text, CONSENT_PURPOSES, shipped_words(column, "consents")).split(", ")
    if not set(named) <= set(CONSENT_PURPOSES):
        raise Refusal(f"--purpose must be among {', '.join(CONSENT_PURPOSES)}, or all; got {text!r}")
    return named


def _day(text: str) -> date | None:

    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refusal(f"--on must be a date as 2024-08-31, got {text!r}") from None


def _said(row) -> str:
    source = f" ({row.source})" if isinstance(row.source, str) else ""
    return f"{row.decision} on {row.decided_on:%Y-%m-%d}{source}"
