"""Texts that no spreadsheet program takes for a formula.

A cell that begins with ``=``, ``+``, ``-``, ``@``, tab or carriage return would run when somebody opens the
file; it gets an apostrophe in front. Numbers stay numbers.
"""

from __future__ import annotations

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> object:
    """``value``; a text that a spreadsheet would run gets an apostrophe in front.

    :func:`data.files.text_table.clean_cell` undoes it.
    """
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return value


def safe_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy whose texts, headings included, no spreadsheet will run."""
    safe = frame.copy()
    safe.columns = [safe_cell(str(column)) for column in frame.columns]
    for place, kind in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_datetime64_any_dtype(kind):
            safe.isetitem(place, frame.iloc[:, place].astype(object).map(safe_cell))
    return safe
