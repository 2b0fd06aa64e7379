"""``python -m dashboard worker``: does the long work that pages ask for."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.frame import opened_store


def worker(
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Do what is waiting, then end.")] = False,
    attached: Annotated[
        bool, typer.Option("--attached", help="End when standard input closes; for the server.")
    ] = False,
) -> None:
    """Do jobs one after the other until Ctrl+C; `serve` starts one beside the app."""
    import logging
    import os
    import signal
    import sys
    import threading

    from dashboard.jobs.worker import work

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())

    def follow() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        stop.set()

    if attached:
        threading.Thread(target=follow, daemon=True).start()
    with opened_store() as store:
        work(store, stop, until_idle=until_idle)
