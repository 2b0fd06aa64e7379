"""The frames that an import hands over, and their columns brought to the types of the tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import overload

import numpy as np
import pandas as pd
from sqlalchemy import JSON, Date, DateTime, Float, Integer, Table

from data.engine.sealed_numbers import SealedNumber

NUMBER = "student_number"
ATTEMPT = ["student_key", "course_code", "term_id", "attempt"]
OF_PROGRAM = ("program_name", "degree_level", "normal_terms", "required_credits")  # told in a students file
BLOCK = 10_000  # students compared and written at a time


@dataclass(frozen=True)
class RecordFrames:
    """Records of one import; each frame is optional and, consents and versions apart, has one row per key.

    Parameters
    ----------
    programs : DataFrame or None
        ``program_code, name, degree_level, normal_terms, required_credits``.
    students : DataFrame or None
        :data:`data.columns.STUDENT_COLUMNS`, and ``extra`` (a dict per row, or None).
    terms : DataFrame or None
        :data:`data.columns.TERM_COLUMNS`.
    outcomes : DataFrame or None
        :data:`data.columns.OUTCOME_COLUMNS`; a row without ``exit_type`` says that the student is enrolled.
    course_attempts : DataFrame or None
        ``student_number, course_code, term_id, attempt, credits, grade_points, known_at``, and perhaps
        ``course_name, grade, result, compulsory``; several rows of one attempt with different ``known_at``
        are versions of it.
    consents : DataFrame or None
        ``student_number, purpose, decision, decided_on, source, text_version``, in the order in which they
        are to be recorded; several rows of one student and purpose are a history, not a change.

    Notes
    -----
    A column that a frame lacks leaves what is stored as it is; a column that it has replaces what is stored,
    an empty cell by null. All but ``programs`` are keyed by ``student_number``.
    """

    programs: pd.DataFrame | None = None
    students: pd.DataFrame | None = None
    terms: pd.DataFrame | None = None
    outcomes: pd.DataFrame | None = None
    course_attempts: pd.DataFrame | None = None
    consents: pd.DataFrame | None = None

    def need(self, table: str) -> pd.DataFrame:
        """The frame of a table, where there must be one.

        Raises
        ------
        LookupError
            When the import has none.
        """
        frame = getattr(self, table)
        if frame is None:
            raise LookupError(f"the import has no {table}")
        return frame


@dataclass(frozen=True)
class ImportResult:
    """What an import did.

    Parameters
    ----------
    import_id : str
        Its row in ``imports``.
    counts : dict
        Table → {"new", "changed", "same"}, numbers of rows.
    """

    import_id: str
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def changed_anything(self) -> bool:
        """Whether any row is new or changed."""
        return any(table["new"] or table["changed"] for table in self.counts.values())


def told_counts(counts: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Counts as people read them: identities come and go with their students, only changed names are told.

    Parameters
    ----------
    counts : dict
        Table → {"new", "changed", "same"}, numbers of rows.

    Returns
    -------
    dict
        The same without "identities"; with "names" where names have changed.
    """
    told = {}
    for table, number in counts.items():
        if table != "identities":
            told[table] = number
        elif number.get("changed"):
            told["names"] = {"new": 0, "changed": number["changed"], "same": 0}
    return told


def typed(frame: pd.DataFrame, table: Table, *, also: tuple[str, ...] = ()) -> pd.DataFrame:
    """The columns of ``frame`` in the types of ``table``, in a fixed order, with a plain index.

    Parameters
    ----------
    frame : DataFrame
        Columns of ``table`` or of ``also``.
    table : sqlalchemy.Table
        Where the rows will go.
    also : tuple of str
        Text columns that are allowed besides the table's own, such as ``student_number``.

    Raises
    ------
    ValueError
        When a column is unknown, or a value cannot be of the column's type.
    """
    known = [column.name for column in table.columns]
    unknown = [name for name in frame.columns if name not in known and name not in also]
    if unknown:
        raise ValueError(f"{table.name}: columns must be among {[*also, *known]}, got {unknown}")
    made = {}
    for name in (*also, *known):
        if name in frame.columns:
            kind = table.c[name].type if name in table.c else None
            try:
                made[name] = _as_type(frame[name].reset_index(drop=True), kind)
            except (TypeError, ValueError) as problem:
                raise ValueError(f"{table.name}.{name}: {problem}") from None
    return pd.DataFrame(made, index=pd.RangeIndex(len(frame)))


def refuse_repeats(frame: pd.DataFrame, key: list[str], table: str) -> None:
    """Raise ValueError when two rows have the same key, or a key is missing."""
    if frame[key].isna().any(axis=None):
        raise ValueError(f"{table}: {', '.join(key)} must not be empty")
    repeated = frame.duplicated(key)
    if repeated.any():
        columns = [name for name in key if name not in ("student_key", NUMBER)]
        first = frame.loc[repeated.idxmax(), columns].to_dict()
        raise ValueError(
            f"{table}: rows must be unique by {', '.join(key)}; {int(repeated.sum())} are repeated, the "
            f"first in row {int(repeated.idxmax())} {first or ''}".rstrip()
        )


def versions(frame: pd.DataFrame, key: list[str]) -> Iterator[pd.DataFrame]:
    """The rows by version of their key, the earliest known first: each part has a key once.

    Rows of one key without different days of knowledge stay together, for the writer to refuse.
    """
    if "known_at" not in frame or not frame.duplicated(key).any():
        yield frame
        return
    ranks = frame.groupby(key, dropna=False)["known_at"].rank(method="dense", na_option="top")
    for rank in sorted(ranks.unique()):
        yield frame[ranks == rank].reset_index(drop=True)


def blocks(incoming: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows by blocks of :data:`BLOCK` students in the order of their keys; one block for a few."""
    codes, students = pd.factorize(incoming["student_key"], sort=True)
    if len(students) <= BLOCK:
        yield incoming
        return
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(0, len(students) + BLOCK, BLOCK))
    for first, last in pairwise(edges):
        yield incoming.iloc[order[first:last]]


@overload
def canonical_json(value: dict) -> str: ...
@overload
def canonical_json(value: object) -> str | None: ...
def canonical_json(value: object) -> str | None:
    """JSON text that is equal for equal values; None for a missing one."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return json.dumps(value, sort_keys=True, allow_nan=False, default=_plain_number)


def _plain_number(value):
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _as_type(series: pd.Series, kind) -> pd.Series:
    if isinstance(kind, (Date, DateTime)):
        stamps = pd.to_datetime(series).astype("datetime64[us]")
        return stamps.dt.normalize() if not isinstance(kind, DateTime) else stamps
    if isinstance(kind, JSON):
        return pd.Series([_plain(value) for value in series], index=series.index, dtype=object)
    if isinstance(kind, (Integer, Float, SealedNumber)):
        numbers = pd.to_numeric(series).astype("float64")
        if not isinstance(kind, Float):
            broken = numbers[numbers.notna() & (numbers != np.floor(numbers))]
            if len(broken):
                raise ValueError(f"must be whole numbers, got {broken.iloc[0]}")
            if numbers.notna().all():
                return numbers.astype("int64")
        return numbers
    return series.astype("str")


def _plain(value):
    text = canonical_json(value)
    return None if text is None else json.loads(text)
