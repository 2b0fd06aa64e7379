"""Does the trial module say what is true? Simulated trials whose truth is known: 0 and 5 points.

Each trial is drawn and analysed with the code of the product: lists of students by falling risk, the
students near the line of each, lots by a fresh secret, outcomes, Newcombe's interval. Lists differ in level
and a student's risk falls along the list, so that neighbours resemble each other, as they do in registers.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from scipy.stats import binomtest

from benchmarks.report_file import write_result
from fusion.model.booster import sigmoid
from fusion.trial.analysis import difference
from fusion.trial.lottery import OFFERED, draw_lots
from fusion.trial.power import needed, power_of
from fusion.validation.report import table as text_table

BASE, FALL = 0.15, 0.05
WINDOW, BLOCK = 10, 4
SPREADS = {"lists alike": 0.0, "lists differ": 0.6}  # standard deviation between lists, log-odds
SLOPE = 0.06  # log-odds that the risk falls from one place to the next


def main(
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    trials: Annotated[int, typer.Option(min=20, help="Simulated trials per design and truth.")] = 2000,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Coverage, false findings and power of a trial by lot, with the planned figures beside."""
    rows = [simulated(design, fall, trials, seed) for design in SPREADS for fall in (0.0, FALL)]
    head = ["design", "true fall", "students", "interval covers", "leaves out zero"]
    cells = [
        [
            row["design"],
            f"{100 * row['true_fall']:.1f} points",
            str(row["students"]),
            _shown(row["covered"]),
            f"{_shown(row['finds'])}, planned {row['planned']:.3f}",
        ]
        for row in rows
    ]
    typer.echo(text_table(head, cells))
    write_result(
        {
            "command": f"python -m benchmarks trial --trials {trials} --seed {seed}",
            "data": "simulated",
            "protocol": "share of simulated trials whose 95 % interval holds the true difference as drawn, "
            "and whose interval leaves out zero (type-I error where there is none, else power), each with "
            "its own 95 % interval; planned: worked out beforehand by fusion.trial.power",
            "rows": rows,
        },
        json_file,
    )


def simulated(design: str, fall: float, trials: int, seed: int) -> dict:
    """Figures of many trials of one design.

    Parameters
    ----------
    design : str
        Of :data:`SPREADS`.
    fall : float
        By how much the offer lowers the share; the planned number is for :data:`FALL`.
    trials : int
    seed : int
    """
    rng = np.random.default_rng([seed, list(SPREADS).index(design), round(1000 * fall)])
    lists = -(-needed(BASE, FALL) // (2 * WINDOW))
    candidates = _candidates(lists)
    covered = found = 0
    for number in range(trials):
        secret = hashlib.sha256(f"{seed}:{design}:{fall}:{number}".encode()).digest()
        lots = draw_lots(candidates, secret, 1, block=BLOCK)
        offered = (lots["arm"] == OFFERED).to_numpy()
        risk = _risks(lists, SPREADS[design], rng)
        happened = rng.random(len(risk)) < risk - fall * offered
        counts = [int(part) for part in (happened[offered].sum(), offered.sum())]
        counts += [int(part) for part in (happened[~offered].sum(), (~offered).sum())]
        result = difference(*counts)
        covered += result.low <= -fall <= result.high
        found += result.found
    return {
        "design": design,
        "true_fall": fall,
        "students": len(candidates),
        "trials": trials,
        "covered": _share(covered, trials),
        "finds": _share(found, trials),
        "planned": round(power_of(len(candidates), BASE, fall), 4),
    }


def _candidates(lists: int) -> pd.DataFrame:
    """The students near the line of every list, in the order in which lots are drawn."""
    names = np.repeat([f"list-{number:04d}" for number in range(lists)], 2 * WINDOW)
    places = np.tile(np.arange(1, 2 * WINDOW + 1), lists)
    keys = [f"{number:016x}" for number in range(len(names))]
    return pd.DataFrame({"student_key": keys, "list_name": names, "place": places})


def _risks(lists: int, spread: float, rng: np.random.Generator) -> np.ndarray:
    """True risks without help, mean :data:`BASE`, at least :data:`FALL`: lists differ, places fall."""
    level = rng.normal(0, spread, lists) if spread else np.zeros(lists)
    places = SLOPE * (WINDOW - 0.5 - np.arange(2 * WINDOW))
    logit = (level[:, None] + places[None, :]).ravel()
    low, high = -10.0, 10.0
    for _ in range(24):  # the level at which the mean is the base rate
        middle = (low + high) / 2
        low, high = (middle, high) if sigmoid(logit + middle).mean() < BASE else (low, middle)
    return np.maximum(sigmoid(logit + middle), FALL)


def _share(count: int, of: int) -> dict[str, float]:
    found = binomtest(count, of).proportion_ci(method="wilson")
    ends = {"low": round(float(found.low), 4), "high": round(float(found.high), 4)}
    return {"share": round(count / of, 4), **ends}


def _shown(figure: dict[str, float]) -> str:
    return f"{figure['share']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
