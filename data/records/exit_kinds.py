"""Whether a file lacks a whole kind of exit: a register of survivors teaches nothing about the others."""

from __future__ import annotations

import pandas as pd

from data.columns import DROPOUT_EXITS
from data.files.register_files import ParsedTable
from data.files.told import Told
from data.records.checks import no_problems, problems

# If one exit in twenty were of a kind, so many without it would be seen less than once in twenty times.
ENOUGH_EXITS = 59


def missing_kinds(outcomes: ParsedTable) -> pd.DataFrame:
    """A finding about the whole file where it lists many exits and no drop-out, or no graduate.

    Parameters
    ----------
    outcomes : ParsedTable

    Returns
    -------
    DataFrame
        Columns :data:`data.records.checks.PROBLEM_COLUMNS`: one warning REC118, or none.
    """
    kinds = outcomes.values["exit_type"].dropna()
    if len(kinds) < ENOUGH_EXITS:
        return no_problems()
    for present, missing, what in (
        (kinds.isin(DROPOUT_EXITS), "drop-out", "drop-out"),
        (kinds == "graduated", "graduate", "lateness"),
    ):
        if not present.any():
            message = (
                f"{len(kinds):,} exits and not one {missing}: unless they come from another file, "
                f"{what} cannot be learned from this register"
            )
            message = Told("no_such_exit", message, n=len(kinds), named_kind=missing)
            header = outcomes.header("exit_type")
            return problems(outcomes.file, "REC118", [None], header, messages=message)
    return no_problems()
