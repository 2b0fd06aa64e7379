"""The causes behind what a check has found, as a table in the reader's language. No Streamlit here."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from dashboard.importing.plan import in_words
from dashboard.shell.wording import EMPTY, Words
from data.records.causes import Cause


def causes_in_words(
    problems: pd.DataFrame, found: list[Cause], words: Words, headers: Collection[str] = ()
) -> pd.DataFrame:
    """The causes as a table in the reader's language, a line each.

    Parameters
    ----------
    found : list of Cause
        From :func:`data.records.causes.causes`.
    problems, words, headers
        As for :func:`dashboard.importing.plan.in_words`.

    Returns
    -------
    pandas.DataFrame
        ``severity``, ``rows`` (:data:`EMPTY <dashboard.shell.wording.EMPTY>` for a whole file), ``problem``,
        ``where``, ``example`` and ``what_to_do``.
    """
    told = in_words(problems.iloc[[one.example for one in found]], words, headers)
    lines = [
        {
            "severity": cell.severity,
            "rows": words.number(cause.rows) if cause.rows else EMPTY,
            "problem": f"{words(f'check_rule.{cell.rule}')} ({cell.rule})",
            "where": f"{cell.file} · {cell.column}" if cell.column else cell.file,
            "example": _example(cause, cell, words),
            "what_to_do": cell.what_to_do,
        }
        for cause, cell in zip(found, told.itertuples(), strict=True)
    ]
    return pd.DataFrame(lines, columns=["severity", "rows", "problem", "where", "example", "what_to_do"])


def _example(cause: Cause, cell, words: Words) -> str:
    """The first cell with the most frequent value, and what is wrong with it where the rule does not say."""
    if pd.isna(cell.row):
        return cell.message
    said = "" if cell.message == words(f"check_rule.{cell.rule}") else f": {cell.message}"
    empty = not str(cell.value).strip()
    where = words("causes.cell_empty" if empty else "causes.cell", row=str(cell.row), value=cell.value)
    more = f" {words('causes.values', n=cause.values)}" if cause.values > 1 else ""
    return f"{where}{said}{more}"
