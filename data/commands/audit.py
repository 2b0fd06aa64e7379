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
STAMPS = {
    "proven": "in the log as stamped, and signed",
    "unchecked": "in the log as stamped; signatures not checked: TEPAT_TSA_CA is not set",
    "superseded": "of entries that the log has no more: it was restored or accepted afterwards",
    "lost": "NOT IN THE LOG as stamped: entries were cut off or replaced, by somebody with the store's key",
    "untrusted": "NOT SIGNED by a certificate of TEPAT_TSA_CA",
    "damaged": "DAMAGED: no answer of a time-stamping service",
}
ACCEPT = typer.Option(help="Say why the log is taken as it stands, after a restore or on a further machine.")


def audit(
    expect: Annotated[str, typer.Option(help="A head noted earlier, that must be in the log.")] = "",
    accept: Annotated[str, ACCEPT] = "",
    actor: Annotated[str, typer.Option(help="Who accepts, for the log.")] = ACTOR,
) -> None:
    """Prove every entry, compare the kept head and its time stamps, look at the triggers; 1 when one fails.

    --accept writes an entry that says so and keeps the present head; it makes no broken entry whole.
    """
    from data.settings import get_settings
    from data.trust.audit import accept as accept_log
    from data.trust.audit_chain import verify_chain
    from data.trust.time_stamps import authority

    trusted = authority(get_settings().tsa_ca)
    with opened_store() as store:
        if accept:
            accept_log(store, actor=actor, reason=accept)
        report = verify_chain(store, expect or None, trusted)
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
    lines += _stamp_lines(report)
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


def _stamp_lines(report: ChainReport) -> list[str]:
    """A line for each state that stamps are in; what is wrong by its entries."""
    lines = []
    for state, said in STAMPS.items():
        there = [stamp for stamp in report.stamps if stamp.state == state]
        if not there:
            continue
        newest = max((stamp.at for stamp in there if stamp.at is not None), default=None)
        until = "" if newest is None else f", the newest of {newest:%Y-%m-%d %H:%M:%S} UTC"
        shown = [f"{stamp.entry:,}" for stamp in there][-5:]
        which = "" if there[0].fine else f", entry {', '.join(shown)}"
        lines.append(f"stamps     {len(there):,}{which}{until}: {said}")
    return lines
