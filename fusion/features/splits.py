"""Which rows may teach and which may judge: forward in time, and never one student on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from data.calendar.labels import label_outcomes
from data.calendar.study_time import deadlines
from data.columns import LEAST_TERMS_LEFT, POSITIVE
from data.records.queries import Records

__all__ = [
    "LEAST_TERMS_LEFT",
    "POSITIVE",
    "ForwardSplit",
    "binary",
    "forward_split",
    "grouped_folds",
    "labels",
    "mature_labels",
    "maturity",
]

TEST_SHARE = 0.35  # of the mature students, as near as whole cohorts allow


@dataclass(frozen=True)
class ForwardSplit:
    """Train on what was known on a day, test on the cohorts that matured afterwards.

    Parameters
    ----------
    simulated_date : date
        The day on which the model pretends to be trained.
    train, test : ndarray of str
        Student keys.
    train_labels : Series
        Label of every training student as it was known on that day, indexed by ``student_key``.
    """

    simulated_date: date
    train: np.ndarray
    test: np.ndarray
    train_labels: pd.Series


def maturity(records) -> pd.Series:
    """Per student the day on which the whole cohort's outcome is known: the end of the normal time."""
    normal = records.students["program_code"].map(records.programs.set_index("program_code")["normal_terms"])
    days = deadlines(records.students["cohort_term"], normal, records.calendar)
    return days.set_axis(pd.Index(records.students["student_key"], name="student_key"))


def labels(records, seen_on: date | None = None) -> pd.Series:
    """Label per student (``on_time``, ``delayed``, ``dropout``, ``censored``), by ``student_key``."""
    frame = label_outcomes(
        records.students, records.programs, records.outcomes, seen_on=seen_on, calendar=records.calendar
    )
    return frame.set_index("student_key")["label"]


def mature_labels(records, seen_on: date | None = None) -> pd.Series:
    """Labels of the cohorts whose normal time was over, the censored left out.

    Cohorts still under way are left out whole: of them only the drop-outs are known yet, and a model taught
    by those would take every young student for one.
    """
    known = labels(records, seen_on)
    limit = pd.to_datetime(records.outcomes["observed_until"]).max()
    limit = limit if seen_on is None else min(limit, pd.Timestamp(seen_on))
    return known[(maturity(records).reindex(known.index) <= limit) & (known != "censored")]


def drawn_by_lot(records: Records, most: int, seed: int) -> Records:
    """The register of ``most`` students of known outcome, drawn by lot; all of it where there are no more.

    What a training takes in memory and time is then bounded, whatever the register holds.

    Parameters
    ----------
    records : Records
        The whole register.
    most : int
        Students that may teach and judge.
    seed : int
        The same seed draws the same students.
    """
    known = np.sort(mature_labels(records).index.to_numpy(str))
    if len(known) <= most:
        return records
    return records.of_students(np.random.default_rng([seed, 92]).choice(known, most, replace=False).tolist())


def binary(label: pd.Series, target: str) -> pd.Series:
    """1.0 where the label counts as the target's event, else 0.0."""
    if target not in POSITIVE:
        raise ValueError(f"target must be one of {tuple(POSITIVE)}, got {target!r}")
    return label.isin(POSITIVE[target]).astype(float)


def forward_split(records, test_share: float = TEST_SHARE) -> ForwardSplit | None:
    """Choose the simulated day so that about ``test_share`` of the mature students come after it.

    Returns
    -------
    ForwardSplit or None
        None when the register has no two cohorts that matured on different days.
    """
    final = mature_labels(records)
    ripe = maturity(records).reindex(final.index)
    best: tuple[float, pd.Timestamp] | None = None
    for day in sorted(ripe.unique())[:-1]:
        share = float((ripe > day).mean())
        if best is None or abs(share - test_share) < abs(best[0] - test_share):
            best = (share, day)
    if best is None:
        return None
    day = best[1].date()
    known = mature_labels(records, seen_on=day)
    test = final.index[(ripe > best[1]).to_numpy()]
    train = known.index.difference(test)
    if not len(train) or not len(test):
        return None
    return ForwardSplit(day, train.to_numpy(), test.to_numpy(), known.loc[train])


def grouped_folds(
    students, outcome: np.ndarray, folds: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cross-validation folds in which a student's rows stay together and outcomes are spread evenly.

    Parameters
    ----------
    students : array-like (n,)
        Student of each row.
    outcome : ndarray (n,)
        0 or 1 per row.
    folds : int
        Number of folds; fewer when there are fewer students.

    Yields
    ------
    (train, test) : boolean masks (n,)
    """
    codes, unique = pd.factorize(np.asarray(students, dtype=object))
    folds = max(2, min(folds, len(unique)))
    event = np.zeros(len(unique))
    np.maximum.at(event, codes, outcome)
    order = rng.permutation(len(unique))
    order = order[np.argsort(event[order], kind="stable")]
    number = np.empty(len(unique), int)
    number[order] = np.arange(len(unique)) % folds
    for fold in range(folds):
        test = number[codes] == fold
        yield ~test, test
