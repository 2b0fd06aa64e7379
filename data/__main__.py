"""``python -m data <command>``; each command lives in ``data/commands/<command>.py``."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import typer

COMMANDS = ("init", "status", "load", "demo", "real", "account", "consent", "erase", "audit", "key", "revise")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)


@app.callback()
def about() -> None:
    """The store: create it, fill it, look into it, erase from it."""


for _name in COMMANDS:
    if find_spec(f"data.commands.{_name}"):
        app.command(_name)(getattr(import_module(f"data.commands.{_name}"), _name))

if __name__ == "__main__":
    app()
