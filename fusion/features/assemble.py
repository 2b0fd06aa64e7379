"""Register → rows: every (student, as-of term) that may teach or be scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.columns import AS_OF_INDEXES
from fusion.features.build import build_features, cohorts_with_term, enrolled_at, register_date
from fusion.features.context import Context
from fusion.features.course_features import CourseCounts, added, completed_attempts, course_counts
from fusion.features.fuse import Signatures
from fusion.features.rows import Rows, TrainingSet, make_rows
from fusion.features.splits import LEAST_TERMS_LEFT, binary

if TYPE_CHECKING:
    from data.queries import Records


def rows_as_of(
    records: Records,
    as_of_index: int,
    signatures: Signatures | None = None,
    *,
    today: date | None = None,
    protected: bool = False,
    context: Context | None = None,
) -> Rows:
    """The rows of one as-of term: features, meta data and the signature known by then."""
    features = build_features(records, as_of_index, today=today, protected=protected, context=context)
    risk_set = enrolled_at(
        records, as_of_index, today, None if context is None else context.at(as_of_index)[0]
    )
    meta = pd.DataFrame(
        {
            "student_key": risk_set.index.astype(object),
            "as_of_index": as_of_index,
            "program_code": risk_set["program_code"].to_numpy(object),
            "cohort_term": risk_set["cohort_term"].to_numpy(int),
            "cutoff": risk_set["cutoff"].to_numpy("datetime64[ns]"),
        }
    )
    return make_rows([(features.reset_index(drop=True), meta)], signatures)


def all_rows(
    read: Callable[[int], Records],
    signatures: Signatures | None = None,
    *,
    today: date | None = None,
    as_of_indexes: Iterable[int] = AS_OF_INDEXES,
    protected: bool = False,
) -> Rows:
    """The rows of every as-of term that the register reaches.

    Parameters
    ----------
    read : callable
        ``read(as_of_index)`` gives the register as it was known at that index.
    signatures : Signatures, optional
        Default: none.
    today : date, optional
        The simulated day; default: the newest date of the register.
    as_of_indexes : iterable of int
        Which indexes, default 0…8.
    protected : bool
        Also build the protected attributes.
    """
    parts = []
    for index in as_of_indexes:
        records = read(index)
        part = rows_as_of(
            records, index, signatures, today=today or register_date(records), protected=protected
        )
        parts.append((part.table, part.meta))
    return make_rows(parts, signatures)


def gather(parts: Iterable[Callable[[int], Records]], today: date) -> Context:
    """Read every part of a register once for what rows take from students of other parts.

    Parameters
    ----------
    parts : iterable of callable
        Each part as ``read(as_of_index)``, as it was known at that index. Every student is in one of them.
    today : date
        The newest date of the register.
    """
    held: dict[int, frozenset[int]] = {index: frozenset() for index in AS_OF_INDEXES}
    courses: dict[int, CourseCounts] = {}
    for read in parts:
        for index in AS_OF_INDEXES:
            records = read(index)
            held[index] |= cohorts_with_term(records, index, pd.Timestamp(today))
            if records.attempts is not None and len(records.attempts) and index:
                counts = course_counts(completed_attempts(records, index))
                courses[index] = added([courses[index], counts]) if index in courses else counts
    return Context(held, courses)


def training_set(rows: Rows, labels: pd.Series, target: str, until: date | None = None) -> TrainingSet:
    """The rows of labelled students, with their outcome.

    Parameters
    ----------
    rows : Rows
    labels : Series
        Label per ``student_key`` (:func:`fusion.features.splits.mature_labels`).
    target : {"late", "dropout"}
    until : date, optional
        Leave out rows whose as-of date is later (the simulated day of a forward split).
    """
    label = rows.meta["student_key"].map(labels)
    keep = label.notna().to_numpy()
    keep = keep & (rows.table["terms_left"].to_numpy() >= LEAST_TERMS_LEFT[target])
    if until is not None:
        keep = keep & (pd.to_datetime(rows.meta["cutoff"]) <= pd.Timestamp(until)).to_numpy()
    return TrainingSet(rows.take(keep), binary(label[keep], target).to_numpy())


def may_be_scored(rows: Rows, target: str) -> np.ndarray:
    """Mask of the rows for which the target is still a risk and not yet a fact."""
    return rows.table["terms_left"].to_numpy() >= LEAST_TERMS_LEFT[target]
