"""Feature table ↔ matrix of numbers: categories by stored lists, one bar per original feature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusion.features.feature_list import FEATURES, Feature, check_names
from fusion.features.renamed import known_as

FEWEST = 20  # students of a category, where rows say whose they are
GOLDEN = 0.6180339887498949  # the golden section: its multiples are spread the most evenly
RAREST = 8  # rows; a category seen less often is treated like one never seen


@dataclass(frozen=True)
class TableEncoder:
    """How a feature table becomes the columns that the trees see.

    Parameters
    ----------
    names : tuple of str
        Original features in order.
    categories : dict of str to tuple of str
        For each categorical feature the values that have a column of their own, in order.
    """

    names: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]

    @property
    def owners(self) -> np.ndarray:
        """For every matrix column the position of its original feature, shape (columns,)."""
        width = [len(self.categories[name]) if name in self.categories else 1 for name in self.names]
        return np.repeat(np.arange(len(self.names)), width)

    @property
    def columns(self) -> list[str]:
        """Name of every matrix column; ``feature=value`` for the categories."""
        out: list[str] = []
        for name in self.names:
            values = self.categories.get(name)
            out += [name] if values is None else [f"{name}={value}" for value in values]
        return out

    def matrix(self, table: pd.DataFrame) -> np.ndarray:
        """The trees' input, float32 (rows, columns); missing is NaN, an unseen category all zeros.

        What all zeros do is the model's to say: for nothing
        (:meth:`fusion.model.peers.Peers.without_unlisted`).

        Raises
        ------
        ValueError
            When the table lacks a feature.
        """
        self._require(table)
        parts = []
        for name in self.names:
            if name not in self.categories:
                parts.append(_numbers(table, name)[:, None])
                continue
            values = self._values(table, name)
            spread = np.zeros((len(table), len(self.categories[name])), np.float32)
            for column, value in enumerate(self.categories[name]):
                spread[:, column] = values == value
            spread[pd.isna(values)] = np.nan
            parts.append(spread)
        return np.hstack(parts) if parts else np.zeros((len(table), 0), np.float32)

    def taught(self, matrix: np.ndarray, students, free: np.ndarray) -> np.ndarray:
        """What rows that teach have in place of an unlisted category: listed values in their shares.

        A model says nothing of a value that has no column. It must not have learned anything of it either:
        what the few had in common would else be laid to whatever else sets them apart, and stand there alone
        when they are scored. Each student has one value throughout; the missing have their share, too.

        Parameters
        ----------
        matrix : ndarray float32 (rows, columns)
            Of :meth:`matrix`.
        students : array-like (rows,)
            Student of each row.
        free : ndarray of bool (columns,)
            Which columns' categories are looked at.

        Returns
        -------
        ndarray float32 (rows, columns)
            The matrix itself where every value is listed.
        """
        filled = matrix
        for position, name in enumerate(self.names):
            columns = np.flatnonzero((self.owners == position) & free)
            if name not in self.categories or not len(columns):
                continue
            unlisted = np.flatnonzero((matrix[:, columns] == 0).all(axis=1))
            if len(unlisted):
                filled = filled.copy() if filled is matrix else filled
                filled[np.ix_(unlisted, columns)] = _dealt(matrix[:, columns], unlisted, students)
        return filled

    def inputs(self, table: pd.DataFrame) -> np.ndarray:
        """One number per original feature, float32 (rows, features), to be stored beside a score.

        A category is its position in the list, -1 when it is not listed; missing is NaN.
        """
        self._require(table)
        out = np.full((len(table), len(self.names)), np.nan, np.float32)
        for position, name in enumerate(self.names):
            if name not in self.categories:
                out[:, position] = _numbers(table, name)
                continue
            values = self._values(table, name)
            codes = pd.Index(self.categories[name], dtype=object).get_indexer(values)
            out[:, position] = np.where(pd.isna(values), np.nan, codes)
        return out

    def group(self, contributions: np.ndarray) -> np.ndarray:
        """Sum column-wise values over each original feature: (rows, columns) → (rows, features)."""
        out = np.zeros((len(contributions), len(self.names)), contributions.dtype)
        np.add.at(out.T, self.owners, contributions.T)
        return out

    def value(self, name: str, number: float) -> str | float | None:
        """What a stored input stood for: a category's name, a number, or None when missing."""
        if np.isnan(number):
            return None
        if name not in self.categories:
            return float(number)
        code = int(number)
        return self.categories[name][code] if code >= 0 else "another"

    def _values(self, table: pd.DataFrame, name: str) -> np.ndarray:
        """A category's values, under the names that this list has them by."""
        values, known = table[name], self.categories[name]
        told = {value: known_as(name, value, known) for value in values.dropna().unique()}
        return values.map(told).to_numpy(object)

    def _require(self, table: pd.DataFrame) -> None:
        absent = [name for name in self.names if name not in table.columns and not _optional(name)]
        if absent:
            raise ValueError(f"table must have every feature of the model, lacks {absent}")


def fit_encoder(
    table: pd.DataFrame,
    names: list[str] | None = None,
    *,
    features: dict[str, Feature] = FEATURES,
    allow_protected: bool = False,
    students: np.ndarray | None = None,
) -> TableEncoder:
    """Learn the category lists from training rows.

    Parameters
    ----------
    table : DataFrame
        Feature table, categories as text.
    names : list of str, optional
        Features to use; default: every column of the table but those that others say already
        (:attr:`fusion.features.feature_list.Feature.predictor`), and optional ones of which no row says
        anything.
    features : dict of str to Feature
        The registry that says which features are categories.
    allow_protected : bool
        Whether protected attributes may be predictors.
    students : ndarray (rows,), optional
        Student of each row: then a category needs :data:`FEWEST` students to have a column, and not rows
        alone. What was seen of a few of one cohort says who they were.

    Raises
    ------
    LeakageError
        When a denied column is among the names.
    """
    if names is None:
        names = [name for name in table.columns if name not in features or features[name].predictor]
        names = [name for name in names if not _optional(name) or table[name].notna().any()]
    check_names(names, allow_protected=allow_protected)
    categories = {}
    for name in names:
        kind = features[name].kind if name in features else _kind(table[name])
        if kind == "category":
            counts = table[name].dropna().value_counts()
            kept = counts.index[counts >= RAREST]
            if students is not None:
                people = pd.Series(students, index=table.index).groupby(table[name]).nunique()
                kept = kept[people.reindex(kept).to_numpy() >= FEWEST]
            categories[name] = tuple(sorted(str(v) for v in kept))
    return TableEncoder(tuple(names), categories)


def _dealt(matrix: np.ndarray, unlisted: np.ndarray, students) -> np.ndarray:
    """Columns of one category for its unlisted rows: the listed values and the missing, dealt by share."""
    width = matrix.shape[1]
    values = np.vstack([np.eye(width, dtype=np.float32), np.full((1, width), np.nan, np.float32)])
    held = np.append((matrix == 1).sum(axis=0), np.isnan(matrix[:, 0]).sum())
    ends = np.cumsum(held) / max(held.sum(), 1)
    turn = pd.factorize(np.asarray(students, dtype=object)[unlisted])[0]
    place = (GOLDEN * (turn + 0.5)) % 1.0  # spreads any number of students evenly over the shares
    return values[np.searchsorted(ends, place, side="right").clip(max=width)]


def _numbers(table: pd.DataFrame, name: str) -> np.ndarray:
    """A column of numbers; missing throughout where the register has nothing to make it of."""
    if name not in table.columns:
        return np.full(len(table), np.nan, np.float32)
    return table[name].to_numpy(np.float32)


def _optional(name: str) -> bool:
    return name in FEATURES and FEATURES[name].optional


def _kind(column: pd.Series) -> str:
    return "number" if pd.api.types.is_numeric_dtype(column) else "category"
