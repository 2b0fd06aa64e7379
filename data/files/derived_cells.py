"""Cells that say what a column asks for in other words: a date of entry, a year of graduation.

Each rule reads one column; what it cannot read stays as it is and is refused where cells are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pandas as pd

from data.files.cells import is_null, read_date
from data.files.text_table import header_key

ODD_FROM = 6  # an entry dated from June on opens the odd term, one before it the even term
_GRADUATION = re.compile(r"lulus|yudisium|wisuda|graduat|tglls|ijazah|degree conferred")
_PROVINCE = re.compile(r"(\d{2})\d{4}")


def entry_terms(cells: pd.Series, order: str = "dmy") -> pd.Series:
    """Dates of entry → entry terms as text; other cells stay.

    June to December belong to the odd term that the date opens, January to May to the even one: people are
    admitted before a term begins and in its first weeks, hardly ever at its end.

    Examples
    --------
    >>> entry_terms(pd.Series(["01/09/2021", "2022-02-14", "20211"])).tolist()
    ['20211', '20212', '20211']
    """
    return _each(cells, lambda text: str(_entry_term(read_date(text, order))))


def _entry_term(day: date) -> int:
    return day.year * 10 + 1 if day.month >= ODD_FROM else (day.year - 1) * 10 + 2


def exit_years(cells: pd.Series) -> pd.Series:
    """Calendar years of graduation → the even term that ends in the year, as text; other cells stay.

    Examples
    --------
    >>> exit_years(pd.Series(["2021", "20202"])).tolist()
    ['20202', '20202']
    """

    def read(text: str) -> str:
        if not re.fullmatch(r"(19|20)\d\d", text):
            raise ValueError(text)
        return f"{int(text) - 1}2"

    return _each(cells, read)


def birth_years(cells: pd.Series, order: str = "dmy") -> pd.Series:
    """Dates of birth, with or without the place before them → years as text; other cells stay.

    Examples
    --------
    >>> birth_years(pd.Series(["Bandung, 03 Mei 2005", "03/05/2005", "2005"])).tolist()
    ['2005', '2005', '2005']
    """

    def read(text: str) -> str:
        if text.isdigit() and len(text) != 8:
            raise ValueError(text)
        try:
            return str(read_date(text, order).year)
        except ValueError:
            place, sign, rest = text.rpartition(",")
            if not sign or any(char.isdigit() for char in place):
                raise
            return str(read_date(rest.strip(), order).year)

    return _each(cells, read)


def regions(cells: pd.Series, header: str) -> pd.Series:
    """Regions without the district: codes of a district become their province's, names lose their first part.

    Examples
    --------
    >>> regions(pd.Series(["026005", "Kec. Coblong, Kota Bandung", "Jawa Barat"]), "id_wilayah").tolist()
    ['020000', 'Kota Bandung', 'Jawa Barat']
    """

    def read(text: str) -> str:
        if match := _PROVINCE.fullmatch(text):
            return f"{match[1]}0000"
        if re.match(r"kec(amatan)?[. ]", text.casefold()):
            return (re.split(r"\s*[,;/]\s*|\s+-\s+", text, maxsplit=1) + [""])[1]
        raise ValueError(text)

    return _each(cells, read) if "wil" in header_key(header) else cells


def tells_graduation(header: str) -> bool:
    """Whether a header names the date, term or year of a graduation: who has one has graduated.

    Examples
    --------
    >>> tells_graduation("Tgl Yudisium"), tells_graduation("Tanggal Keluar")
    (True, False)
    """
    return bool(_GRADUATION.search(header_key(header)))


def _each(cells: pd.Series, read: Callable[[str], str]) -> pd.Series:
    """``read`` of every distinct cell; one that cannot be read stays as it is."""
    known = {}
    for text in cells.unique():
        try:
            known[text] = text if is_null(text) else read(text.strip())
        except ValueError:
            known[text] = text
    return cells.map(known).astype("str")
