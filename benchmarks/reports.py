"""How long each report takes at the size of a large university: from the store to its files.

Every shipped profile is computed (all programmes together where the instrument allows that, else the largest
programme), suppressed, and printed as XLSX, PDF and CSV. The limit is five seconds for any of them.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from benchmarks.report_file import write_result
from benchmarks.store import register_frames, write
from dashboard.reports import pipeline
from dashboard.reports.cohort_report import cohort_report, cohort_tables
from dashboard.reports.profile import profile_ids, profile_levels
from data.calendar.term_calendar import term_after, term_end
from data.store import RecordFrames, open_store
from data.trust.scope import Scope

LIMIT_SECONDS = 5.0
OBSERVED_UNTIL = date(2026, 8, 31)
PROGRAM = "P00"
DAYS_TO_CEREMONY = 20
KINDS = ("wall", "cpu")


def main(
    students: Annotated[int, typer.Option(min=100, help="Students in the register.")] = 100_000,
    terms: Annotated[int, typer.Option(min=1, max=14, help="Term rows per student.")] = 8,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Fill a store, then time every report."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder=Path(folder))
        write(store, with_dates(register_frames(students, terms, rng), rng))
        warm_up()
        clock = Clock()
        register = pipeline.read_register(store, Scope.system())
        reading = clock.lap()
        level = register.programs.set_index("program_code")["degree_level"][PROGRAM]
        asked = [name for name in profile_ids() if level in (profile_levels(name) or (level,))]
        reports = {name: timed_report(store, register, name) for name in asked}
        reports["cohort-report"] = timed_cohort_report(store, register)
        store.close()
    for steps in reports.values():
        in_all = {kind: reading[kind] + sum(step[kind] for step in steps.values()) for kind in KINDS}
        steps["in_all"] = {kind: round(seconds, 2) for kind, seconds in in_all.items()}
    slowest = {kind: max(steps["in_all"][kind] for steps in reports.values()) for kind in KINDS}
    result = {
        "what": "reports: register read, table, suppression, XLSX + PDF + CSV",
        "on": date.today().isoformat(),
        "data": "synthetic: random numbers of the register's shape",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "load_average": round(os.getloadavg()[0], 1),
        "note": "wall: as waited for, with whatever else the machine was doing; cpu: of this process alone",
        "rows": {"students": students, "terms": students * terms},
        "read_register": reading,
        "reports": reports,
        "slowest_seconds": slowest,
        "limit_seconds": LIMIT_SECONDS,
        "within_limit": {kind: seconds < LIMIT_SECONDS for kind, seconds in slowest.items()},
    }
    typer.echo(json.dumps(result, indent=1))
    write_result(result, json_file)


def with_dates(frames: RecordFrames, rng: np.random.Generator) -> RecordFrames:
    """The register with exit dates that follow from terms to exit, none after the day of observation."""
    cohort = frames.students["cohort_term"].to_numpy()
    outcomes = frames.outcomes.copy()
    steps = outcomes["terms_to_exit"].to_numpy()
    known: dict[tuple[int, int], pd.Timestamp] = {}
    dates = []
    for term, step in zip(cohort, steps, strict=True):
        if np.isnan(step):
            dates.append(pd.NaT)
            continue
        key = (int(term), int(step))
        if key not in known:
            last = term_end(term_after(key[0], key[1] - 1))
            known[key] = pd.Timestamp(last) + pd.Timedelta(days=DAYS_TO_CEREMONY)
        dates.append(known[key])
    outcomes["exit_date"] = pd.Series(dates)
    late = outcomes["exit_date"] > pd.Timestamp(OBSERVED_UNTIL)
    outcomes.loc[late, ["exit_type", "exit_date", "terms_to_exit"]] = [None, pd.NaT, np.nan]
    outcomes["gpa_final"] = np.where(
        outcomes["exit_type"] == "graduated", rng.uniform(2, 4, len(outcomes)), np.nan
    )
    return replace(frames, outcomes=outcomes.assign(observed_until=OBSERVED_UNTIL))


def warm_up() -> None:
    """Import what the first report would import: a served application has done so long before."""
    from dashboard.reports.charts import grouped_bars

    grouped_bars("warm", ["a"], {"b": [1]}, "en")


class Clock:
    """Seconds since the last lap, waited for and computed."""

    def __init__(self) -> None:
        self.last = (time.perf_counter(), time.process_time())

    def lap(self) -> dict[str, float]:
        """``wall`` and ``cpu`` seconds since the last lap."""
        now = (time.perf_counter(), time.process_time())
        passed = [round(new - old, 3) for new, old in zip(now, self.last, strict=True)]
        self.last = now
        return dict(zip(KINDS, passed, strict=True))


def timed_report(store, register: pipeline.Register, profile_id: str) -> dict[str, dict[str, float]]:
    """Seconds of each step of one report, one language, every cell shown."""
    program = PROGRAM if pipeline.asks_level(profile_id) else ""
    request = pipeline.Request(profile_id, program, register.last_full_year(program))
    clock = Clock()
    table, provenance = pipeline.build(store, register, request)
    steps = {"table": clock.lap()}
    pipeline.public(store, register, table)
    steps["suppression"] = clock.lap()
    pipeline.print_files(store, register, table, provenance, languages=("id",), audiences=("internal",))
    return steps | {"files": clock.lap()}


def timed_cohort_report(store, register: pipeline.Register) -> dict[str, dict[str, float]]:
    """Seconds of the cohort report of the whole university."""
    clock = Clock()
    tables = cohort_tables(register.flow, external=True)
    steps = {"table": clock.lap()}
    cohort_report(tables, pipeline.origin(store, register), "id")
    return steps | {"files": clock.lap()}
