"""Protocols of the published systems: which signatures are references, and which are questioned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.signature_sets import SignatureSet
from vision import metrics
from vision.descriptor.common_scale import DescriptorSpace
from vision.intervals import Figure, bootstrap_by_writer
from vision.verification.writer_dependent import ClassifierSettings, fit_classifiers, gram

TESTS = 10
DRAWS = 300


@dataclass(frozen=True)
class Trials:
    """Scores of one writer in one or more splits.

    Attributes
    ----------
    genuine, skilled, random : float64 arrays
        Scores under the writer's classifier, of the writer's own, of forged and of strangers' signatures.
    user_eer, user_auc : float64 (splits,)
        With a threshold for each writer and split.
    """

    genuine: np.ndarray
    skilled: np.ndarray
    random: np.ndarray
    user_eer: np.ndarray
    user_auc: np.ndarray


@dataclass(frozen=True)
class Split:
    """One random split of the protocol of Hafemann et al.: indices per writer."""

    references: dict[str, np.ndarray]
    genuine: dict[str, np.ndarray]
    skilled: dict[str, np.ndarray]


def usable_writers(found: SignatureSet, references: int, forgeries: bool = True) -> tuple[list[str], int]:
    """Writers with a genuine test beyond the references and a forgery; and how many are left out.

    Parameters
    ----------
    found : SignatureSet
    references : int
    forgeries : bool
        Whether a forgery is needed.

    Raises
    ------
    ValueError
        If fewer than two writers remain.
    """
    writers = np.unique(found.writers).tolist()
    usable = [
        writer
        for writer in writers
        if len(found.genuine_of(writer)) > references and (len(found.forged_of(writer)) or not forgeries)
    ]
    if len(usable) < 2:
        raise ValueError(
            f"references: fewer than 2 writers have more than {references} genuine signatures"
            f"{' and a forgery' if forgeries else ''}, got {len(usable)} of {len(writers)}"
        )
    return usable, len(writers) - len(usable)


def splits_of(
    found: SignatureSet, writers: list[str], references: int, splits: int, seed: int
) -> Iterator[Split]:
    """Random splits: ``references`` genuine, then at most 10 genuine and 10 forged tests per writer."""
    for split in range(splits):
        rng = np.random.default_rng((seed, split))
        drawn = {writer: rng.permutation(found.genuine_of(writer)) for writer in writers}
        yield Split(
            {writer: rows[:references] for writer, rows in drawn.items()},
            {writer: rows[references : references + TESTS] for writer, rows in drawn.items()},
            {writer: rng.permutation(found.forged_of(writer))[:TESTS] for writer in writers},
        )


def writer_dependent_trials(
    found: SignatureSet,
    descriptors: np.ndarray,
    blocks,
    writers: list[str],
    references: int,
    splits: int,
    settings: ClassifierSettings,
    seed: int = 0,
) -> dict[str, Trials]:
    """Scores of every writer's tests under the writer's classifier, all splits together.

    Space and classifiers are learned from the split's references alone; random forgeries are ten other
    writers' first genuine test signatures.
    """
    collected: dict[str, list[tuple]] = {writer: [] for writer in writers}
    for number, split in enumerate(splits_of(found, writers, references, splits, seed)):
        rows = np.concatenate([split.references[writer] for writer in writers])
        space = DescriptorSpace.fit(descriptors[rows], blocks)
        placed = space.place(descriptors[rows])
        classifiers = fit_classifiers(gram(placed, placed, settings), found.writers[rows], settings)
        first = np.array([split.genuine[writer][0] for writer in writers])
        rng = np.random.default_rng((seed, 1_000, number))
        strangers = classifiers.scores(gram(space.place(descriptors[first]), placed, settings))
        for index, writer in enumerate(writers):
            tests = np.concatenate([split.genuine[writer], split.skilled[writer]])
            scores = classifiers.score(gram(space.place(descriptors[tests]), placed, settings), writer)
            genuine, skilled = np.split(scores, [len(split.genuine[writer])])
            others = rng.permutation(np.delete(np.arange(len(writers)), index))[:TESTS]
            column = classifiers.writers.index(writer)
            collected[writer].append((genuine, skilled, strangers[others, column]))
    return {writer: joined(parts) for writer, parts in collected.items()}


def joined(parts: list[tuple]) -> Trials:
    return Trials(
        *(np.concatenate([part[kind] for part in parts]) for kind in range(3)),
        np.array([metrics.eer(genuine, skilled) for genuine, skilled, _ in parts]),
        np.array([metrics.auc(genuine, skilled) for genuine, skilled, _ in parts]),
    )


def verification_figures(
    trials: dict[str, Trials], seed: int = 0, draws: int = DRAWS, limit: float | None = None
) -> dict[str, Figure]:
    """Every figure of a verification protocol with its interval by writer.

    FAR, FRR, accuracy, precision and recall are at one given threshold, or at the global equal-error
    threshold of **other** writers: the writers are halved by a fixed draw, each half is judged at the
    threshold of the other.

    Parameters
    ----------
    trials : dict of str to Trials
    seed, draws : int
        Of the halving and the bootstrap, and how often it draws.
    limit : float, optional
        The threshold, when the protocol has its own.
    """
    listed = list(trials.values())
    thresholds = crossed_thresholds(listed, seed) if limit is None else [limit] * len(listed)
    judged = list(zip(listed, thresholds, strict=True))
    rng = np.random.default_rng((seed, 2_000))

    def interval(statistic) -> Figure:
        return bootstrap_by_writer(statistic, judged, rng, draws)

    def pooled(kind):
        return lambda some: np.concatenate([getattr(trial, kind) for trial, _ in some])

    def accepted(kind):
        return lambda some: _mean(np.concatenate([getattr(trial, kind) >= limit for trial, limit in some]))

    genuine, skilled = pooled("genuine"), pooled("skilled")
    return {
        "eer_user": interval(lambda some: float(np.mean([trial.user_eer.mean() for trial, _ in some]))),
        "eer_global": interval(lambda some: metrics.eer(genuine(some), skilled(some))),
        "auc": interval(lambda some: float(np.mean([trial.user_auc.mean() for trial, _ in some]))),
        "auc_global": interval(lambda some: metrics.auc(genuine(some), skilled(some))),
        "accuracy": interval(_accuracy),
        "precision": interval(_precision),
        "recall": interval(accepted("genuine")),
        "far_random": interval(accepted("random")),
        "far_skilled": interval(accepted("skilled")),
        "frr": interval(lambda some: 1 - accepted("genuine")(some)),
    }


def crossed_thresholds(trials: list[Trials], seed: int = 0) -> list[float]:
    """For each writer the equal-error threshold of the half of the writers that it does not belong to."""
    if len(trials) < 2:
        return [metrics.equal_error(trials[0].genuine, trials[0].skilled)[1]] if trials else []
    order = np.random.default_rng((seed, 3_000)).permutation(len(trials))
    halves = np.array_split(order, 2)
    limits = np.zeros(len(trials))
    for half, other in (halves, halves[::-1]):
        limits[half] = metrics.equal_error(
            np.concatenate([trials[i].genuine for i in other]),
            np.concatenate([trials[i].skilled for i in other]),
        )[1]
    return limits.tolist()


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _accuracy(some) -> float:
    right = sum(int((t.genuine >= limit).sum() + (t.skilled < limit).sum()) for t, limit in some)
    return right / sum(t.genuine.size + t.skilled.size for t, _ in some)


def _precision(some) -> float:
    hits = sum(int((trial.genuine >= limit).sum()) for trial, limit in some)
    false_hits = sum(int((trial.skilled >= limit).sum()) for trial, limit in some)
    return hits / (hits + false_hits) if hits + false_hits else float("nan")
