"""Columns of text of a large register, looked up fast."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_TEXT = pa.large_string()


def one_of(column: pd.Series | pd.Index, values: pd.Series | pd.Index | Iterable[str]) -> np.ndarray:
    """Whether each text is one of some texts; a missing one is none.

    ``column.isin(values)`` asks each of the values what it is, which costs more than the search.

    Parameters
    ----------
    column : Series or Index of str (n,)
    values : Series, Index or iterable of str

    Returns
    -------
    ndarray of bool (n,)
    """
    named = _texts(values if isinstance(values, (pd.Series, pd.Index)) else list(values)).drop_null()
    return np.asarray(pc.is_in(_texts(column), value_set=named).to_numpy(zero_copy_only=False), dtype=bool)


def distinct(column: pd.Series) -> set[str]:
    """The different texts of a column, without the missing."""
    return set(column.dropna().unique())


def _texts(values: pd.Series | pd.Index | list[str]) -> pa.Array:
    made = pa.array(values, type=_TEXT, from_pandas=True)
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made
