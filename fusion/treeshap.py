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
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

DEEPEST = 8
"""Features on one path; a table has 2**features rows, so deeper trees are left to XGBoost."""
BLOCK = 256


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
    """

    start: np.ndarray
    feature: np.ndarray
    low: np.ndarray
    high: np.ndarray
    missing: np.ndarray
    table_start: np.ndarray
    table: np.ndarray


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
    tables = [_shapley(weight, [c.share for c in conditions.values()]) for weight, conditions in leaves]
    flat = [(column, c) for _, conditions in leaves for column, c in conditions.items()]
    sizes = [len(table) for table in tables for _ in range(table.shape[1])]
    return Leaves(
        start.astype(np.int64),
        np.array([column for column, _ in flat], np.int32),
        np.array([c.low for _, c in flat], np.float32),
        np.array([c.high for _, c in flat], np.float32),
        np.array([c.missing for _, c in flat], np.bool_),
        np.cumsum([0, *sizes[:-1]]).astype(np.int64),
        np.concatenate([table.T.ravel() for table in tables]),
    )


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
    """Values of each feature (columns) for each bit pattern (rows), float64 (2**d, d)."""
    d = len(shares)
    points, weights = _quadrature(d)
    bits = (np.arange(2**d)[:, None] >> np.arange(d)) & 1
    share = np.asarray(shares)
    factors = points * bits[..., None] + (1.0 - points) * share[:, None]
    # Every factor is positive inside (0, 1) unless a branch has no cover; then its part is zero anyway.
    factors = np.maximum(factors, 1e-300)
    others = factors.prod(axis=1, keepdims=True) / factors
    return weight * (bits - share) * (others @ weights)


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


@cache
def _look_up():
    """The compiled loop; compiling takes seconds, once per machine."""
    from numba import njit

    @njit(cache=True, nogil=True)
    def look_up(columns, values, first, last, start, feature, low, high, missing, table_start, table):
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
