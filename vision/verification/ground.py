"""What a questioned signature is judged against: other writers, and what scores mean.

The *background* is what one writer's references are told apart from; the *calibrations*, one for each number
of references, turn scores into likelihood ratios. Both come from writers that are not the one in question:
from the register's own students where there are enough, else from synthetic signers. No register holds known
skilled forgeries, so the forger's side is borrowed: it is laid between strangers and genuine signatures where
known forgers stand (:mod:`vision.verification.forger_share`); :attr:`Ground.source` and the trials say which
figure came from whom.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from vision.verification.likelihood import Calibration, evidence_cap, fit_logistic
from vision.verification.verify import FEWEST_REFERENCES, Background, fit_writer_model

KINDS = ("genuine", "random", "skilled")
SOURCES = ("register", "synthetic")
REFERENCES = (3, 4, 6, 8, 10, 12)
"""Numbers of references with a calibration of their own; others use the next smaller one."""
TESTS = 4
STRANGERS = 5
FEWEST_WRITERS = 30
"""Held-out writers below which a number of references gets no calibration of its own: a ratio is capped at a
third of the writers (:func:`vision.verification.likelihood.evidence_cap`)."""


@dataclass(frozen=True)
class WriterSet:
    """Descriptors of one writer outside the background.

    Attributes
    ----------
    owner : str
    genuine : float32 (n, d)
        In the order of signing.
    skilled : float32 (m, d)
        Skilled forgeries; (0, d) where none are known.
    """

    owner: str
    genuine: np.ndarray
    skilled: np.ndarray


@dataclass(frozen=True)
class Ground:
    """Background, calibrations, and the trials that the calibrations were learned from.

    Attributes
    ----------
    source : str
        One of `SOURCES`: whose genuine signatures and background these are.
    version : str
    background : Background
    calibrations : dict of int to Calibration
        By number of references.
    trials : DataFrame
        ``references`` (int), ``kind`` (one of `KINDS`), ``writer`` (int, anonymous), ``score`` (float64).
    """

    source: str
    version: str
    background: Background
    calibrations: dict[int, Calibration]
    trials: pd.DataFrame

    def calibration_for(self, references: int) -> Calibration:
        """The calibration for a number of references: that of the largest number not above it."""
        usable = [
            count for count in sorted(self.calibrations) if count <= max(references, min(self.calibrations))
        ]
        return self.calibrations[usable[-1]]


def run_trials(background: Background, writers: Sequence[WriterSet]) -> pd.DataFrame:
    """Scores of genuine, strangers' and forged signatures of writers outside the background.

    The first signatures of a writer are the references, later ones the genuine trials, as in an office.
    Strangers' trials are the first later signatures of the writers that follow.

    Returns
    -------
    DataFrame
        As :attr:`Ground.trials`.
    """
    rows: list[tuple[int, str, int, float]] = []
    for references in REFERENCES:
        able = [k for k, one in enumerate(writers) if len(one.genuine) > references]
        for place, k in enumerate(able):
            one = writers[k]
            model = fit_writer_model(one.genuine[:references], background, one.owner)
            others = (able[place + 1 :] + able[:place])[:STRANGERS]
            strangers = [writers[other].genuine[references] for other in others]
            for kind, vectors in (
                ("genuine", one.genuine[references : references + TESTS]),
                ("random", np.array(strangers)),
                ("skilled", one.skilled),
            ):
                if len(vectors):
                    rows += [(references, kind, k, score) for score in model.score(vectors).tolist()]
    return pd.DataFrame(rows, columns=["references", "kind", "writer", "score"])


def crosswise(
    first: Sequence[WriterSet], second: Sequence[WriterSet], blocks, per_writer: int
) -> tuple[Background, pd.DataFrame]:
    """The background of one half of the writers, and trials of each half on the other half's background.

    Nobody is tried on a background that holds them, and every writer counts behind the calibrations, not one
    in two.

    Parameters
    ----------
    first, second : sequence of WriterSet
        Disjoint; the first make the background in force.
    blocks : sequence of HasStretch
    per_writer : int
        Specimens of one writer in a background.

    Returns
    -------
    background : Background
    trials : DataFrame
        As :attr:`Ground.trials`.
    """
    grounds = [
        background_of([replace(one, genuine=one.genuine[:per_writer]) for one in half], blocks)
        for half in (first, second)
    ]
    trials = [run_trials(ground, half) for ground, half in zip(grounds, (second, first), strict=True)]
    trials[1] = trials[1].assign(writer=trials[1]["writer"] + len(second))
    return grounds[0], pd.concat(trials, ignore_index=True)


def fit_calibrations(
    trials: pd.DataFrame,
    version: str,
    doubt: float = 0.0,
    forged: int | None = None,
    fewest: int = FEWEST_WRITERS,
) -> dict[int, Calibration]:
    """A calibration for each number of references that enough writers have: same writer or skilled forger.

    A ratio for the same writer is capped by the number of writers forged, one for another writer by the
    number of writers with genuine trials.

    Parameters
    ----------
    trials : DataFrame
    version : str
    doubt : float
        log10 LR taken off every ratio, see :attr:`vision.verification.likelihood.Calibration.doubt`.
    forged : int, optional
        Writers whose forgeries stand behind the skilled trials; those counted in the trials by default.
    fewest : int
        Writers on either side below which a number of references gets none.
    """
    found = {}
    for references, rows in trials.groupby("references"):
        genuine, skilled = (rows[rows["kind"] == kind] for kind in ("genuine", "skilled"))
        writers, behind = genuine["writer"].nunique(), forged or skilled["writer"].nunique()
        if min(writers, behind) < fewest:
            continue
        fitted = fit_logistic(genuine["score"], skilled["score"], min(writers, behind), version)
        sure = replace(
            fitted, cap_same=evidence_cap(behind), cap_other=evidence_cap(writers), writers=writers
        )
        found[int(references)] = doubtful(sure, doubt)
    return found


def doubtful(calibration: Calibration, doubt: float) -> Calibration:
    """A calibration whose every ratio, and its caps, are drawn towards none by so much (log10)."""
    caps = {name: max(0.0, getattr(calibration, name) - doubt) for name in ("cap_same", "cap_other")}
    return replace(calibration, doubt=doubt, **caps)


def medians(trials: pd.DataFrame) -> dict[str, float] | None:
    """Median score of genuine and of random trials; None without both or where they do not differ."""
    middle = trials.groupby("kind")["score"].median()
    if not {"genuine", "random"} <= set(middle.index) or middle["genuine"] <= middle["random"]:
        return None
    return middle[["genuine", "random"]].to_dict()


def synthetic_trials(writers: Sequence[WriterSet], blocks) -> pd.DataFrame:
    """Trials of synthetic writers against each other: each half is judged on the background of the other."""
    parts = []
    for first in (0, 1):
        others = writers[1 - first :: 2]
        background = background_of(others, blocks)
        part = run_trials(background, writers[first::2])
        parts.append(part.assign(writer=2 * part["writer"] + first))
    return pd.concat(parts, ignore_index=True)


def background_of(writers: Sequence[WriterSet], blocks) -> Background:
    """The background made of these writers' genuine signatures."""
    owners = [one.owner for one in writers for _ in one.genuine]
    return Background.build(np.concatenate([one.genuine for one in writers]), owners, blocks)


def split_register(described: pd.DataFrame, most_background: int, most_held_out: int) -> tuple[list, list]:
    """Students for the background and students held out for calibration, the same for every call.

    A student's side follows from the key alone, so that a growing register moves nobody.

    Parameters
    ----------
    described : DataFrame
        ``student_key``, one row per usable specimen.
    most_background, most_held_out : int

    Returns
    -------
    background, held_out : list of str
        Students with one more specimen than a comparison needs references.
    """
    counts = described.groupby("student_key").size()
    able = counts.index[counts > FEWEST_REFERENCES]
    digests = sorted((hashlib.sha256(key.encode()).digest(), key) for key in able)
    sides = [[key for digest, key in digests if digest[-1] % 2 == side] for side in (0, 1)]
    return sides[0][:most_background], sides[1][:most_held_out]
