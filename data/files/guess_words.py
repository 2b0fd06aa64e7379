"""Guesses in plain English, for the command line: what was assumed, what shows it, what would change it."""

from __future__ import annotations

import shlex

from data.files.reading import Guess

ORDERS = {"dmy": "day before month", "mdy": "month before day"}
SCALES = {"percent": "per cents", "fraction": "fractions of one"}
TRUE_DATES = {
    "": "not read: day and month of its true dates look exchanged",
    "stored": "true dates as stored",
    "swapped": "day and month of its true dates exchanged back",
}
EMPTY_TERMS = {
    "none": "not taken as a leave (0 credits: active; empty cells: no row)",
    "leave": "taken as a leave (C)",
    "inactive": "taken as not registered (N)",
}
ZEROS = {
    "empty": "taken as no grade",
    "grade": "taken as everything failed",
    "leave": "taken as a leave (C)",
    "inactive": "taken as not registered (N)",
}
HIDDEN = {"read": "read", "left": "left out"}
_NAMED = {
    "date_order": lambda value: ORDERS[value],
    "true_dates": lambda value: TRUE_DATES[value],
    "attendance": lambda value: SCALES[value],
    "entry_date": lambda value: "dates: the odd term from June to December, the even one from January to May",
    "encoding": lambda value: f"text in {value}",
    "sheets": lambda value: f"sheets read: {value}",
    "empty_terms": lambda value: f"without average and credits {EMPTY_TERMS[value]}",
    "zero": lambda value: f"averages of 0 {ZEROS[value]}",
    "hidden_rows": lambda value: f"hidden rows {HIDDEN[value]}",
    "hidden_columns": lambda value: f"hidden columns {HIDDEN[value]}",
    "hidden": lambda value: (
        "hidden rows and columns too, if there are any: this kind of workbook does not tell"
    ),
}


def guess_line(guess: Guess, table: str = "") -> str:
    """One line about a guess, with what to write to confirm or to change it.

    Parameters
    ----------
    guess : Guess
        What was decided.
    table : str
        The table whose file it is about; named in front of the settings.

    Examples
    --------
    >>> guess_line(Guess("date_order", "mdy", "Graduation date", 5, "05/23/2025", proven=True))
    "'Graduation date': month before day (row 5 shows it: '05/23/2025')"
    """
    about = f"{guess.column!r}: " if guess.column else ""
    line = about + _NAMED[guess.what](guess.value)
    if guess.what == "empty_terms":
        line = f"{guess.cell} terms {line}"
    if guess.what == "zero":
        line = f"{guess.cell} term {line}"
    if guess.what in ("hidden_rows", "hidden_columns"):
        line += f": {guess.cell} of {guess.sheet!r}"
    place = f"row {guess.row}" + (f" of {guess.sheet!r}" if guess.sheet else "")
    if guess.shown_by:
        line += f" (as {guess.shown_by!r} shows)"
    elif guess.row is not None:
        line += f" ({place} shows it: {guess.cell!r})" if guess.proven else f" (e.g. {place}: {guess.cell!r})"
    if guess.proven:
        return line
    front = f"{table}." if table else ""
    if guess.what == "sheets":
        named = " ".join(f"--sheet {shlex.quote(sheet)}" for sheet in guess.value.split(", "))
        return f"{line}; if that is right, say so by {named}; others are named in the same way"
    change = " or ".join(f"--set {front}{setting}" for setting in guess.settings)
    if not change:
        return f"{line}; if that is wrong, give the column that names the term by --set {front}COLUMN=HEADER"
    confirm = f"--set {front}{guess.what}={guess.value}" if guess.value else ""
    said = f"; if that is right, say so by {confirm}" if confirm else "; nobody but you can tell"
    return f"{line}{said}; else {change}"
