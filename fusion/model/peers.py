"""The typical student against whom a score is explained: of the same as-of term and degree level.

A reason says what a fact does to the risk beside what is usual among one's peers. Of a feature with a
direction the usual is one value, the median; so a value worse than usual can only raise, and one better than
usual only lower, whatever else the model has learnt. Of a category it is the mix among the peers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fusion.features.encode import TableEncoder
from fusion.model.booster import threads, tree_shap

if TYPE_CHECKING:
    import xgboost

    from fusion.features.rows import Rows
    from fusion.model.treeshap import Leaves

LEAST_PEERS = 30  # rows of a group below which the wider group stands in
EVERYBODY = ""
LEAST_SHARE = 1e-9  # what rounding leaves of a share of 0


@dataclass(frozen=True)
class Mixed:
    """Rows that together stand for others.

    Parameters
    ----------
    matrix : ndarray float32 (m, columns)
    owner : ndarray of int (m,)
        Position of the row that each stands for.
    weight : ndarray (m,)
        Between 0 and 1; those of one owner sum to 1.
    size : int
        How many rows they stand for.
    """

    matrix: np.ndarray
    owner: np.ndarray
    weight: np.ndarray
    size: int

    def back(self, values: np.ndarray) -> np.ndarray:
        """Weighted means of what was found for the rows, (m, …) → (size, …)."""
        if len(values) == self.size:  # each row stands for itself
            return values
        out = np.zeros((self.size, *values.shape[1:]))
        np.add.at(out, self.owner, (values.T * self.weight).T)
        return out


@dataclass(frozen=True)
class Peers:
    """What is usual in each group, per matrix column.

    Parameters
    ----------
    names : tuple of str
        ``as_of_index|degree_level``, ``as_of_index|`` and "" (everybody).
    usual : ndarray (groups, columns)
        The median (NaN: usually missing); of a column of shares, the share of rows that have the value.
    missing : ndarray (groups, columns)
        Of a column of shares, the share of rows in which it is missing; else 0 or 1 as ``usual`` is NaN.
    shares : ndarray of bool (columns,)
        Which columns are shares: those of categories without a direction.
    blocks : ndarray of int (columns,), optional
        Number of the category that a column of shares belongs to, -1 elsewhere. None in models from before a
        value that is not listed counted for nothing.
    """

    names: tuple[str, ...]
    usual: np.ndarray
    missing: np.ndarray
    shares: np.ndarray
    blocks: np.ndarray | None = None

    def without_unlisted(self, matrix: np.ndarray) -> Mixed:
        """Rows in which no category stands at a value that has no column.

        Such a row gives way to rows of every value that the category had among everybody, each weighted by
        its share, the missing and the rare included: on average over them the category says nothing. Where
        several categories of one row are unlisted, each keeps its own shares.

        Parameters
        ----------
        matrix : ndarray float32 (n, columns)

        Returns
        -------
        Mixed
        """
        n = len(matrix)
        blocks = np.full(matrix.shape[1], -1) if self.blocks is None else self.blocks
        numbers = np.unique(blocks[blocks >= 0])
        unlisted = np.zeros((n, len(numbers)), bool)
        for place, number in enumerate(numbers):
            unlisted[:, place] = (matrix[:, blocks == number] == 0).all(axis=1)
        odd = unlisted.any(axis=1)
        if not odd.any():
            return Mixed(matrix, np.arange(n), np.ones(n), n)
        parts, owner, weight = [matrix[~odd]], [np.flatnonzero(~odd)], [np.ones(n - odd.sum())]
        for pattern in np.unique(unlisted[odd], axis=0):
            rows = np.flatnonzero((unlisted == pattern).all(axis=1))
            columns = [np.flatnonzero(blocks == number) for number in numbers[pattern]]
            values, shares = self._usual_mix(columns)
            spread = np.repeat(matrix[rows], len(shares), axis=0)
            spread[:, np.concatenate(columns)] = np.tile(values, (len(rows), 1))
            parts.append(spread)
            owner.append(np.repeat(rows, len(shares)))
            weight.append(np.tile(shares, len(rows)))
        return Mixed(np.vstack(parts), np.concatenate(owner), np.concatenate(weight), n)

    def _usual_mix(self, blocks: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Values of some categories' columns among everybody, (m, their columns), and their shares (m,)."""
        everybody, choices = self.names.index(EVERYBODY), []
        for columns in blocks:
            gone, usual = self.missing[everybody, columns[0]], self.usual[everybody, columns]
            width = len(columns)
            values = np.vstack([np.eye(width), np.zeros((1, width)), np.full((1, width), np.nan)])
            shares = np.r_[(1 - gone) * usual, (1 - gone) * max(1 - usual.sum(), 0.0), gone]
            held = shares > LEAST_SHARE
            choices.append((values[held], np.cumsum(shares[held]) / shares[held].sum()))
        ends = np.unique(np.concatenate([steps[:-1] for _, steps in choices] + [[1.0]]))
        starts = np.r_[0.0, ends[:-1]]
        middles = (starts + ends) / 2
        picked = [values[np.searchsorted(steps, middles)] for values, steps in choices]
        return np.hstack(picked).astype(np.float32), ends - starts

    def group_of(self, table: pd.DataFrame) -> np.ndarray:
        """Position of every row's group, int (n,): the narrowest that is known."""
        known = {name: place for place, name in enumerate(self.names)}
        narrow, wide = _keys(table)
        places = [known.get(a, known.get(b, known[EVERYBODY])) for a, b in zip(narrow, wide, strict=True)]
        return np.array(places, int)

    def group_at(self, as_of_index: float | str | None, degree_level: float | str | None) -> int:
        """Position of the group of one student, as :meth:`group_of` finds it."""
        at = np.nan if as_of_index is None else float(as_of_index)
        return int(self.group_of(pd.DataFrame({"as_of_index": [at], "degree_level": [degree_level]}))[0])

    def of_one_level(self, group: int) -> bool:
        """Whether a group is of one degree level."""
        return not self.names[group].endswith("|") and self.names[group] != EVERYBODY

    def share_with(self, group: int, columns: np.ndarray, place: int | None) -> float:
        """Share of a group's peers who have one value of a category; 0 of a category with a direction.

        Parameters
        ----------
        group : int
        columns : ndarray of int
            The category's columns.
        place : int or None
            Which of them; -1: a value without a column, None: not recorded.
        """
        if not len(columns) or not self.shares[columns].all():
            return 0.0
        gone, usual = self.missing[group, columns[0]], self.usual[group, columns]
        if place is None:
            return float(gone)
        return float((1 - gone) * (usual[place] if place >= 0 else 1 - usual.sum()))

    def fits(self, group: int, low, high, missing, column) -> np.ndarray:
        """Share of a group's peers that meet ``low <= value < high``; ``missing``: a missing value does too.

        Parameters
        ----------
        group : int
        low, high, missing, column : ndarray (c,)
            One condition each, of one column.

        Returns
        -------
        ndarray (c,)
            0 or 1 where the usual is one value.
        """
        usual, gone = self.usual[group, column], self.missing[group, column]
        with np.errstate(invalid="ignore"):
            single = (low <= usual) & (usual < high)
        inside = ((low <= 1) & (high > 1)) * usual + ((low <= 0) & (high > 0)) * (1 - usual)
        present = np.where(self.shares[column], inside, single)
        return gone * missing + (1 - gone) * np.where(gone == 1, 0.0, present)


def typical_peers(encoder: TableEncoder, table: pd.DataFrame, signs: np.ndarray) -> Peers:
    """Look up what is usual among training rows.

    Parameters
    ----------
    encoder : TableEncoder
    table : DataFrame
        Feature rows of past students.
    signs : ndarray of int (columns,)
        Direction of every matrix column.
    """
    matrix, owners = encoder.matrix(table), encoder.owners
    shares = free_of_direction(encoder, signs)
    narrow, wide = _keys(table)
    groups = {EVERYBODY: np.arange(len(table))}
    for keys in (wide, narrow):
        for name, rows in pd.Series(np.arange(len(table))).groupby(keys).indices.items():
            if len(rows) >= LEAST_PEERS:
                groups.setdefault(str(name), rows)
    found = [_usual(matrix[rows], shares, encoder) for rows in groups.values()]
    return Peers(
        tuple(groups),
        np.stack([usual for usual, _ in found]),
        np.stack([gone for _, gone in found]),
        shares,
        np.where(shares, owners, -1),
    )


def taught_matrix(encoder: TableEncoder, rows: Rows, signs: np.ndarray) -> np.ndarray:
    """The matrix of rows that teach, float32 (n, columns): nothing is learned of a value without a column.

    :meth:`Peers.without_unlisted` is what the same rows are scored by.
    """
    return encoder.taught(encoder.matrix(rows.table), rows.students, free_of_direction(encoder, signs))


def free_of_direction(encoder: TableEncoder, signs: np.ndarray) -> np.ndarray:
    """Which matrix columns are of categories without a direction, bool (columns,)."""
    owners = encoder.owners
    directed = np.isin(owners, owners[np.asarray(signs) != 0])
    return np.array([name in encoder.categories for name in encoder.names], bool)[owners] & ~directed


def _usual(matrix: np.ndarray, shares: np.ndarray, encoder: TableEncoder) -> tuple[np.ndarray, np.ndarray]:
    """Usual value and share missing of every column."""
    absent = np.isnan(matrix)
    gone, count = absent.mean(axis=0), np.maximum((~absent).sum(axis=0), 1)
    usual = np.nansum(matrix, axis=0) / count
    for place in np.flatnonzero(~shares):
        values = matrix[~absent[:, place], place]
        gone[place] = float(gone[place] > 0.5)
        # a value that occurs, not one between two: half a failed course is nobody's
        usual[place] = np.nan if gone[place] else np.quantile(values, 0.5, method="inverted_cdf")
    for position, name in enumerate(encoder.names):  # a directed category: the value of most
        columns = np.flatnonzero(encoder.owners == position)
        if name in encoder.categories and len(columns) and not shares[columns].any():
            most = np.nansum(matrix[:, columns], axis=0)
            usual[columns] = np.where(gone[columns] == 1, np.nan, np.arange(len(columns)) == most.argmax())
    return usual, gone


def _keys(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Name of every row's narrow and wide group."""
    nothing = np.full(len(table), EVERYBODY, dtype=object)
    if "as_of_index" not in table:
        return nothing, nothing
    wide = [f"{index:g}|" for index in table["as_of_index"].to_numpy(float)]
    if "degree_level" not in table:
        return np.array(wide, dtype=object), np.array(wide, dtype=object)
    narrow = [f"{a}{'' if pd.isna(b) else b}" for a, b in zip(wide, table["degree_level"], strict=True)]
    return np.array(narrow, dtype=object), np.array(wide, dtype=object)


def peer_shap(
    booster: xgboost.Booster, matrix: np.ndarray, group: np.ndarray, peers: Peers
) -> tuple[np.ndarray, np.ndarray]:
    """Exact SHAP values (n, columns) against what is usual among peers, and the base values (n,).

    Parameters
    ----------
    booster : xgboost.Booster
    matrix : ndarray float32 (n, columns)
    group : ndarray of int (n,)
        Group of each row (:meth:`fusion.model.peers.Peers.group_of`).
    peers : Peers

    Notes
    -----
    Trees that tables cannot hold (deeper than eight features) are explained against the average instead.
    """
    from fusion.model.treeshap import against, shap_values

    values, base = np.zeros(matrix.shape, np.float32), np.zeros(len(matrix))
    if not len(matrix):
        return values, base
    leaves, start = _tabulated(booster, matrix.shape[1])
    if leaves is None:
        values, start = tree_shap(booster, matrix)
        return values, np.full(len(matrix), start)
    for number in np.unique(group):
        mine = np.flatnonzero(group == number)
        fits = peers.fits(number, leaves.low, leaves.high, leaves.missing, leaves.feature)
        told = against(leaves, fits)
        values[mine] = shap_values(told, matrix[mine], threads())
        base[mine] = start + told.expected
    return values, base


@lru_cache(maxsize=8)
def _tabulated(booster: xgboost.Booster, width: int) -> tuple[Leaves | None, float]:
    """The leaves of a booster, and what its margin is without them; None when tables cannot hold it."""
    import xgboost

    from fusion.model.treeshap import NotTabular, tabulate

    try:
        leaves = tabulate(booster)
    except NotTabular:
        return None, 0.0
    empty = xgboost.DMatrix(np.full((1, width), np.nan, np.float32), nthread=1)
    bias = float(booster.predict(empty, pred_contribs=True)[0, -1])
    return leaves, bias - leaves.expected
