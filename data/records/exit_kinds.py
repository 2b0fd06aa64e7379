"""Whether a file lacks a whole kind of exit, or exchanges two: a register of survivors teaches nothing about
the others, and an exchanged one teaches the contrary."""

from __future__ import annotations

import pandas as pd

from data.columns import DROPOUT_EXITS
from data.files.register_files import ParsedTable
from data.files.told import Told
from data.records.checks import no_problems, problems
from data.records.exit_sense import turned_exits
from data.records.known import Known

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


def turned_kinds(whole: dict[str, ParsedTable], known: Known) -> pd.DataFrame:
    """A finding about the whole import where graduates and drop-outs look exchanged, the store's rows of the
    same students taken along.

    Parameters
    ----------
    whole : dict of str to ParsedTable
        The tables of the import that lack no needed column.
    known : Known
        What the store holds of the students in them.

    Returns
    -------
    DataFrame
        Columns :data:`data.records.checks.PROBLEM_COLUMNS`: one warning REC150, or none.
    """
    file = whole.get("outcomes", whole.get("terms"))
    if file is None:
        return no_problems()
    stored = {"students": known.students, "terms": known.terms, "outcomes": known.outcomes}
    students, terms, outcomes = (
        pd.concat([rows, whole[name].values], ignore_index=True) if name in whole else rows
        for name, rows in stored.items()
    )
    entered = students.dropna(subset=["student_number", "program_code", "cohort_term"])
    studied = terms.dropna(subset=["student_number", "term_id"])
    if "exit_type" not in outcomes or studied.empty:
        return no_problems()
    found = turned_exits(entered, studied, outcomes, "student_number")
    if found is None:
        return no_problems()
    share = found.share
    more = {"both": "more credits and a higher average", "credits": "more credits", "gpa": "a higher average"}
    message = (
        f"{found.dropped:,} drop-outs and {found.graduated:,} graduates look exchanged: of one of each kind "
        f"in a programme the drop-out has {more[found.told_by]}, {share:.0%} of the time"
    )
    told = {"dropped": found.dropped, "graduated": found.graduated, "share": round(100 * share)}
    message = Told(f"exits_turned_{found.told_by}", message, **told)
    header = file.header("exit_type") if "outcomes" in whole else ""
    return problems(file.file, "REC150", [None], header, messages=message)
