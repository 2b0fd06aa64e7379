"""One classifier per writer, all from one shared Gram matrix.

Kernel ridge regression on labels +1 (the writer's references) and −1 (references of others). The matrix that
must be inverted does not depend on whose classifier is wanted, so one inversion serves every writer of a
group, and leaving a reference out has a closed form (its own residual, Allen's PRESS): each writer's
held-out scores cost nothing and centre that writer's scores, which makes one threshold fit all.

Support vector machines, as in Hafemann et al. 2017, are here for comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision.descriptor.common_scale import squared_distances

KERNELS = ("rbf", "linear")
CLASSIFIERS = ("ridge", "svm")


@dataclass(frozen=True)
class ClassifierSettings:
    """How writers' classifiers are made.

    Attributes
    ----------
    classifier : str
        ``ridge`` or ``svm``.
    kernel : str
        ``rbf``, exp(−gamma D²), or ``linear``; D² between placed descriptors is about 2 for two writers.
    gamma : float
    ridge : float
        Added to the Gram matrix's diagonal.
    cost : float
        C of the support vector machine.
    centring : float, 0 to 1
        Share of a writer's mean held-out score that is subtracted from the writer's scores.
    """

    classifier: str = "ridge"
    kernel: str = "rbf"
    gamma: float = 0.12
    ridge: float = 0.02
    cost: float = 1.0
    centring: float = 0.35

    @property
    def version(self) -> str:
        """Every setting in one word: scores of other settings are not to be compared."""
        numbers = (self.gamma, self.ridge, self.centring)
        return "-".join([self.classifier, self.kernel, *(f"{number:g}" for number in numbers)])

    def __post_init__(self) -> None:
        if self.classifier not in CLASSIFIERS:
            raise ValueError(f"classifier: must be one of {', '.join(CLASSIFIERS)}, got {self.classifier!r}")
        if self.kernel not in KERNELS:
            raise ValueError(f"kernel: must be one of {', '.join(KERNELS)}, got {self.kernel!r}")
        if not self.gamma > 0 or not self.ridge > 0 or not self.cost > 0:
            raise ValueError(
                f"gamma, ridge, cost: must be positive, got {self.gamma}, {self.ridge}, {self.cost}"
            )


def gram(
    first: np.ndarray, second: np.ndarray, settings: ClassifierSettings, lengths: np.ndarray | None = None
) -> np.ndarray:
    """Kernel values between placed descriptors, float64 (n, m).

    Parameters
    ----------
    first : float (n, d)
    second : float (m, d)
    settings : ClassifierSettings
    lengths : float64 (m,), optional
        Squared lengths of the rows of `second`, where they are known already.
    """
    if settings.kernel == "linear":
        return (first @ second.T).astype(np.float64)
    # In double precision: a product in single precision depends on the processor and on how many rows there
    # are.
    wide = [np.asarray(rows, dtype=np.float64) for rows in (first, second)]
    return np.exp(-settings.gamma * squared_distances(*wide, lengths))


@dataclass(frozen=True)
class WriterClassifiers:
    """Classifiers of several writers over one set of references.

    Attributes
    ----------
    writers : tuple
        In the order of the columns of ``weights``.
    owners : ndarray (n,)
        The writer of each reference.
    weights : float64 (n, w)
        Of each reference in each writer's score.
    intercepts : float64 (w,)
    held_out : tuple of float64 arrays
        Score of each of the writer's own references by a classifier that has not seen it.
    settings : ClassifierSettings
    """

    writers: tuple
    owners: np.ndarray
    weights: np.ndarray
    intercepts: np.ndarray
    held_out: tuple[np.ndarray, ...]
    settings: ClassifierSettings

    @property
    def centres(self) -> np.ndarray:
        """What is subtracted from each writer's scores, float64 (w,)."""
        return self.settings.centring * np.array([scores.mean() for scores in self.held_out])

    def scores(self, kernel: np.ndarray) -> np.ndarray:
        """Centred scores of questioned signatures under every writer.

        Parameters
        ----------
        kernel : float (m, n)
            :func:`gram` of the questioned signatures and the references, in the order of ``owners``.

        Returns
        -------
        float64 (m, w)
            Higher for "this writer"; about −1.2 to 0.8.
        """
        return kernel @ self.weights + (self.intercepts - self.centres)

    def score(self, kernel: np.ndarray, writer) -> np.ndarray:
        """Centred scores of questioned signatures under one writer, float64 (m,)."""
        column = self.writers.index(writer)
        return kernel @ self.weights[:, column] + (self.intercepts[column] - self.centres[column])


def fit_classifiers(
    kernel: np.ndarray, owners: Sequence, settings: ClassifierSettings | None = None
) -> WriterClassifiers:
    """Classifiers of every writer, each against all the others.

    Parameters
    ----------
    kernel : float (n, n)
        :func:`gram` of the references with themselves.
    owners : sequence (n,)
        The writer of each reference; at least two writers with at least two references each.
    settings : ClassifierSettings, optional

    Returns
    -------
    WriterClassifiers

    Raises
    ------
    ValueError
        If there are fewer writers or references.
    """
    settings = settings or ClassifierSettings()
    owners = np.asarray(owners)
    writers, counts = np.unique(owners, return_counts=True)
    if len(writers) < 2 or counts.min() < 2:
        raise ValueError(
            f"owners: need at least 2 writers with at least 2 references each, got {len(writers)} writers "
            f"with {counts.min() if len(counts) else 0} or more"
        )
    if kernel.shape != (len(owners), len(owners)):
        raise ValueError(f"kernel: must be ({len(owners)}, {len(owners)}), got {kernel.shape}")
    fit = _ridge if settings.classifier == "ridge" else _support_vectors
    weights, intercepts, held_out = fit(np.asarray(kernel, dtype=np.float64), owners, writers, settings)
    return WriterClassifiers(tuple(writers.tolist()), owners, weights, intercepts, held_out, settings)


def _ridge(kernel, owners, writers, settings):
    """Closed form; a constant 1 in the kernel stands for the intercept."""
    inverse = np.linalg.inv(kernel + 1.0 + settings.ridge * np.eye(len(owners)))
    labels = np.where(owners[:, None] == writers[None], 1.0, -1.0)
    weights = inverse @ labels
    residual = weights / np.diag(inverse)[:, None]
    held_out = tuple(
        1.0 - residual[owners == writer, column] for column, writer in enumerate(writers.tolist())
    )
    return weights, weights.sum(axis=0), held_out


def _support_vectors(kernel, owners, writers, settings):
    """One machine per writer on the shared Gram matrix; held-out scores by four folds."""
    weights = np.zeros((len(owners), len(writers)))
    intercepts, held_out = np.zeros(len(writers)), []
    for column, writer in enumerate(writers.tolist()):
        own, others = np.flatnonzero(owners == writer), np.flatnonzero(owners != writer)
        weights[:, column], intercepts[column] = _machine(kernel, own, others, settings)
        scores = np.zeros(len(own))
        for fold in np.array_split(np.arange(len(own)), min(4, len(own))):
            some, constant = _machine(kernel, np.delete(own, fold), others, settings)
            scores[fold] = kernel[own[fold]] @ some + constant
        held_out.append(scores)
    return weights, intercepts, tuple(held_out)


def _machine(kernel, own, others, settings) -> tuple[np.ndarray, float]:
    from sklearn.svm import SVC

    rows = np.concatenate([own, others])
    labels = np.concatenate([np.ones(len(own)), -np.ones(len(others))])
    machine = SVC(kernel="precomputed", C=settings.cost, class_weight={1: len(others) / len(own), -1: 1}).fit(
        kernel[np.ix_(rows, rows)], labels
    )
    weights = np.zeros(len(kernel))
    weights[rows[machine.support_]] = machine.dual_coef_[0]
    return weights, float(machine.intercept_[0])
