"""Cells that say what a column asks for in other words: a date of birth, a year of graduation.

Each rule reads one column; what it cannot read stays as it is and is refused where cells are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

from data.files.cells import is_null
from data.files.dates import DATE_ORDERS, read_date
from data.files.text_table import header_key

_GRADUATION = re.compile(r"lulus|yudisium|wisuda|graduat|tglls|ijazah|degree conferred")
_PROVINCE = re.compile(r"(\d{2})\d{4}")


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


def birth_years(cells: pd.Series) -> pd.Series:
    """Dates of birth, with or without the place before them → years as text; other cells stay.

    The day and month are nobody's business here, nor is their order.

    Examples
    --------
    >>> birth_years(pd.Series(["Bandung, 03 Mei 2005", "03/25/2005", "2005"])).tolist()
    ['2005', '2005', '2005']
    """

    def read(text: str) -> str:
        if text.isdecimal() and len(text) != 8:
            raise ValueError(text)
        place, sign, rest = text.rpartition(",")
        told = [text] if not sign or any(char.isdecimal() for char in place) else [text, rest.strip()]
        for one in told:
            for order in DATE_ORDERS:
                try:
                    return str(read_date(one, order).year)
                except ValueError:
                    continue
        raise ValueError(text)

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
