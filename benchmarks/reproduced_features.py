"""SigNet, SigNet-F and a backbone for identification: a network's features, used as the papers use them."""

from __future__ import annotations

import numpy as np

from benchmarks.protocols import TESTS, Trials, splits_of, usable_writers, verification_figures
from benchmarks.reproduced import Asked
from benchmarks.signature_sets import SignatureSet
from vision import metrics
from vision.descriptor.common_scale import DescriptorSpace
from vision.encoder.backbones import NoWeights
from vision.networks.pairs import split_writers
from vision.recipes.inputs import embed_images, prepare_files
from vision.recipes.writers import train_writers
from vision.verification.writer_dependent import ClassifierSettings, fit_classifiers, gram

SPLITS = 5
PAPER_SVM = ClassifierSettings(classifier="svm", kernel="rbf", gamma=2.0**-11, cost=1.0)
QUICK_BACKBONE, QUICK_EPOCHS = "mobilenet_v2", 30
"""What is trained from scratch when ImageNet's weights cannot be had."""


def development_and_exploitation(
    found: SignatureSet, train_found: SignatureSet | None, seed: int
) -> tuple[SignatureSet, SignatureSet]:
    """Signatures to train on, and those of other writers to judge: half and half, or two sets."""
    if train_found is not None:
        return train_found, found
    first, second = split_writers(found.writers, np.random.default_rng((seed, 23)), (1.0, 1.0))
    return found.take(found.of_writers(first)), found.take(found.of_writers(second))


def signet(asked: Asked, found: SignatureSet, train_found: SignatureSet | None) -> dict:
    """Features from development writers, then the paper's SVM per writer on the others."""
    source, judged = development_and_exploitation(found, train_found, asked.seed)
    usable, _ = usable_writers(judged, asked.references)
    settings = asked.settings()
    network, plan, manifest = train_writers(settings, source, asked.out)
    features = embed_images(network, prepare_files(judged.paths, plan), plan)
    trials = _svm_trials(judged, features, usable, asked.references, asked.seed)
    figures = {name: figure.to_dict() for name, figure in verification_figures(trials).items()}
    trained = len(np.unique(source.writers))
    best = manifest["best"]
    return (
        figures
        | asked.account(manifest, source, trained, judged, len(usable))
        | {
            "note": f"{manifest['seconds'] / 60:.1f} minutes, {manifest['epochs']} of 60 epochs, "
            f"on {trained} writers instead of 531; {settings.formulation}, "
            f"forgery weight {settings.forgery_weight}; "
            f"RBF-SVM, C 1, gamma 2^-11, {asked.references} references, {SPLITS} splits; held-out "
            f"signatures of the development writers given to the right one: {best['accuracy']:.3f}",
        }
    )


def _svm_trials(
    found: SignatureSet, features: np.ndarray, writers: list[str], references: int, seed: int
) -> dict[str, Trials]:
    """Scores under the paper's classifiers on raw features; random forgeries as in the protocol."""
    collected: dict[str, list[tuple]] = {writer: [] for writer in writers}
    for number, split in enumerate(splits_of(found, writers, references, SPLITS, seed)):
        rows = np.concatenate([split.references[writer] for writer in writers])
        known = features[rows]
        classifiers = fit_classifiers(gram(known, known, PAPER_SVM), found.writers[rows], PAPER_SVM)
        rng = np.random.default_rng((seed, 24, number))
        for writer in writers:
            others = rng.permutation([name for name in writers if name != writer])[:TESTS]
            strangers = np.array([split.genuine[name][0] for name in others])
            parts = (split.genuine[writer], split.skilled[writer], strangers)
            collected[writer].append(
                tuple(classifiers.score(gram(features[part], known, PAPER_SVM), writer) for part in parts)
            )
    return {
        writer: Trials(
            *(np.concatenate([part[kind] for part in parts]) for kind in range(3)),
            np.array([metrics.eer(genuine, skilled) for genuine, skilled, _ in parts]),
            np.array([metrics.auc(genuine, skilled) for genuine, skilled, _ in parts]),
        )
        for writer, parts in collected.items()
    }


def identification(asked: Asked, found: SignatureSet, train_found: SignatureSet | None) -> dict:
    """Nearest reference by Euclidean distance of flattened feature maps."""
    from benchmarks.identification import identification_figures, nearest_references

    source, judged = development_and_exploitation(found, train_found, asked.seed)
    usable, _ = usable_writers(judged, asked.references)
    architecture = asked.weights.rpartition("=")[0] or None
    try:
        settings = asked.settings(backbone=architecture)
        few = source.of_writers(np.unique(source.writers)[:2])  # nothing is trained on them
        network, plan, manifest = train_writers(settings, source.take(few), asked.out)
        judged, note = (
            found,
            f"{settings.backbone} with ImageNet weights as in the paper, not trained further",
        )
        usable, _ = usable_writers(judged, asked.references)
    except NoWeights:
        if asked.weights != "imagenet":
            raise  # a file that was named must be there
        settings = asked.settings(backbone=QUICK_BACKBONE, weights="none", epochs=QUICK_EPOCHS)
        network, plan, manifest = train_writers(settings, source, asked.out)
        note = f"no ImageNet weights could be had: {QUICK_BACKBONE} trained from scratch on other writers"
    features = embed_images(network, prepare_files(judged.paths, plan), plan)
    plain = DescriptorSpace(np.zeros(features.shape[1], np.float32), np.ones(features.shape[1], np.float32))
    nearest = nearest_references(
        judged, features, None, usable, asked.references, SPLITS, "euclidean", plain, asked.seed
    )
    figures = {name: figure.to_dict() for name, figure in identification_figures(nearest).items()}
    trained = len(np.unique(source.writers)) if manifest["steps"] else 0
    return (
        figures
        | asked.account(manifest, source, trained, judged, len(usable))
        | {
            "note": f"{note}; {features.shape[1]} numbers; {asked.references} references, {SPLITS} splits",
        }
    )
