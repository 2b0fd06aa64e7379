"""A row per student with a column per term (IPS1 … IPS8, SKS 1 …) → a row per student and term.

The terms are numbered by the student's own semesters. Each row keeps its number in the file: see
:func:`row_of`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from data.columns import MAX_TERM_INDEX, TERM_COLUMNS
from data.files.cells import NULL_TEXTS
from data.files.mapping import Mapping
from data.files.text_table import TextTable, header_key

OWN_NUMBER = "Semester ke"  # header of the made column; the shipped mappings know it
_PLACES = 16  # numbers of rows per row of the file; more than any semester number
_TERM = r"(?:(?:semester|smstr|smt|sem|term)[\s._-]*)"
_NUMBER = r"(?P<number>0?[1-9]|1[0-4])"
_FORMS = (
    re.compile(rf"(?P<name>.*?)[\s._-]*{_TERM}?{_NUMBER}", re.IGNORECASE),
    re.compile(rf"{_TERM}{_NUMBER}[\s._:-]+(?P<name>.+)", re.IGNORECASE),
)
_TOLD_BY_TERM = frozenset(
    column.name
    for column in TERM_COLUMNS
    if column.name not in ("student_number", "term_id", "term_index", "known_at")
)
_ZERO = r"0+([.,]0+)?"
_WITHOUT_GRADE = ("empty", "leave", "inactive")  # answers by which an average of 0 is no grade


def row_of(place: int) -> int:
    """The row of the file from which a row of an unfolded table comes."""
    return int(place) // _PLACES


def number_of(place: int) -> int:
    """The student's own semester number of a row of an unfolded table."""
    return int(place) % _PLACES


def term_headers(mappings: Iterable[Mapping]) -> dict[str, str]:
    """:func:`data.files.text_table.header_key` of every header that gives a column of terms → the column."""
    found = {header_key(column.name): column.name for column in TERM_COLUMNS}
    for mapping in mappings:
        for column, headers in mapping.table("terms").columns.items():
            for header in headers:
                found.setdefault(header_key(header), column)
    return found


def numbered(headers: Iterable[str], known: dict[str, str]) -> dict[str, dict[int, str]]:
    """The columns that a file tells term by term: name → semester number → header.

    Examples
    --------
    >>> numbered(["NIM", "IPS SMT 1", "IPS SMT 2", "IPK"], {"ips": "gpa_term"})
    {'IPS': {1: 'IPS SMT 1', 2: 'IPS SMT 2'}}
    """
    found: dict[str, dict[int, str]] = {}
    for header in headers:
        for form in _FORMS:
            match = form.fullmatch(header.strip())
            if match and known.get(header_key(match["name"])) in _TOLD_BY_TERM:
                found.setdefault(match["name"].strip(), {}).setdefault(int(match["number"]), header)
                break
    return found if any(len(by_number) > 1 for by_number in found.values()) else {}


def unfold(text: TextTable, known: dict[str, str], zero: str = "", *, with_gaps: bool = False) -> TextTable:
    """The terms of a wide file as rows; any other file as it is.

    A term of which no cell says anything makes no row, unless asked for. Columns that say one thing for all
    terms (the status today, the last cumulative average) are left out: they belong to the student.

    Parameters
    ----------
    text : TextTable
    known : dict of str to str
        From :func:`term_headers`.
    zero : {"", "empty", "grade", "leave", "inactive"}
        What a term average of 0 says where no credits stand beside it; "" leaves it and counts it in
        ``zeros``. A leave or a term without registration makes a row where a figure of the student follows:
        zeros after the last figure are terms that were not reached.
    with_gaps : bool
        Whether a term of which no cell says anything makes a row all the same, between two that do. A term
        with an average of 0 is none of those.
    """
    told = numbered(text.frame.columns, known)
    if not told:
        return text
    columns = {name: known[header_key(name)] for name in told}
    of_terms = {header for by_number in told.values() for header in by_number.values()}
    others = [header for header in text.frame.columns if header not in of_terms]
    kept = [name for name in others if known.get(header_key(name), "student_number") == "student_number"]
    by_number, zeroed = {}, {}
    for number in sorted({number for headers in told.values() for number in headers}):
        cells = pd.DataFrame(
            {name: text.frame[headers[number]] for name, headers in told.items() if number in headers}
        ).reindex(columns=list(told), fill_value="")
        doubtful = _zero_averages(cells, columns)
        if zero in _WITHOUT_GRADE:
            cells = cells.mask(doubtful, "")
        zeroed[number] = doubtful.any(axis=1)
        by_number[number] = cells
    said = pd.DataFrame({number: _says(cells) for number, cells in by_number.items()}).astype(bool)
    of_zero = pd.DataFrame(zeroed).astype(bool)
    idle = of_zero & (said | _followed(said)) if zero in _WITHOUT_GRADE[1:] else of_zero & False
    gaps, pieces = _between(said) & ~of_zero, []
    for number, cells in by_number.items():
        taken = said[number] | idle[number] | (gaps[number] if with_gaps else False)
        piece = pd.concat([text.frame.loc[taken, kept], cells[taken]], axis=1)
        piece[OWN_NUMBER] = str(number)
        piece.index = piece.index * _PLACES + number
        pieces.append(piece)
    frame = pd.concat(pieces).sort_index().astype("str").rename_axis("row")
    rows = pd.Series(frame.index // _PLACES, index=frame.index)
    ragged = {place: text.ragged[row] for place, row in rows.items() if row in text.ragged}
    return replace(
        text,
        frame=frame,
        ragged=ragged,
        as_given=text.frame,
        by_term=told,
        beside=tuple(name for name in others if name not in kept),
        zeros=0 if zero else int(of_zero.to_numpy().sum()),
        told_zeros=(zero, int(of_zero.to_numpy().sum())) if zero else ("", 0),
        gaps=_places(gaps),
        idle_zeros=_places(idle),
        true_dates={},
        repaired=tuple((row * _PLACES, header, cell) for row, header, cell in text.repaired),
    )


def _says(cells: pd.DataFrame) -> pd.Series:
    """Rows of which a cell says something."""
    return ~cells.apply(lambda column: column.str.strip().str.casefold().isin(NULL_TEXTS)).all(axis=1)


def _between(said: pd.DataFrame) -> pd.DataFrame:
    """By row and semester number: whether nothing is said of it, but of one before and of one after it."""
    return ~said & said.cummax(axis=1) & _followed(said)


def _followed(said: pd.DataFrame) -> pd.DataFrame:
    """By row and semester number: whether something is said of it or of one after it."""
    return said.iloc[:, ::-1].cummax(axis=1).iloc[:, ::-1]


def _places(chosen: pd.DataFrame) -> tuple[int, ...]:
    return tuple(int(row) * _PLACES + number for number in chosen for row in chosen.index[chosen[number]])


def _zero_averages(cells: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Term averages of 0 without a number of credits beside them; beside 0 credits there was no grade."""
    found = pd.DataFrame(False, index=cells.index, columns=cells.columns)
    with_credits = np.zeros(len(cells), dtype=bool)
    for name, column in columns.items():
        if column in ("credits_attempted", "credits_passed"):
            with_credits |= cells[name].str.contains("[1-9]").to_numpy(dtype=bool)
        if column == "credits_attempted":
            with_credits |= cells[name].str.strip().str.fullmatch(_ZERO).to_numpy(dtype=bool)
    for name, column in columns.items():
        if column == "gpa_term":
            found[name] = cells[name].str.strip().str.fullmatch(_ZERO).to_numpy(dtype=bool) & ~with_credits
    return found


def own_count(cells: pd.Series) -> bool:
    """Whether cells hold a student's own semester numbers, 1 to 14, and nothing else."""
    filled = cells[~cells.str.strip().str.casefold().isin(NULL_TEXTS)].str.strip()
    numbers = filled.str.replace(r"\.0+$", "", regex=True)
    return bool(len(numbers)) and bool(numbers.str.fullmatch(rf"0?[1-9]|1[0-{MAX_TERM_INDEX - 10}]").all())
