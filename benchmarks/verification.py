"""Descriptors compared on one protocol: a classifier per writer, skilled forgeries, grey and binary ink.

The protocol is that of Hafemann et al. 2017: random splits with R genuine references per writer, negatives
from the other writers' references, tests on 10 further genuine signatures and 10 skilled forgeries. Settings
were chosen on one half of the writers of CEDAR and of BHSig260-Hindi (drawn with seed 7), so the other half
is reported too.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.protocols import usable_writers, verification_figures, writer_dependent_trials
from benchmarks.report_file import write_result
from benchmarks.signature_sets import INKS, SignatureSet, describe_set, read_signature_set
from vision.descriptor.descriptors import load_descriptor
from vision.intervals import Figure
from vision.verification.writer_dependent import ClassifierSettings

HALVING_SEED = 7
COLUMNS = ("eer_user", "eer_global", "auc", "far_random", "far_skilled", "frr")
PUBLISHED = {  # set, references → EER with a threshold per writer, Hafemann et al. 2017
    ("cedar", 4): 0.0587,
    ("cedar", 8): 0.0477,
    ("cedar", 12): 0.0463,
}


def main(
    data: Annotated[Path, typer.Option(help="Folder with one folder per writer.")],
    descriptor: Annotated[
        list[str] | None, typer.Option(help="signature, covariance or an encoder; may be repeated.")
    ] = None,
    references: Annotated[int, typer.Option(min=2, help="Genuine references per writer.")] = 12,
    splits: Annotated[int, typer.Option(min=1, help="Random splits.")] = 10,
    ink: Annotated[str, typer.Option(help="grey, binary or both.")] = "both",
    classifier: Annotated[str, typer.Option(help="ridge or svm.")] = "ridge",
    writers: Annotated[int | None, typer.Option(min=2, help="Only the first so many writers.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Error rates of descriptors under per-writer classifiers."""
    names = descriptor or ["signature"]
    inks = tuple(INKS) if ink == "both" else (ink,)
    found = read_signature_set(data, writers)
    rows = []
    for name in names:
        for one in inks:
            rows.append(measure(found, name, references, splits, one, classifier))
            typer.echo(line(rows[-1]))
    published = PUBLISHED.get((found.name, references))
    if published:
        typer.echo(f"{'SigNet-F (Hafemann et al. 2017)':40} {100 * published:6.2f} % per writer")
    write_result({**rows[0], "rows": rows}, json_file)


def measure(
    found: SignatureSet, name: str, references: int, splits: int, ink: str, classifier: str = "ridge"
) -> dict:
    """Figures of one descriptor on all writers, on the half that choices were made on, and on the other."""
    started = time.perf_counter()
    tool = load_descriptor(name)
    descriptors = describe_set(found, tool, ink)
    settings = ClassifierSettings(classifier=classifier)
    usable, skipped = usable_writers(found, references)
    later = held_out_half(found, usable)
    earlier = [writer for writer in usable if writer not in set(later)]
    parts = {"all": usable, "held_out": later, "choosing": earlier}
    figures = dict.fromkeys(parts)
    for part, chosen in parts.items():
        if len(chosen) < 2:
            continue
        trials = writer_dependent_trials(
            found, descriptors, tool.blocks, chosen, references, splits, settings
        )
        figures[part] = as_json(verification_figures(trials))
    return {
        "data": found.name,
        "descriptor": tool.info.encoder_id,
        "ink": ink,
        "protocol": {
            "name": "writer-dependent, Hafemann et al. 2017",
            "classifier": f"{classifier}, {settings.kernel} kernel",
            "references": references,
            "splits": splits,
            "writers": len(usable),
            "skipped_writers": skipped,
            "halving_seed": HALVING_SEED,
        },
        **figures.pop("all"),
        **figures,
        "seconds": round(time.perf_counter() - started, 1),
    }


def held_out_half(found: SignatureSet, usable: list[str]) -> list[str]:
    """The half of a set's writers on which no setting was chosen."""
    everyone = np.unique(found.writers)
    order = np.random.default_rng(HALVING_SEED).permutation(len(everyone))
    later = set(everyone[order[len(everyone) // 2 :]].tolist())
    return [writer for writer in usable if writer in later]


def as_json(figures: dict[str, Figure]) -> dict[str, dict]:
    """Figures as plain numbers."""
    return {name: figure.to_dict() for name, figure in figures.items()}


def line(row: dict) -> str:
    """One row of the printed table, percentages with their intervals."""
    cells = []
    for name in COLUMNS:
        figure = row[name]
        if figure["value"] is None:
            continue
        spread = "" if figure["low"] is None else f" [{100 * figure['low']:.2f}–{100 * figure['high']:.2f}]"
        cells.append(f"{name} {100 * figure['value']:.2f}{spread}")
    title = f"{row['descriptor']}, {row['ink']}, {row['protocol']['references']} references"
    return f"{title:48} " + "  ".join(cells)
