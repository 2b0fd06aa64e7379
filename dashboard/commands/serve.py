"""``python -m dashboard serve``: the app on a port."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from data.commands.frame import Refusal, opened_store

PORT = typer.Option(min=1, max=65535, help="TCP port; default: the setting TEPAT_PORT, else 8501.")
ADDRESS = typer.Option(help="Interface to listen on; 0.0.0.0 lets other machines in.")

WORKER = typer.Option(help="Keep a worker for long work beside the app.")
PROCESSES = typer.Option(min=1, max=64, help="App processes behind the port.")
RELEASE = typer.Option(
    exists=True,
    file_okay=False,
    help="With --processes: folder of the software (a link to the release in use) in which processes are "
    "started; SIGHUP replaces them one by one. Default: the one of this command.",
)


def serve(
    port: Annotated[int | None, PORT] = None,
    address: Annotated[str, ADDRESS] = "localhost",
    worker: Annotated[bool, WORKER] = True,
    processes: Annotated[int, PROCESSES] = 1,
    release: Annotated[Path | None, RELEASE] = None,
) -> None:
    """Serve the dashboard until Ctrl+C."""
    from data.settings import get_settings

    if release is not None and processes == 1:
        raise Refusal("--release is for --processes 2 or more: a single process is stopped and started")
    with opened_store():  # refused here, before anything slow is imported, and not to every visitor
        pass
    from dashboard.shell.provider import read_provider

    read_provider(get_settings())

    port = port or get_settings().port
    if processes > 1:
        return _serve_many(port, address, worker, processes, release)
    from dashboard.shell.server import serve as start

    typer.echo(f"Tepat is on http://{address}:{port} (Ctrl+C ends it)")
    start(port, address, worker=worker)


def _serve_many(port: int, address: str, worker: bool, processes: int, release: Path | None) -> None:
    import socket

    from dashboard.jobs import worker_keeper
    from dashboard.shell.processes import keeping
    from data.settings import get_settings

    if not hasattr(socket, "send_fds"):
        raise Refusal("several processes behind one port need Linux, or another system of the Unix family")
    # Not resolved: a link is followed when a process starts.
    folder = keeping.ROOT if release is None else release.absolute()
    plan = keeping.Plan(
        keeping.command(port, address), folder, processes, 60 * get_settings().replace_minutes
    )
    try:
        listening = keeping.bound(port, address)
    except OSError as problem:
        raise Refusal(f"{address}, port {port}: {problem.strerror}") from None
    typer.echo(f"Tepat is on http://{address}:{port}, in {processes} processes (Ctrl+C ends it)")
    with worker_keeper.kept_worker(folder=folder) if worker else nullcontext(_nothing) as renew:
        try:
            keeping.serve_many(plan, listening, renew)
        except keeping.NotStarted as problem:
            if problem.code > 0:
                raise typer.Exit(problem.code) from None  # it has said why
            raise Refusal(str(problem)) from None


def _nothing() -> None:
    """There is no worker to renew."""
