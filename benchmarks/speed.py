"""How many times faster than the usual way: each pair in one run, alternately, as a busy machine slows both.

*network*: the shipped encoder at its best batch, as pages and commands run it (its stages in ONNX Runtime,
its readout in NumPy), beside the same network in eager PyTorch. *embed*: specimens of a store opened,
decoded, checked, embedded and written, beside the bare network on images in memory: what the rest costs.
*explanations*: SHAP values of a cohort beside ``shap.TreeExplainer``, one thread each. *classifiers*:
enrolling writers beside one ``sklearn.svm.SVC`` for each, as Hafemann et al. 2017 train them.

A ratio is of the medians; ``low`` and ``high`` are the least and the greatest of the rounds.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.report_file import write_result

BATCHES = 1, 8, 32
IMAGES = 96
REFERENCES, NEGATIVES, LENGTH = 12, 648, 14_348
TARGETS = {"network": 1.5, "embed": 0.75, "explanations": 40.0, "classifiers": 3.5}


@dataclass(frozen=True)
class Pair:
    """Two ways to do one thing.

    Attributes
    ----------
    ours, peer : callable
        Do it once and give how many units were done.
    names : tuple of str
        Of both ways.
    unit : str
        What is counted each second.
    """

    ours: Callable[[], int]
    peer: Callable[[], int]
    names: tuple[str, str]
    unit: str


def main(
    rounds: Annotated[int, typer.Option(min=2, help="Times that each pair is run.")] = 7,
    students: Annotated[int, typer.Option(min=20, help="Students whose signatures are embedded.")] = 60,
    rows: Annotated[int, typer.Option(min=1_000, help="Rows that our SHAP explains.")] = 100_000,
    sample: Annotated[int, typer.Option(min=100, help="Rows that shap.TreeExplainer explains.")] = 1_000,
    writers: Annotated[int, typer.Option(min=2, help="Writers that are enrolled.")] = 40,
    only: Annotated[str, typer.Option(help="One pair; by default all.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the result here.")] = None,
) -> None:
    """Ratios to the usual ways, each with its spread."""
    makers: dict[str, Callable[[], AbstractContextManager[Pair]]] = {
        "network": lambda: network(seed),
        "embed": lambda: embedding(students, seed),
        "explanations": lambda: explanations(rows, sample, seed),
        "classifiers": lambda: classifiers(writers, seed),
    }
    if only and only not in makers:
        raise typer.BadParameter(f"must be one of {', '.join(makers)}, got {only!r}", param_hint="--only")
    found = {}
    for name in [only] if only else makers:
        with makers[name]() as pair:
            found[name] = compared(pair, rounds) | {"target": TARGETS[name]}
        told = found[name]
        typer.echo(
            f"{name:13s} {told['ratio']:7.2f} ({told['low']:.2f} to {told['high']:.2f}; "
            f"target {told['target']:g})"
            f"  {told['ours']:10.1f} beside {told['peer']:10.1f} {told['unit']}"
        )
    write_result(
        {
            "command": f"python -m benchmarks speed --rounds {rounds} --students {students} --rows {rows}",
            "data": f"synthetic: signatures of {students} students, random records and descriptors",
            "protocol": "both ways alternately in one process, wall time; ratio of the medians, low and "
            f"high of {rounds} rounds; classifiers: {REFERENCES} references, {NEGATIVES} others, "
            f"length {LENGTH}",
            "load_average": round(os.getloadavg()[0], 1),
            "pairs": found,
        },
        json_file,
    )


def compared(pair: Pair, rounds: int) -> dict[str, object]:
    """Units a second of both ways and their ratio, after one unmeasured turn of each."""
    rates: dict[str, list[float]] = {"ours": [], "peer": []}
    for turn in range(rounds + 1):
        for name, call in (("ours", pair.ours), ("peer", pair.peer)):
            start = time.perf_counter()
            done = call()
            if turn:
                rates[name].append(done / (time.perf_counter() - start))
    ours, peer = np.array(rates["ours"]), np.array(rates["peer"])
    return {
        "ratio": round(float(np.median(ours) / np.median(peer)), 2),
        "low": round(float((ours / peer).min()), 2),
        "high": round(float((ours / peer).max()), 2),
        "ours": round(float(np.median(ours)), 2),
        "peer": round(float(np.median(peer)), 2),
        "unit": pair.unit,
        "ways": list(pair.names),
    }


def best_batch(call: Callable[[np.ndarray], object], inks: np.ndarray) -> Callable[[], int]:
    """Embed all images in the batch in which it goes fastest here."""

    def in_batches(size: int) -> int:
        for start in range(0, len(inks), size):
            call(inks[start : start + size])
        return len(inks)

    seconds = {}
    for size in BATCHES:
        call(inks[:size])
        start = time.perf_counter()
        in_batches(size)
        seconds[size] = time.perf_counter() - start
    best = min(seconds, key=seconds.__getitem__)
    return lambda: in_batches(best)


@contextmanager
def network(seed: int) -> Iterator[Pair]:
    """The served encoder beside eager PyTorch, on the same images and as many threads."""
    import torch

    from data.settings import get_settings
    from vision.encoder.backbones import load_encoder
    from vision.encoder.embed import embed_prepared, to_tensor
    from vision.threads import use_threads

    use_threads(get_settings().threads)
    encoder = load_encoder()
    inks = np.random.default_rng(seed).integers(0, 256, (IMAGES, *encoder.input_size), dtype=np.uint8)

    def eager(some: np.ndarray) -> object:
        with torch.inference_mode():
            return encoder.module(to_tensor(encoder, some))

    def served(some: np.ndarray) -> object:
        return embed_prepared(encoder, some)

    names = "ONNX Runtime and NumPy, best batch", "PyTorch eager, best batch"
    yield Pair(best_batch(served, inks), best_batch(eager, inks), names, "images/s")


@contextmanager
def embedding(students: int, seed: int) -> Iterator[Pair]:
    """Specimens of a store from file to written vector, beside the bare network."""
    from data.settings import get_settings
    from data.store import open_store
    from data.synthetic.demo import write_demo
    from vision.encoder.backbones import load_encoder
    from vision.encoder.embed import embed_prepared
    from vision.encoder.embed_specimens import embed_pending
    from vision.threads import use_threads

    threads = use_threads(get_settings().threads)
    encoder = load_encoder()
    inks = np.random.default_rng(seed).integers(0, 256, (IMAGES, *encoder.input_size), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made"
        store = open_store(folder=made)
        write_demo(store, students=students, seed=seed, jobs=threads)
        store.close()

        def whole() -> int:
            copy = Path(folder) / "copy"
            shutil.copytree(made, copy)
            store = open_store(folder=copy)
            try:
                return embed_pending(store, encoder, threads=threads)
            finally:
                store.close()
                shutil.rmtree(copy)

        bare = best_batch(lambda some: embed_prepared(encoder, some), inks)
        yield Pair(whole, bare, ("vision embed", "the network alone"), "images/s")


@contextmanager
def explanations(rows: int, sample: int, seed: int) -> Iterator[Pair]:
    """SHAP values of a cohort by tables, beside shap.TreeExplainer; one thread each."""
    import shap

    from fusion.model.booster import TreeSettings, fit_trees
    from fusion.model.treeshap import shap_values, tabulate

    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, 60)).astype(np.float32)
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    filled = np.nan_to_num(matrix)
    outcome = (filled[:, 0] + filled[:, 1] * filled[:, 2] + rng.normal(size=rows) > 0).astype(int)
    booster = fit_trees(matrix[:20_000], outcome[:20_000], TreeSettings(), seed)
    booster.set_param({"nthread": 1})
    leaves, explainer = tabulate(booster), shap.TreeExplainer(booster)
    yield Pair(
        lambda: len(shap_values(leaves, matrix)),
        lambda: len(explainer.shap_values(matrix[:sample])),
        ("tables of Shapley weights", "shap.TreeExplainer"),
        "rows/s",
    )


@contextmanager
def classifiers(writers: int, seed: int) -> Iterator[Pair]:
    """Enrolling writers on a shared background, beside a support vector machine for each."""
    from sklearn.svm import SVC

    from vision.verification.verify import Background, fit_writer_model

    rng = np.random.default_rng(seed)
    others = rng.normal(size=(NEGATIVES, LENGTH)).astype(np.float32)
    owners = [f"other {row // REFERENCES}" for row in range(NEGATIVES)]
    background = Background.build(others, owners, limit=NEGATIVES)
    centres = rng.normal(size=(writers, 1, LENGTH))
    own = (centres + 0.5 * rng.normal(size=(writers, REFERENCES, LENGTH))).astype(np.float32)
    labels = np.repeat([1, -1], [REFERENCES, NEGATIVES])
    placed = background.space.place(others)

    def ours() -> int:
        for writer, references in enumerate(own):
            fit_writer_model(references, background, f"writer {writer}")
        return writers

    def machines() -> int:
        for references in own:
            rows = np.concatenate([background.space.place(references), placed])
            machine = SVC(gamma=background.settings.gamma, class_weight="balanced")
            machine.fit(rows, labels)
        return writers

    yield Pair(ours, machines, ("ridge on a shared Gram matrix", "sklearn.svm.SVC for each"), "writers/s")
