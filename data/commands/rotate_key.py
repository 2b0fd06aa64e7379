"""``python -m data rotate-key``: another key for the store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from data.commands.bars import Bars
from data.commands.frame import ACTOR, Refusal, note, opened_store

NEW_KEY = "TEPAT_NEW_KEY"
TO_FILE = typer.Option(help="File of the new key: base64 of 32 bytes.", exists=True, dir_okay=False)
TO_COMMAND = typer.Option(help="A command that prints the new key.")


def rotate_key(
    to_file: Annotated[Path | None, TO_FILE] = None,
    to_command: Annotated[str, TO_COMMAND] = "",
    yes: Annotated[bool, typer.Option(help="Do not ask.")] = False,
    actor: Annotated[str, typer.Option(help="Who changes the key, for the log.")] = ACTOR,
) -> None:
    """Seal everything with a new key; run it again after an interruption, it goes on where it stopped.

    The new key is made where the present one comes from a file and none is named, or comes from --to-file,
    --to-command or the environment's TEPAT_NEW_KEY. The app, the worker and every command must be stopped;
    whoever opens the store meanwhile is refused.
    """
    from data.engine.cipher import KeyProblem
    from data.keeping import rotation
    from data.keeping.restore import Target
    from data.settings import get_settings
    from data.store import UnderWay, key_at_hand, key_file, key_in_file, new_key_file

    settings, target = get_settings(), Target.of_settings()
    aside = new_key_file(target.folder, settings)
    named = to_file is not None or to_command or os.environ.get(NEW_KEY)
    try:
        with opened_store():  # that there is a store of this revision, and its key
            pass
    except UnderWay as problem:
        if "key" not in str(problem):
            raise
        yes = True  # a change that was cut off
    except KeyProblem:
        if not (named or aside.exists()):
            raise
        yes = True
    if not yes:
        typer.confirm(f"Seal everything in {target.folder} with a new key?", abort=True)
    former = key_at_hand(target.folder, settings)
    new = _new_key(to_file, to_command, aside, may_make=key_in_file(target.folder, settings))
    with Bars() as progress:
        done = rotation.change_key(target, former, new, actor=actor, progress=progress)
    typer.echo(
        f"sealed     {done.rows:,} rows and {done.files:,} files with the key of fingerprint {done.after}"
    )
    typer.echo(f"audit log  proven by the former key up to entry {done.entry:,}, by the new one from then on")
    if key_in_file(target.folder, settings) and aside.exists():
        old = rotation.put_in_place(aside, key_file(target.folder, settings), former)
        typer.echo(f"key        {key_file(target.folder, settings)}; the former one: {old}")
    else:
        typer.echo(
            "key        put the new one where the settings take it from (TEPAT_KEY…) before the next start"
        )
    note(
        f"backups of before need the former key (fingerprint {done.before}): keep it, apart, as long as they "
        "are kept, and then destroy it"
    )


def _new_key(to_file: Path | None, to_command: str, aside: Path, *, may_make: bool):
    """The new key: of the one place that names it, or made beside the present one's file."""
    from data.engine.cipher import Cipher, key_from_command, parse_key, read_or_create_key

    given = os.environ.get(NEW_KEY, "")
    if sum(map(bool, (to_file, to_command, given))) > 1:
        raise Refusal(f"the new key must come from one place: --to-file, --to-command or {NEW_KEY}")
    if to_file is not None:
        text = to_file.read_text(encoding="ascii", errors="replace")
        new = parse_key(text, f"the file {to_file.name!r}")
    elif to_command:
        new = key_from_command(to_command, "--to-command")
    elif given:
        new = parse_key(given, NEW_KEY)
    elif may_make:
        return Cipher(read_or_create_key(aside, may_create=True))
    else:
        raise Refusal(
            "the key comes from the environment or a command: name the new one by --to-file, --to-command "
            f"or {NEW_KEY}"
        )
    if may_make:  # the present one lies in a file: the new one takes its place there
        _write_aside(aside, new)
    return Cipher(new)


def _write_aside(aside: Path, new: bytes) -> None:
    from data.engine.cipher import parse_key
    from data.keeping.contents import key_as_text

    if aside.exists():
        there = parse_key(aside.read_text(encoding="ascii", errors="replace"), f"key file {aside.name!r}")
        if there != new:
            raise Refusal(f"{aside} holds another new key, of a change that was cut off: give that one")
        return
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key_as_text(new))
        file.flush()
        os.fsync(file.fileno())
