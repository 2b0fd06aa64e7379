"""``python -m data restore``: a store brought back from a backup, all of it or nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.commands.bars import Bars
from data.commands.frame import ACTOR, Refusal, note
from data.commands.secrets import KEY_FILE, PASSPHRASE_FILE, secret_of, wrapping
from data.commands.verify import key_here

if TYPE_CHECKING:
    from data.engine.cipher import Cipher
    from data.keeping.archive import Secret
    from data.keeping.restore import Restored

REPLACE = typer.Option("--replace", help="Let the store go that is there.")
KEY_FROM = typer.Option("--key-from-backup", help="Take the store's key that is wrapped in the backup.")
FINISH = typer.Option("--finish", help="Put a restore in its place that was cut off then.")
LISTS = typer.Option(help="A further list of erasures (erasures.json); repeatable.")


def restore(
    file: Annotated[Path | None, typer.Argument(help="The backup.", exists=True, dir_okay=False)] = None,
    replace: Annotated[bool, REPLACE] = False,
    finish: Annotated[bool, FINISH] = False,
    erasures: Annotated[list[Path] | None, LISTS] = None,
    key_file: Annotated[Path | None, KEY_FILE] = None,
    passphrase_file: Annotated[Path | None, PASSPHRASE_FILE] = None,
    key_from_backup: Annotated[bool, KEY_FROM] = False,
    wrap_passphrase_file: Annotated[Path | None, typer.Option(help="File of its passphrase.")] = None,
    yes: Annotated[bool, typer.Option(help="Do not ask.")] = False,
    actor: Annotated[str, typer.Option(help="Who restores, for the log.")] = ACTOR,
) -> None:
    """Bring the store back that TEPAT_FOLDER or DATABASE_URL names; SQLite's into PostgreSQL and back too.

    Whoever was erased after the backup was made is erased again. The app and the worker must be stopped.
    """
    from data.keeping import restore as restoring
    from data.keeping.archive import read_header

    if (file is None) is not finish:
        raise Refusal("give the backup, or --finish after a restore that was cut off")
    target = restoring.Target.of_settings()
    if finish:
        done = restoring.finish(target, _needed(key_here()))
        typer.echo("the restore is in its place" if done else "no restore was cut off here")
        return
    if file is None:
        raise Refusal("give the backup to restore")
    header = read_header(file)
    secret = secret_of(key_file, passphrase_file, twice=False)
    for one in erasures or ():
        if not one.is_file():
            raise Refusal(f"there is no list {one}")
    key = _from_backup(file, secret, wrap_passphrase_file, target) if key_from_backup else key_here()
    if replace and not yes:
        typer.confirm(
            f"Let the store in {target.folder} go for the backup of {header.get('made_at')}? What came after "
            "it is lost.",
            abort=True,
        )
    with Bars() as progress:
        done = restoring.restore(
            file,
            secret,
            _needed(key),
            target,
            actor=actor,
            replace=replace,
            lists=erasures or (),
            progress=progress,
        )
    _say(done)


def _say(done: Restored) -> None:
    rows = sum(told["rows"] for told in done.tables.values())
    typer.echo(f"restored   backup {done.backup_id}, state of {done.made_at}")
    typer.echo(f"compared   {rows:,} rows of {len(done.tables)} tables, read back as they were noted")
    for receipt in done.erased_again:
        typer.echo(
            f"erased     again: student key {receipt.student_key}, {receipt.kind}, of {receipt.at:%Y-%m-%d}"
        )
    if not done.erased_again:
        typer.echo("erased     nobody was erased after that state, as far as the lists know")
    for name in done.lists:
        typer.echo(f"list read  {name}")
    if done.present_was_read is False:
        note("the store that was replaced could not be read: only the lists told of erasures")
    if not done.lists:
        note("no list of erasures was found: whoever was erased since the backup is in the store again")
    typer.echo(f"audit log  entry {done.entry:,} tells of it; its head is kept anew")


def _needed(key: Cipher | None) -> Cipher:
    if key is None:
        raise Refusal(
            "the store's key is needed: put its file in the folder, name it in TEPAT_KEY_FILE, or "
            "--key-from-backup where the backup has it wrapped"
        )
    return key


def _from_backup(file: Path, secret: Secret, wrap_file: Path | None, target) -> Cipher:
    """The wrapped key, and its file where the key comes from one."""
    from data.engine.cipher import Cipher
    from data.keeping.contents import Contents, key_as_text, unwrapped_key
    from data.settings import get_settings
    from data.store import key_file, key_in_file

    wrap = wrapping(wrap_file, twice=False)
    wrapped = Contents(file, secret).read().wrapped
    if wrapped is None:
        raise Refusal("the store's key is not in this backup")
    key = Cipher(unwrapped_key(wrapped, wrap))
    here = key_here()
    if here is not None:
        if here.fingerprint != key.fingerprint:
            raise Refusal("another key is here already: name an empty folder, or move that key away")
        return key
    path = key_file(target.folder, get_settings())
    if key_in_file(target.folder, get_settings()):
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(key_as_text(key.master))
    return key
