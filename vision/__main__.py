"""``python -m vision <command>``; each command lives in ``vision/commands/<command>.py``."""

from __future__ import annotations

from importlib import import_module

import typer

COMMANDS = ("embed", "train", "encoder-info", "enrol", "verify", "duplicates", "calibrate")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)


@app.callback()
def about() -> None:
    """Signatures: check, embed, enrol and verify them, find duplicates, train encoders."""


for _name in COMMANDS:
    _function = _name.replace("-", "_")
    app.command(_name)(getattr(import_module(f"vision.commands.{_function}"), _function))

if __name__ == "__main__":
    app()
