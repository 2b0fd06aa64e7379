"""Exact SHAP values of a whole cohort: our tables beside shap.TreeExplainer and XGBoost, in one run.

A model of the served size on random records (synthetic: only sizes matter). The slower two see fewer rows,
and their time is scaled to the same number.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.report_file import write_result
from fusion.model.booster import TreeSettings, fit_trees, tree_margin
from fusion.model.treeshap import shap_values, tabulate


def main(
    rows: Annotated[int, typer.Option(min=5_000, help="Rows that the tables explain.")] = 100_000,
    features: Annotated[int, typer.Option(min=5, help="Columns.")] = 60,
    sample: Annotated[int, typer.Option(min=200, help="Rows that the others explain.")] = 2_000,
    repeats: Annotated[int, typer.Option(min=1)] = 3,
    seed: Annotated[int, typer.Option()] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Seconds per 100,000 rows of each way, and how far the values differ; one thread each."""
    import shap
    import xgboost

    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, features)).astype(np.float32)
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    filled = np.nan_to_num(matrix)
    outcome = (filled[:, 0] + filled[:, 1] * filled[:, 2] + rng.normal(size=rows) > 0).astype(int)
    booster = fit_trees(matrix[:20_000], outcome[:20_000], TreeSettings(), seed)
    booster.set_param({"nthread": 1})
    leaves, build = seconds_of(lambda: tabulate(booster), 1)
    shap_values(leaves, matrix[:10])  # compiled once per machine
    explainer = shap.TreeExplainer(booster)
    few = matrix[:sample]
    ways: dict[str, tuple[Callable, int]] = {
        "tables": (lambda: shap_values(leaves, matrix), rows),
        "xgboost_pred_contribs": (
            lambda: booster.predict(xgboost.DMatrix(few, nthread=1), pred_contribs=True),
            sample,
        ),
        "shap_tree_explainer": (lambda: explainer.shap_values(few), sample),
    }
    values, seconds = {}, {}
    for name, (call, n) in ways.items():
        values[name], spent = seconds_of(call, repeats)
        seconds[name] = {key: round(value * 100_000 / n, 2) for key, value in spent.items()}
        typer.echo(f"{name:24s} {seconds[name]['median']:8.2f} s per 100,000 rows")
    ours, theirs = values["tables"][:sample], values["shap_tree_explainer"]
    bias = float(values["xgboost_pred_contribs"][0, -1])
    ratio = seconds["shap_tree_explainer"]["median"] / seconds["tables"]["median"]
    typer.echo(f"ratio to shap.TreeExplainer {ratio:.1f}")
    write_result(
        {
            "command": f"python -m benchmarks explanations --rows {rows}",
            "data": f"synthetic random numbers, {features} columns; "
            f"{booster.num_boosted_rounds()} trees of depth {TreeSettings().depth}",
            "protocol": f"one thread each, process time, {repeats} repeats; others on {sample} rows, scaled",
            "seconds_per_100000_rows": seconds,
            "build_tables_seconds": round(build["median"], 2),
            "ratio_to_tree_explainer": round(ratio, 1),
            "largest_difference": float(np.abs(ours - theirs).max()),
            "largest_error_of_the_sum": float(
                np.abs(ours.sum(axis=1) + bias - tree_margin(booster, few)).max()
            ),
        },
        json_file,
    )


def seconds_of(call: Callable, repeats: int) -> tuple[object, dict[str, float]]:
    """The result and the process seconds of a call: least, median and most."""
    spent = []
    for _ in range(repeats):
        start = time.process_time()
        result = call()
        spent.append(time.process_time() - start)
    return result, {"least": min(spent), "median": float(np.median(spent)), "most": max(spent)}
