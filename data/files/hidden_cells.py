"""Hidden rows and columns of a sheet: what is hidden, whether it is read, and how that is told.

A filter hides rows, and an office may have hidden a column for one printout: both are read unless the office
says otherwise, and never without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from data.files.reading import Guess, Reading
from data.files.text_table import clean_cell

SHOWN = 8  # runs of rows, or columns, that are named; the rest is counted
Cells = tuple[int, list[str]]  # row number, texts


@dataclass
class Hidden:
    """What of one sheet is hidden, filled while its rows are read.

    Parameters
    ----------
    reading : Reading
        Its ``hidden_rows`` and ``hidden_columns``, as the office says them.
    columns : frozenset of int
        Positions of the hidden columns.
    rows : list of int
        Numbers of hidden rows below the header that hold something.
    filled : set of int
        Hidden columns that hold something, the header included.
    """

    reading: Reading
    columns: frozenset[int] = frozenset()
    rows: list[int] = field(default_factory=list)
    filled: set[int] = field(default_factory=set)

    def shown_cells(self, cells: list[str]) -> list[str]:
        """The cells of a row, without those of hidden columns where they are to be left."""
        if not self.columns:
            return cells
        hit = {at for at in self.columns if at < len(cells) and clean_cell(cells[at])}
        self.filled |= hit
        if self.reading.hidden_columns != "left" or not hit:
            return cells
        return ["" if at in hit else cell for at, cell in enumerate(cells)]

    def shown_rows(self, body: Iterable[Cells], hidden: set[int]) -> Iterator[Cells]:
        """The rows below the header, without hidden ones where they are to be left.

        Parameters
        ----------
        body : iterable of (int, list of str)
            Row number and texts.
        hidden : set of int
            Numbers of hidden rows; it grows while ``body`` is read, each before its row is given.
        """
        for number, cells in body:
            if number in hidden and any(map(clean_cell, cells)):
                self.rows.append(number)
                if self.reading.hidden_rows == "left":
                    continue
            yield number, cells

    def guesses(self, sheet: str, headers: list[str]) -> list[Guess]:
        """What is said about them.

        Parameters
        ----------
        sheet : str
            Title of the sheet.
        headers : list of str
            Names of its columns, by position.
        """
        told = []
        if self.rows:
            said = self.reading.hidden_rows
            told.append(
                Guess("hidden_rows", said or "read", "", None, _runs(self.rows), sheet, proven=bool(said))
            )
        if self.filled:
            said, places = self.reading.hidden_columns, sorted(self.filled)
            named = [_named(at, headers) for at in places[:SHOWN]]
            named += [f"… {len(places) - SHOWN} more"] if len(places) > SHOWN else []
            cell = ", ".join(named)
            told.append(Guess("hidden_columns", said or "read", "", None, cell, sheet, proven=bool(said)))
        return told


def _runs(rows: list[int]) -> str:
    """Row numbers in few words.

    Examples
    --------
    >>> _runs([5, 6, 7, 12])
    '5–7, 12'
    """
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][1] + 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    named = [f"{first}" if first == last else f"{first}–{last}" for first, last in runs[:SHOWN]]
    more = sum(last - first + 1 for first, last in runs[SHOWN:])
    return ", ".join([*named, f"… {more:,} more"] if more else named)


def _named(at: int, headers: list[str]) -> str:
    """A column by its letters and its header."""
    header = headers[at] if at < len(headers) else ""
    return letters(at) + (f" {header!r}" if header and not header.startswith("column ") else "")


def letters(at: int) -> str:
    """The letters that a spreadsheet program shows over a column.

    Examples
    --------
    >>> letters(0), letters(25), letters(26), letters(701), letters(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    found, at = "", at + 1
    while at:
        at, place = divmod(at - 1, 26)
        found = chr(ord("A") + place) + found
    return found
