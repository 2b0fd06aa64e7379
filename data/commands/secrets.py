"""What seals and opens backups, as commands are told: a file of a key or a passphrase, or a question."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from data.commands.frame import Refusal

if TYPE_CHECKING:
    from data.keeping.archive import Secret

KEY_FILE = typer.Option(help="File of the backups' key: base64 of 32 bytes. Or TEPAT_BACKUP_KEY_FILE.")
PASSPHRASE_FILE = typer.Option(
    help="File of the backups' passphrase, 12 characters or more. Or TEPAT_BACKUP_PASSPHRASE_FILE."
)


def secret_of(key_file: Path | None, passphrase_file: Path | None, *, twice: bool) -> Secret:
    """What a backup is sealed with: of the options, of the settings, or asked for.

    Parameters
    ----------
    twice : bool
        Whether a passphrase that is asked for has to be typed twice, as for something new.
    """
    from data.keeping.archive import Secret
    from data.settings import get_settings

    if key_file is None and passphrase_file is None:
        settings = get_settings()
        key_file, passphrase_file = settings.backup_key_file, settings.backup_passphrase_file
    if key_file is not None and passphrase_file is not None:
        raise Refusal("backups are sealed by a key or by a passphrase: name one file, not both")
    if key_file is not None:
        return Secret.of_key(_first_line(key_file), f"the file {key_file.name!r}")
    if passphrase_file is not None:
        return Secret.of_passphrase(_first_line(passphrase_file))
    return Secret.of_passphrase(asked("Passphrase of the backup", twice=twice))


def wrapping(file: Path | None, *, twice: bool) -> Secret:
    """The passphrase that wraps the store's key: of a file, or asked for."""
    from data.keeping.archive import Secret

    if file is not None:
        return Secret.of_passphrase(_first_line(file))
    return Secret.of_passphrase(asked("Passphrase that wraps the store's key", twice=twice))


def asked(question: str, *, twice: bool) -> str:
    """What somebody types, unseen."""
    if not sys.stdin.isatty():
        raise Refusal(
            f"nobody can be asked for the “{question.lower()}”: give --passphrase-file or --key-file, or set "
            "TEPAT_BACKUP_PASSPHRASE_FILE or TEPAT_BACKUP_KEY_FILE"
        )
    try:
        return typer.prompt(question, hide_input=True, confirmation_prompt=twice)
    except typer.Abort:
        raise Refusal(f"nobody answered “{question}”") from None


def _first_line(file: Path) -> str:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[0] if lines else ""
