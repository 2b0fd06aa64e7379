"""``python -m data init``: create the store, or bring it to the newest revision."""

from __future__ import annotations

from typing import Annotated

import typer


def init(
    institution: Annotated[str, typer.Option(help="Name shown on pages and exports.")] = "",
) -> None:
    """Create or upgrade the store and its key."""
    from data.commands.opening import opened_store
    from data.migrate import newest_revision
    from data.store import set_fact

    with opened_store() as store:
        if institution:
            set_fact(store, "institution", institution)
        typer.echo(f"store      {store.url} at revision {newest_revision()}")
        typer.echo(f"folder     {store.folder}")
        typer.echo(f"key        fingerprint {store.cipher.fingerprint}; without the key nothing can be read:")
        typer.echo("           keep a copy elsewhere (python -m data key --copy-to FILE)")
