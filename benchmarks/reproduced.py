"""The papers' own networks, trained here within a time budget and measured in the papers' protocols."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.report_file import write_result
from benchmarks.signature_sets import SignatureSet, read_signature_set
from vision import metrics
from vision.encoder.backbones import NoWeights
from vision.intervals import bootstrap_by_writer
from vision.networks.pairs import all_pairs, split_writers
from vision.recipes.inputs import embed_images, prepare_files
from vision.recipes.registry import RECIPES, published_settings
from vision.recipes.siamese import EMBEDDING, input_plan, pair_scores, train_siamese
from vision.recipes.training import TrainSettings

DRAWS = 300
FAST_RATE = 3e-4
"""Learning rate of DeepSign when minutes stand in for the paper's hours."""


SIAMESE = ("deepsign", "signet-siamese", "mobilenet-transfer")
SIGNET_F = ("signet-f", "signet-f:loss1", "signet-f:forgeries_as_classes")
"""The paper's ways of learning from forgeries; ``signet-f`` alone is ``loss2``."""
SYSTEMS = (*SIAMESE, "signet", *SIGNET_F, "identification")
"""What can be reproduced, by name: a recipe, and after a colon the formulation of its loss."""


@dataclass(frozen=True)
class Asked:
    """What to train, for how long, and where its weights go."""

    system: str
    minutes: float
    seed: int
    references: int
    weights: str
    out: Path
    as_published: bool = False

    @property
    def recipe(self) -> str:
        """The system without the formulation of its loss."""
        return self.system.partition(":")[0]

    def settings(self, **changes) -> TrainSettings:
        """The recipe's published settings within the time, with changes."""
        changes = {"minutes": self.minutes, "seed": self.seed, "weights": self.weights_file} | changes
        if formulation := self.system.partition(":")[2]:
            changes["formulation"] = formulation
        if "weights" not in RECIPES[self.recipe].published:
            del changes["weights"]
        return published_settings(self.recipe, **changes)

    @property
    def weights_file(self) -> str:
        """``weights`` without the architecture before the equals sign."""
        return self.weights.rpartition("=")[2]

    def account(self, manifest: dict, source, trained: int, found, tested: int) -> dict:
        """What was trained on what, and for how long."""
        return {
            "network": RECIPES[self.recipe].trains,
            "trainable_parameters": manifest["trainable_parameters"],
            "start": manifest["about"]["start"],
            "epochs": manifest["epochs"],
            "steps": manifest["steps"],
            "minutes": round(manifest["seconds"] / 60, 1),
            "device": manifest["device"],
            "trained_on": f"{source.name}, {trained} writers",
            "tested_on": f"{found.name}, {tested} writers",
        }


def main(
    data: Annotated[Path, typer.Option(help="Folder with one folder per writer.")],
    system: Annotated[list[str], typer.Option(help=f"{', '.join(SYSTEMS)}; may be repeated.")],
    minutes: Annotated[float, typer.Option(min=0.01, help="Training time of each.")] = 10.0,
    train_data: Annotated[Path | None, typer.Option(help="Train on this set instead.")] = None,
    references: Annotated[int, typer.Option(min=2, help="Genuine references per writer.")] = 12,
    seed: Annotated[int, typer.Option(min=0)] = 7,
    weights: Annotated[str, typer.Option(help="imagenet, ARCHITECTURE=FILE or none.")] = "imagenet",
    keep: Annotated[
        Path | None, typer.Option(help="Keep weights here; again with more minutes, training goes on.")
    ] = None,
    as_published: Annotated[
        bool, typer.Option("--as-published", help="Siamese: the paper's rate and single pairs, as it has it.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Train the papers' own networks for so long and measure them in the papers' protocols.

    Figures of other systems on the same sets that the file already holds are kept.
    """
    found = read_signature_set(data)
    other = None if train_data is None else read_signature_set(train_data)
    systems = _kept(json_file, found.name)
    for name in system:
        options = {"minutes": minutes, "seed": seed, "references": references, "weights": weights}
        options |= {"keep": keep, "as_published": as_published}
        systems[name] = reproduce(name, found, other, **options)
        shown = [
            f"{key} {100 * systems[name][key]['value']:.1f} %" for key in ("eer_user", "auc", "accuracy")
        ]
        typer.echo(f"{name:20} {'  '.join(shown)}  {systems[name]['note']}")
        write_result({"data": found.name, "systems": systems}, json_file)


def _kept(json_file: Path | None, data: str) -> dict:
    """Systems that a result file on the same set holds; a file of another set or benchmark is refused."""
    if json_file is None or not json_file.exists():
        return {}
    document = json.loads(json_file.read_text(encoding="utf-8"))
    if document.get("data") != data or "systems" not in document:
        held = (
            document.get("data") if "systems" in document else f"another benchmark on {document.get('data')}"
        )
        raise typer.BadParameter(
            f"{json_file.name} holds {held}, not trained networks on {data}: name another file",
            param_hint="--json",
        )
    return document["systems"]


def reproduce(
    system: str,
    found: SignatureSet,
    train_found: SignatureSet | None = None,
    *,
    minutes: float,
    seed: int = 7,
    references: int = 12,
    weights: str = "imagenet",
    keep: Path | None = None,
    as_published: bool = False,
) -> dict | None:
    """Train a paper's own network and measure it.

    Parameters
    ----------
    system : str
        ``deepsign``, ``signet-siamese`` or ``mobilenet-transfer`` (protocol of the DeepSign paper);
        ``signet``, ``signet-f``, ``signet-f:loss1`` or ``signet-f:forgeries_as_classes`` (a classifier per
        writer on the network's features); ``identification`` (nearest reference).
    found : SignatureSet
        The set to measure on: writers that training does not see, all of them when there is another set to
        train on.
    train_found : SignatureSet, optional
        The set to train on; by default other writers of ``found``.
    minutes : float
        Training time; 0 or less: nothing is trained.
    seed : int
        Of the writers' groups and of training.
    references : int
        Genuine references per writer, for ``signet``, ``signet-f`` and ``identification``.
    weights : str
        For networks that start from ImageNet's: ``imagenet`` (downloaded), ``<architecture>=<file>``, or
        ``none``. Without them such a network is trained from scratch, and the note says so.
    keep : Path, optional
        Folder for weights and checkpoints. A later call with more minutes goes on from there; ``minutes``
        counts the earlier parts. By default nothing is kept.
    as_published : bool
        Siamese networks with the paper's learning rate, single pairs, epochs and patience.

    Returns
    -------
    dict or None
        ``eer_user``, ``eer_global``, ``auc``, ``accuracy``, … each ``{"value", "low", "high"}``, with
        ``network``, ``epochs``, ``minutes``, ``note``; None when no time is given.

    Raises
    ------
    NoWeights
        When a weights file was named and cannot be used.
    ValueError
        If the system is unknown or the sets hold too few writers.
    """
    if minutes <= 0:
        return None
    if system not in SYSTEMS:
        raise ValueError(f"system: must be one of {', '.join(SYSTEMS)}, got {system!r}")
    with tempfile.TemporaryDirectory() as passing:
        folder = Path(passing) if keep is None else keep / _kept_name(found, train_found, as_published)
        folder.mkdir(parents=True, exist_ok=True)
        out = folder / f"{system.replace(':', '-')}.safetensors"
        asked = Asked(system, minutes, seed, references, weights, out, as_published)
        if system in SIAMESE:
            return _siamese(asked, found, train_found)
        from benchmarks.reproduced_features import identification, signet

        kind = identification if system == "identification" else signet
        return kind(asked, found, train_found)


def _kept_name(found: SignatureSet, train_found: SignatureSet | None, as_published: bool) -> str:
    """Folder of the weights of one training set, judged set and schedule."""
    sets = found.name if train_found is None else f"{train_found.name}-to-{found.name}"
    return f"{sets}-as-published" if as_published else sets


def _siamese(asked: Asked, found: SignatureSet, train_found: SignatureSet | None) -> dict:
    """Protocol of the DeepSign paper: writers 60/20/20, all pairs, threshold from validation writers."""
    system, seed = asked.system, asked.seed
    rng = np.random.default_rng((seed, 20))
    source = train_found or found
    if train_found is None:
        groups = split_writers(found.writers, rng)
        tested = groups[2]
    else:
        groups = (*split_writers(source.writers, rng, (0.75, 0.25)), [])
        tested = np.unique(found.writers).tolist()
    settings = asked.settings()
    if not asked.as_published:
        rate = FAST_RATE if system == "deepsign" else None
        settings = asked.settings(rate=rate, grouped=True, epochs=500, patience=12, batch=32)
    try:
        network, manifest = train_siamese(settings, source, groups, asked.out)
    except NoWeights:
        if settings.weights != "imagenet":
            raise  # a file that was named must be there
        settings = replace(settings, weights="none")
        network, manifest = train_siamese(settings, source, groups, asked.out)
    figures = pair_figures(network, found, tested, system, manifest["best"]["threshold"], seed)
    return (
        figures
        | asked.account(manifest, source, len(groups[0]), found, len(tested))
        | {
            "note": _siamese_note(settings, manifest),
        }
    )


def _siamese_note(settings, manifest) -> str:
    paper = published_settings(settings.recipe)
    parts = [
        f"{manifest['steps']} steps in {manifest['seconds'] / 60:.1f} minutes on {manifest['device']}",
        *(
            ["batches hold all pairs among about 32 signatures instead of 32 single pairs"]
            if settings.grouped
            else []
        ),
        f"best validation AUC {manifest['best']['auc']:.3f}",
    ]
    if settings.rate != paper.rate:
        parts.append(f"learning rate {settings.rate:g} instead of {paper.rate:g}")
    if manifest["about"]["start"].startswith("none") and paper.weights == "imagenet":
        parts.append("no ImageNet weights could be had: the frozen part is random")
    return "; ".join(parts)


def pair_figures(network, found: SignatureSet, tested, system: str, threshold: float, seed: int) -> dict:
    """Figures of a Siamese network on all pairs of the test writers, intervals by writer.

    ``threshold`` is on minus the distance. Random forgeries are genuine signatures of other test writers,
    one for each genuine signature.
    """
    rows = found.of_writers(tested)
    plan = input_plan(system)
    values = np.zeros((len(found.paths), EMBEDDING), np.float32)
    values[rows] = embed_images(network, prepare_files([found.paths[i] for i in rows], plan), plan)
    rng = np.random.default_rng((seed, 21))
    judged = []
    for writer in tested:
        pairs = all_pairs(found.writers, found.forged, [writer])
        scores = pair_scores(values, pairs)
        if pairs.different.all() or not pairs.different.any():
            continue
        own, others = found.genuine_of(writer), rows[~found.forged[rows] & (found.writers[rows] != writer)]
        drawn = rng.choice(others, len(own)) if len(others) else own[:0]
        random = -np.linalg.norm(values[own[: len(drawn)]] - values[drawn], axis=1)
        judged.append((scores[~pairs.different], scores[pairs.different], random))
    if not judged:
        raise ValueError("found: no test writer has both genuine and forged signatures")
    return _distance_figures(judged, threshold, seed)


def _distance_figures(judged: list[tuple], threshold: float, seed: int) -> dict:
    rng = np.random.default_rng((seed, 22))

    def pooled(some, kind):
        return np.concatenate([item[kind] for item in some])

    def rate(name):
        return lambda some: metrics.classification_rates(pooled(some, 0), pooled(some, 1), threshold)[name]

    statistics = {
        "eer_user": lambda some: float(np.mean([metrics.eer(item[0], item[1]) for item in some])),
        "eer_global": lambda some: metrics.eer(pooled(some, 0), pooled(some, 1)),
        "auc": lambda some: metrics.auc(pooled(some, 0), pooled(some, 1)),
        "accuracy": rate("accuracy"),
        "precision": rate("precision"),
        "recall": rate("recall"),
        "far_random": lambda some: (
            metrics.far(pooled(some, 2), threshold) if len(pooled(some, 2)) else np.nan
        ),
        "far_skilled": lambda some: metrics.far(pooled(some, 1), threshold),
        "frr": lambda some: metrics.frr(pooled(some, 0), threshold),
    }
    return {
        name: bootstrap_by_writer(statistic, judged, rng, DRAWS).to_dict()
        for name, statistic in statistics.items()
    }
