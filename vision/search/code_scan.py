"""Squared distances from one code to many, in whole numbers, at the speed of the memory."""

from __future__ import annotations

from functools import cache

import numpy as np

STRETCH = 256
"""Codes of which the nearest is told."""
FAR = np.iinfo(np.int32).max
_COMPILED = 20_000
"""Codes from which the compiled loop is worth loading."""


def scan(
    codes: np.ndarray,
    squares: np.ndarray,
    query: np.ndarray,
    count: int,
    values: np.ndarray,
    least: np.ndarray,
    compiled: bool,
) -> None:
    """Compare the first ``count`` codes with a query, and write the result into the last two arrays.

    Parameters
    ----------
    codes : int8 (n, width)
    squares : int32 (n,)
        Squared lengths of the codes.
    query : int8 (width,)
    count : int
    values : int32 (n,)
        Squared distance less the query's squared length; `FAR` up to the end of the last stretch.
    least : int32 (n / STRETCH,)
        Least of the values of each stretch.
    compiled : bool
        Whether to use the compiled loop, which takes a second to load the first time.
    """
    if compiled:
        _loop(codes.shape[1])(codes, squares, query, count, values, least)
        return
    some = codes[:count].astype(np.float32)  # sums of products of bytes are exact in float32
    values[:count] = squares[:count] - 2 * (some @ query.astype(np.float32)).astype(np.int32)
    stretches = -(-count // STRETCH)
    values[count : stretches * STRETCH] = FAR
    least[:stretches] = values[: stretches * STRETCH].reshape(-1, STRETCH).min(axis=1)


def worth_compiling(count: int) -> bool:
    """Whether there are so many codes that the compiled loop pays."""
    return count >= _COMPILED


@cache
def _loop(width: int):
    """The compiled loop for codes of a length."""
    from numba import njit

    @njit(cache=True, nogil=True)
    def loop(codes, squares, query, count, values, least):
        for first in range(0, count, STRETCH):
            last = min(first + STRETCH, count)
            for row in range(first, last):
                total = np.int32(0)
                for number in range(width):
                    total = np.int32(total + np.int32(codes[row, number]) * np.int32(query[number]))
                values[row] = squares[row] - 2 * total
            for row in range(last, first + STRETCH):
                values[row] = FAR
            best = np.int32(FAR)
            for row in range(first, last):
                best = min(best, values[row])
            least[first // STRETCH] = best

    return loop
