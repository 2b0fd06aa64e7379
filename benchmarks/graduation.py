"""System 1: does one signature tell a label of two values, on-time graduation or any other?

The paper's recipe (ResNet-50, 25 epochs) and our descriptor, with what the paper leaves out: intervals, the
base rate, and the same measurement on labels dealt at random.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.label_measures import (
    FOLDS,
    Control,
    Told,
    cross_validated,
    exact_figures,
    label_figures,
    ridge_weights,
    signs,
)
from benchmarks.labelled_sets import STAND_INS, read_any, twenty_tests
from benchmarks.report_file import write_result
from benchmarks.signature_sets import INKS, SignatureSet, describe_set
from vision.descriptor.descriptors import load_descriptor
from vision.encoder.backbones import NoWeights
from vision.intervals import binomial_interval
from vision.recipes.labels import LabelledSet, label_shares, train_labels
from vision.recipes.registry import published_settings

SEED = 7
FEW = 60
"""Persons below which a missing effect is called unknown instead of absent."""
PUBLISHED = (
    ("graduation, not on time", {"precision": 0.71, "recall": 0.50, "f1": 0.59}),
    ("graduation, on time", {"precision": 0.62, "recall": 0.80, "f1": 0.70, "accuracy": 0.65}),
    ("motivation, ordinary", {"precision": 0.64, "recall": 0.90, "f1": 0.75}),
    ("motivation, strong", {"precision": 0.83, "recall": 0.50, "f1": 0.62, "accuracy": 0.70}),
)
PUBLISHED_TESTS, PUBLISHED_RIGHT = 20, 13


def main(
    data: Annotated[Path, typer.Option(help="Folder with labels.csv, one folder per label, or per writer.")],
    references: Annotated[int, typer.Option(min=1, help="Signatures per writer, for a stand-in label.")] = 1,
    splits: Annotated[int, typer.Option(min=1, help="Repetitions of the cross-validation.")] = 5,
    train_data: Annotated[Path | None, typer.Option(help="Learn from this set instead.")] = None,
    label: Annotated[str, typer.Option(help=f"Stand-in label: {' or '.join(STAND_INS)}.")] = STAND_INS[0],
    minutes: Annotated[float, typer.Option(min=0, help="Time for the paper's network; 0: none.")] = 5.0,
    weights: Annotated[str, typer.Option(help="imagenet, or a ResNet-50's weights file.")] = "imagenet",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Accuracy of a label told from one signature, beside the base rate and labels dealt at random."""
    started = time.perf_counter()
    found, meaning = read_any(data, label, references, SEED)
    other = None if train_data is None else read_any(train_data, label, references, SEED)[0]
    result = measure(found, other, splits) | {"label": meaning}
    result["twenty_tests"], result["reproduced"] = on_twenty(found, other, minutes, weights)
    if not minutes:
        result["reproduced_reason"] = "no time for its training was given (--minutes)"
    result["seconds"] = round(time.perf_counter() - started, 1)
    show(result)
    write_result(result, json_file)


def measure(found: LabelledSet, other: LabelledSet | None, splits: int) -> dict:
    """Our descriptor with kernel ridge regression on the label, grey and binary ink, and the control.

    Parameters
    ----------
    found : LabelledSet
    other : LabelledSet or None
        Learn from this set instead of cross-validation by person.
    splits : int
        Repetitions of the cross-validation.
    """
    if other is not None and other.names != found.names:
        raise ValueError(f"train_data: labels must be {found.names}, got {other.names}")
    tool = load_descriptor("signature")
    figures, controls = {}, {}
    for ink in INKS:
        mine = _describe(found, ink)
        if other is None:
            told, controls[ink] = cross_validated(found, mine, tool.blocks, splits, SEED)
        else:
            scores = ridge_weights(_describe(other, ink), mine, tool.blocks) @ signs(other.labels)
            told = Told(found.labels, scores, found.persons)
        figures[ink] = label_figures(told, SEED)
    persons = len(np.unique(found.persons))
    control = controls.get("grey")
    share = float(found.labels.mean())
    return {
        "data": found.name,
        "descriptor": tool.info.encoder_id,
        "protocol": {
            "name": "label told from one signature, nobody on both sides",
            "validation": f"{FOLDS} folds by person" if other is None else f"trained on {other.name}",
            "splits": splits if other is None else 1,
            "persons": persons,
            "scans": len(found.paths),
            "labels": list(found.names),
        },
        **figures["grey"],
        "binary_ink": figures["binary"],
        "base_rate": max(share, 1 - share),
        "permuted_labels": None if control is None else asdict(control),
        "verdict": verdict(control, persons),
    }


def verdict(control: Control | None, persons: int) -> str:
    """In words: whether the label can be told from the signature."""
    if control is None:
        return "not tested against labels dealt at random"
    if control.p_value <= 0.05:
        return "the label can be told from the signature better than chance"
    return "cannot tell: too few persons" if persons < FEW else "adds nothing measurable"


def _describe(found: LabelledSet, ink: str) -> np.ndarray:
    everything = SignatureSet(found.name, found.paths, found.persons, np.zeros(len(found.paths), bool))
    return describe_set(everything, load_descriptor("signature"), ink)


def on_twenty(found: LabelledSet, other: LabelledSet | None, minutes: float, weights: str) -> tuple:
    """Our descriptor and the paper's network on one draw of 20 test signatures, exact intervals."""
    training, tests = twenty_tests(found, np.random.default_rng((SEED, 53)))
    source, judged = (found.take(training) if other is None else other), found.take(tests)
    blocks = load_descriptor("signature").blocks
    scores = ridge_weights(_describe(source, "grey"), _describe(judged, "grey"), blocks) @ signs(
        source.labels
    )
    ours = exact_figures(judged, scores)
    return ours, paper_network(source, judged, minutes, weights) if minutes else None


def paper_network(source: LabelledSet, judged: LabelledSet, minutes: float, weights: str) -> dict:
    """The recipe as published, within the time, judged on the same test signatures."""
    settings = published_settings("graduation", minutes=minutes, weights=weights, seed=SEED)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "graduation.safetensors"
        try:
            network, manifest = train_labels(settings, source, out)
        except NoWeights:
            if weights != "imagenet":
                raise  # a file that was named must be there
            settings = published_settings("graduation", minutes=minutes, weights="none", seed=SEED)
            network, manifest = train_labels(settings, source, out)
        shares = label_shares(network, judged.paths)
    return exact_figures(judged, shares - 0.5) | {
        "network": "ResNet-50, the recipe of system 1",
        "start": manifest["about"]["start"],
        "epochs": manifest["epochs"],
        "minutes": round(manifest["seconds"] / 60, 1),
        "device": manifest["device"],
        "trained_on": f"{source.name}, {len(source.paths)} scans, a fifth of the persons for validation",
        "note": f"{manifest['epochs']} of 25 epochs in the time; best of them by validation accuracy "
        f"({manifest['best']['accuracy']:.2f})",
    }


def show(result: dict) -> None:
    """The paper's table, ours below it, and what that means."""
    typer.echo("System 1, as published (20 test signatures), and here")
    for name, figures in PUBLISHED:
        typer.echo(f"  {name:44} " + "  ".join(f"{key} {value:.2f}" for key, value in figures.items()))
    paper = binomial_interval(PUBLISHED_RIGHT, PUBLISHED_TESTS)
    typer.echo(f"  accuracy 0.65 of 20 has the 95 % interval {paper.low:.2f}–{paper.high:.2f}")
    rows = [("our descriptor, cross-validated", result), ("our descriptor, 20 tests", result["twenty_tests"])]
    rows.append(("our descriptor, binary ink", result["binary_ink"]))
    if result["reproduced"]:
        rows.append(("ResNet-50 as published, the same 20 tests", result["reproduced"]))
    for name, figures in rows:
        typer.echo(f"  {name:44} " + "  ".join(_cell(figures, key) for key in ("accuracy", "auc", "recall")))
    typer.echo(f"  base rate {result['base_rate']:.2f}")
    if result["permuted_labels"]:
        control = result["permuted_labels"]
        typer.echo(
            f"  labels dealt at random: AUC {control['auc_mean']:.2f}, one in twenty above "
            f"{control['auc_high']:.2f}; p {control['p_value']:.3f}"
        )
    typer.echo(f"  {result['label']}: {result['verdict']}")


def _cell(figures: dict, key: str) -> str:
    figure = figures[key]
    if figure["value"] is None:
        return f"{key} –"
    spread = "" if figure["low"] is None else f" [{figure['low']:.2f}–{figure['high']:.2f}]"
    return f"{key} {figure['value']:.2f}{spread}"
