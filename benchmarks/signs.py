"""Do models keep the declared direction of every feature, and what does it cost?

Each lever over its span, each feature alone over the values seen, each reason beside the peers' usual value:
once with directions and once without. What the limits cost is measured on students that neither model saw:
forward by cohort on simulated registers, entry years up to 2014 against later ones on UCI 697.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from benchmarks.early_warning import as_rows
from benchmarks.public_students import uci_tasks
from benchmarks.registers import make_register
from benchmarks.report_file import write_result
from data.calendar.study_time import StudyCalendar
from data.records.course_results import GradeRules
from data.synthetic.cohort import make_university
from fusion import metrics
from fusion.features.assemble import all_rows, may_be_scored, training_set
from fusion.features.directions import DIRECTIONS, FREE, LOWERS, RAISES, Direction
from fusion.features.encode import TableEncoder, fit_encoder
from fusion.features.rows import Rows, TrainingSet
from fusion.features.splits import forward_split, mature_labels
from fusion.model.fit import fit_model
from fusion.model.risk_model import RiskModel
from fusion.validation.report import table as text_table
from fusion.validation.signs import Kept, as_frame, feature_signs, lever_signs, reason_signs

TARGETS = ("late", "dropout")
DRAWS = 500
SWEPT = 250  # rows whose features are moved one by one
UCI = {
    "approved": LOWERS,
    "grade": LOWERS,
    "without evaluations": RAISES,
    "Admission grade": LOWERS,
    "Debtor": RAISES,
    "Tuition fees up to date": LOWERS,
}
"""Directions by the end of a column's name; what is enrolled, credited or evaluated is free, as is entry."""


@dataclass(frozen=True)
class Frames:
    """A register as models read it."""

    students: pd.DataFrame
    terms: pd.DataFrame
    outcomes: pd.DataFrame
    programs: pd.DataFrame
    calendar: StudyCalendar = StudyCalendar()
    attempts: pd.DataFrame | None = None
    grade_rules: GradeRules = GradeRules()
    day: date | None = None


@dataclass(frozen=True)
class Case:
    """One target of one data set: what teaches, what judges, and all rows that are looked at."""

    name: str
    target: str
    train: TrainingSet
    test: TrainingSet
    rows: Rows
    directions: Mapping[str, Direction]
    encoder: TableEncoder


def main(
    data: Annotated[Path | None, typer.Option(help="Folder with uci697/; left out: no UCI.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    demos: Annotated[int, typer.Option(min=1, help="Demo universities, seeds 11, 12, …")] = 2,
    demo_students: Annotated[int, typer.Option(min=200)] = 400,
    registers: Annotated[int, typer.Option(min=0, help="Simulated registers of another make.")] = 1,
    students: Annotated[int, typer.Option(min=400)] = 800,
) -> None:
    """Count levers, features and reasons of the wrong sign, and print what the limits cost."""
    rows, details = [], []
    for case in cases(data, demos, demo_students, registers, students):
        row, detail = measure(case)
        rows.append(row)
        details.append(detail)
        typer.echo(as_text([row]))
    typer.echo(as_text(rows))
    detail = pd.concat(details)
    wrong = detail[detail["wrong"] > 0].groupby(["model", "what", "name"])[["wrong", "looked_at"]].sum()
    write_result(
        {
            "command": f"python -m benchmarks signs --demos {demos} --demo-students {demo_students} "
            f"--registers {registers} --students {students}" + (" --data DIR" if data else ""),
            "data": "the demo's generator, benchmarks/registers.py"
            + (", UCI 697 (CC BY 4.0)" if data else ""),
            "protocol": "forward by cohort; 95 % bootstrap intervals over students; wrong: by over 1e-6",
            "rows": rows,
            "wrong": wrong.reset_index().to_dict("records"),
        },
        json_file,
    )


def cases(data, demos: int, demo_students: int, registers: int, students: int) -> Iterator[Case]:
    """Every case in turn, so that one is in memory."""
    for number in range(demos):
        frames = demo_frames(demo_students, 11 + number)
        yield from _register_cases(f"demo, seed {11 + number}", frames)
    for number in range(registers):
        yield from _register_cases(
            f"simulated, seed {number}", make_register(students, np.random.default_rng([3, number]))
        )
    if data is not None:
        yield from _uci_cases(data)


def demo_frames(students: int, seed: int) -> Frames:
    """The demo's register without its images; of a corrected term row the first version."""
    made = make_university(students, np.random.default_rng(seed)).frames
    parts = [
        part.rename(columns={"student_number": "student_key"})
        for part in (made.students, made.terms, made.outcomes)
    ]
    parts[1] = parts[1].sort_values("known_at").drop_duplicates(["student_key", "term_id"])
    return Frames(*parts, made.programs)


def _register_cases(name: str, register) -> Iterator[Case]:
    rows, split = all_rows(lambda index: register), forward_split(register)
    later = mature_labels(register).loc[split.test]
    training_sets = {t: training_set(rows, split.train_labels, t, split.simulated_date) for t in TARGETS}
    encoder = fit_encoder(training_sets["late"].rows.table)
    for target in TARGETS:
        test, looked_at = training_set(rows, later, target), rows.take(may_be_scored(rows, target))
        yield Case(name, target, training_sets[target], test, looked_at, DIRECTIONS, encoder)


def _uci_cases(data: Path) -> Iterator[Case]:
    for task in uci_tasks(data):
        if task.train is None or task.setting.startswith("day one"):
            continue
        rows = as_rows(task)
        directions = {name: Direction(dropout=_uci_direction(name), why="UCI") for name in rows.table}
        train, test = (TrainingSet(rows.take(part), task.outcome[part]) for part in (task.train, ~task.train))
        encoder = fit_encoder(train.rows.table, allow_protected=True)
        name = f"UCI 697, {task.setting.split(',')[0]}"
        yield Case(name, "dropout", train, test, rows, directions, encoder)


def _uci_direction(name: str) -> int:
    return next((sign for end, sign in UCI.items() if name.rstrip(")").endswith(end)), FREE)


def measure(case: Case) -> tuple[dict, pd.DataFrame]:
    """Figures of one case, and what went wrong by lever and feature."""
    training_sets, options = {case.target: case.train}, {"seed": 0, "encoder": case.encoder}
    kept = fit_model(training_sets, directions=case.directions, **options)
    free = fit_model(training_sets, directions={}, **options)
    row: dict = {"data": case.name, "target": case.target, "rows": len(case.rows)}
    details = []
    for name, model in (("kept", kept), ("free", free)):
        found = looked_at(case, model, kept)
        row[name] = {what: dict(zip(("wrong", "of"), one.total, strict=True)) for what, one in found.items()}
        details.append(as_frame(found).assign(data=case.name, target=case.target, model=name))
    row |= cost(case, kept, free)
    return row, pd.concat(details)


def looked_at(case: Case, model: RiskModel, kept: RiskModel) -> dict[str, Kept]:
    """Levers and reasons of every row, features of some; a free model's reasons against the average."""
    rows, target = case.rows, case.target
    some = rows.take(np.random.default_rng(0).permutation(len(rows))[:SWEPT])
    records, peers = model.targets[target].records, kept.targets[target].records.peers
    phi = None
    if model is not kept:
        phi = model.encoder.group(records.shap(model.encoder.matrix(rows.table))[0])
    found = {"levers": lever_signs(model, rows, target)} if "failed_last" in rows.table else {}
    return found | {
        "features": feature_signs(model, some, target, case.directions),
        "reasons": reason_signs(model, rows, target, case.directions, phi=phi, peers=peers),
    }


def cost(case: Case, kept: RiskModel, free: RiskModel) -> dict:
    """AUC and Brier score of both on the test rows, and the difference (kept - free) with its interval."""
    outcome, rows = case.test.outcome, case.test.rows
    weight = metrics.bootstrap_weights(rows.students, DRAWS, np.random.default_rng(0))
    row: dict = {"test_rows": len(rows), "test_students": len(np.unique(rows.students))}
    risks = [model.risk(rows, case.target) for model in (kept, free)]
    for figure, of in (("auc", metrics.roc_auc), ("brier", metrics.brier)):
        values = [of(outcome, risk, weight) for risk in risks]
        told = metrics.estimate(values[0] - values[1])
        row[figure] = {
            "kept": round(float(values[0][0]), 4),
            "free": round(float(values[1][0]), 4),
            "difference": {k: round(getattr(told, k), 4) for k in ("value", "low", "high")},
        }
    return row


def as_text(rows: list[dict]) -> str:
    """One line per case."""

    def counted(row: dict, what: str) -> str:
        pairs = [row[model].get(what) for model in ("kept", "free")]
        return " | ".join("—" if p is None else f"{p['wrong']} of {p['of']}" for p in pairs)

    def told(row: dict, figure: str) -> str:
        d = row[figure]["difference"]
        return f"{row[figure]['kept']:.3f} {d['value']:+.4f} ({d['low']:+.4f} to {d['high']:+.4f})"

    return text_table(
        ["data", "target", "wrong levers: kept | free", "features", "reasons", "AUC - free", "Brier - free"],
        [
            [
                row["data"], row["target"],
                *(counted(row, what) for what in ("levers", "features", "reasons")),
                *(told(row, figure) for figure in ("auc", "brier")),
            ]
            for row in rows
        ],
    )  # fmt: skip
