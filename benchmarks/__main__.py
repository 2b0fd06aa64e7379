"""``python -m benchmarks <name>`` runs ``benchmarks/<name>.py``: every module there that has a ``main``."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path

import typer

from benchmarks.report_file import running

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)


@app.callback()
def about(context: typer.Context) -> None:
    """Measurements of this project against the systems and limits it is compared with."""
    running(context.invoked_subcommand)


def benchmark_names() -> list[str]:
    """Names of the modules beside this one that define ``main``, without importing any."""
    files = sorted(Path(__file__).resolve().parent.glob("[!_]*.py"))
    return [path.stem for path in files if _has_main(path)]


def register(names: list[str]) -> None:
    """Import the named modules and make their ``main`` a command."""
    for name in names:
        app.command(name.replace("_", "-"))(import_module(f"benchmarks.{name}").main)


def _has_main(path: Path) -> bool:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in body)


if __name__ == "__main__":
    known = benchmark_names()
    sys.argv[1:2] = [part.replace("_", "-") for part in sys.argv[1:2]]  # early_warning is early-warning
    wanted = [name for name in known if name.replace("_", "-") in sys.argv[1:2]]
    register(wanted or known)  # the others would import torch and more for nothing
    app()
