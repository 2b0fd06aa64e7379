"""``python -m data <command>``; each command lives in ``data/commands/<command>.py``."""

from __future__ import annotations

from importlib import import_module

import typer

COMMANDS = ("init", "status", "load", "feeder", "demo", "real", "account")
COMMANDS += ("consent", "erase", "audit", "key", "revise")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)


@app.callback()
def about() -> None:
    """The store: create it, fill it, look into it, erase from it."""


for _name in COMMANDS:  # a command without its module is an error, not one command less
    _command = getattr(import_module(f"data.commands.{_name}"), _name)
    if isinstance(_command, typer.Typer):
        app.add_typer(_command, name=_name)
    else:
        app.command(_name)(_command)

if __name__ == "__main__":
    app()
