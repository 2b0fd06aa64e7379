"""Self-test of the instrument: it must find a planted effect of signatures, and none where there is none.

(a) null: registers whose signatures carry nothing. The verdict "adds" may appear at most once in twenty, and
fused may never be worse than records by more than 0.005 AUC.
(b) planted: registers in which a hidden trait that shows in the signature alone tells the outcome with an
accuracy of about 0.65. Fused must recover at least 80 % of what an oracle gains that sees the trait itself.
Everything is simulated (:mod:`benchmarks.registers`), so both truths are known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.registers import Register, make_register
from benchmarks.report_file import write_result
from fusion.features.assemble import all_rows
from fusion.features.fuse import mean_signatures
from fusion.model.examined import ADDS, Ablation
from fusion.validation.assess import Assessment, assess
from fusion.validation.report import table as text_table

LINK = 0.8  # log-odds per unit of the trait


def main(
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    null_registers: Annotated[int, typer.Option(min=1)] = 20,
    planted_registers: Annotated[int, typer.Option(min=1)] = 6,
    students: Annotated[int, typer.Option(min=400, help="Students per null register.")] = 1500,
    planted_students: Annotated[int, typer.Option(min=400, help="Students per planted register.")] = 3000,
    draws: Annotated[int, typer.Option(min=40, help="Bootstrap draws.")] = 300,
) -> None:
    """Test on null and planted registers whether the verdict on signatures can be trusted."""
    null = run_null(null_registers, students, draws)
    typer.echo(f"null: 'adds' in {null['adds']} of {null_registers}, worst loss {null['worst_loss']:.4f} AUC")
    planted = run_planted(planted_registers, planted_students, draws)
    share = planted["oracle_share"]
    typer.echo(
        f"planted: fused recovers {share['value']:.2f} ({share['low']:.2f} to {share['high']:.2f}) of the "
        f"oracle's gain; signature alone {planted['signature_accuracy']:.3f} accuracy"
    )
    rows = [[str(r["register"]), r["kind"], r["verdict"], f"{r['gain']:+.4f}"] for r in null["registers"]]
    rows += [[str(r["register"]), r["kind"], r["verdict"], f"{r['gain']:+.4f}"] for r in planted["registers"]]
    typer.echo(text_table(["register", "kind", "verdict", "fused less records, AUC"], rows))
    write_result(
        {
            "command": f"python -m benchmarks fusion --null-registers {null_registers} "
            f"--planted-registers {planted_registers} --students {students} "
            f"--planted-students {planted_students} --draws {draws}",
            "data": "simulated registers (benchmarks/registers.py), seeds 1 and 2",
            "protocol": "forward by cohort; target: not graduating within the normal terms",
            "null": null,
            "planted": planted,
        },
        json_file,
    )


def run_null(registers: int, students: int, draws: int) -> dict:
    """Registers whose signatures carry nothing: how often "adds", and the worst loss of AUC."""
    rows = []
    for number in range(registers):
        register = make_register(students, np.random.default_rng([1, number]))
        ablation = _examine(register, register.vectors, number, draws).ablations["late"]
        rows.append(_row(number, "null", ablation))
    return {
        "adds": sum(row["verdict"] == ADDS for row in rows),
        "worst_loss": max(0.0, -min(row["gain"] for row in rows)),
        "registers": rows,
    }


def run_planted(registers: int, students: int, draws: int) -> dict:
    """Registers with a planted trait: share of the oracle's gain, accuracy of the signature, verdicts."""
    rows, accuracy = [], []
    for number in range(registers):
        register = make_register(students, np.random.default_rng([2, number]), link=LINK)
        seen = _examine(register, register.vectors, number, draws).ablations["late"]
        oracle = _examine(register, _trait_as_embedding(register), number, draws)
        row = _row(number, "planted", seen)
        row["oracle_gain"] = round(oracle.ablations["late"].differences["roc_auc"].value, 5)
        row["signature_auc"] = round(seen.arms["signature"]["roc_auc"].value, 5)
        rows.append(row)
        accuracy.append(_trait_accuracy(register))
    gains = np.array([[row["gain"], row["oracle_gain"]] for row in rows])
    share = gains[:, 0].sum() / gains[:, 1].sum()
    drawn = np.random.default_rng(0).integers(0, len(rows), (2000, len(rows)))
    shares = gains[drawn, 0].sum(axis=1) / gains[drawn, 1].sum(axis=1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return {
        "oracle_share": {
            "value": round(float(share), 4),
            "low": round(float(low), 4),
            "high": round(float(high), 4),
        },
        "signature_accuracy": round(float(np.mean(accuracy)), 4),
        "verdicts": [row["verdict"] for row in rows],
        "registers": rows,
    }


def _examine(register: Register, vectors: np.ndarray, seed: int, draws: int) -> Assessment:
    signatures = mean_signatures(register.specimens, vectors, "simulated@1")
    rows = all_rows(lambda index: register, signatures)
    return assess(register, rows, seed=seed, targets=("late",), draws=draws)


def _trait_as_embedding(register: Register) -> np.ndarray:
    """What the oracle sees: the trait itself, blurred a little so that no threshold falls on a value."""
    trait = dict(zip(register.students["student_key"], register.trait, strict=True))
    seen = register.specimens["student_key"].map(trait).to_numpy(float)
    blurred = seen + np.random.default_rng(3).normal(0, 0.05, len(seen))
    return np.column_stack([blurred, np.full(len(seen), 2.0)]).astype(np.float32)


def _trait_accuracy(register: Register) -> float:
    """How often the trait alone names the outcome, in expectation."""
    return float(np.where(register.trait > 0, register.chance, 1 - register.chance).mean())


def _row(number: int, kind: str, ablation: Ablation) -> dict:
    gain = ablation.differences["roc_auc"]
    return {
        "register": number,
        "kind": kind,
        "verdict": ablation.verdict,
        "gain": round(gain.value, 5),
        "low": round(gain.low, 5),
        "high": round(gain.high, 5),
        "p_value": ablation.p_value,
        "students": ablation.students,
    }
