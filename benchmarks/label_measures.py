"""How well a label of two values is told from signatures, beside labels dealt at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.labelled_sets import folds_of, permuted
from vision import metrics
from vision.descriptor.common_scale import DescriptorSpace
from vision.intervals import binomial_interval, bootstrap_by_writer
from vision.recipes.labels import LabelledSet
from vision.verification.writer_dependent import ClassifierSettings, gram

FOLDS, DEALS, DRAWS = 5, 200, 500
SETTINGS = ClassifierSettings()
NO_FIGURE = {"value": None, "low": None, "high": None}


@dataclass(frozen=True)
class Told:
    """What was said of each scan.

    Attributes
    ----------
    labels : ndarray of bool (n,)
    scores : float64 (n,)
        At 0 or above: the second label.
    persons : ndarray of str (n,)
    """

    labels: np.ndarray
    scores: np.ndarray
    persons: np.ndarray


@dataclass(frozen=True)
class Control:
    """What labels dealt at random reach in the same cross-validation.

    Attributes
    ----------
    deals : int
    auc_mean, auc_high : float
        Mean and 95th percentile of their AUC.
    p_value : float
        Share of deals that do as well as the true labels, these counted in.
    """

    deals: int
    auc_mean: float
    auc_high: float
    p_value: float


def signs(labels: np.ndarray) -> np.ndarray:
    """+1 for the second label, −1 for the first."""
    return np.where(labels, 1.0, -1.0)


def ridge_weights(known: np.ndarray, asked: np.ndarray, blocks) -> np.ndarray:
    """What each known label (±1) counts in the kernel ridge prediction for each scan asked about.

    Parameters
    ----------
    known : float (n, d)
    asked : float (m, d)
    blocks : sequence
        Stretches of the descriptor.

    Returns
    -------
    float64 (m, n)
        Rows sum to 1: a constant label is predicted as it is.
    """
    space = DescriptorSpace.fit(known, blocks)
    placed = space.place(known)
    kernel = gram(placed, placed, SETTINGS)
    slope = np.linalg.solve(
        kernel + SETTINGS.ridge * np.eye(len(known)), gram(placed, space.place(asked), SETTINGS)
    ).T
    return slope + (1 - slope.sum(axis=1, keepdims=True)) / len(known)


def cross_validated(found: LabelledSet, descriptors: np.ndarray, blocks, splits: int, seed: int):
    """Out-of-fold scores, averaged over repetitions, and a control on the first repetition.

    Returns
    -------
    Told
    Control
        Labels are dealt anew within the folds, so that each keeps its shares of both.
    """
    total = np.zeros(len(found.paths))
    for split in range(splits):
        rng = np.random.default_rng((seed, 51, split))
        folds = folds_of(found, FOLDS, rng)
        weights = np.zeros((len(folds), len(folds)))
        for fold in np.unique(folds):
            test, train = folds == fold, folds != fold
            weights[np.ix_(test, train)] = ridge_weights(descriptors[train], descriptors[test], blocks)
        scores = weights @ signs(found.labels)
        total += scores
        if split == 0:
            control = _control(found, folds, weights, scores, rng)
    return Told(found.labels, total / splits, found.persons), control


def _control(found: LabelledSet, folds, weights, scores, rng) -> Control:
    aucs = np.zeros(DEALS)
    for deal in range(DEALS):
        other = permuted(found, folds, rng).labels
        said = weights @ signs(other)
        aucs[deal] = metrics.auc(said[other], said[~other])
    own = metrics.auc(scores[found.labels], scores[~found.labels])
    p_value = (1 + int((aucs >= own).sum())) / (1 + DEALS)
    return Control(DEALS, float(aucs.mean()), float(np.quantile(aucs, 0.95)), p_value)


def label_figures(told: Told, seed: int) -> dict:
    """Figures of the second label, intervals by person; those of verification do not apply."""
    persons = [np.flatnonzero(told.persons == person) for person in np.unique(told.persons)]
    rng = np.random.default_rng((seed, 52))

    def figure(statistic):
        def of(some):
            rows = np.concatenate(some)
            labels, said = told.labels[rows], told.scores[rows]
            return statistic(said[labels], said[~labels]) if labels.any() and not labels.all() else np.nan

        return bootstrap_by_writer(of, persons, rng, DRAWS).to_dict()

    def rate(name):
        return figure(lambda yes, no: metrics.classification_rates(yes, no, 0.0)[name])

    return {
        "eer_user": NO_FIGURE,
        "eer_global": figure(metrics.eer),
        "auc": figure(metrics.auc),
        **{name: rate(name) for name in ("accuracy", "precision", "recall", "f1")},
        "far_random": NO_FIGURE,
        "far_skilled": NO_FIGURE,
        "frr": figure(lambda yes, no: metrics.frr(yes, 0.0)),
    }


def exact_figures(judged: LabelledSet, scores: np.ndarray) -> dict:
    """Accuracy, precision, recall and AUC on a few tests, exact binomial intervals for what is counted."""
    said, labels = scores >= 0, judged.labels
    hits = int((said & labels).sum())
    counted = {
        "accuracy": (int((said == labels).sum()), len(labels)),
        "precision": (hits, int(said.sum())),
        "recall": (hits, int(labels.sum())),
    }
    figures = {
        name: binomial_interval(*pair).to_dict() if pair[1] else NO_FIGURE for name, pair in counted.items()
    }
    auc = metrics.auc(scores[labels], scores[~labels])
    return {"tests": len(labels), **figures, "auc": {**NO_FIGURE, "value": round(auc, 6)}}
