"""``python -m data audit``: whether the audit log is whole, and what that rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from data.commands.frame import ACTOR, FOUND, opened_store

if TYPE_CHECKING:
    from data.trust.audit_chain import ChainReport

KEPT = {
    "met": "in the log",
    "lost": "NOT IN THE LOG: entries were cut off or replaced, or an older database was restored",
    "missing": "NOTHING IS KEPT for this store: the file was removed, or this machine never kept one",
    "forged": "NOT WRITTEN WITH THIS STORE'S KEY: the file was altered",
}
ACCEPT = typer.Option(help="Say why the log is taken as it stands, after a restore or on a further machine.")


def audit(
    expect: Annotated[str, typer.Option(help="A head noted earlier, that must be in the log.")] = "",
    accept: Annotated[str, ACCEPT] = "",
    actor: Annotated[str, typer.Option(help="Who accepts, for the log.")] = ACTOR,
) -> None:
    """Prove every entry, compare the head kept outside, look at the triggers; exit code 1 when one fails.

    --accept writes an entry that says so and keeps the present head; it makes no broken entry whole.
    """
    from data.trust.audit import accept as accept_log
    from data.trust.audit_chain import verify_chain

    with opened_store() as store:
        if accept:
            accept_log(store, actor=actor, reason=accept)
        report = verify_chain(store, expect or None)
        for line in _lines(report, str(store.seal.path)):
            typer.echo(line)
    if not report.intact:
        raise typer.Exit(FOUND)


def _lines(report: ChainReport, path: str) -> list[str]:
    keyed = report.entries - report.earlier
    proven = f"entries    {report.entries:,} read, {keyed:,} proven with the store's key"
    if report.earlier:
        proven += f", {report.earlier:,} of an earlier version as they were when they were sealed"
    lines = [proven, f"head       {report.head}"]
    entry = "" if report.kept_entry is None else f"entry {report.kept_entry:,}, "
    lines.append(f"kept head  {entry}{KEPT[report.kept]} ({path})")
    if report.after_kept:
        lines.append(f"           {report.after_kept:,} entries follow it: cut off, nobody would miss them")
    if report.accepted:
        lines.append(f"accepted   as it stood, by entry {', '.join(map(str, report.accepted))}")
    up = "in place" if not report.unguarded else f"MISSING OR CHANGED on {', '.join(report.unguarded)}"
    lines.append(f"triggers   {up}{'; python -m data init puts them back' if report.unguarded else ''}")
    if report.head_matches is not None:
        lines.append(f"expected   {'in the log' if report.head_matches else 'NOT IN THE LOG'}")
    if report.broken_at is not None:
        lines.append(f"altered: entry {report.broken_at:,} does not continue the chain")
    elif report.head_matches is False or report.kept == "lost":
        lines.append("altered: a head is not in the log; entries were cut off or replaced")
    elif not report.intact:
        lines.append("not proven: see above")
    else:
        lines.append(f"intact: {report.entries:,} entries, head {report.head}")
    return lines
