"""What an import changes: incoming rows against stored ones, column by column. Frames in, frames out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from data.columns import NORMAL_TERMS, REQUIRED_CREDITS
from data.engine.texts import one_of


@dataclass(frozen=True)
class Difference:
    """Incoming rows sorted by what must happen to them.

    Parameters
    ----------
    new : DataFrame
        Incoming rows whose key is not stored.
    changed : DataFrame
        Incoming rows that replace a stored one; columns as incoming.
    replaced : DataFrame
        The stored rows that ``changed`` replaces, in the same order; columns as stored.
    older : DataFrame
        Incoming rows that were known before the stored one: they belong into the history, not in its place.
    same : int
        How many incoming rows leave the store as it is (rows of ``older`` included).
    """

    new: pd.DataFrame
    changed: pd.DataFrame
    replaced: pd.DataFrame
    older: pd.DataFrame
    same: int

    @property
    def counts(self) -> dict[str, int]:
        """Rows by what happens to them."""
        return {"new": len(self.new), "changed": len(self.changed), "same": self.same}


def compare(incoming: pd.DataFrame, stored: pd.DataFrame, key: list[str]) -> Difference:
    """Compare rows that have no date of knowledge (programmes, students).

    Parameters
    ----------
    incoming, stored : DataFrame
        With unique ``key`` columns; only the columns of ``incoming`` are compared. Missing equals missing.
    """
    where = _positions(incoming, stored, key)
    known = where >= 0
    differs = np.zeros(len(incoming), dtype=bool)
    old = stored.iloc[where[known]]
    differs[known] = _differs(incoming[known], old, key)
    return Difference(
        new=incoming[~known],
        changed=incoming[differs],
        replaced=stored.iloc[where[differs]],
        older=incoming.iloc[:0],
        same=int((known & ~differs).sum()),
    )


def compare_programs(students: pd.DataFrame, stored: pd.DataFrame) -> Difference:
    """Compare what a students file says of programmes, name and degree level, with stored programmes.

    A file that does not agree with itself changes nothing where one of its values is the stored one; else its
    commonest value counts. With the level go the normal terms and the required credits, where they are those
    usual for the earlier level.

    Parameters
    ----------
    students : DataFrame
        With ``program_code``, and perhaps ``program_name`` and ``degree_level``.
    stored : DataFrame
        Programmes, with the columns of their table or some of them.

    Returns
    -------
    Difference
        With the columns of ``stored``; programmes that are not stored are no part of it.
    """
    rows = stored[one_of(stored["program_code"], students["program_code"])].reset_index(drop=True)
    for column, told in (("name", "program_name"), ("degree_level", "degree_level")):
        if told in students and column in rows:
            said = students[["program_code", told]].dropna().set_axis(["program_code", column], axis=1)
            kept = said.merge(rows[["program_code", column]])["program_code"]
            counted = (
                said[~one_of(said["program_code"], kept)].groupby(["program_code", column], sort=False).size()
            )
            most = counted.sort_values(ascending=False, kind="stable").reset_index()
            values = most.drop_duplicates("program_code").set_index("program_code")[column]
            new = rows["program_code"].map(values).astype(object)
            rows[column] = new.where(new.notna(), rows[column].astype(object)).astype("str")
    before = stored.set_index("program_code")
    for column, usual in (("normal_terms", NORMAL_TERMS), ("required_credits", REQUIRED_CREDITS)):
        if column in rows and "degree_level" in rows:
            level = rows["program_code"].map(before["degree_level"])
            follows = (level != rows["degree_level"]) & (rows[column] == level.map(usual))
            rows[column] = rows[column].mask(follows, rows["degree_level"].map(usual)).astype("int64")
    return compare(rows, stored, ["program_code"])


def compare_dated(
    incoming: pd.DataFrame,
    stored: pd.DataFrame,
    key: list[str],
    dated: str,
    *,
    today: date,
    default: Mapping[int, date] | None = None,
    later_is_news: bool = False,
) -> Difference:
    """Compare rows that say since when they are known (``dated``: ``known_at`` or ``observed_until``).

    The row known last holds. An incoming date that is empty is ``default`` for a new row, and for a stored
    row its own date, or ``today`` where a value has changed: a revision cannot have been known before it
    reached us. When nothing but the date differs, the earlier date of knowledge holds, unless
    ``later_is_news``.

    Parameters
    ----------
    incoming, stored : DataFrame
        With unique ``key`` columns; ``incoming[dated]`` may have empty cells.
    today : date
        Day of the import.
    default : mapping, optional
        term_id → date for the new rows without one.
    later_is_news : bool
        Whether the same values with a later date replace the stored row: true of "observed until".
    """
    where = _positions(incoming, stored, key)
    known = where >= 0
    given = incoming[dated].notna().to_numpy()
    before = pd.Series(pd.NaT, index=incoming.index, dtype="datetime64[us]")
    before[known] = stored[dated].to_numpy()[where[known]]

    differs = np.zeros(len(incoming), dtype=bool)
    differs[known] = _differs(incoming[known], stored.iloc[where[known]], [*key, dated])
    earlier = known & given & (incoming[dated] < before).to_numpy()
    later = known & given & (incoming[dated] > before).to_numpy()
    older = differs & earlier
    changed = (differs & ~older) | (~differs & (later if later_is_news else earlier))

    dates = incoming[dated]
    if default is not None:
        dates = dates.where(given, incoming["term_id"].map(default).astype("datetime64[us]"))
    dates = dates.where(given | ~changed, before.clip(lower=pd.Timestamp(today)))
    incoming = incoming.assign(**{dated: dates})
    return Difference(
        new=incoming[~known],
        changed=incoming[changed],
        replaced=stored.iloc[where[changed]],
        older=incoming[older],
        same=int((known & ~changed).sum()),
    )


def _positions(incoming: pd.DataFrame, stored: pd.DataFrame, key: list[str]) -> np.ndarray:
    """For each incoming row, the position of the stored row with the same key; -1 when there is none."""
    if stored.empty or incoming.empty:
        return np.full(len(incoming), -1)
    numbered = stored[key].assign(position=np.arange(len(stored)))
    found = incoming[key].merge(numbered, on=key, how="left", sort=False)["position"]
    return found.fillna(-1).to_numpy(dtype="int64")


def _differs(incoming: pd.DataFrame, stored: pd.DataFrame, without: list[str]) -> np.ndarray:
    differs = np.zeros(len(incoming), dtype=bool)
    for name in incoming.columns:
        if name in without:
            continue
        new, old = incoming[name].to_numpy(dtype=object), stored[name].to_numpy(dtype=object)
        if pd.api.types.is_numeric_dtype(incoming[name]) and pd.api.types.is_numeric_dtype(stored[name]):
            new, old = incoming[name].to_numpy(dtype="float64"), stored[name].to_numpy(dtype="float64")
        missing_new, missing_old = pd.isna(new), pd.isna(old)
        differs |= np.where(missing_new | missing_old, missing_new != missing_old, new != old).astype(bool)
    return differs
