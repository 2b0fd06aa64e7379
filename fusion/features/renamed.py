"""What got a new name and stayed what it was: one category for the model, whatever a record calls it.

A record keeps its own word. For a model a route of admission that is called otherwise from one intake to the
next would be a category without a past, and every cohort since the renaming would look unlike all before it.
An institution's own renamings are said where its words are: in its mapping
(``[students.values.admission_path]``) or its list of codes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from data.files.text_table import header_key


@dataclass(frozen=True)
class Renamed:
    """A category of a register that has had several names.

    Parameters
    ----------
    feature : str
        The column that holds it.
    names : tuple of str
        Its names, newest first; together they are what the model calls it.
    spelled : tuple of str
        In full, as lists of codes have it; also with one of the names in brackets behind.
    since : int
        Year of the first intake that had it under the oldest of the names. The same letters in an older
        record may mean something else and are left alone.
    why : str
        Why it is the same: what stayed, who says so, and what changed nevertheless.
    """

    feature: str
    names: tuple[str, ...]
    spelled: tuple[str, ...]
    since: int
    why: str

    @property
    def one(self) -> str:
        """What it is called in features: all of its names, so that a reader finds the record's own."""
        return "/".join(self.names)

    @cached_property
    def keys(self) -> frozenset[str]:
        """Every way to write it, by :func:`data.files.text_table.header_key`."""
        full = [f"{spelled} ({name})" for spelled in self.spelled for name in self.names]
        return frozenset(map(header_key, (self.one, *self.names, *self.spelled, *full)))


RENAMED = (
    Renamed(
        "admission_path",
        ("SNBP", "SNMPTN"),
        ("Seleksi Nasional Berdasarkan Prestasi", "Seleksi Nasional Masuk Perguruan Tinggi Negeri"),
        2013,
        "Permendikbudristek 48/2022 puts SNBP in the place of SNMPTN from the intake of 2023: by school "
        "record and achievement, without a test, before the others. All subjects count since. Until 2012 "
        "SNMPTN also was a written test, so older records keep their word",
    ),
    Renamed(
        "admission_path",
        ("SNBT", "SBMPTN"),
        ("Seleksi Nasional Berdasarkan Tes", "Seleksi Bersama Masuk Perguruan Tinggi Negeri"),
        2013,
        "Permendikbudristek 48/2022 puts SNBT in the place of SBMPTN from the intake of 2023: the national "
        "written test. It asks for reasoning and literacy since, no longer for school subjects",
    ),
    Renamed(
        "funding_at_entry",
        ("KIP-Kuliah", "Bidikmisi"),
        ("Kartu Indonesia Pintar Kuliah", "KIPK", "Beasiswa Bidikmisi", "Beasiswa KIP Kuliah"),
        2010,
        "Permendikbud 10/2020 puts KIP Kuliah in the place of Bidikmisi from the intake of 2020: the state "
        "pays fees and upkeep of students of poor families. More of them get it since",
    ),
)


def one_name(feature: str, values: pd.Series, entry_year: pd.Series) -> pd.Series:
    """Values of a column with what was renamed under one name.

    Parameters
    ----------
    feature : str
        The column.
    values : Series of object
        As the record has them; missing is None.
    entry_year : Series
        Year of each student's intake, same index; missing: unknown, and the value is left alone.

    Returns
    -------
    Series of object
        As ``values``; names that no declaration knows are untouched.
    """
    found = values.astype(object).copy()
    told = values.dropna().unique()
    for item in RENAMED:
        if item.feature == feature:
            same = [value for value in told if header_key(value) in item.keys]
            found[values.isin(same) & (entry_year >= item.since)] = item.one
    return found


def known_as(feature: str, value: str, known: Collection[str]) -> str:
    """Under which of its names a list of categories has a value; the value itself where it has none.

    A model from before a renaming was declared learned the category under one of the names alone; where it
    learned several, the newest stands for it.
    """
    item = next((one for one in RENAMED if one.feature == feature and one.one == value), None)
    if item is None or value in known:
        return value
    return next((name for name in item.names if name in known), value)
