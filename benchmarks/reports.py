"""How long each report takes at the size of a large university: from the store to its files.

Every shipped profile is computed (all programmes together where the instrument allows that, else for a
programme of its level), suppressed, and printed as XLSX, PDF and CSV. The limit is five seconds for each.

The register has a programme of every level, and exits that are as rare as small counts are: some die, some
transfer, some enter with prior learning, few leave in their first year. Of a random register's even thousands
nothing would have to be hidden, and suppression would be timed at rest. The result says how many small counts
each table had and how many figures its public file hides; public files pile up from report to report, as they
do in an office.
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
from dashboard.reports import describe, pipeline
from dashboard.reports.cohort_report import cohort_report, cohort_tables
from dashboard.reports.profile import profile_ids, profile_levels
from data.calendar.term_calendar import term_after, term_end
from data.store import RecordFrames, open_store
from data.trust.scope import Scope
from data.trust.small_cells import THRESHOLD

LIMIT_SECONDS = 5.0
OBSERVED_UNTIL = date(2026, 8, 31)
PROGRAM = "P00"
LEVEL_OF = {"P01": "D3", "P02": "D4", "P03": "S2", "P04": "S3"}
NORMAL = {"D3": 6, "D4": 8, "S1": 8, "S2": 4, "S3": 6}
RARE = {"deceased": 0.001, "transferred": 0.002, "expelled": 0.0015}
"""Exits by their share of all students: in one programme and cohort of some 400, none to two."""
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
        write(store, with_dates(with_rare_events(register_frames(students, terms, rng), rng), rng))
        warm_up()
        clock = Clock()
        register = pipeline.read_register(store, Scope.system())
        reading = clock.lap()
        reports = {
            name: timed_report(store, register, name, program)
            for name in profile_ids()
            for program in programs_of(name)[:1]
        }
        reports["cohort-report"] = timed_cohort_report(store, register)
        store.close()
    for steps in reports.values():
        timed = [step for step in steps.values() if isinstance(step, dict)]
        in_all = {kind: reading[kind] + sum(step[kind] for step in timed) for kind in KINDS}
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
        "reports_with_hidden_figures": sum(steps.get("figures_hidden", 0) > 0 for steps in reports.values()),
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


def with_rare_events(frames: RecordFrames, rng: np.random.Generator) -> RecordFrames:
    """The register with a programme of every level and with rare events: counts are small."""
    programs = frames.programs.copy()
    programs["degree_level"] = programs["program_code"].map(LEVEL_OF).fillna("S1")
    programs["normal_terms"] = programs["degree_level"].map(NORMAL)
    students, outcomes = frames.students.copy(), frames.outcomes.copy()
    prior = rng.random(len(students)) < 0.003
    students["entry_type"] = students["entry_type"].mask(prior, "recognised_prior_learning")
    early = (outcomes["terms_to_exit"] <= 4) & (outcomes["exit_type"] == "graduated")
    outcomes.loc[early, "terms_to_exit"] += 6  # none so early, hardly any in the third
    soon = (outcomes["terms_to_exit"] <= 2) & (rng.random(len(outcomes)) < 0.97)
    outcomes.loc[soon, "terms_to_exit"] += 3
    for exit_type, share in RARE.items():
        chosen = outcomes["exit_type"].notna() & (rng.random(len(outcomes)) < 2 * share)
        outcomes.loc[chosen, "exit_type"] = exit_type
    return replace(frames, programs=programs, students=students, outcomes=outcomes)


def programs_of(profile_id: str) -> list[str]:
    """The programmes that a profile is computed for; one empty code where all of them are taken together."""
    if not pipeline.asks_level(profile_id):
        return [""]
    levels = profile_levels(profile_id)
    return [PROGRAM] if "S1" in levels else [code for code, level in LEVEL_OF.items() if level in levels]


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


def timed_report(store, register: pipeline.Register, profile_id: str, program: str) -> dict:
    """Seconds of each step of one report, one language, every cell shown; and what its public file hides."""
    request = pipeline.Request(profile_id, program, register.last_full_year(program))
    clock = Clock()
    table, provenance = pipeline.build(store, register, request)
    steps: dict = {"table": clock.lap()}
    shown = pipeline.public(store, register, table)
    steps["suppression"] = clock.lap()
    pipeline.print_files(store, register, table, provenance, languages=("id",), audiences=("internal",))
    steps["files"] = clock.lap()
    formats = {column.key: column.format for column in table.columns}
    counts = [cell.value for cell in table.cells.values() if formats[cell.column] == "0" and cell.value]
    small = sum(value < THRESHOLD for value in counts)
    return steps | {"small_counts": small, "figures_hidden": describe.hidden_figures(shown)[0]}


def timed_cohort_report(store, register: pipeline.Register) -> dict[str, dict[str, float]]:
    """Seconds of the cohort report of the whole university."""
    clock = Clock()
    tables = cohort_tables(register.flow, external=True)
    steps = {"table": clock.lap()}
    cohort_report(tables, pipeline.origin(store, register), "id")
    return steps | {"files": clock.lap()}
