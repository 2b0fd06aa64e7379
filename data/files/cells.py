"""Text cells → numbers, dates, terms, one column at a time.

A cell that cannot be read is marked, never guessed: the marks become import problems. Each distinct text is
read once, so a column of a million cells costs its few hundred different values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from data.calendar.term_calendar import is_term
from data.columns import Column

NULL_TEXTS = frozenset({"", "-", "--", "—", "–", "null", "\\n", "n/a", "#n/a", "nan", "none", "nat"})
DATE_ORDERS = ("dmy", "mdy")
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
_PARTS = {
    1: "ganjil gasal odd fall autumn",
    2: "genap even spring",
    3: "pendek antara short summer",
}
_PART_OF_WORD = {word: part for part, words in _PARTS.items() for word in words.split()}
_NUMBER = re.compile(r"[+-]?\d[\d.,' \u00a0\u202f\u2009]*|[+-]?[.,]\d+")
_SCIENTIFIC = re.compile(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d+")


@dataclass(frozen=True)
class ParsedColumn:
    """A column after reading.

    Parameters
    ----------
    values : pandas.Series
        ``str``, ``Int64``, ``float64`` or ``datetime64[s]`` by the column's kind; missing where empty or bad.
    bad : pandas.Series of bool
        Cells that hold something unreadable.
    expected : str
        What a cell should look like, in words, for the message.
    """

    values: pd.Series
    bad: pd.Series
    expected: str


def parse_column(
    texts: pd.Series,
    column: Column,
    *,
    decimal: str | None = None,
    date_order: str = "dmy",
    scale: float = 1.0,
) -> ParsedColumn:
    """Read a column of text cells.

    Parameters
    ----------
    texts : pandas.Series of str
        Cells; empty text is missing.
    column : Column
        Gives kind and range; the range only helps to read a number that could be read in two ways.
    decimal : {",", "."}, optional
        Decimal sign that the file suggests.
    date_order : {"dmy", "mdy"}
        Order of 03/04/2024.
    scale : float
        Factor of numbers without a percent sign, e.g. 0.01 under the header "Attendance (%)".

    Returns
    -------
    ParsedColumn
    """
    codes, distinct = pd.factorize(texts.fillna(""), use_na_sentinel=False)
    distinct = [str(text) for text in distinct]
    if column.kind == "text":
        read, expected = [_read_text(text) for text in distinct], "text"
    elif column.kind in ("integer", "number"):
        read = _read_numbers(distinct, column, decimal, scale)
        expected = "a whole number" if column.kind == "integer" else "a number"
    elif column.kind == "date":
        read = [_caught(read_date, text, date_order) for text in distinct]
        order = "day/month/year" if date_order == "dmy" else "month/day/year"
        expected = f"a date such as 2024-08-31, or {order}"
    else:
        read = [_caught(read_term, text, column.name == "cohort_term") for text in distinct]
        expected = "a term such as 20241 or 2024/2025 Ganjil"
    bad = np.array([value is _UNREADABLE for value in read], dtype=bool)
    clean = [None if value is _UNREADABLE else value for value in read]
    dtype = {"text": "str", "integer": "Int64", "term": "Int64", "number": "float64", "date": "datetime64[s]"}
    table = pd.Series(clean, dtype=dtype[column.kind])
    values = table.iloc[codes].set_axis(texts.index)
    return ParsedColumn(values, pd.Series(bad[codes], index=texts.index), expected)


class _Unreadable:
    """Mark of a cell that holds something which is no value of its column."""


_UNREADABLE = _Unreadable()


def is_null(text: str) -> bool:
    """Whether a cell says "nothing", as registers write it."""
    return text.strip().casefold() in NULL_TEXTS


def _caught(read, text: str, option):
    if is_null(text):
        return None
    try:
        return read(text, option)
    except ValueError:
        return _UNREADABLE


def _read_text(text: str) -> str | None:
    text = re.sub(r"\s+", " ", text).strip()
    return None if text in ("", "-", "--", "NULL", "\\N") else text


def looks_damaged(text: str) -> bool:
    """Whether a student number went through a spreadsheet as a number, e.g. ``2,1E+09`` or ``210001.0``."""
    return bool(_SCIENTIFIC.fullmatch(text)) or bool(re.fullmatch(r"\d+[.,]0+", text))


def readings_of_number(text: str) -> tuple[float, ...]:
    """Every way to read a number: one reading, or (decimal, thousands) for texts such as ``1.234``.

    Examples
    --------
    >>> readings_of_number("3,25"), readings_of_number("1.234,5"), readings_of_number("1.234")
    ((3.25,), (1234.5,), (1.234, 1234.0))
    """
    text = text.strip()
    if _SCIENTIFIC.fullmatch(text):
        return (float(text.replace(",", ".")),)
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"not a number: {text!r}")
    compact = re.sub(r"(?<=\d)[' \u00a0\u202f\u2009](?=\d{3}(\D|$))", "", text)
    signs = [char for char in compact if char in ".,"]
    if len(set(signs)) == 2:
        last = signs[-1]
        other = "," if last == "." else "."
        whole, _, fraction = compact.rpartition(last)
        if last in whole or not _grouped(whole, other):
            raise ValueError(f"not a number: {text!r}")
        return (float(whole.replace(other, "") + "." + fraction),)
    if len(signs) > 1:
        if not _grouped(compact, signs[0]):
            raise ValueError(f"not a number: {text!r}")
        return (float(compact.replace(signs[0], "")),)
    value = float(compact.replace(",", "."))
    if signs and _grouped(compact, signs[0]):
        return (value, float(compact.replace(signs[0], "")))
    return (value,)


def _grouped(whole: str, sign: str) -> bool:
    """Whether ``sign`` cuts the digits into thousands."""
    return bool(re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}(\{sign}\d{{3}})+", whole))


def _read_numbers(distinct: list[str], column: Column, decimal: str | None, scale: float) -> list:
    def choose(text: str):
        percent = text.endswith("%")
        factor = 0.01 if percent and column.high == 1 else 1.0 if percent else scale
        readings = [round(value * factor, 10) for value in readings_of_number(text.rstrip("% "))]
        if column.kind == "integer":
            whole = [value for value in readings if value.is_integer() and abs(value) < 2**53]
            if not whole:
                raise ValueError(f"not a whole number: {text!r}")
            readings = whole
        fitting = [value for value in readings if _fits(value, column)]
        if len(readings) == 1 or len(fitting) == 1:
            return (fitting or readings)[0]
        as_thousands = column.kind == "integer" if decimal is None else decimal not in text
        return readings[-1] if as_thousands else readings[0]

    return [_caught(lambda cell, _: choose(cell), text, None) for text in distinct]


def _fits(value: float, column: Column) -> bool:
    return (column.low is None or value >= column.low) and (column.high is None or value <= column.high)


def read_date(text: str, order: str = "dmy") -> date:
    """A date as registers write it.

    Examples
    --------
    >>> read_date("31/08/2024"), read_date("2024-08-31 00:00:00"), read_date("31 Agustus 2024")
    (datetime.date(2024, 8, 31), datetime.date(2024, 8, 31), datetime.date(2024, 8, 31))
    """
    text = re.sub(r"[T ]\d{1,2}[:.]\d{2}([:.]\d{2}(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$", "", text.strip())
    if match := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", text):
        return date(*map(int, match.groups()))
    if re.fullmatch(r"(19|20)\d{6}", text):
        return datetime.strptime(text, "%Y%m%d").date()
    if match := re.fullmatch(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})", text):
        first, second, year = map(int, match.groups())
        return date(year, second, first) if order == "dmy" else date(year, first, second)
    if match := re.fullmatch(r"(\d{1,2})[-/. ]+([A-Za-z]+)[-/., ]+(\d{4})", text):
        return date(int(match[3]), _month(match[2]), int(match[1]))
    if match := re.fullmatch(r"([A-Za-z]+)[. ]+(\d{1,2}),? +(\d{4})", text):
        return date(int(match[3]), _month(match[1]), int(match[2]))
    raise ValueError(f"not a date: {text!r}")


def _month(word: str) -> int:
    if word.casefold() not in _MONTHS:
        raise ValueError(f"not a month: {word!r}")
    return _MONTHS[word.casefold()]


def read_term(text: str, year_alone: bool = False) -> int:
    """A term as ``YYYYT``; a year alone means its odd term where an entry cohort is asked for.

    Examples
    --------
    >>> read_term("2023/2024 Genap"), read_term("20231"), read_term("2023", True), read_term("Spring 2024")
    (20232, 20231, 20231, 20232)
    """
    text = re.sub(r"\.0+$", "", text.strip())
    if re.fullmatch(r"\d{5}", text):
        term = int(text)
    elif re.fullmatch(r"\d{4}", text) and year_alone:
        term = int(text) * 10 + 1
    else:
        term = _term_of_words(text)
    if not is_term(term):
        raise ValueError(f"not a term: {text!r}")
    return term


def _term_of_words(text: str) -> int:
    years = [int(year) for year in re.findall(r"(?<!\d)((?:19|20)\d{2})(?!\d)", text)]
    rest = re.sub(r"(?<!\d)(?:19|20)\d{2}(?!\d)", " ", text).casefold()
    words = re.findall(r"[a-z]+", rest)
    parts = {_PART_OF_WORD[word] for word in words if word in _PART_OF_WORD}
    parts |= {int(digit) for digit in re.findall(r"(?<!\d)[123](?!\d)", rest)}
    if len(parts) != 1 or not 1 <= len(years) <= 2 or (len(years) == 2 and years[1] != years[0] + 1):
        raise ValueError(f"not a term: {text!r}")
    after_new_year = len(years) == 1 and bool({"spring", "summer"} & set(words))
    return (years[0] - after_new_year) * 10 + parts.pop()
