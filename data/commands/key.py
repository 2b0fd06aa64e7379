"""``python -m data key``: the key's fingerprint, and a copy for safe keeping."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Annotated

import typer

from data.commands.frame import Refusal, opened_store


def key(
    copy_to: Annotated[Path | None, typer.Option(help="Write the key into this new file, mode 0600.")] = None,
) -> None:
    """Show the fingerprint of the store's key; the key itself is never printed."""

    with opened_store() as store:
        cipher = store.cipher
    typer.echo(f"fingerprint {cipher.fingerprint}")
    if copy_to is None:
        return
    try:
        handle = os.open(copy_to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refusal(f"--copy-to must name a new file, {copy_to.name!r} exists") from None
    with os.fdopen(handle, "wb") as file:
        file.write(base64.b64encode(cipher.master) + b"\n")
    typer.echo(f"copied to {copy_to}")
