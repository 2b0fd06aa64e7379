"""Self-test of the verdict on signatures: registers whose truth is known.

(a) null: signatures carry nothing. (b) confounded: they show sex, the programme, the entry year or the
evening class, which tells the outcome; nothing of their own. In either the verdict "adds" may come up in at
most one register of twenty. (c) planted: a hidden trait that shows in the signature alone; the oracle that
sees the trait itself gains so much ROC-AUC. How often "adds" is found there is the power; "adds nothing
measurable" is false where the oracle gains more than the bound of equivalence.
(d) unrecorded: the same as the evening class, but the register does not know of it. No instrument that has
the register and the signatures alone can tell that from a trait; it is printed so that nobody forgets.
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
from fusion.features.rows import Rows
from fusion.model.examined import ADDS, NOTHING, Ablation
from fusion.model.fit import fit_model
from fusion.validation.ablation import EQUIVALENT, ablate
from fusion.validation.assess import given_away_by, split_training_sets
from fusion.validation.report import table as text_table

CONFOUNDED = ("sex", "program", "cohort", "class")
KNOWN = 0.6  # log-odds that a confounder adds or takes
PLANTED = (0.3, 0.5, 0.8)  # log-odds per unit of the trait


def main(
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    registers: Annotated[int, typer.Option(min=1, help="Null registers.")] = 20,
    confounded: Annotated[int, typer.Option(min=1, help="Registers per confounder.")] = 10,
    planted: Annotated[int, typer.Option(min=1, help="Registers per planted link.")] = 10,
    students: Annotated[int, typer.Option(min=400, help="Students per register.")] = 1500,
    draws: Annotated[int, typer.Option(min=40, help="Bootstrap draws.")] = 200,
) -> None:
    """Test on registers of known truth whether the verdict on signatures can be trusted."""
    designs = [("null", {}, registers)]
    designs += [(name, {"link": KNOWN, "stands_for": name}, confounded) for name in CONFOUNDED]
    designs += [("unrecorded", {"link": KNOWN, "stands_for": "unrecorded"}, max(1, confounded // 2))]
    designs += [(f"planted {link:g}", {"link": link}, planted) for link in PLANTED]
    found = []
    for kind, (name, options, count) in enumerate(designs):
        rows = [examine(kind, number, students, draws, options) for number in range(count)]
        found.append(summary(name, rows))
        typer.echo(f"{name}: {found[-1]['verdicts']}, oracle gain {found[-1]['oracle_gain']}")
    head = ["registers", "adds", "stands for", "nothing", "cannot tell", "oracle's gain"]
    cells = [
        [d["design"], *(str(d["verdicts"].get(v, 0)) for v in ("adds", "stands_for", "nothing", "few"))]
        + [f"{d['oracle_gain']:.4f}" if d["oracle_gain"] is not None else "—"]
        for d in found
    ]
    typer.echo(text_table(head, cells))
    write_result(
        {
            "command": f"python -m benchmarks fusion --registers {registers} --confounded {confounded} "
            f"--planted {planted} --students {students} --draws {draws}",
            "data": "simulated registers (benchmarks/registers.py), seed [2, design, register]",
            "protocol": "forward by cohort; target: not graduating within the normal terms; nothing "
            f"measurable: at most {EQUIVALENT:g} ROC-AUC can be there",
            "designs": found,
        },
        json_file,
    )


def examine(kind: int, number: int, students: int, draws: int, options: dict) -> dict:
    """One register's verdict, and for a planted trait what an oracle gains that sees it."""
    register = make_register(students, np.random.default_rng([2, kind, number]), **options)
    seen = ablation_of(register, register.vectors, number, draws)
    row = _row(number, seen)
    if options.get("link") and "stands_for" not in options:
        oracle = ablation_of(register, _trait_as_embedding(register), number, 40)
        row["oracle_gain"] = round(oracle.differences["roc_auc"].value, 5)
    return row


def summary(name: str, rows: list[dict]) -> dict:
    """Verdicts of one design counted, with how often it was wrong to say what it said."""
    verdicts = {v: sum(row["verdict"] == v for row in rows) for v in sorted({row["verdict"] for row in rows})}
    gains = [row["oracle_gain"] for row in rows if "oracle_gain" in row]
    false_nothing = sum(
        row["verdict"] == NOTHING and row.get("oracle_gain", 0.0) > EQUIVALENT for row in rows
    )
    return {
        "design": name,
        "verdicts": verdicts,
        "adds": round(verdicts.get(ADDS, 0) / len(rows), 4),
        "false_nothing": round(false_nothing / len(rows), 4),
        "oracle_gain": round(float(np.mean(gains)), 5) if gains else None,
        "registers": rows,
    }


def ablation_of(register: Register, vectors: np.ndarray, seed: int, draws: int) -> Ablation:
    """The comparison of an examination, and nothing else of it."""
    signatures = mean_signatures(register.specimens, vectors, "simulated@1")
    rows: Rows = all_rows(lambda index: register, signatures)
    found = split_training_sets(register, rows, ("late",), seed)
    assert found is not None  # every register has two mature cohorts
    _, _, training_sets, tests = found
    rng = np.random.default_rng([seed, 91])
    sides = (training_sets["late"], tests["late"])
    beside = given_away_by(rows, register.students, sides, rng)
    model = fit_model(training_sets, seed)
    return ablate(
        model, *sides, "late", rng, draws=draws, permutations=max(19, draws // 2 - 1), gives_away=beside
    )


def _trait_as_embedding(register: Register) -> np.ndarray:
    """What the oracle sees: the trait itself, blurred a little so that no threshold falls on a value."""
    trait = dict(zip(register.students["student_key"], register.trait, strict=True))
    seen = register.specimens["student_key"].map(trait).to_numpy(float)
    blurred = seen + np.random.default_rng(3).normal(0, 0.05, len(seen))
    return np.column_stack([blurred, np.full(len(seen), 2.0)]).astype(np.float32)


def _row(number: int, ablation: Ablation) -> dict:
    gain, most = ablation.differences["roc_auc"], ablation.reachable
    return {
        "register": number,
        "verdict": ablation.verdict,
        "gain": round(gain.value, 5),
        "low": round(gain.low, 5),
        "high": round(gain.high, 5),
        "most": None if most is None else round(most.high, 5),
        "p_value": ablation.p_value,
        "gives_away": list(ablation.gives_away),
        "students": ablation.students,
    }
