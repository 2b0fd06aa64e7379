"""What a check has found, gathered by cause: one mistake may redden hundreds of cells. No Streamlit here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from dashboard.importing.plan import in_words
from dashboard.shell.wording import EMPTY, Words
from data.files.told import told_of

OF_VALUES = (
    "REC005",
    "REC009",
    "REC010",
    "REC025",
)  # here each value is a mistake of its own: a code, a word
FOLLOWS = ("REC012",)  # goes away by itself when what it follows from is mended
MOST_VALUES = 5  # different values of a column; where there are more, it is the column that is wrong
_SAME = ["severity", "file", "rule", "column", "code"]  # what cells of one cause have in common


@dataclass(frozen=True)
class Cause:
    """One thing to mend.

    Parameters
    ----------
    cells : int
        How many cells it reddens.
    rows : int
        In how many rows; 0 where it concerns a file as a whole.
    values : int
        How many different values stand in those cells.
    example : int
        The place, in the list of problems, of the first cell with the most frequent value.
    """

    cells: int
    rows: int
    values: int
    example: int


def causes(problems: pd.DataFrame) -> list[Cause]:
    """The causes behind a list of problems, errors first, those of the most cells before the others.

    What follows from another error stands after the errors. Cells of one rule in one column of one file have
    one cause, where the check says the same about them. Of a code or a word that is not known, each one is a
    cause, unless so many are unknown that the column is wrong.

    Parameters
    ----------
    problems : pandas.DataFrame
        Columns :data:`data.records.checks.PROBLEM_COLUMNS`.
    """
    if problems.empty:
        return []
    listed = problems.reset_index(drop=True)
    listed = listed.assign(code=[told_of(told)[0] for told in listed["told"]], of_value="")
    values = listed.groupby(_SAME, dropna=False)["value"].transform("nunique")
    single = listed["rule"].isin(OF_VALUES) & (values <= MOST_VALUES)
    listed["of_value"] = listed["value"].where(single, "")
    found = [_cause(cells) for _, cells in listed.groupby([*_SAME, "of_value"], sort=False, dropna=False)]
    late = (listed["severity"] != "error") * 2 + listed["rule"].isin(FOLLOWS)
    return sorted(found, key=lambda one: (int(late[one.example]), -one.cells, one.example))


def to_mend(problems: pd.DataFrame, found: list[Cause]) -> int:
    """How many of the causes are errors of their own."""
    examples = problems.iloc[[one.example for one in found]]
    return int(((examples["severity"] == "error") & ~examples["rule"].isin(FOLLOWS)).sum())


def _cause(cells: pd.DataFrame) -> Cause:
    most = cells["value"].value_counts(sort=True).index[0]
    example = int(cells.index[cells["value"] == most][0])
    return Cause(len(cells), int(cells["row"].nunique()), int(cells["value"].nunique()), example)


def causes_in_words(
    problems: pd.DataFrame, found: list[Cause], words: Words, headers: Collection[str] = ()
) -> pd.DataFrame:
    """The causes as a table in the reader's language, a line each.

    Parameters
    ----------
    found : list of Cause
        From :func:`causes`.
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
