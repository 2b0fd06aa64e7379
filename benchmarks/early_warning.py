"""Early warning on public sets: ours beside logistic regression and the references, on one protocol.

Five folds by student, everything fitted inside the training part, several seeds; or forward in time where the
entry year is known. Intervals are 95 % bootstrap intervals over students. Folds share training rows, so the
interval describes the sample of students, not a repetition of the study.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from benchmarks.public_students import Task, oulad_tasks, uci_tasks
from benchmarks.report_file import write_result
from fusion import metrics
from fusion.features.encode import fit_encoder
from fusion.features.fuse import no_signatures
from fusion.features.rows import Rows, TrainingSet
from fusion.features.splits import grouped_folds
from fusion.model.booster import TreeSettings
from fusion.model.fit import fit_model
from fusion.validation.baselines import logistic_regression
from fusion.validation.evaluate import all_figures
from fusion.validation.report import table as text_table
from fusion.validation.worth import net_benefit

BENEFIT = "net_benefit"  # at the share of the event among those who taught
FIGURES = {
    "auc": "roc_auc",
    "pr_auc": "pr_auc",
    "brier": "brier",
    "ece": "ece",
    "ece_folds": "ece_folds",
    "precision_at_10": "precision_at_10",
    "precision_at_20": "precision_at_20",
}
SETTINGS = TreeSettings(rounds=400)
DRAWS = 500
LARGE = 10_000  # rows from which one repetition stands for three: such folds hardly differ


def main(
    data: Annotated[Path, typer.Option(help="Folder with uci697/ and oulad/.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the rows to this file.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=10, help="Repetitions of the folds.")] = 3,
    only: Annotated[str, typer.Option(help="Only tasks whose name and setting contain this text.")] = "",
) -> None:
    """Compare ours with logistic regression and the references on UCI 697 and OULAD."""
    done = json.loads(json_file.read_text()) if json_file is not None and json_file.exists() else {}
    rows = done.get("rows", []) if done.get("seeds") == seeds else []
    known = {(row["task"], row["setting"]) for row in rows}
    for tasks in (uci_tasks, oulad_tasks):
        for task in tasks(data):
            name = f"{task.task}, {task.setting}"
            if only.lower() not in name.lower() or (task.task, task.setting) in known:
                continue
            started = time.perf_counter()
            rows += measure(task, seeds)
            typer.echo(f"{name}: {time.perf_counter() - started:.0f} s")
            if json_file is not None:  # after every task, so that a broken run goes on where it was
                write_result({**about(seeds), "rows": rows}, json_file)
    typer.echo(as_text(rows))


def about(seeds: int) -> dict:
    """What the file says about itself."""
    return {
        "command": f"python -m benchmarks early-warning --data DIR --seeds {seeds}",
        "data": "UCI 697 and OULAD, both CC BY 4.0, not part of the project",
        "protocol": "five folds by student, or entry years up to 2014 against later ones; everything fitted "
        "inside the training part; 95 % bootstrap intervals over students",
        "seeds": seeds,
        "draws": DRAWS,
    }


def measure(task: Task, seeds: int) -> list[dict]:
    """Rows of one task: ours, logistic regression, the reference."""
    risks = {"ours": [], "logistic regression": []}
    judged = np.ones(len(task.outcome), bool) if task.train is None else ~task.train
    repeats = seeds if len(task.outcome) < LARGE else (seeds + 2) // 3
    for seed in range(repeats):
        for name, risk in held_out_risks(task, seed).items():
            risks[name].append(risk[judged])
    weight = metrics.bootstrap_weights(task.group[judged], DRAWS, np.random.default_rng(0))
    outcome = task.outcome[judged]
    rows = []
    for name, repeated in risks.items():
        one_group = np.zeros(len(outcome))
        figures = [
            all_figures(outcome, risk, weight, one_group) | beside(task, outcome, risk, weight, judged)
            for risk in repeated
        ]
        row = {"task": task.task, "setting": task.setting, "model": name}
        row |= {"rows": int(judged.sum()), "repeats": repeats}
        for key, figure in (FIGURES | {BENEFIT: BENEFIT}).items():
            e = metrics.estimate(
                np.mean([f[figure] for f in figures], axis=0), recentre=key.startswith("ece")
            )
            row[key] = {"value": round(e.value, 4), "low": round(e.low, 4), "high": round(e.high, 4)}
        rows.append(row)
    rows.append({"task": task.task, "setting": task.setting, "model": "reference", **task.references})
    return rows


def beside(task: Task, outcome, risk, weight, judged: np.ndarray) -> dict[str, np.ndarray]:
    """The mean calibration error over five parts of the students, and the net benefit."""
    parts = np.unique(task.group[judged], return_inverse=True)[1] % 5
    teaching = task.outcome if task.train is None else task.outcome[task.train]
    share = float(np.clip(teaching.mean(), 0.05, 0.5))
    return {
        "ece_folds": metrics.calibration_error_of_parts(outcome, risk, weight, parts),
        BENEFIT: net_benefit(outcome, (risk >= share).astype(float), share, weight),
    }


def held_out_risks(task: Task, seed: int) -> dict[str, np.ndarray]:
    """Risk of every judged row by models that saw no row of its group."""
    rows, rng = as_rows(task), np.random.default_rng([seed, 7])
    risks = {name: np.full(len(rows), np.nan) for name in ("ours", "logistic regression")}
    if task.train is not None:
        parts = [(task.train, ~task.train)]
    else:
        parts = grouped_folds(task.group, task.outcome, 5, rng)
    for train, test in parts:
        training_set = TrainingSet(rows.take(train), task.outcome[train])
        # The references of these public sets were measured with demographic columns; the product bars them.
        encoder = fit_encoder(training_set.rows.table, allow_protected=True)
        model = fit_model({"late": training_set}, seed=seed, settings=SETTINGS, encoder=encoder)
        risks["ours"][test] = model.risk(rows.take(test), "late")
        risks["logistic regression"][test] = logistic_regression(training_set, rows.take(test), model.encoder)
    return risks


def as_rows(task: Task) -> Rows:
    """Rows of one as-of term, in the form that models take."""
    meta = pd.DataFrame(
        {
            "student_key": pd.Series(task.group).astype(str).astype(object),
            "as_of_index": 0,
            "program_code": "all",
            "cohort_term": 20101,
            "cutoff": pd.Timestamp("2010-08-01"),
        }
    )
    return Rows(task.table.reset_index(drop=True), meta, no_signatures(), np.full(len(meta), -1))


def as_text(rows: list[dict]) -> str:
    """One line per task, setting and model."""

    def cell(row: dict, key: str) -> str:
        value = row.get(key)
        if value is None:
            return "—"
        if isinstance(value, dict):
            return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
        return f"{value:.3f}"

    return text_table(
        ["task", "setting", "model", *FIGURES, BENEFIT],
        [[r["task"], r["setting"], r["model"], *(cell(r, key) for key in (*FIGURES, BENEFIT))] for r in rows],
    )
