"""Writers never seen in training: what is learned from some writers is tested on others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.protocols import TESTS, Trials, joined
from benchmarks.signature_sets import SignatureSet
from vision.descriptor.common_scale import DescriptorSpace
from vision.verification.pair_model import MOST_BACKGROUND, Likeness, PairModel, fit_pair_model

FOLDS = 5
MOST_TRAINING = 20
"""Genuine and as many forged signatures per training writer; more change little and cost the square."""


@dataclass(frozen=True)
class Described:
    """A signature set with its descriptors.

    Attributes
    ----------
    found : SignatureSet
    descriptors : float32 (n, d)
    blocks : tuple of HasStretch
        Stretches of a descriptor with their weights.
    """

    found: SignatureSet
    descriptors: np.ndarray
    blocks: tuple


@dataclass(frozen=True)
class Judge:
    """A space and a pair model, learned from some writers.

    Attributes
    ----------
    space : DescriptorSpace
    model : PairModel
    """

    space: DescriptorSpace
    model: PairModel


def learn(
    data: Described, writers: list[str], references: int, rng: np.random.Generator, same_set: bool
) -> Judge:
    """Learn from some writers of a set.

    Parameters
    ----------
    data : Described
    writers : list of str
    references : int
        References per writer that the judge will be given.
    rng : numpy.random.Generator
    same_set : bool
        Whether the writers to be judged are of the same collection. The direction along which forgeries lie
        does not carry over to another one.
    """
    rows = np.concatenate([_some(data.found, writer, rng) for writer in writers])
    forged = data.found.forged[rows]
    space = DescriptorSpace.fit(data.descriptors[rows[~forged]], data.blocks)
    most = max(1, min(references, min(len(data.found.genuine_of(writer)) for writer in writers) - 1))
    most = min(most, MOST_TRAINING // 2)
    placed = space.place(data.descriptors[rows])
    return Judge(
        space,
        fit_pair_model(placed, data.found.writers[rows], forged, most, rng, with_direction=same_set),
    )


def among_strangers(
    judge: Judge, data: Described, writers: list[str], rng: np.random.Generator
) -> Iterator[tuple[Judge, list[str]]]:
    """A judge from another collection, told how strangers' signatures look in this one.

    What counts as alike depends on how alike strangers are, and that is a trait of script and pens. Writers
    are halved: the genuine signatures of each half are the background of the other. No forgery of this
    collection and no signature of a tested writer is used.
    """
    halves = [half.tolist() for half in np.array_split(rng.permutation(np.array(writers)), 2)]
    for half, other in (halves, halves[::-1]):
        rows = np.concatenate([rng.permutation(data.found.genuine_of(writer)) for writer in other])
        rows = rows[:: max(1, -(-len(rows) // MOST_BACKGROUND))]
        likeness = Likeness.given(judge.space.place(data.descriptors[rows]))
        yield Judge(judge.space, replace(judge.model, likeness=likeness)), half


def _some(found: SignatureSet, writer: str, rng: np.random.Generator) -> np.ndarray:
    genuine, forged = rng.permutation(found.genuine_of(writer)), rng.permutation(found.forged_of(writer))
    return np.concatenate([genuine[:MOST_TRAINING], forged[:MOST_TRAINING]])


def folds_of(writers: list[str], rng: np.random.Generator, folds: int = FOLDS) -> Iterator[tuple[list, list]]:
    """(training writers, test writers) of each fold, in random order."""
    order = rng.permutation(np.array(writers))
    for part in np.array_split(order, min(folds, len(order))):
        inside = set(part.tolist())
        yield [writer for writer in order.tolist() if writer not in inside], part.tolist()


def independent_trials(
    data: Described,
    writers: list[str],
    references: int,
    splits: int,
    train: Described | None = None,
    train_writers: list[str] | None = None,
    seed: int = 0,
) -> dict[str, Trials]:
    """Scores of every writer's tests by a judge that has seen no signature of this writer.

    Parameters
    ----------
    data : Described
    writers : list of str
        Those tested.
    references, splits : int
    train : Described, optional
        Another set to learn from; five folds of the set's own writers by default.
    train_writers : list of str, optional
        Those of the other set.
    seed : int
    """
    collected: dict[str, list[tuple]] = {writer: [] for writer in writers}
    for split in range(splits):
        rng = np.random.default_rng((seed, 4_000, split))
        if train is not None:
            judge = learn(train, train_writers, references, rng, same_set=False)
            rounds = among_strangers(judge, data, writers, rng)
        else:
            rounds = (
                (learn(data, seen, references, rng, same_set=True), unseen)
                for seen, unseen in folds_of(writers, rng)
            )
        for judge, unseen in rounds:
            for writer, scores in _judged(data, judge, unseen, references, rng):
                collected[writer].append(scores)
    return {writer: joined(parts) for writer, parts in collected.items()}


def _judged(data: Described, judge: Judge, writers: list[str], references: int, rng: np.random.Generator):
    """Genuine, skilled and random scores of each writer, with freshly drawn references."""
    drawn = {writer: rng.permutation(data.found.genuine_of(writer)) for writer in writers}
    for writer in writers:
        genuine = drawn[writer][references : references + TESTS]
        skilled = rng.permutation(data.found.forged_of(writer))[:TESTS]
        others = rng.permutation([other for other in writers if other != writer])[:TESTS]
        strangers = np.array([drawn[other][references] for other in others], dtype=int)
        rows = np.concatenate([drawn[writer][:references], genuine, skilled, strangers])
        placed = judge.space.place(data.descriptors[rows])
        scores = judge.model.score(placed[:references], placed[references:])
        yield writer, tuple(np.split(scores, [len(genuine), len(genuine) + len(skilled)]))
