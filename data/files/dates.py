"""Dates as registers write them, and which of day and month comes first: decided by the column, not the cell.

A cell such as 05/12/2025 can be read in two ways; 23/05/2025 in the same column shows which is meant.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

DATE_ORDERS = ("dmy", "mdy")
OVERWHELMING = 100  # so many cells against one make that one a slip of the pen
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan januari january",
            "feb februari february peb pebruari",
            "mar maret march",
            "apr april",
            "mei may",
            "jun juni june",
            "jul juli july",
            "agu agt ags agustus aug august",
            "sep sept september",
            "okt oct oktober october",
            "nov nop november nopember",
            "des dec desember december",
        ),
        start=1,
    )
    for name in names.split()
}
MONTH_NAMES = "January February March April May June July August September October November December".split()
_TIME = re.compile(r"[T ]\d{1,2}[:.]\d{2}([:.]\d{2}(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?( ?[AaPp][Mm])?$")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})")
_DAY_WORD = re.compile(r"(\d{1,2})[-/. ]+([A-Za-z]+)[-/., ]+(\d{4})")
_WORD_DAY = re.compile(r"([A-Za-z]+)[. ]+(\d{1,2}),? +(\d{4})")


def read_date(text: str, order: str = "dmy") -> date:
    """A date as registers write it.

    Parameters
    ----------
    text : str
        The cell; a time of day behind the date is passed over.
    order : {"dmy", "mdy", ""}
        Order of 03/04/2024; empty reads only what can be read in one way.

    Raises
    ------
    ValueError
        When it is no date, or could be two.

    Examples
    --------
    >>> read_date("31/08/2024"), read_date("2024-08-31 00:00:00"), read_date("31 Agustus 2024")
    (datetime.date(2024, 8, 31), datetime.date(2024, 8, 31), datetime.date(2024, 8, 31))
    """
    text = _TIME.sub("", text.strip())
    if match := _YEAR_FIRST.fullmatch(text):
        return date(*map(int, match.groups()))
    if re.fullmatch(r"(19|20)\d{6}", text):
        return datetime.strptime(text, "%Y%m%d").date()
    if match := _YEAR_LAST.fullmatch(text):
        first, second, year = map(int, match.groups())
        order = order or shown_order(text) or ""
        if not order:
            raise ValueError(f"day and month of {text!r} cannot be told apart")
        return date(year, first, second) if order == "mdy" else date(year, second, first)
    if match := _DAY_WORD.fullmatch(text):
        return date(int(match[3]), _month(match[2]), int(match[1]))
    if match := _WORD_DAY.fullmatch(text):
        return date(int(match[3]), _month(match[1]), int(match[2]))
    raise ValueError(f"not a date: {text!r}")


def is_date(text: str) -> bool:
    """Whether a cell can be read as a date in one order or the other."""
    for order in DATE_ORDERS:
        try:
            read_date(text, order)
        except ValueError:
            continue
        return True
    return False


def no_such_day(text: str, order: str = "dmy") -> tuple[int, int, int] | None:
    """Year, month and day of a cell that is written as a date of which there is no such day.

    Parameters
    ----------
    text : str
        The cell.
    order : {"dmy", "mdy", ""}
        Of the column; where it makes no month of the cell, the other order says what was meant.

    Returns
    -------
    (int, int, int) or None
        None when there is such a day, or when the cell is not written as a date. The month may be none of
        1–12: there is no such month.

    Examples
    --------
    >>> no_such_day("31/02/2021"), no_such_day("2021-02-29"), no_such_day("31 Juni 2021")
    ((2021, 2, 31), (2021, 2, 29), (2021, 6, 31))
    >>> no_such_day("31/12/2021"), no_such_day("05/13/2021"), no_such_day("TOTAL")
    (None, (2021, 13, 5), None)
    """
    text = _TIME.sub("", text.strip())
    told: list[tuple[int, int, int]] = []
    if match := _YEAR_FIRST.fullmatch(text):
        told = [(int(match[1]), int(match[2]), int(match[3]))]
    elif match := re.fullmatch(r"((?:19|20)\d\d)(\d\d)(\d\d)", text):
        told = [(int(match[1]), int(match[2]), int(match[3]))]
    elif match := _YEAR_LAST.fullmatch(text):
        first, second, year = map(int, match.groups())
        told = [(year, second, first), (year, first, second)]
        told = told[::-1] if order == "mdy" else told
        if not any(map(_exists, told)):  # in neither order: the one that makes a month of it was meant
            told.sort(key=lambda day: not 1 <= day[1] <= 12)
        elif not order:
            return None
    elif match := _DAY_WORD.fullmatch(text):
        told = [(int(match[3]), _MONTHS.get(match[2].casefold(), 0), int(match[1]))]
    elif match := _WORD_DAY.fullmatch(text):
        told = [(int(match[3]), _MONTHS.get(match[1].casefold(), 0), int(match[2]))]
    if not told or told[0][1] == 0 and any(char.isalpha() for char in text):
        return None
    return None if _exists(told[0]) else told[0]


def days_of(year: int, month: int) -> int:
    """How many days a month has; 0 where there is no such month.

    Examples
    --------
    >>> days_of(2021, 2), days_of(2024, 2), days_of(2024, 13)
    (28, 29, 0)
    """
    return monthrange(year, month)[1] if 1 <= month <= 12 and year else 0


def _exists(day: tuple[int, int, int]) -> bool:
    return 1 <= day[2] <= days_of(day[0], day[1])


def _month(word: str) -> int:
    if word.casefold() not in _MONTHS:
        raise ValueError(f"not a month: {word!r}")
    return _MONTHS[word.casefold()]


def shown_order(text: str) -> str | None:
    """What a cell shows about the order: "dmy" or "mdy", "both" when day and month are the same number, ""
    when it could be either, None when it is no date of two numbers and a year, or a day that there is in
    neither order: 31/12/2021 shows that the day comes first, 31/02/2021 shows nothing."""
    match = _YEAR_LAST.fullmatch(_TIME.sub("", text.strip()))
    if match is None:
        return None
    first, second, year = map(int, match.groups())
    day_first, month_first = _exists((year, second, first)), _exists((year, first, second))
    if day_first and month_first:
        return "both" if first == second else ""
    return "dmy" if day_first else "mdy" if month_first else None


@dataclass(frozen=True)
class Evidence:
    """What the cells of one column show about the order of day and month.

    Parameters
    ----------
    rows : dict of str to int
        "dmy", "mdy" and "" (either) → how many cells show it.
    first : dict of str to (int, str)
        The same → row and text of the first such cell.
    """

    rows: dict[str, int]
    first: dict[str, tuple[int, str]]

    @property
    def order(self) -> str | None:
        """The order shown; "" when the cells contradict each other, None when none shows anything."""
        day, month = self.rows.get("dmy", 0), self.rows.get("mdy", 0)
        if not day and not month:
            return None
        if day >= OVERWHELMING * month:
            return "dmy"
        return "mdy" if month >= OVERWHELMING * day else ""

    @property
    def numeric(self) -> bool:
        """Whether any cell is a date of two numbers and a year."""
        return bool(self.rows)


def evidence(cells: pd.Series) -> Evidence:
    """What a column of text cells shows about the order of day and month; index: row numbers."""
    codes, distinct = pd.factorize(cells)
    shown = [shown_order(str(text)) for text in distinct]
    counts = pd.Series(codes).value_counts()
    rows: dict[str, int] = {}
    first: dict[str, tuple[int, str]] = {}
    places = pd.Series(range(len(codes))).groupby(codes).min()
    for code, order in enumerate(shown):
        if order is None or order == "both":
            continue
        rows[order] = rows.get(order, 0) + int(counts[code])
        place = int(places[code])
        if order not in first or place < first[order][0]:
            first[order] = (place, str(distinct[code]))
    return Evidence(rows, {order: (int(cells.index[at]), text) for order, (at, text) in first.items()})


def look_swapped(cells: pd.Series, true_rows: Iterable[int]) -> pd.Index:
    """Rows whose true dates a spreadsheet program has probably made by reading day and month exchanged.

    A program that opens dates of the other order turns those into true dates that make sense to it (both
    numbers at most 12) and leaves the rest as text. Such a column holds true dates of the first twelve days
    only, beside text dates that each have a number above 12.

    Parameters
    ----------
    cells : pandas.Series of str
        The column; true dates as ``2025-05-12``.
    true_rows : iterable of int
        Rows that hold true dates.

    Returns
    -------
    pandas.Index
        Rows with a true date that would be another day if exchanged; empty when nothing looks so.
    """
    true = cells.loc[cells.index.isin(list(true_rows))]
    true = true[true.str.fullmatch(r"\d{4}-\d{2}-\d{2}").fillna(False).astype(bool)]
    if true.empty:
        return true.index
    found = evidence(cells.drop(index=true.index))
    days = true.str.slice(8, 10).astype("int64")
    if found.rows.get("") or not found.rows or (days > 12).any():
        return true.index[:0]
    return true.index[days != true.str.slice(5, 7).astype("int64")]


def exchanged(text: str) -> str:
    """A true date with day and month exchanged: ``2025-05-12`` → ``2025-12-05``."""
    return f"{text[:4]}-{text[8:10]}-{text[5:7]}"
