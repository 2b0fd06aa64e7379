"""``python -m data verify``: whether a backup is whole, without restoring it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.commands.bars import Bars
from data.commands.frame import FOUND, note
from data.commands.secrets import KEY_FILE, PASSPHRASE_FILE, secret_of

LOG = {
    "proven": "every entry proven with the store's key",
    "linked": "every entry follows the one before; not proven, the store's key is not here",
    "not the store's key": "NOT PROVEN: the key here is not the one that this store was encrypted with",
}


def verify(
    file: Annotated[Path, typer.Argument(help="The backup.", exists=True, dir_okay=False)],
    key_file: Annotated[Path | None, KEY_FILE] = None,
    passphrase_file: Annotated[Path | None, PASSPHRASE_FILE] = None,
    tables: Annotated[bool, typer.Option("--tables", help="Print rows and digest of every table.")] = False,
) -> None:
    """Open everything in a backup, compare rows and digests, follow the audit log; nothing is restored.

    The store's key is taken from where a store would take it, if it is there; no store is needed.
    """
    from data.keeping import contents
    from data.keeping.archive import read_header

    read_header(file)
    secret = secret_of(key_file, passphrase_file, twice=False)
    with Bars() as progress:
        found = contents.verify(file, secret, key_here(), progress)
    about = found.about
    rows = sum(told["rows"] for told in found.tables.values())
    typer.echo(f"backup     {about['backup']}, state of {about['made_at']}, revision {about['revision']}")
    typer.echo(
        f"holds      {rows:,} rows of {len(found.tables)} tables, {len(found.files):,} files, as noted"
    )
    if tables:
        for name, told in sorted(found.tables.items()):
            typer.echo(f"  {name:26s} {told['rows']:>12,}  {told['digest']}")
    entry, digest = about["head"]
    typer.echo(f"log        {LOG.get(found.log, f'BROKEN at entry {found.broken_at}')}")
    typer.echo(f"head       entry {entry:,}, {digest}")
    wrapped = "in the backup, wrapped" if found.has_key else "not in the backup"
    typer.echo(f"key        fingerprint {about['fingerprint']}, {wrapped}")
    if found.log == "linked":
        note("with the store's key at hand (TEPAT_FOLDER or TEPAT_KEY…) the log is proven too")
    if not found.whole:
        raise typer.Exit(FOUND)


def key_here():
    """The key that the settings name, as a cipher; None where there is none."""
    from data.keeping.restore import Target
    from data.settings import get_settings
    from data.store import key_at_hand, key_file, key_in_file

    settings, folder = get_settings(), Target.of_settings().folder
    if key_in_file(folder, settings) and not key_file(folder, settings).is_file():
        return None
    return key_at_hand(folder, settings)
