"""``python -m dashboard <command>``; each command lives in ``dashboard/commands/<command>.py``."""

from __future__ import annotations

from importlib import import_module

import typer

COMMANDS = ("serve", "digest", "worker", "report", "report-settings", "report-verify")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)


@app.callback()
def about() -> None:
    """The dashboard: serve it, or write its reports from the command line."""


for _name in COMMANDS:  # a command without its module is an error, not one command less
    _module = _name.replace("-", "_")
    app.command(_name)(getattr(import_module(f"dashboard.commands.{_module}"), _module))

if __name__ == "__main__":
    app()
