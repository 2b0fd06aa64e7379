"""Text cells → numbers, dates, terms, one column at a time.

A cell that cannot be read is marked, never guessed: the marks become import problems. Each distinct text is
read once, so a column of a million cells costs its few hundred different values.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from data.columns import Column
from data.files.dates import read_date
from data.files.term_words import read_term
from data.files.told import Told

OLDEST_YEAR, NEWEST_YEAR = 1952, 2099  # of dates: the calendar of terms reaches a little further
NULL_TEXTS = frozenset(
    "|-|--|---|—|–|null|\\n|n/a|#n/a|n.a|n.a.|nan|none|nat|<na>|(null)|<null>|undefined|0000-00-00".split("|")
)
# In names and codes these are words of their own: a person may be called Nan, a programme NA.
_PROGRAMS_NULLS = frozenset("NULL null NaN nan None N/A n/a #N/A <NA> NaT (null) \\N".split())
_SHEET_ERROR = re.compile(
    r"#(?:REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|FIELD!)|#{2,}|Err:\d{3}", re.IGNORECASE
)
_FORMULA = re.compile(r"=(?!=)\s*\S.*", re.DOTALL)
_NUMBER = re.compile(r"[+-]?\d[\d.,' \u00a0\u202f\u2009]*|[+-]?[.,]\d+")
_SCIENTIFIC = re.compile(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d+")
# As programs write quantities: with a decimal sign or a sign of the exponent; 21E10023 is an office's.
_QUANTITY = re.compile(r"\d+(?:[.,]\d+[eE][+-]?|[eE][+-])\d{1,3}")


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
        What a cell should look like, in words, for the message (:class:`data.files.told.Told`).
    errors : pandas.Series of bool
        Cells in which a spreadsheet program shows an error, such as ``#REF!``; their value is missing.
    formulas : pandas.Series of bool
        Cells that hold a formula without its result; they are bad as well.
    """

    values: pd.Series
    bad: pd.Series
    expected: str
    errors: pd.Series
    formulas: pd.Series


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
    date_order : {"dmy", "mdy", ""}
        Order of 03/04/2024; empty leaves such cells unread.
    scale : float
        Factor of numbers without a percent sign, e.g. 0.01 under the header "Attendance (%)".

    Returns
    -------
    ParsedColumn
    """
    codes, distinct = pd.factorize(texts.fillna(""), use_na_sentinel=False)
    distinct = [str(text) for text in distinct]
    errors = np.array([bool(_SHEET_ERROR.fullmatch(text.strip())) for text in distinct], dtype=bool)
    formulas = np.array([bool(_FORMULA.fullmatch(text)) for text in distinct], dtype=bool)
    distinct = ["" if error else text for text, error in zip(distinct, errors, strict=True)]
    if column.kind == "text":
        read, expected = [_read_text(text, column.name) for text in distinct], Told("text", "text")
    elif column.kind in ("integer", "number"):
        read = _read_numbers(distinct, column, decimal, scale)
        expected = Told(column.kind, "a whole number" if column.kind == "integer" else "a number")
    elif column.kind == "date":
        read = [_caught(_read_day, text, date_order) for text in distinct]
        words = f"a date such as 2024-08-31, or {_ORDER_WORDS[date_order]}"
        expected = Told(f"date_{date_order}" if date_order else "date", words)
    else:
        entry = column.name == "cohort_term"
        read = [_caught(read_term, text, entry, date_order) for text in distinct]
        words = "a term such as 20241 or 2024/2025 Ganjil" + (", or a date of entry" if entry else "")
        expected = Told("entry" if entry else "term", words)
    read = [_UNREADABLE if formula else value for value, formula in zip(read, formulas, strict=True)]
    bad = np.array([value is _UNREADABLE for value in read], dtype=bool)
    clean = [None if value is _UNREADABLE else value for value in read]
    dtype = {"text": "str", "integer": "Int64", "term": "Int64", "number": "float64", "date": "datetime64[s]"}
    table = pd.Series(clean, dtype=dtype[column.kind])
    values = table.iloc[codes].set_axis(texts.index)
    masks = [pd.Series(mask[codes], index=texts.index) for mask in (bad, errors, formulas)]
    return ParsedColumn(values, masks[0], expected, *masks[1:])


def _read_day(text: str, order: str) -> date:
    day = read_date(text, order)
    if not OLDEST_YEAR <= day.year <= NEWEST_YEAR:
        raise ValueError(f"no year of a register: {text!r}")
    return day


_ORDER_WORDS = {
    "dmy": "day/month/year",
    "mdy": "month/day/year",
    "": "one of which day and month can be told apart",
}


class _Unreadable:
    """Mark of a cell that holds something which is no value of its column."""


_UNREADABLE = _Unreadable()


def is_null(text: str) -> bool:
    """Whether a cell says "nothing", as registers write it."""
    return text.strip().casefold() in NULL_TEXTS


def _caught(read, text: str, *options):
    if is_null(text):
        return None
    try:
        return read(text, *options)
    except (ValueError, OverflowError):
        return _UNREADABLE


def _read_text(text: str, column: str) -> str | None:
    text = re.sub(r"\s+", " ", text).strip()
    if column == "advisor":
        text = unicodedata.normalize("NFC", text)  # who signs in has one way of writing a letter
    if column in ("name", "program_name", "program_code"):
        return None if text in _PROGRAMS_NULLS or not text.strip("-—–") else whole_code(text, column)
    return None if is_null(text) or text == "NA" else whole_code(text, column)


def whole_code(text: str, column: str = "program_code") -> str:
    """A code that a program has turned into a number with decimals, without them: ``55201.0`` → ``55201``."""
    return re.sub(r"^(\d+)[.,]0+$", r"\1", text) if column in ("program_code", "course_code") else text


def looks_damaged(text: str) -> bool:
    """Whether a student number went through a spreadsheet as a number, e.g. ``2,1E+09`` or ``210001.0``.

    Examples
    --------
    >>> looks_damaged("2,1E+09"), looks_damaged("21E10023")
    (True, False)
    """
    return bool(_QUANTITY.fullmatch(text)) or bool(re.fullmatch(r"\d+[.,]0+", text))


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

    return [_caught(choose, text) for text in distinct]


def _fits(value: float, column: Column) -> bool:
    return (column.low is None or value >= column.low) and (column.high is None or value <= column.high)
