"""Scoring a register in one process and on workers of the same machine, alternately, and what differs.

The register is synthetic and the model small: only sizes matter. What is timed is the whole command's work,
from reading the register to the last score written, and apart from it the start of the workers.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from benchmarks.registers import make_register
from benchmarks.report_file import write_result
from data import queries
from data.engine.spread import HERE, made_by, spread_over
from data.store import RecordFrames, Store, open_store, write_records
from data.trust.scope import Scope
from fusion import pipeline
from fusion.model.booster import TreeSettings
from fusion.service import scoring, serving
from fusion.service.sources import served_model


def main(
    students: Annotated[int, typer.Option(min=200, help="Students of the register.")] = 10_000,
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 3,
    repeats: Annotated[int, typer.Option(min=1)] = 3,
    chunk: Annotated[int, typer.Option(min=1, help="Rows per chunk.")] = scoring.CHUNK,
    seed: Annotated[int, typer.Option()] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Seconds of either way, and the largest difference between their scores and explanations."""
    scoring.CHUNK = chunk
    seconds: dict[str, list[float]] = {"local": [], "workers": []}
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        trained(base / "trained", students, seed)
        made_by()
        began = time.perf_counter()
        cluster = stack.enter_context(spread_over(f"local:{workers}"))
        start = time.perf_counter() - began
        told, count = {}, 0
        for number in range(repeats):
            for name, way in (("local", HERE), ("workers", cluster)):
                store = stack.enter_context(copied(base / "trained", base / f"{name}{number}"))
                began = time.perf_counter()
                count = pipeline.score(store, spread=way)
                seconds[name].append(time.perf_counter() - began)
                told[name] = scores_of(store)
        differs = float(np.nanmax(np.abs(told["local"] - told["workers"])))
    middle = {name: float(np.median(all_of)) for name, all_of in seconds.items()}
    for name, spent in middle.items():
        typer.echo(f"{name:8s} {spent:8.2f} s, {1e6 * spent / count:8.0f} s per million scores")
    typer.echo(f"start of {workers} workers {start:.2f} s; {count} scores, largest difference {differs:.1e}")
    write_result(
        {
            "command": f"python -m benchmarks spread --students {students} --workers {workers}",
            "data": f"synthetic register of {students} students, SQLite, {count} scores with explanations",
            "protocol": f"whole scoring, wall time, alternately, {repeats} repeats; the start apart",
            "chunk_rows": chunk,
            "seconds": {
                name: {"least": min(one), "median": middle[name], "most": max(one)}
                for name, one in seconds.items()
            },
            "start_of_workers_seconds": start,
            "ratio_local_to_workers": middle["local"] / middle["workers"],
            "largest_difference": differs,
        },
        json_file,
    )


def trained(folder: Path, students: int, seed: int) -> None:
    """A store with a register and a model in service that has scored nobody."""
    register = make_register(students, np.random.default_rng(seed), signed=0)
    frames = RecordFrames(
        programs=register.programs.assign(name=register.programs["program_code"]),
        **{
            name: getattr(register, name).rename(columns={"student_key": "student_number"})
            for name in ("students", "terms", "outcomes")
        },
    )
    folder.mkdir()
    store, scores = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder), serving.score
    write_records(store, frames, source="simulated.csv", files={}, actor="benchmark", synthetic=True)
    try:
        serving.score = lambda *_, **__: 0
        pipeline.train(store, settings=TreeSettings(rounds=100), draws=20, seed=seed)
    finally:
        serving.score = scores
        store.close()


def copied(source: Path, folder: Path) -> closing[Store]:
    """A copy of a store, closed with its block."""
    shutil.copytree(source, folder)
    return closing(open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder))


def scores_of(store: Store) -> np.ndarray:
    """Margins, risks and explanations of every score, in one order."""
    stored = served_model(store)
    assert stored is not None
    tables = [queries.scores(store, stored.version, target) for target in ("late", "dropout")]
    scores = pd.concat(tables).sort_values(["target", "as_of_index", "student_key"])
    kept = [queries.explanation(store, Scope.system(), int(one)) for one in scores["score_id"]]
    return np.column_stack(
        [scores[["margin", "risk"]].to_numpy(float), np.array([one.phi for one in kept], float)]
    )
