"""How a benchmark says on what machine, on what code and when it measured, and writes its file."""

from __future__ import annotations

import json
import os
import platform
from datetime import date
from pathlib import Path

import typer

_running: list[str] = []
"""Name of the benchmark that the command line runs, as its file has it."""


def machine() -> dict[str, object]:
    """Cores, processor and Python of this machine; nothing that names it."""
    model = ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "cores": os.cpu_count(),
        "processor": model or platform.machine(),
        "python": platform.python_version(),
        "accelerator": "none used",
    }


def running(name: str | None) -> None:
    """Remember which benchmark the command line runs; its results bear the name."""
    _running[:] = [name.replace("-", "_")] if name else []


def refuse_anothers_file(result: dict, path: Path) -> None:
    """A figure is never written over one of another kind: another benchmark, or another data set."""
    if not path.exists():
        return
    held = json.loads(path.read_text(encoding="utf-8"))
    for key in ("benchmark", "data"):
        if key in held and key in result and held[key] != result[key]:
            raise typer.BadParameter(
                f"{path.name} holds {key} {held[key]}, and this is {result[key]}: name another file",
                param_hint="--json",
            )


def write_result(result: dict, path: Path | None) -> None:
    """Write a result with the benchmark's name, machine and date as JSON, if a path is given.

    Raises
    ------
    typer.BadParameter
        When the file holds another benchmark's result, or the same one's on another data set.
    """
    if path is None:
        return
    named = {"benchmark": _running[0]} if _running else {}
    refuse_anothers_file({**result, **named}, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {**named, **result, "machine": machine(), "measured_on": date.today().isoformat()}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
