"""Do intervals of 95 % cover in 95 % of cases? Simulated registers whose truth is known.

Two kinds are checked: the bootstrap intervals of the figures of merit, for students drawn one by one with
several rows each and for students in cells of cohort × programme that differ in level; and the range printed
beside a student's risk, which should hold the true risk of such students. And the drift alarm: how often it
rings without and with a planted shift.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.registers import make_register
from benchmarks.report_file import write_result
from fusion import metrics
from fusion.features.assemble import all_rows
from fusion.features.build import register_date
from fusion.model.booster import sigmoid
from fusion.model.calibrate import fit_calibrator
from fusion.monitoring.monitor import look
from fusion.validation.evaluate import all_figures
from fusion.validation.report import table as text_table

FIGURES = (
    *("roc_auc", "roc_auc_within_programme", "pr_auc", "brier", "slope"),
    *("precision_at_10", "precision_at_20"),
)
DESIGNS = {"students": (0.0, 600), "cells": (0.35, 600)}  # spread between cells on the log-odds; students
CELLS, ROWS_EACH = 28, 3
PROGRAMMES = 4
SHIFTS = (0.0, 1.0, -1.0, 2.0)
ARCHIVES = (100, 300, 1000, 3000, 10_000)  # past students behind a range


def main(
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    samples: Annotated[int, typer.Option(min=20, help="Simulated samples per design.")] = 400,
    draws: Annotated[int, typer.Option(min=40, help="Bootstrap draws per sample.")] = 400,
    registers: Annotated[int, typer.Option(min=2, help="Registers per planted shift.")] = 20,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Measure the coverage of every kind of interval, and how often the drift alarm rings."""
    rows = [row for design in DESIGNS for row in figure_coverage(design, samples, draws, seed)]
    rows += [range_coverage(size, max(20, samples // 4), seed) for size in ARCHIVES]
    shown = "{covered:.3f} ({low:.3f} to {high:.3f})"
    cells = [[row["design"], row["interval"], shown.format(**row)] for row in rows]
    typer.echo(text_table(["design", "95 % interval of", "covers"], cells))
    alarms = [alarm_rate(shift, registers, seed) for shift in SHIFTS]
    cells = [[f"{a['shift']:g}", f"{a['alarms']} of {a['registers']}"] for a in alarms]
    typer.echo(text_table(["planted shift, log-odds", "drift alarms"], cells))
    write_result(
        {
            "command": f"python -m benchmarks coverage --samples {samples} --draws {draws} "
            f"--registers {registers} --seed {seed}",
            "data": "simulated",
            "protocol": "share of simulated samples whose interval holds the population's value, with "
            "its own 95 % interval; alarms on cohorts whose outcome is not known yet",
            "rows": rows,
            "drift": alarms,
        },
        json_file,
    )


def simulate(students: int, spread: float, rng: np.random.Generator, cells: int = CELLS) -> dict:
    """Rows of ``students`` with their outcome and a risk that is neither perfect nor quite calibrated."""
    cell = rng.integers(0, cells, students)
    level = rng.normal(0, spread, cells)[cell] if spread else np.zeros(students)
    ability = rng.normal(size=students)
    outcome = (rng.random(students) < sigmoid(-0.8 + 1.3 * ability + level)).astype(float)
    owner = np.repeat(np.arange(students), ROWS_EACH)
    seen = ability[owner] + rng.normal(0, 0.7, len(owner))
    return {
        "outcome": outcome[owner],
        "risk": sigmoid(-0.7 + 1.1 * seen),
        "programme": (cell % PROGRAMMES)[owner].astype(str).astype(object),
        "group": (cell if spread else np.arange(students))[owner],
    }


def figure_coverage(design: str, samples: int, draws: int, seed: int) -> list[dict]:
    """Coverage of the bootstrap interval of every figure under one design."""
    spread, students = DESIGNS[design]
    rng = np.random.default_rng([seed, 1, int(spread * 100)])
    crowd = simulate(100_000, spread, rng, cells=4000 if spread else CELLS)
    truth = _figures(crowd, np.ones((1, len(crowd["outcome"]))))
    held = dict.fromkeys(FIGURES, 0)
    for _ in range(samples):
        sample = simulate(students, spread, rng)
        found = _figures(sample, metrics.bootstrap_weights(sample["group"], draws, rng))
        for name in FIGURES:
            e = metrics.estimate(found[name], clusters=len(np.unique(sample["group"])))
            held[name] += bool(e.low <= truth[name][0] <= e.high)
    return [_row(design, name, held[name], samples) for name in FIGURES]


def _figures(sample: dict, weight: np.ndarray) -> dict[str, np.ndarray]:
    return all_figures(sample["outcome"], sample["risk"], weight, sample["programme"])


def range_coverage(size: int, archives: int, seed: int) -> dict:
    """How often the range beside a risk holds the true risk, over archives of ``size`` past students.

    ``told`` is the share of students who are given a range: there is none beyond the outermost past students.
    """
    rng = np.random.default_rng([seed, 2, size])
    held, told = [], []
    for _ in range(archives):
        margin, fresh = rng.normal(-0.5, 1.2, size), rng.normal(-0.5, 1.2, 500)
        outcome = (rng.random(size) < _true_risk(margin)).astype(float)
        curve = fit_calibrator(margin, outcome, np.zeros(size))
        low, high = curve.interval(curve.risk(fresh), np.zeros(500))
        inside = np.isfinite(low)
        told.append(float(inside.mean()))
        held.append(float(((low <= _true_risk(fresh)) & (_true_risk(fresh) <= high))[inside].mean()))
    mean, error = float(np.mean(held)), float(np.std(held) / np.sqrt(archives))
    ends = {"low": round(mean - 1.96 * error, 4), "high": round(mean + 1.96 * error, 4)}
    about = {"design": f"archive of {size}", "interval": "risk of a student"}
    return about | {"covered": round(mean, 4), **ends, "told": round(float(np.mean(told)), 4)}


def _true_risk(margin: np.ndarray) -> np.ndarray:
    return sigmoid(0.2 + 0.9 * margin)


def alarm_rate(shift: float, registers: int, seed: int) -> dict:
    """How many registers alarm whose last intakes, of unknown outcome, differ by ``shift`` in risk."""
    alarms = 0
    for number in range(registers):
        rng = np.random.default_rng([seed, 3, number])
        register = make_register(2500, rng, signed=0, cohorts=7, shift=shift, read_after=14)
        rows = all_rows(lambda index, register=register: register)
        alarms += not look(register, rows, register_date(register), rng).trusted
    return {"shift": shift, "registers": registers, "alarms": alarms}


def _row(design: str, interval: str, held: int, count: int) -> dict:
    from scipy.stats import binomtest

    found = binomtest(held, count).proportion_ci(method="wilson")
    ends = {"low": round(float(found.low), 4), "high": round(float(found.high), 4)}
    return {"design": design, "interval": interval, "covered": round(held / count, 4), **ends}
