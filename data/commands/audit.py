"""``python -m data audit``: verify the hash chain of the audit log."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.frame import FOUND, opened_store


def audit(
    expect: Annotated[str, typer.Option(help="A head noted earlier: also detects entries cut off.")] = "",
) -> None:
    """Recompute every hash of the audit log; exit code 1 when it was altered."""
    from data.trust.audit import verify_chain

    with opened_store() as store:
        report = verify_chain(store, expect or None)
    if report.broken_at is not None:
        typer.echo(f"altered: entry {report.broken_at} does not continue the chain")
    elif not report.intact:
        typer.echo("altered: the expected head is not in the log; entries were cut off or replaced")
    else:
        typer.echo(f"intact: {report.entries} entries, head {report.head}")
    if not report.intact:
        raise typer.Exit(FOUND)
