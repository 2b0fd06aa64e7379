"""System 2 (DeepSign): pairs of signatures of writers never trained on, same hand or forged."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks import published
from benchmarks.independent import Described, Judge, among_strangers, independent_trials, learn
from benchmarks.options import DataFolder, DescriptorName, InkName, JsonFile, Minutes, Reproduced
from benchmarks.paper_network import network_here, network_rows
from benchmarks.protocols import TESTS, Trials, joined, usable_writers, verification_figures
from benchmarks.report_file import write_result
from benchmarks.signature_sets import SignatureSet, describe_set, read_signature_set
from benchmarks.verification import as_json, line
from vision.descriptor.descriptors import load_descriptor
from vision.metrics import best_accuracy_threshold
from vision.networks.pairs import split_writers

COLUMNS = ("accuracy", "precision", "recall", "auc", "eer_user", "eer_global")


def main(
    data: DataFolder,
    references: Annotated[
        int, typer.Option(min=1, help="1: all pairs, as in the paper; more: against so many references.")
    ] = 1,
    splits: Annotated[int, typer.Option(min=1, help="Random splits of the writers.")] = 5,
    train_data: Annotated[Path | None, typer.Option(help="Learn from this set instead.")] = None,
    descriptor: DescriptorName = "signature",
    ink: InkName = "grey",
    minutes: Minutes = 5.0,
    reproduced: Reproduced = None,
    json_file: JsonFile = None,
) -> None:
    """Writer-independent verification: accuracy, precision, recall and AUROC on disjoint writers."""
    started = time.perf_counter()
    found = read_signature_set(data)
    other = None if train_data is None else read_signature_set(train_data)
    result = measure(found, other, descriptor, references, splits, ink)
    result |= network_here("deepsign", found, other, references, minutes, reproduced)
    result["seconds"] = round(time.perf_counter() - started, 1)
    typer.echo(line(result))
    rows = [published.as_printed(result, result["descriptor"], references)]
    rows += network_rows("deepsign", result, 1)
    published.show("DeepSign, tables 6 and 7, and here", published.DEEPSIGN, rows, COLUMNS)
    write_result(result, json_file)


def measure(
    found: SignatureSet, other: SignatureSet | None, descriptor: str, references: int, splits: int, ink: str
) -> dict:
    """Our descriptor in DeepSign's protocol.

    Parameters
    ----------
    found : SignatureSet
        Tested.
    other : SignatureSet or None
        Learned from; other writers of ``found`` by default.
    descriptor : str
    references : int
        1: every genuine–genuine and genuine–forged pair.
    splits : int
    ink : {"grey", "binary"}
    """
    tool = load_descriptor(descriptor)
    here = Described(found, describe_set(found, tool, ink), tool.blocks)
    train = None if other is None else Described(other, describe_set(other, tool, ink), tool.blocks)
    writers, skipped = usable_writers(found, references)
    seen = None if other is None else usable_writers(other, 1)[0]
    if references == 1:
        trials = pair_trials(here, writers, splits, train, seen)
        figures = verification_figures(trials, limit=0.0)
        figures |= {"auc": figures["auc_global"], "auc_user": figures["auc"]}  # the paper's is over all pairs
        name = "DeepSign: all pairs, threshold of the highest accuracy on validation writers"
    else:
        trials = independent_trials(here, writers, references, splits, train, seen)
        figures = verification_figures(trials)
        name = "writer-independent against several references, threshold of other writers"
    return {
        "data": found.name if other is None else f"{other.name} → {found.name}",
        "descriptor": tool.info.encoder_id,
        "ink": ink,
        "protocol": {
            "name": name,
            "learned_from": found.name if other is None else other.name,
            "background": "strangers of the tested set, without forgeries" if other else "of the training",
            "references": references,
            "splits": splits,
            "writers": len(writers),
            "tested_writers": len(trials),
            "skipped_writers": skipped,
        },
        **as_json(figures),
    }


def pair_trials(
    here: Described,
    writers: list[str],
    splits: int,
    train: Described | None = None,
    train_writers: list[str] | None = None,
    seed: int = 0,
) -> dict[str, Trials]:
    """Scores of all pairs of the test writers, less the validation writers' threshold.

    Writers are dealt 60 / 20 / 20 into training, validation and test; with another set to learn from its
    writers are dealt 75 / 25, and every writer of this set is tested among strangers of it.
    """
    collected: dict[str, list[tuple]] = {}
    for split in range(splits):
        rng = np.random.default_rng((seed, 5_000, split))
        if train is None:
            seen, validation, tested = split_writers(writers, rng)
        else:
            (seen, validation), tested = split_writers(train_writers, rng, (0.75, 0.25)), writers
        judge = learn(train or here, seen, 1, rng, same_set=train is None)
        unseen = validation + tested if train is None else tested
        validated = list(_pairs(train or here, judge, validation, [], rng))
        _, limit = best_accuracy_threshold(
            *(np.concatenate([scores[kind] for _, scores in validated]) for kind in (0, 1))
        )
        rounds = [(judge, tested)] if train is None else among_strangers(judge, here, tested, rng)
        found = (pair for one, some in rounds for pair in _pairs(here, one, some, unseen, rng))
        for writer, scores in found:
            collected.setdefault(writer, []).append(tuple(values - limit for values in scores))
    return {writer: joined(parts) for writer, parts in sorted(collected.items())}


def _pairs(data: Described, judge: Judge, writers: list[str], strangers: list[str], rng: np.random.Generator):
    """Scores of each writer's genuine–genuine, genuine–forged and genuine–stranger pairs."""
    pool = data.found.of_writers({*writers, *strangers})
    pool = pool[~data.found.forged[pool]]
    for writer in writers:
        own, fakes = data.found.genuine_of(writer), data.found.forged_of(writer)
        others = rng.permutation(pool[data.found.writers[pool] != writer])[:TESTS]
        rows = np.concatenate([own, fakes, others])
        compared = judge.model.compare(judge.space.place(data.descriptors[rows]))
        scores = judge.model.score_traits(compared.pair_traits(np.arange(len(own)), np.arange(len(rows))))
        same, forged, apart = np.split(scores, [len(own), len(own) + len(fakes)])
        # each pair of genuine signatures once, and the one that is first by name as the reference
        yield writer, (same[np.tril_indices(len(own), -1)], forged.ravel(), apart.ravel())
