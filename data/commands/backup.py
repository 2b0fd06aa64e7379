"""``python -m data backup``: one sealed file that holds the store as it is now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data.commands.bars import Bars
from data.commands.frame import ACTOR, Refusal, note, opened_store
from data.commands.secrets import KEY_FILE, PASSPHRASE_FILE, secret_of, wrapping

PLACE = typer.Argument(help="A folder, where an index is kept, or the name of a new file.")
WITH_KEY = typer.Option(
    "--with-key", help="Put the store's key in too, wrapped with a passphrase of its own."
)
WRAP_FILE = typer.Option(help="File of that passphrase.")


def backup(
    place: Annotated[Path, PLACE],
    keep: Annotated[
        int | None, typer.Option(min=1, help="Let all but so many backups of the index go.")
    ] = None,
    key_file: Annotated[Path | None, KEY_FILE] = None,
    passphrase_file: Annotated[Path | None, PASSPHRASE_FILE] = None,
    with_key: Annotated[bool, WITH_KEY] = False,
    wrap_passphrase_file: Annotated[Path | None, WRAP_FILE] = None,
    actor: Annotated[str, typer.Option(help="Who backs up, for the log.")] = ACTOR,
) -> None:
    """Back the store up while it is worked with: database, models, results of jobs, settings, audit log.

    The file is sealed, opened again and compared before it counts. The store's key is not in it.
    """
    from data.keeping.shelf import back_up

    with opened_store() as store:
        if place.is_file():
            raise Refusal(f"there is a file {place.name!r} already; name a folder or a new file")
        if not (place.is_dir() or place.parent.is_dir()):
            raise Refusal(f"there is no folder {place.parent}; make it first")
        if keep is not None and not place.is_dir():
            raise Refusal("--keep counts the backups of a folder: name the folder")
        secret = secret_of(key_file, passphrase_file, twice=True)
        wrap = wrapping(wrap_passphrase_file, twice=True) if with_key or wrap_passphrase_file else None
        with Bars() as progress:
            made, gone = back_up(store, place, secret, actor=actor, keep=keep, wrap=wrap, progress=progress)
        fingerprint = store.cipher.fingerprint
    typer.echo(f"backup     {made.file}")
    typer.echo(f"state of   {made.made_at}")
    typer.echo(f"holds      {made.rows:,} rows, {made.files:,} files; {made.size / 1e6:,.1f} MB")
    typer.echo(f"sha256     {made.sha256}")
    typer.echo("checked    opened again; every row, file and entry of the audit log is as it was noted")
    for name in gone:
        typer.echo(f"let go     {name}")
    for path in made.missing:
        note(f"{path} is not there: the model of that name is in the database only")
    if wrap is None:
        note(
            f"the store's key (fingerprint {fingerprint}) is not in the backup; without it specimens cannot "
            "be read: keep it elsewhere (python -m data key --copy-to FILE)"
        )
