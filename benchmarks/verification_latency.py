"""One questioned signature, file to outcome: how long an office waits, with everything that is kept written.

A comparison reads the file, checks it, describes it, scores it against the student's references, and writes
decision, encrypted image and audit entry to a SQLite store; the process is warm, as a server is.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.report_file import write_result

TARGET_MS = 150
WARM_UP = 5
DPI = 300


def main(
    students: Annotated[int, typer.Option(min=20, help="Students of the demo register.")] = 60,
    repeats: Annotated[int, typer.Option(min=10, help="Signatures compared.")] = 100,
    threads: Annotated[int, typer.Option(min=1, help="Threads for numerical work.")] = 2,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Time of one verification, p50 and p95."""
    from vision.threads import use_threads

    use_threads(threads)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        seconds, busy, versions = measure(Path(folder), students, repeats)
    p50, p95 = (round(1000 * float(np.percentile(seconds, share)), 1) for share in (50, 95))
    typer.echo(f"file to outcome, warm: p50 {p50:.0f} ms, p95 {p95:.0f} ms (target {TARGET_MS} ms)")
    result = {
        "data": "synthetic demo data",
        "protocol": {
            "name": "file to outcome, warm, one at a time, SQLite store",
            "students": students,
            "repeats": repeats,
            "threads": threads,
            "scan": "600 x 240 pixels, 300 dpi",
        },
        **versions,
        "p50_ms": p50,
        "p95_ms": p95,
        "processor_p50_ms": round(1000 * float(np.percentile(busy, 50)), 1),
        "processor_p95_ms": round(1000 * float(np.percentile(busy, 95)), 1),
        "target_ms": TARGET_MS,
        "load_before": round(load, 2),  # of everything on the machine; a busy one is slower by the clock
        "niceness": os.nice(0),
        "load_after": round(os.getloadavg()[0], 2),
    }
    write_result(result, json_file)


def measure(folder: Path, students: int, repeats: int) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Seconds of each verification by the clock and of processor time, and the versions that took part."""
    from data.store import open_store
    from data.synthetic.demo import write_demo
    from data.trust.scope import Scope
    from vision.verification.verification_pipeline import enrol_all, reads, verify

    store = open_store(folder=folder)
    write_demo(store, students=students, seed=1)
    enrol_all(store, Scope.system(), actor="benchmark")
    keys = reads.enrolments(store, Scope.system())["student_key"].tolist()
    paths = questioned_files(folder, WARM_UP + repeats)
    seconds, busy = [], []
    for place, path in enumerate(paths):
        started, worked = time.perf_counter(), time.process_time()
        made = verify(store, keys[place % len(keys)], path.read_bytes(), actor="benchmark")
        seconds.append(time.perf_counter() - started)
        busy.append(time.process_time() - worked)
    store.close()
    return np.array(seconds[WARM_UP:]), np.array(busy[WARM_UP:]), made.versions


def questioned_files(folder: Path, count: int) -> list[Path]:
    """Scans of signatures that no student of the register wrote."""
    from data.synthetic import signatures
    from data.synthetic.paper import encode_png

    paths = []
    for number in range(count):
        rng = np.random.default_rng((3, number))
        signed = signatures.perform(signatures.make_writer(rng), rng)
        path = folder / f"questioned-{number}.png"
        path.write_bytes(encode_png(signatures.render_scan(signed, rng), DPI))
        paths.append(path)
    return paths
