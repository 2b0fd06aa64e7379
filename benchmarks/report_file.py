"""How a benchmark says on what machine, on what code and when it measured, and writes its file."""

from __future__ import annotations

import json
import os
import platform
from datetime import date
from pathlib import Path


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


def write_result(result: dict, path: Path | None) -> None:
    """Write a result with machine and date as JSON, if a path is given."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {**result, "machine": machine(), "measured_on": date.today().isoformat()}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
