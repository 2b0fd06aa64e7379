"""Scans with a label of two values: an institution's own, or a stand-in where a set has no such label."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.signature_sets import SignatureSet, read_signature_set
from vision.recipes.labels import TABLE, LabelledSet, read_labelled

STAND_INS = ("forged", "parity")
"""No public signatures come with a graduation label. ``forged``: a label that scans do carry, so a recipe
that learns must find it. ``parity``: odd or even place of the writer in the list, which no scan can carry to
another writer, so nothing must be found."""
TESTS = 10


def read_any(folder: Path, label: str, references: int, seed: int) -> tuple[LabelledSet, str]:
    """A labelled set, or a set of signatures with a stand-in label; and what the label is, in words.

    Parameters
    ----------
    folder : Path
        With labels as :func:`read_labelled` wants them, else one folder per writer.
    label : str
        The stand-in for a folder of writers, one of `STAND_INS`.
    references : int
        Signatures taken per writer (and label, for ``forged``).
    seed : int
    """
    if label not in STAND_INS:
        raise ValueError(f"label: must be one of {', '.join(STAND_INS)}, got {label!r}")
    if (folder / TABLE).is_file():
        return read_labelled(folder), "the institution's label"
    try:
        found = read_signature_set(folder)
    except ValueError:  # no genuine_* anywhere: the folders are labels
        return read_labelled(folder), "the institution's label"
    return stand_in(found, label, references, np.random.default_rng((seed, 50))), f"stand-in: {label}"


def stand_in(found: SignatureSet, label: str, references: int, rng: np.random.Generator) -> LabelledSet:
    """Some signatures of every writer with a stand-in label; a writer is a person."""
    rows, labels = [], []
    for number, writer in enumerate(np.unique(found.writers)):
        genuine = rng.permutation(found.genuine_of(writer))[:references]
        forged = rng.permutation(found.forged_of(writer))[:references]
        if label == "parity":
            rows.extend(genuine)
            labels.extend([number % 2 == 1] * len(genuine))
        else:
            rows.extend([*genuine, *forged])
            labels.extend([True] * len(genuine) + [False] * len(forged))
    names = ("even", "odd") if label == "parity" else ("forged", "genuine")
    if len(set(labels)) < 2:
        raise ValueError(f"data: the stand-in {label!r} gives only one label in {found.name!r}")
    paths = tuple(found.paths[row] for row in rows)
    return LabelledSet(found.name, paths, np.array(labels), names, found.writers[rows])


def mixed_persons(found: LabelledSet) -> bool:
    """Whether some person has scans of both labels."""
    return any(len(np.unique(found.labels[found.persons == person])) > 1 for person in set(found.persons))


def permuted(found: LabelledSet, groups: np.ndarray, rng: np.random.Generator) -> LabelledSet:
    """The set with labels that mean nothing: dealt anew within persons, or among the persons of a group.

    Parameters
    ----------
    found : LabelledSet
    groups : int array (n,)
        Fold of each scan; each keeps its share of both labels.
    rng : numpy.random.Generator
    """
    labels = found.labels.copy()
    if mixed_persons(found):
        for person in np.unique(found.persons):
            rows = np.flatnonzero(found.persons == person)
            labels[rows] = rng.permutation(labels[rows])
        return replace(found, labels=labels)
    for group in np.unique(groups):
        inside = groups == group
        persons, first = np.unique(found.persons[inside], return_index=True)
        dealt = dict(zip(persons, rng.permutation(labels[inside][first]), strict=True))
        labels[inside] = [dealt[person] for person in found.persons[inside]]
    return replace(found, labels=labels)


def folds_of(found: LabelledSet, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Fold of each scan, int (n,): persons stay together, each fold has about the same share of labels."""
    persons, which = np.unique(found.persons, return_inverse=True)
    share = np.bincount(which, found.labels) / np.bincount(which)
    order = np.lexsort((rng.random(len(persons)), share))  # by share, in random order among equals
    fold = np.empty(len(persons), int)
    fold[order] = np.arange(len(persons)) % folds
    return fold[which]


def twenty_tests(found: LabelledSet, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Training rows, and test rows with one scan per person and label: ten of each as in the paper.

    With fewer than 20 persons of a label, half of them are tested.
    """
    tested: list[str] = []
    for value in (False, True):
        if value and mixed_persons(found):
            break  # the same persons give both labels
        having = rng.permutation(np.unique(found.persons[found.labels == value]))
        having = [person for person in having if person not in tested]
        tested.extend(having[: min(TESTS, max(1, len(having) // 2))])
    training = np.flatnonzero(~np.isin(found.persons, tested))
    tests = []
    for person in tested:
        for value in (False, True):
            rows = np.flatnonzero((found.persons == person) & (found.labels == value))
            tests.extend(rows[:1])
    return training, np.sort(np.array(tests, dtype=int))
