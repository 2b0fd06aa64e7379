"""``python -m dashboard serve``: the app on a port."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.frame import opened_store

PORT = typer.Option(min=1, max=65535, help="TCP port; default: the setting TEPAT_PORT, else 8501.")
ADDRESS = typer.Option(help="Interface to listen on; 0.0.0.0 lets other machines in.")

WORKER = typer.Option(help="Keep a worker for long work beside the app.")


def serve(
    port: Annotated[int | None, PORT] = None,
    address: Annotated[str, ADDRESS] = "localhost",
    worker: Annotated[bool, WORKER] = True,
) -> None:
    """Serve the dashboard until Ctrl+C."""
    from data.settings import get_settings

    with opened_store():  # refused here, before anything slow is imported, and not to every visitor
        pass
    from dashboard.shell.provider import read_provider
    from dashboard.shell.server import serve as start

    read_provider(get_settings())

    port = port or get_settings().port
    typer.echo(f"Tepat is on http://{address}:{port} (Ctrl+C ends it)")
    start(port, address, worker=worker)
