"""How long an import takes, and what a page's queries cost, at the size of a large university.

The register is filled with random numbers of the right shape (synthetic, not plausible): only sizes matter
here. Times are of one machine; compare the ratios of one run, not absolute times of two.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from sqlalchemy import func, select

from data import queries
from data.calendar.term_calendar import from_ordinal, ordinal, term_end
from data.cases.events import MOST_AT_ONCE, add_case_events
from data.columns import BANDS
from data.store import RecordFrames, open_store, save_model, write_records, write_scores
from data.trust import audit
from data.trust.scope import Scope

PROGRAMS = 30
COHORTS = [20171 + 10 * year for year in range(8)]
OBSERVED_UNTIL = date(2025, 8, 31)
STUDENTS_PER_ADVISOR = 40
FEATURES = 60
REPEATS = 40


def main(
    students: Annotated[int, typer.Option(min=100, help="Students in the register.")] = 100_000,
    terms: Annotated[
        int, typer.Option(min=1, max=14, help="Term rows per student, of those that were over.")
    ] = 12,
    scored: Annotated[int, typer.Option(min=1, max=9, help="As-of indexes scored per enrolled student.")] = 4,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
    url: Annotated[str, typer.Option(help="Database to use, empty; by default a new SQLite file.")] = "",
) -> None:
    """Import, repeat the import, score, and ask what pages ask."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(url or None, folder=Path(folder))
        frames = so_far(register_frames(students, terms, rng))
        seconds = {"import_new": timed(lambda: write(store, frames))}
        seconds["import_same"] = timed(lambda: write(store, frames))
        changed = frames.terms.sample(frac=0.01, random_state=seed).assign(gpa_cum=2.0)
        seconds["import_1_percent_changed"] = timed(lambda: write(store, RecordFrames(terms=changed)))
        one = frames.terms.query("student_number == student_number.iloc[0]").assign(gpa_cum=3.0)
        seconds["import_one_student"] = timed(lambda: write(store, RecordFrames(terms=one)))
        save_model(store, "benchmark", "benchmark", {}, "served")
        parts = score_parts(store, scored, rng)
        seconds["write_scores"] = timed(lambda: write_scores(store, *parts))
        seconds["log_cases"] = timed(lambda: log_cases(store))
        seconds["records_until_4"] = timed(lambda: queries.records_until(store, 4))
        milliseconds = {name: spread(call) for name, call in page_queries(store, rng).items()}
        rows = queries.counts(store).set_index("table")["rows"]
        size = database_bytes(store, Path(folder))
        store.close()
    result = {
        "what": "store: import, scores and page queries",
        "on": date.today().isoformat(),
        "data": "synthetic: random numbers of the register's shape",
        "machine": {
            "cores": os.cpu_count(),
            "load": round(os.getloadavg()[0], 1),
            "python": platform.python_version(),
        },
        "database": "SQLite " + sqlite3.sqlite_version if not url else "PostgreSQL",
        "rows": {
            name: int(rows[name])
            for name in ("students", "terms", "scores", "risk_current", "risk_cube", "case_events")
        },
        "file_megabytes": round(size / 1e6, 1),
        "seconds": {name: {k: round(v, 2) for k, v in value.items()} for name, value in seconds.items()},
        "milliseconds": milliseconds,
    }
    show(result)
    if json_file is not None:
        json_file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def register_frames(n: int, terms: int, rng: np.random.Generator) -> RecordFrames:
    """A register of ``n`` students with ``terms`` rows each."""
    codes = [f"P{number:02d}" for number in range(PROGRAMS)]
    programs = pd.DataFrame({"program_code": codes, "name": codes, "degree_level": "S1"})
    programs = programs.assign(normal_terms=8, required_credits=144)
    numbers = np.array([f"{10_000_000 + number}" for number in range(n)])
    cohort = rng.choice(COHORTS, n)
    students = pd.DataFrame(
        {
            "student_number": numbers,
            "name": [f"Synthetic Student {number}" for number in range(n)],
            "program_code": rng.choice(codes, n),
            "cohort_term": cohort,
            "entry_type": rng.choice(["new", "transfer"], n, p=[0.95, 0.05]),
            "sex": rng.choice(["L", "P"], n),
            "birth_year": cohort // 10 - 18,
            "tuition_band": rng.integers(1, 9, n),
            "advisor": np.array([f"advisor{number // STUDENTS_PER_ADVISOR}" for number in range(n)]),
        }
    )
    row, index = np.repeat(np.arange(n), terms), np.tile(np.arange(terms), n)
    first = pd.Series(cohort).map(ordinal).to_numpy()[row]
    calendar = {number: from_ordinal(number) for number in np.unique(first + index)}
    gpa = np.round(rng.uniform(1, 4, len(row)), 2)
    gpa[rng.random(len(row)) < 0.03] = np.nan
    table = pd.DataFrame(
        {
            "student_number": numbers[row],
            "term_id": pd.Series(first + index).map(calendar).to_numpy(),
            "term_index": index + 1,
            "status": rng.choice(["A", "C", "N"], len(row), p=[0.94, 0.04, 0.02]),
            "gpa_term": gpa,
            "gpa_cum": gpa,
            "credits_attempted": rng.integers(12, 24, len(row)),
            "credits_passed": rng.integers(0, 21, len(row)),
            "credits_cum": 18 * (index + 1),
            "courses_failed": rng.integers(0, 4, len(row)),
            "courses_repeated": rng.integers(0, 3, len(row)),
            "attendance_rate": np.round(rng.uniform(0.4, 1, len(row)), 3),
            "tuition_arrears_days": rng.integers(0, 120, len(row)),
        }
    )
    exit_type = rng.choice(["graduated", "resigned", ""], n, p=[0.4, 0.1, 0.5])
    outcomes = pd.DataFrame(
        {"student_number": numbers, "exit_type": np.where(exit_type == "", None, exit_type)}
    )
    outcomes["terms_to_exit"] = np.where(exit_type == "", np.nan, rng.integers(1, 13, n))
    return RecordFrames(programs, students, table, outcomes.assign(observed_until=OBSERVED_UNTIL))


def database_bytes(store, folder: Path) -> int:
    """What the database takes on disk."""
    if store.engine.dialect.name == "sqlite":
        return sum(path.stat().st_size for path in folder.glob("tepat.db*"))
    with store.reading() as connection:
        return connection.scalar(select(func.pg_database_size(func.current_database())))


def so_far(frames: RecordFrames) -> RecordFrames:
    """The register as it is on the day until which it was observed: the young have had fewer terms."""
    over = frames.terms["term_id"].map(term_end) <= OBSERVED_UNTIL
    return replace(frames, terms=frames.terms[over].reset_index(drop=True))


def write(store, frames: RecordFrames) -> None:
    """One import."""
    write_records(store, frames, source="benchmark", files={}, actor="benchmark", synthetic=True)


def score_parts(store, indexes: int, rng: np.random.Generator) -> tuple:
    """Arguments of ``write_scores``: every enrolled student, both targets, ``indexes`` as-of indexes."""
    outcomes = queries.outcomes(store)
    keys = outcomes.loc[outcomes["exit_type"].isna(), "student_key"].to_numpy()
    shape = (len(keys), indexes, 2)
    n = int(np.prod(shape))
    risk = np.round(rng.beta(2, 5, n), 4)
    frame = pd.DataFrame(
        {
            "student_key": np.repeat(keys, indexes * 2),
            "as_of_index": np.tile(np.repeat(np.arange(indexes), 2), len(keys)),
            "as_of_term": 20231,
            "target": np.tile(["late", "dropout"], len(keys) * indexes),
            "model_version": "benchmark",
            "modality": "fused",
            "risk": risk,
            "risk_low": np.maximum(risk - 0.1, 0),
            "risk_high": np.minimum(risk + 0.1, 1),
            "margin": np.log((risk + 1e-6) / (1 - risk + 1e-6)),
            "band": np.array(BANDS)[np.minimum((risk * 6).astype(int), 3)],
        }
    )
    phi = rng.normal(size=(n, FEATURES)).astype("float32")
    return frame, phi, phi, np.full(n, -1.0)


def log_cases(store) -> None:
    """What a year of work leaves: of every enrolled student a step that is due and a note."""
    outcomes = queries.outcomes(store)
    keys = outcomes.loc[outcomes["exit_type"].isna(), "student_key"].tolist()
    for some in (keys[start : start + MOST_AT_ONCE] for start in range(0, len(keys), MOST_AT_ONCE)):
        add_case_events(store, some, "advisor1", "contact", {"due_on": "2024-01-01", "stays": True})
        add_case_events(store, some, "advisor1", "note", {"text": "synthetic"})


def page_queries(store, rng: np.random.Generator) -> dict[str, Callable[[], object]]:
    """What pages ask, each with changing arguments so that no cache answers."""
    everyone = Scope.system()
    leader = Scope("rector", "leadership", False, None, False, False)
    keys = queries.caseload(store, everyone, "late", 500)["student_key"].to_numpy()

    def advisor() -> Scope:
        last = int(queries_advisors)
        return Scope(f"advisor{rng.integers(last)}", "advisor", True, None, True, True)

    queries_advisors = max(1, queries.kpi_counts(store, leader)["students"] // STUDENTS_PER_ADVISOR)
    code = lambda: f"P{rng.integers(PROGRAMS):02d}"  # noqa: E731
    cohort, band, key = (
        (lambda: int(rng.choice(COHORTS))),
        (lambda: rng.choice(BANDS)),
        lambda: rng.choice(keys),
    )
    late = "late"
    return {
        "caseload_advisor_50": lambda: queries.caseload(store, advisor(), late, 50),
        "caseload_all_50": lambda: queries.caseload(store, everyone, late, 50),
        "caseload_all_500": lambda: queries.caseload(store, everyone, late, 500),
        "caseload_program_50": lambda: queries.caseload(store, everyone, late, 50, program_code=code()),
        "caseload_cohort_50": lambda: queries.caseload(store, everyone, late, 50, cohort_term=cohort()),
        "caseload_band_50": lambda: queries.caseload(store, everyone, late, 50, band=str(band())),
        "caseload_search": lambda: queries.caseload(
            store, everyone, late, 50, search=str(rng.integers(9999))
        ),
        "caseload_advisor_search": lambda: queries.caseload(store, advisor(), late, 50, search="1"),
        "caseload_size_all": lambda: queries.caseload_size(store, everyone, late),
        "cohort_cube_now": lambda: queries.cohort_cube(store, leader, late),
        "cohort_cube_past": lambda: queries.cohort_cube(store, leader, late, 1),
        "cohort_cube_advisor": lambda: queries.cohort_cube(store, advisor(), late),
        "kpi_counts": lambda: queries.kpi_counts(store, leader),
        "retention": lambda: queries.retention(store, leader),
        "student": lambda: queries.student(store, everyone, str(key())),
        "term_rows": lambda: queries.term_rows(store, everyone, str(key())),
        "score_history": lambda: queries.score_history(store, everyone, str(key())),
        "explanation": lambda: queries.explanation(store, everyone, int(rng.integers(1, 1000))),
        "search_students": lambda: queries.search_students(store, everyone, str(rng.integers(99999))),
        "followups_due": lambda: queries.followups_due(store, advisor(), date(2024, 6, 1)),
        "case_events": lambda: queries.case_events(store, everyone, str(key())),
        "last_events_advisor": lambda: queries.last_events(store, advisor()),
        "quiet_students_advisor": lambda: queries.quiet_students(store, advisor(), date(2024, 6, 1)),
        "audit_append": lambda: audit.append(
            store, actor="advisor1", role="advisor", action="view student", object=str(key())
        ),
    }


def timed(call: Callable[[], object]) -> dict[str, float]:
    """Wall and processor seconds of one call; the second is what the call costs on a busy machine too."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def spread(call: Callable[[], object]) -> dict[str, float]:
    """Milliseconds of :data:`REPEATS` calls after one to warm up: median and 95th percentile of the wall
    time, and the median of the processor time."""
    call()
    times = pd.DataFrame([timed(call) for _ in range(REPEATS)]) * 1000
    figures = {
        "p50": times["wall"].median(),
        "p95": times["wall"].quantile(0.95),
        "cpu": times["cpu"].median(),
    }
    return {name: round(float(value), 2) for name, value in figures.items()}


def show(result: dict) -> None:
    """Print the result as two small tables."""
    typer.echo(
        f"{result['rows']['students']:,} students, {result['rows']['terms']:,} term rows, "
        f"{result['rows']['scores']:,} scores; {result['database']}; {result['file_megabytes']} MB"
    )
    for name, value in result["seconds"].items():
        typer.echo(f"  {name:28s} {value['wall']:9.2f} s    processor {value['cpu']:9.2f} s")
    for name, value in result["milliseconds"].items():
        typer.echo(
            f"  {name:28s} {value['p50']:9.2f} ms   p95 {value['p95']:9.2f} ms"
            f"   processor {value['cpu']:8.2f} ms"
        )
