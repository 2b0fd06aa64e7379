"""What a column means where its cells do not say it: order of day and month, exchanged dates, scale.

Each decision is taken for a whole column, by what its cells show, and told as a :class:`Guess`; a cell
against which the column speaks is a :class:`Remark` and is not read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from data.files.cells import is_null, readings_of_number
from data.files.dates import Evidence, evidence, exchanged, is_date, look_swapped
from data.files.reading import Guess, Reading
from data.files.told import Told

UNREAD = "?"  # in the place of a cell that must not be read


@dataclass(frozen=True)
class Remark:
    """A rule that the reading of a column has found broken.

    Parameters
    ----------
    rule : str
        A code of :data:`data.records.checks.CHECKS`.
    column : str
        Column of the common layout.
    rows : pandas.Index or None
        Row numbers; None when the whole column is meant.
    message : str
        What is wrong and what to do (:class:`data.files.told.Told`).
    """

    rule: str
    column: str
    rows: pd.Index | None
    message: str


@dataclass(frozen=True)
class DateColumn:
    """A column of dates, decided.

    Parameters
    ----------
    cells : pandas.Series of str
        The cells to read: exchanged where the office said so, :data:`UNREAD` where nothing can be said.
    order : {"dmy", "mdy", ""}
        Empty: the cells contradict each other.
    guesses, remarks : list
        What was assumed and what is wrong.
    against : str
        For the message of an unread cell: what the column shows; empty when it is of one mind.
    """

    cells: pd.Series
    order: str
    guesses: list[Guess] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    against: str = ""


def decide_dates(
    columns: Mapping[str, pd.Series],
    headers: Mapping[str, str],
    true_rows: Mapping[str, np.ndarray],
    reading: Reading,
    preferred: str,
    where: Callable[[int], str] = "row {}".format,
    told_row: Callable[[int], str] = str,
) -> dict[str, DateColumn]:
    """Decide the order of day and month for every date column of a file.

    Parameters
    ----------
    columns : mapping of str to Series of str
        Column → its cells.
    headers : mapping of str to str
        Column → header.
    true_rows : mapping of str to array of int
        Header → rows whose cell is a true date of a spreadsheet.
    reading : Reading
        Decide before anything that the cells show.
    preferred : {"dmy", "mdy"}
        Where nothing shows the order.
    where, told_row : callable
        Words for a row of the file; the row without words.

    Returns
    -------
    dict of str to DateColumn
    """
    text_only = {
        name: cells.drop(index=cells.index.intersection(true_rows.get(headers.get(name, ""), [])))
        for name, cells in columns.items()
    }
    shown = {name: evidence(cells) for name, cells in text_only.items()}
    told = {found.order for found in shown.values()} - {None}
    common = told.pop() if len(told) == 1 else ""
    witness = next((name for name, found in shown.items() if common and found.order == common), "")
    decided = {}
    for name, cells in columns.items():
        header = headers.get(name, name)
        by = headers.get(witness, witness)
        column = _order(name, header, cells, shown[name], reading, preferred, common, by, where, told_row)
        decided[name] = _true_dates(name, header, column, true_rows.get(header, ()), reading)
    return decided


def _order(
    name, header, cells, found: Evidence, reading, preferred, common, witness, where, told_row
) -> DateColumn:
    if not found.numeric:
        return DateColumn(cells, reading.date_order or preferred)
    row, cell = found.first.get(found.order or "", found.first.get("", (None, "")))
    if reading.date_order:
        order = reading.date_order
        return DateColumn(cells, order, [Guess("date_order", order, header, row, cell, proven=True)])
    if found.order:
        return DateColumn(
            cells, found.order, [Guess("date_order", found.order, header, row, cell, proven=True)]
        )
    if found.order == "":
        (day_row, day), (month_row, month) = found.first["dmy"], found.first["mdy"]
        against = (
            f"one whose day and month can be told apart: {where(day_row)} ({day}) begins with the day, "
            f"{where(month_row)} ({month}) with the month; correct them or say --set date_order=dmy or mdy"
        )
        places = {"day_row": told_row(day_row), "month_row": told_row(month_row)}
        against = Told("two_orders", against, **places, day_cell=day, month_cell=month)
        return DateColumn(cells, "", against=against)
    if common:
        row, cell = None, ""
    guess = Guess("date_order", common or preferred, header, row, cell, shown_by=witness if common else "")
    return DateColumn(cells, guess.value, [guess], [] if common else [_unproven(name, guess, cells, found)])


def _unproven(name: str, guess: Guess, cells: pd.Series, found: Evidence) -> Remark:
    words = {"dmy": "day before month", "mdy": "month before day"}[guess.value]
    other = {"dmy": "mdy", "mdy": "dmy"}[guess.value]
    message = (
        f"{found.rows['']} cells of this column, such as {guess.cell}, can be read in two ways and none "
        f"shows which; read as {words}; if that is wrong, say --set date_order={other}"
    )
    message = Told("unproven", message, n=found.rows[""], cell=guess.cell, named_order=guess.value)
    return Remark("REC119", name, None, message)


def _true_dates(name: str, header: str, column: DateColumn, rows, reading: Reading) -> DateColumn:
    swapped = look_swapped(column.cells, rows)
    if swapped.empty:
        return column
    first = int(swapped[0])
    seen = Guess(
        "true_dates",
        reading.true_dates or "",
        header,
        first,
        column.cells[first],
        proven=bool(reading.true_dates),
    )
    cells, remarks = column.cells.copy(), list(column.remarks)
    if reading.true_dates == "swapped":
        cells[swapped] = cells[swapped].map(exchanged)
    elif not reading.true_dates:
        cells[swapped] = UNREAD
        message = (
            "true dates of the first twelve days only stand beside text dates that each have a number above "
            "12: a spreadsheet program has probably read day and month exchanged; look at one that you know "
            "and say --set true_dates=swapped, or true_dates=stored if they are right"
        )
        message = Told("look_swapped", message)
        remarks.append(Remark("REC023", name, swapped, message))
    return DateColumn(cells, column.order, [*column.guesses, seen], remarks, column.against)


def entry_dates(cells: pd.Series, header: str) -> list[Guess]:
    """Whether dates stand in a column of entry terms, as a guess to confirm."""
    dates = [text for text in cells.unique() if is_date(text)]
    if not dates:
        return []
    row = int(cells.index[cells.isin(dates)][0])
    return [Guess("entry_date", "", header, row, cells[row])]


def decide_scale(
    cells: pd.Series, column: str, header: str, scale: float, reading: Reading
) -> tuple[float, list[Guess], list[Remark]]:
    """Whether shares without a percent sign are per cents or fractions of one.

    Parameters
    ----------
    cells : pandas.Series of str
        The column.
    column, header : str
        Its name in the common layout and in the file.
    scale : float
        What the header says: 0.01 for per cents, 1 when it says nothing.
    reading : Reading
        Decide before anything that the cells show.

    Returns
    -------
    scale : float
        Factor of the numbers.
    guesses : list of Guess
    remarks : list of Remark
        Fractions that stand among per cents.
    """
    numbers = cells.map({text: _plain_number(text) for text in cells.unique()}).astype("float64")
    given = numbers.dropna()
    if reading.attendance:
        scale = {"percent": 0.01, "fraction": 1.0}[reading.attendance]
        return scale, [Guess("attendance", reading.attendance, header, proven=True)], []
    above = given[(given > 1) & (given <= 100)]
    within = given[(given > 0) & (given <= 1)]
    said = "percent" if scale != 1.0 else "fraction"
    if within.empty and above.empty:
        return scale, [], []
    value = said
    if above.empty:
        value = "fraction"
    elif scale == 1.0 and not (within < 1).any():
        value = "percent"
    proof = above if value == "percent" and len(above) else within if len(within) else above
    row = int(proof.index[0])
    guess = Guess(
        "attendance",
        value,
        header,
        row,
        cells[row],
        proven=value == said and (value == "fraction" or len(above) > 0),
    )
    remarks = []
    if value != said:
        message = (
            f"the header says {'per cent' if said == 'percent' else 'nothing of per cent'}, but the values, "
            f"such as {guess.cell}, are {'fractions of one' if value == 'fraction' else 'per cents'}; "
            f"read so; if that is wrong, say --set attendance={said}"
        )
        message = Told("other_scale", message, cell=guess.cell, named_said=said, named_scale=value)
        remarks.append(Remark("REC121", column, None, message))
    mixed = within[within < 1].index if value == "percent" else pd.Index([])
    if len(mixed):
        message = (
            "a fraction in a column of per cents: write it as a per cent; if it is meant as it stands, say "
            "--set attendance=percent"
        )
        message = Told("fraction_among", message)
        remarks.append(Remark("REC024", column, mixed, message))
    return {"percent": 0.01, "fraction": 1.0}[value] if value != said else scale, [guess], remarks


def _plain_number(text: str) -> float | None:
    if is_null(text) or "%" in text:
        return None
    try:
        return readings_of_number(text)[0]
    except (ValueError, OverflowError):
        return None
