"""Exact path-dependent SHAP values of many rows, leaf by leaf from tables.

A leaf sees of a row only which of its path's features meet the path's conditions: at most a few bits. So the
Shapley values of a leaf are tabulated once for every pattern of bits, and a row looks them up (the idea of
Fast TreeSHAP v2, Yang 2021). With o_j = 1 where feature j meets the leaf's conditions and z_j the share of
the training cover that does, the value of feature i at a leaf of weight v is

    v (o_i − z_i) ∫₀¹ ∏_{j≠i} (t o_j + (1 − t) z_j) dt,

a polynomial in t, which Gauss-Legendre quadrature integrates exactly.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np

DEEPEST = 8
"""Features on one path; a table has 2**features rows, so deeper trees are left to XGBoost."""
BLOCK = 256
COMPILED_ROWS = 200  # rows from which the compiled loop is worth loading


class NotTabular(ValueError):
    """Trees that tables cannot hold: too deep, categorical splits, or none."""


@dataclass(frozen=True)
class Leaves:
    """The leaves of all trees, packed.

    Attributes
    ----------
    start : int64 (l + 1,)
        Leaf k owns the conditions ``start[k]:start[k + 1]``.
    feature : int32 (c,)
        Column of each condition.
    low, high : float32 (c,)
        The condition holds where low <= value < high.
    missing : bool (c,)
        Whether it holds for a missing value.
    table_start : int64 (c,)
        Where the condition's column of the leaf's table begins.
    table : float64 (t,)
        SHAP value by bit pattern.
    weight : float64 (l,)
        What each leaf adds to the margin.
    expected : float
        Sum over the leaves of weight × share of the baseline that reaches it.
    """

    start: np.ndarray
    feature: np.ndarray
    low: np.ndarray
    high: np.ndarray
    missing: np.ndarray
    table_start: np.ndarray
    table: np.ndarray
    weight: np.ndarray
    expected: float


def tabulate(booster) -> Leaves:
    """Tables of a booster's leaves.

    Parameters
    ----------
    booster : xgboost.Booster
        Of one output.

    Raises
    ------
    NotTabular
        If a path has more than eight features, or a split is categorical.
    """
    document = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    trees = document["model"]["trees"] if "model" in document else document["gbtree"]["model"]["trees"]
    leaves = [leaf for tree in trees for leaf in _leaves(tree)]
    if not leaves:
        raise NotTabular("booster: has no split")
    start = np.cumsum([0, *(len(conditions) for _, conditions in leaves)])
    flat = [(column, c) for _, conditions in leaves for column, c in conditions.items()]
    weight = np.array([weight for weight, _ in leaves])
    share = np.array([c.share for _, c in flat])
    return Leaves(
        start.astype(np.int64),
        np.array([column for column, _ in flat], np.int32),
        np.array([c.low for _, c in flat], np.float32),
        np.array([c.high for _, c in flat], np.float32),
        np.array([c.missing for _, c in flat], np.bool_),
        *_tables(start, weight, share),
        weight,
        float(weight @ np.multiply.reduceat(share, start[:-1])),
    )


def against(leaves: Leaves, fits: np.ndarray) -> Leaves:
    """The same leaves explained against another baseline, in which features are independent.

    Against one row (``fits`` of 0 and 1) these are its interventional SHAP values: what each feature does by
    being the explained row's instead of the baseline's, averaged over the order of the exchanges.

    Parameters
    ----------
    leaves : Leaves
        From :func:`tabulate`.
    fits : ndarray (c,)
        Share of the baseline that meets each condition, 0 to 1.
    """
    table_start, table = _tables(leaves.start, leaves.weight, fits)
    expected = float(leaves.weight @ np.multiply.reduceat(fits, leaves.start[:-1]))
    return replace(leaves, table_start=table_start, table=table, expected=expected)


def _tables(start: np.ndarray, weight: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each condition's column of its leaf's table begins, and the tables one behind the other."""
    count = np.diff(start)
    leaf_size = count * 2**count
    leaf_start = np.cumsum(leaf_size) - leaf_size
    place = np.arange(start[-1]) - np.repeat(start[:-1], count)
    table_start = np.repeat(leaf_start, count) + place * np.repeat(2**count, count)
    table = np.zeros(leaf_size.sum())
    for d in np.unique(count):
        same = np.flatnonzero(count == d)
        for part in np.array_split(same, max(len(same) * d * 2**d // 500_000, 1)):
            values = _shapley_values(weight[part], share[start[part][:, None] + np.arange(d)])
            cells = leaf_start[part][:, None] + np.arange(d * 2**d)
            table[cells] = values.transpose(0, 2, 1).reshape(len(part), -1)
    return table_start.astype(np.int64), table


@dataclass(frozen=True)
class _Condition:
    """What one feature must be on the way to a leaf, and the share of the cover that goes along."""

    low: float = -np.inf
    high: float = np.inf
    missing: bool = True
    share: float = 1.0

    def narrowed(self, below: bool, threshold: float, missing: bool, share: float) -> _Condition:
        low = self.low if below else max(self.low, threshold)
        high = min(self.high, threshold) if below else self.high
        return _Condition(low, high, self.missing and missing, self.share * share)


def _leaves(tree: dict) -> list[tuple[float, dict[int, _Condition]]]:
    """Weight and conditions of every leaf of one tree; nothing for a tree without a split."""
    if any(tree["split_type"]):
        raise NotTabular("booster: has categorical splits")
    left, right, cover = tree["left_children"], tree["right_children"], tree["sum_hessian"]
    found, open_nodes = [], [(0, {})]
    while open_nodes:
        node, conditions = open_nodes.pop()
        if left[node] == -1:
            if conditions:
                found.append((float(tree["split_conditions"][node]), conditions))
            continue
        column, threshold = tree["split_indices"][node], float(tree["split_conditions"][node])
        for child, below in ((left[node], True), (right[node], False)):
            missing = bool(tree["default_left"][node]) == below
            share = cover[child] / cover[node] if cover[node] else 0.0
            old = conditions.get(column, _Condition())
            deeper = {**conditions, column: old.narrowed(below, threshold, missing, share)}
            if len(deeper) > DEEPEST:
                raise NotTabular(f"booster: a path has more than {DEEPEST} features")
            open_nodes.append((child, deeper))
    return found


def _shapley(weight: float, shares: list[float]) -> np.ndarray:
    """Values of each feature (columns) for each bit pattern (rows) at one leaf, float64 (2**d, d)."""
    return _shapley_values(np.array([weight]), np.array([shares], float))[0]


def _shapley_values(weight: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The same for many leaves of d features each: weights (l,), shares (l, d) → float64 (l, 2**d, d)."""
    d = share.shape[1]
    points, weights = _quadrature(d)
    bits = (np.arange(2**d)[:, None] >> np.arange(d)) & 1
    factors = points * bits[None, ..., None] + (1.0 - points) * share[:, None, :, None]
    # Inside (0, 1) a factor is positive unless neither row nor baseline meets a condition: then all is zero.
    factors = np.maximum(factors, 1e-300)
    others = factors.prod(axis=2, keepdims=True) / factors
    return weight[:, None, None] * (bits - share[:, None, :]) * (others @ weights)


@cache
def _quadrature(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and weights on (0, 1), exact for polynomials of degree d − 1."""
    points, weights = np.polynomial.legendre.leggauss(d // 2 + 1)
    return (points + 1.0) / 2.0, weights / 2.0


def shap_values(leaves: Leaves, matrix: np.ndarray, threads: int = 1) -> np.ndarray:
    """SHAP values of every row, float32 (n, columns).

    Parameters
    ----------
    leaves : Leaves
        From :func:`tabulate`.
    matrix : float32 (n, columns)
        NaN is missing.
    threads : int
        Rows are shared among so many threads.
    """
    if len(matrix) < COMPILED_ROWS:
        return _look_up_few(leaves, np.asarray(matrix, np.float32))
    columns = np.asfortranarray(matrix, dtype=np.float32)
    values = np.zeros(columns.shape, np.float32, order="F")
    look_up = _look_up()
    bounds = np.linspace(0, len(columns), max(threads, 1) + 1).astype(int)
    parts = (
        leaves.start, leaves.feature, leaves.low, leaves.high, leaves.missing, leaves.table_start,
        leaves.table,
    )  # fmt: skip
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        for done in [pool.submit(look_up, columns, values, a, b, *parts) for a, b in pairwise(bounds)]:
            done.result()
    return np.ascontiguousarray(values)


def _look_up_few(leaves: Leaves, matrix: np.ndarray) -> np.ndarray:
    """The same without the compiled loop, which takes a second to load."""
    place = np.arange(len(leaves.feature)) - np.repeat(leaves.start[:-1], np.diff(leaves.start))
    leaf = np.repeat(np.arange(len(leaves.start) - 1), np.diff(leaves.start))
    values = np.zeros(matrix.shape)
    for row, out in zip(matrix, values, strict=True):
        seen = row[leaves.feature]
        met = np.where(np.isnan(seen), leaves.missing, (seen >= leaves.low) & (seen < leaves.high))
        pattern = np.add.reduceat(met.astype(np.int64) << place, leaves.start[:-1])
        found = leaves.table[leaves.table_start + pattern[leaf]]
        out[:] = np.bincount(leaves.feature, found, matrix.shape[1])
    return values.astype(np.float32)


@cache
def _look_up():  # noqa: C901 - one compiled loop
    """The compiled loop; compiling takes seconds, once per machine."""
    from numba import njit

    @njit(cache=True, nogil=True)
    def look_up(columns, values, first, last, start, feature, low, high, missing, table_start, table):  # noqa: C901
        width = columns.shape[1]
        sums = np.zeros((width, BLOCK))
        pattern = np.zeros(BLOCK, np.int32)
        for begin in range(first, last, BLOCK):
            n = min(BLOCK, last - begin)
            sums[:] = 0.0
            for leaf in range(start.size - 1):
                pattern[:n] = 0
                for c in range(start[leaf], start[leaf + 1]):
                    bit = np.int32(1 << (c - start[leaf]))
                    column = columns[begin : begin + n, feature[c]]
                    least, most = low[c], high[c]
                    if missing[c]:
                        for row in range(n):
                            if not (column[row] < least or column[row] >= most):
                                pattern[row] |= bit
                    else:
                        for row in range(n):
                            if column[row] >= least and column[row] < most:
                                pattern[row] |= bit
                for c in range(start[leaf], start[leaf + 1]):
                    total, offset = sums[feature[c]], table_start[c]
                    for row in range(n):
                        total[row] += table[offset + pattern[row]]
            for column in range(width):
                for row in range(n):
                    values[begin + row, column] = sums[column, row]

    return look_up
