"""Texts that no spreadsheet program takes for a formula.

A cell that begins with ``=``, ``+``, ``-``, ``@``, tab or carriage return would run when somebody opens the
file; it gets an apostrophe in front. Numbers stay numbers.
"""

from __future__ import annotations

import re

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""The wide ones are those of East Asian keyboards, which some spreadsheet programs take for the others."""
_INSIDE = re.compile(r"(?<=[;\t\r\n])(?=[=+\-@＝＋－＠])|(?<=,)(?=[=@＝＠])")
"""Where a program that splits at another sign than the file's would begin a cell."""


def safe_cell(value: object) -> object:
    """``value``; a text that a spreadsheet would run gets an apostrophe in front.

    :func:`data.files.text_table.clean_cell` undoes it.
    """
    if not isinstance(value, str):
        return value
    safe = _INSIDE.sub("'", value)
    return "'" + safe if safe.startswith(FORMULA_STARTS) else safe


def safe_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy whose texts, headings included, no spreadsheet will run."""
    safe = frame.copy()
    safe.columns = [safe_cell(str(column)) for column in frame.columns]
    for place, kind in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_datetime64_any_dtype(kind):
            # Said to be objects: pandas would make floats of whole numbers among which one is missing.
            cells = [safe_cell(value) for value in frame.iloc[:, place]]
            safe.isetitem(place, pd.Series(cells, index=frame.index, dtype=object))
    return safe
