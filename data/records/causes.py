"""What a check has found, gathered by cause: one mistake may redden hundreds of cells."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

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
