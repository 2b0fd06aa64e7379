"""What a ratio is worth on writers, and on a set, that nothing was learned from.

Writers are dealt into three parts; each part is judged by a register made of the other two (each half tried
on the other's background, as the program calibrates), with forgers borrowed from the *other* sets alone.
Clean scans, gray and with binary ink.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pandas as pd
import typer

from benchmarks.options import DataFolder, JsonFile
from benchmarks.report_file import write_result
from benchmarks.signature_sets import INKS, SignatureSet, read_scan, read_signature_set
from vision import metrics
from vision.descriptor.describe_specimens import descriptor_in_use
from vision.descriptor.descriptors import Descriptor
from vision.intervals import bootstrap_by_writer
from vision.scans.preprocess import to_ink
from vision.verification.forger_share import REGISTER_DOUBT, Forgers, read_forgers
from vision.verification.ground import WriterSet, crosswise, fit_calibrations
from vision.verification.verify import decisive_limit, fit_writer_model

REFERENCES = (3, 4, 6, 8, 12)
PARTS, PER_WRITER = 3, 4
GENUINE, FORGED, TESTS = 16, 8, 4
SEED = 21


def main(
    data: DataFolder,
    writers: Annotated[int, typer.Option(min=18, help="The first so many writers.")] = 54,
    json_file: JsonFile = None,
) -> None:
    """Outcome rates and Cllr by references and ink, nothing learned from the judged set's forgers."""
    found, tool = read_signature_set(data, writers), descriptor_in_use()
    forgers = read_forgers().without(found.name)
    rows = []
    for ink, variant in INKS.items():
        parts = _dealt(_described(found, tool, variant))
        trials = pd.concat([_judged(parts, k, tool, forgers) for k in range(PARTS)], ignore_index=True)
        for references, part in trials.groupby("references"):
            rows.append({"ink": ink, "references": int(references), **_figures(part)})
            typer.echo(_line(rows[-1]))
    protocol = {
        "name": "calibration, leave one set out",
        "writers": len(np.unique(found.writers)),
        "genuine_each": TESTS,
        "skilled_each": FORGED,
        "forgers_from": list(forgers.sources),
        "seed": SEED,
    }
    write_result({"data": found.name, "protocol": protocol, "rows": rows}, json_file)


def _described(found: SignatureSet, tool: Descriptor, variant: str) -> list[WriterSet]:
    def vectors(rows) -> np.ndarray:
        return tool.describe([to_ink(read_scan(found.paths[row]), variant) for row in rows])

    return [
        WriterSet(one, vectors(found.genuine_of(one)[:GENUINE]), vectors(found.forged_of(one)[:FORGED]))
        for one in np.unique(found.writers)
    ]


def _dealt(everyone: list[WriterSet]) -> list[list[WriterSet]]:
    order = np.random.default_rng(SEED).permutation(len(everyone))
    return [[everyone[k] for k in order[start::PARTS]] for start in range(PARTS)]


def _judged(parts: list[list[WriterSet]], k: int, tool: Descriptor, forgers: Forgers) -> pd.DataFrame:
    none = np.empty((0, tool.info.dim), np.float32)
    halves = [
        [WriterSet(one.owner, one.genuine, none) for one in parts[(k + step) % PARTS]] for step in (1, 2)
    ]
    background, own = crosswise(*halves, tool.blocks, PER_WRITER)
    placed = pd.concat([own, forgers.placed(own)], ignore_index=True)
    calibrations = fit_calibrations(placed, "loso", REGISTER_DOUBT, forgers.writers, fewest=1)
    rows = []
    for one in parts[k]:
        for references in REFERENCES:
            model = fit_writer_model(one.genuine[:references], background, one.owner)
            calibration = calibrations[references]
            for kind, vectors in (
                ("genuine", one.genuine[references : references + TESTS]),
                ("skilled", one.skilled),
            ):
                scores = model.score(vectors)
                for score, ratio in zip(scores, calibration.log10_lr(scores), strict=True):
                    limit = decisive_limit(calibration)
                    rows.append((references, one.owner, kind, score, ratio, ratio >= limit, ratio <= -limit))
    return pd.DataFrame(rows, columns=["references", "writer", "kind", "score", "log10_lr", "yes", "no"])


def _figures(trials: pd.DataFrame) -> dict:
    writers = [{kind: rows for kind, rows in part.groupby("kind")} for _, part in trials.groupby("writer")]

    def share(kind: str, column: str):
        def measure(drawn) -> float:
            return float(pd.concat([one[kind][column] for one in drawn]).mean())

        return bootstrap_by_writer(measure, writers, np.random.default_rng(0), 200).to_dict()

    kinds = {kind: rows for kind, rows in trials.groupby("kind")}
    ratios = [kinds[kind]["log10_lr"].to_numpy() * np.log(10) for kind in ("genuine", "skilled")]
    scores = [kinds[kind]["score"].to_numpy() for kind in ("genuine", "skilled")]
    own = [
        metrics.eer(*(one[kind]["score"].to_numpy() for kind in ("genuine", "skilled"))) for one in writers
    ]
    return {
        "genuine_consistent": share("genuine", "yes"),
        "genuine_review": share("genuine", "no"),
        "skilled_consistent": share("skilled", "yes"),
        "skilled_review": share("skilled", "no"),
        "cllr": round(metrics.cllr(*ratios), 4),
        "cllr_min": round(metrics.min_cllr(*scores), 4),
        "eer_per_writer": round(float(np.mean(own)), 4),
        "eer_one_threshold": round(metrics.eer(*scores), 4),
        "writers": len(writers),
        "genuine": len(kinds["genuine"]),
        "skilled": len(kinds["skilled"]),
    }


def _line(row: dict) -> str:
    shown = "  ".join(
        f"{name} {100 * row[name]['value']:.1f} [{100 * row[name]['low']:.1f}-{100 * row[name]['high']:.1f}]"
        for name in ("genuine_consistent", "genuine_review", "skilled_consistent", "skilled_review")
    )
    return f"{row['ink']:7} {row['references']:2}  {shown}  cllr {row['cllr']:.2f} / {row['cllr_min']:.2f}"
