"""System 3 (Nugraha et al. 2021): who signed this? The writer of the nearest reference, by four metrics."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks import published
from benchmarks.options import DataFolder, DescriptorName, InkName, JsonFile, Minutes, Reproduced
from benchmarks.paper_network import network_here, network_rows
from benchmarks.protocols import DRAWS, TESTS, Trials, joined, usable_writers, verification_figures
from benchmarks.report_file import write_result
from benchmarks.signature_sets import SignatureSet, describe_set, read_signature_set
from vision.descriptor.common_scale import DescriptorSpace
from vision.descriptor.descriptors import load_descriptor
from vision.intervals import Figure, bootstrap_by_writer
from vision.search.identify import METRICS, distances, writer_distances

COLUMNS = ("accuracy", "eer", "gar")
BEST = "cosine"
"""The metric whose figures stand at the top: lowest errors on the writers that choices were made on."""
COSTLY = ("manhattan", "minkowski")
"""Without a matrix product: measured on the first split only."""


@dataclass(frozen=True)
class Nearest:
    """What nearest references say about one writer's tests, over all splits.

    Attributes
    ----------
    tests : int
        Genuine tests.
    hits : int
        Of them, those whose nearest reference is the writer's.
    named : int
        Genuine tests of anybody whose nearest reference is this writer's.
    trials : Trials
        Minus the distance to the writer's nearest reference: of own, forged and strangers' signatures.
    """

    tests: int
    hits: int
    named: int
    trials: Trials


def main(
    data: DataFolder,
    references: Annotated[int, typer.Option(min=1, help="Genuine references per writer.")] = 12,
    splits: Annotated[int, typer.Option(min=1, help="Random splits.")] = 5,
    train_data: Annotated[
        Path | None, typer.Option(help="Take the scale of each number from this set instead.")
    ] = None,
    descriptor: DescriptorName = "signature",
    ink: InkName = "grey",
    minutes: Minutes = 5.0,
    reproduced: Reproduced = None,
    json_file: JsonFile = None,
) -> None:
    """Nearest writer under Euclidean, Manhattan, Minkowski and cosine distance; FAR, FRR, EER, GAR."""
    started = time.perf_counter()
    found = read_signature_set(data)
    other = None if train_data is None else read_signature_set(train_data)
    result = measure(found, other, descriptor, references, splits, ink)
    result |= network_here("identification", found, other, references, minutes, reproduced)
    result["seconds"] = round(time.perf_counter() - started, 1)
    rows = []
    for metric in METRICS:
        some = {**result["metrics"][metric], "data": found.name}
        row = published.as_printed(some, f"{result['descriptor']}, {metric}", references)
        rows.append(_with_gar(row))
    rows += [_with_gar(row) for row in network_rows("identification", result, references)]
    published.show("Nugraha et al. 2021, and here", published.IDENTIFICATION, rows, COLUMNS)
    write_result(result, json_file)


def _with_gar(row: published.Printed) -> published.Printed:
    """The same row with the paper's two figures, EER and GAR = 1 − FRR."""
    rejected = row.figures.get("frr")
    more = {"eer": row.figures.get("eer_global"), "gar": None if rejected is None else 1 - rejected}
    return published.Printed(row.data, row.system, row.figures | more, row.references)


def measure(
    found: SignatureSet, other: SignatureSet | None, descriptor: str, references: int, splits: int, ink: str
) -> dict:
    """Identification under every metric; the cosine's figures stand at the top.

    Parameters
    ----------
    found : SignatureSet
    other : SignatureSet or None
        Where the scale of each number is learned; the references themselves by default.
    descriptor : str
    references, splits : int
    ink : {"grey", "binary"}
    """
    tool = load_descriptor(descriptor)
    descriptors = describe_set(found, tool, ink)
    writers, skipped = usable_writers(found, references, forgeries=False)
    space = None
    if other is not None:
        space = DescriptorSpace.fit(describe_set(other, tool, ink)[~other.forged], tool.blocks)
    metrics = {}
    for metric in METRICS:
        rounds = 1 if metric in COSTLY else splits
        judged = nearest_references(
            found, descriptors, tool.blocks, writers, references, rounds, metric, space
        )
        metrics[metric] = {
            **{name: figure.to_dict() for name, figure in identification_figures(judged).items()},
            "splits": rounds,
        }
    return {
        "data": found.name,
        "descriptor": tool.info.encoder_id,
        "ink": ink,
        "protocol": {
            "name": "nearest reference among all writers; errors: claimed writer against other writers",
            "metric": BEST,
            "references": references,
            "splits": splits,
            "writers": len(writers),
            "skipped_writers": skipped,
            "scale_learned_from": found.name if other is None else other.name,
        },
        **{key: value for key, value in metrics[BEST].items() if key != "splits"},
        "metrics": metrics,
    }


def nearest_references(
    found: SignatureSet,
    descriptors: np.ndarray,
    blocks,
    writers: list[str],
    references: int,
    splits: int,
    metric: str,
    space: DescriptorSpace | None = None,
    seed: int = 0,
) -> list[Nearest]:
    """Every genuine signature that is no reference is looked up; one entry per writer."""
    counts = np.zeros((3, len(writers)), dtype=int)
    collected: list[list[tuple]] = [[] for _ in writers]
    for split in range(splits):
        rng = np.random.default_rng((seed, 6_000, split))
        drawn = [rng.permutation(found.genuine_of(writer)) for writer in writers]
        gallery = np.concatenate([rows[:references] for rows in drawn])
        tests = np.concatenate([rows[references:] for rows in drawn])
        fakes = [rng.permutation(found.forged_of(writer))[:TESTS] for writer in writers]
        scale = space or DescriptorSpace.fit(descriptors[gallery], blocks)
        placed = scale.place(descriptors[gallery])
        owners = np.repeat(np.arange(len(writers)), references)
        to_writer = _to_writers(scale.place(descriptors[tests]), placed, owners, metric)
        truth = np.repeat(np.arange(len(writers)), [len(rows) - references for rows in drawn])
        named = to_writer.argmin(axis=1)
        counts += [
            np.bincount(group, minlength=len(writers)) for group in (truth, truth[named == truth], named)
        ]
        for index in range(len(writers)):
            own = placed[owners == index]
            forged = distances(scale.place(descriptors[fakes[index]]), own, metric).min(axis=1)
            strangers = rng.permutation(np.flatnonzero(truth != index))[: 5 * TESTS]
            collected[index].append(
                (-to_writer[truth == index, index], -to_writer[strangers, index], -forged)
            )
    # In this paper's protocol the impostors are other writers: they stand where forgeries stand elsewhere.
    return [Nearest(*counts[:, index].tolist(), joined(parts)) for index, parts in enumerate(collected)]


def _to_writers(tests: np.ndarray, placed: np.ndarray, owners: np.ndarray, metric: str) -> np.ndarray:
    writers = int(owners.max()) + 1
    return np.concatenate(
        [
            writer_distances(distances(part, placed, metric), owners, writers)
            for part in np.array_split(tests, -(-len(tests) // 256))
        ]
    )


def identification_figures(judged: list[Nearest], seed: int = 0, draws: int = DRAWS) -> dict[str, Figure]:
    """Nearest-writer accuracy, precision and recall (means over writers), and the error rates of a claim.

    EER, AUC, FRR and ``far_random`` compare a writer's own signatures with other writers'; ``far_skilled``
    is what forgeries reach at the same threshold.
    """
    figures = verification_figures({str(k): one.trials for k, one in enumerate(judged)}, seed, draws)
    rng = np.random.default_rng((seed, 7_000))

    def interval(statistic) -> Figure:
        return bootstrap_by_writer(statistic, judged, rng, draws)

    return figures | {
        "accuracy": interval(lambda some: sum(one.hits for one in some) / sum(one.tests for one in some)),
        "precision": interval(lambda some: float(np.mean([one.hits / max(one.named, 1) for one in some]))),
        "recall": interval(lambda some: float(np.mean([one.hits / one.tests for one in some]))),
        "far_random": figures["far_skilled"],
        "far_skilled": figures["far_random"],
    }
