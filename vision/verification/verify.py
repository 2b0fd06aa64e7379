"""References → score → likelihood ratio → outcome. An outcome is advice to look again, never a verdict.

Outcomes: *consistent* (the signature agrees with the references), *review* (a person should compare it),
*inconclusive* (the evidence is too weak, or there are fewer than three references).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision.descriptor.common_scale import DescriptorSpace, squared_distances, squared_lengths
from vision.verification.likelihood import Calibration
from vision.verification.writer_dependent import ClassifierSettings, fit_classifiers, gram

OUTCOMES = ("consistent", "inconclusive", "review")
FEWEST_REFERENCES = 3
CLASSIFIER_VERSION = ClassifierSettings().version
DECISIVE = float(np.log10(5))
"""|log10 LR| from which an outcome is given: five times likelier on one side. With ten, four in ten genuine
signatures of a register would stay inconclusive (docs/decisions/0009-outcomes-of-verification.md)."""


@dataclass(frozen=True)
class Background:
    """References of other writers, against which one writer's references are told apart.

    Attributes
    ----------
    space : DescriptorSpace
    placed : float64 (n, d)
        Kept wide, as every comparison multiplies by it in double precision.
    lengths : float64 (n,)
        Squared length of each row.
    owners : ndarray of str (n,)
        The writer of each row.
    kernel : float64 (n, n)
        Of the rows with themselves, so that enrolling a writer needs only the writer's own part.
    settings : ClassifierSettings
    """

    space: DescriptorSpace
    placed: np.ndarray
    lengths: np.ndarray
    owners: np.ndarray
    kernel: np.ndarray
    settings: ClassifierSettings

    @classmethod
    def build(
        cls,
        descriptors: np.ndarray,
        owners: Sequence[str],
        blocks: Sequence | None = None,
        settings: ClassifierSettings | None = None,
        limit: int = 500,
    ) -> Background:
        """Background from genuine specimens.

        Parameters
        ----------
        descriptors : float32 (n, d)
            Of at least two writers.
        owners : sequence of str (n,)
        blocks : sequence, optional
            Stretches of the descriptor, see :meth:`DescriptorSpace.fit`.
        limit : int
            At most so many rows are kept, each writer's first before anybody's second.
        """
        settings = settings or ClassifierSettings()
        owners = np.asarray(owners, dtype=object)
        if len(owners) != len(descriptors) or len(set(owners)) < 2:
            raise ValueError(
                f"owners: need one per descriptor and at least 2 writers, got {len(owners)} owners of "
                f"{len(descriptors)} descriptors, {len(set(owners))} writers"
            )
        turn, seen = np.zeros(len(owners), dtype=int), {}
        for row, owner in enumerate(owners):
            turn[row] = seen[owner] = seen.get(owner, -1) + 1
        chosen = np.sort(np.argsort(turn, kind="stable")[:limit])
        space = DescriptorSpace.fit(descriptors, blocks)
        placed = space.place(descriptors[chosen]).astype(np.float64)
        lengths = squared_lengths(placed)
        kernel = gram(placed, placed, settings, lengths)
        return cls(space, placed, lengths, owners[chosen], kernel, settings)

    def kernel_with(self, placed: np.ndarray) -> np.ndarray:
        """Kernel values of placed descriptors (m, d) with every row, float64 (m, n)."""
        return gram(placed, self.placed, self.settings, self.lengths)


@dataclass(frozen=True)
class WriterModel:
    """One enrolled writer.

    Attributes
    ----------
    owner : str
    own : float32 (r, d)
        Placed descriptors of the references.
    weights : float64 (r,)
    background : Background
    background_weights : float64 (n,)
        0 for rows of the same owner.
    intercept : float
        Including the writer's own centring.
    held_out : float64 (r,)
        Raw score of each reference by a classifier that has not seen it.
    """

    owner: str
    own: np.ndarray
    weights: np.ndarray
    background: Background
    background_weights: np.ndarray
    intercept: float
    held_out: np.ndarray

    @property
    def references(self) -> int:
        """Number of references."""
        return len(self.own)

    def score(self, descriptors: np.ndarray) -> np.ndarray:
        """Centred scores of questioned descriptors (m, d), float64 (m,); higher for "same writer"."""
        placed = self.background.space.place(descriptors)
        settings = self.background.settings
        others = self.background.kernel_with(placed) @ self.background_weights
        return gram(placed, self.own, settings) @ self.weights + others + self.intercept

    def distances(self, descriptors: np.ndarray) -> np.ndarray:
        """Distances to each reference, float64 (m, r); about √2 for another writer."""
        return np.sqrt(squared_distances(self.background.space.place(descriptors), self.own))


def fit_writer_model(references: np.ndarray, background: Background, owner: str) -> WriterModel:
    """Fit one writer's classifier.

    Parameters
    ----------
    references : float32 (r, d)
        Descriptors of the writer's genuine specimens, at least two.
    background : Background
        Rows of the same owner are left out.
    owner : str

    Returns
    -------
    WriterModel
    """
    if references.ndim != 2 or len(references) < 2:
        raise ValueError(f"references: need at least 2 descriptors (r, d), got shape {references.shape}")
    others = np.flatnonzero(background.owners != owner)
    if len(others) < 2:
        raise ValueError(f"background: need at least 2 specimens of other writers, got {len(others)}")
    settings, own = background.settings, background.space.place(references)
    across = background.kernel_with(own)[:, others]
    kernel = np.block(
        [[gram(own, own, settings), across], [across.T, background.kernel[np.ix_(others, others)]]]
    )
    fitted = fit_classifiers(kernel, [0] * len(own) + [1] * len(others), settings)
    spread = np.zeros(len(background.owners))
    spread[others] = fitted.weights[len(own) :, 0]
    return WriterModel(
        owner=owner,
        own=own,
        weights=fitted.weights[: len(own), 0],
        background=background,
        background_weights=spread,
        intercept=float(fitted.intercepts[0] - fitted.centres[0]),
        held_out=fitted.held_out[0],
    )


@dataclass(frozen=True)
class Verification:
    """What the comparison of one questioned signature says.

    Attributes
    ----------
    outcome : {"consistent", "inconclusive", "review"}
    score : float or None
        Centred score; None when nothing could be compared.
    log10_lr : float or None
        Capped log10 likelihood ratio, same writer against skilled forger.
    code : str
        Why, as a key: ``few_references``, ``no_ink``, ``weak_calibration``, ``agrees``, ``differs`` or
        ``unclear``.
    references : int
    nearest : int or None
        Index of the most similar reference.
    classifier_version, calibration_version : str
    """

    outcome: str
    score: float | None
    log10_lr: float | None
    code: str
    references: int
    nearest: int | None
    classifier_version: str
    calibration_version: str


def judge(
    questioned: np.ndarray, model: WriterModel | None, references: int, calibration: Calibration
) -> Verification:
    """Outcome for one questioned signature.

    Parameters
    ----------
    questioned : float32 (d,)
    model : WriterModel or None
        None when fewer than two references exist.
    references : int
        Number of references on file.
    calibration : Calibration
        For this number of references.
    """
    if model is None or references < FEWEST_REFERENCES:
        return _nothing("few_references", references, calibration)
    if not np.isfinite(questioned).all() or not questioned.any():
        return _nothing("no_ink", references, calibration)
    score = float(model.score(questioned[None])[0])
    ratio = float(calibration.log10_lr(score))
    limit = decisive_limit(calibration)
    if limit <= 0:
        outcome, code = "inconclusive", "weak_calibration"
    elif ratio >= limit:
        outcome, code = "consistent", "agrees"
    elif ratio <= -limit:
        outcome, code = "review", "differs"
    else:
        outcome, code = "inconclusive", "unclear"
    return Verification(
        outcome=outcome,
        score=score,
        log10_lr=ratio,
        code=code,
        references=references,
        nearest=int(model.distances(questioned[None])[0].argmin()),
        classifier_version=CLASSIFIER_VERSION,
        calibration_version=calibration.version,
    )


def decisive_limit(calibration: Calibration) -> float:
    """|log10 LR| from which this calibration gives an outcome; 0 or less: never."""
    return min(DECISIVE, calibration.cap_same, calibration.cap_other)


def _nothing(code: str, references: int, calibration: Calibration) -> Verification:
    """Inconclusive, because nothing could be compared."""
    return Verification(
        outcome="inconclusive",
        score=None,
        log10_lr=None,
        code=code,
        references=references,
        nearest=None,
        classifier_version=CLASSIFIER_VERSION,
        calibration_version=calibration.version,
    )
