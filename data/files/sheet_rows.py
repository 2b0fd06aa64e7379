"""One sheet of an XLSX workbook, row by row, as the office sees it: text, dates, formulas without a result.

Only rows that are written are visited, so that a lie about a row's number costs nothing, and what is read is
dropped at once, so that a long sheet needs no more memory than a short one.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from xml.etree.ElementTree import Element, iterparse

from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.utils.datetime import from_excel

from data.files.cell_formats import shown_number
from data.files.text_table import MAX_LETTERS

MOST_COLUMNS = 16_384  # of the format itself
_PLACE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d+)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_KINDS = frozenset(("n", "s", "str", "inlineStr", "b", "e", "d"))
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")  # how the format writes control characters


class DamagedCell(ValueError):
    """A cell that breaks the rules of the format; the message names it."""


@dataclass(frozen=True)
class SheetRow:
    """One written row.

    Parameters
    ----------
    number : int
        As a spreadsheet program shows it.
    cells : list of str
        Text of the cells from the first column on; the last one is filled, unless there is none.
    dates : tuple of int
        Positions of true dates.
    hidden : bool
        Whether the row is hidden, by hand or by a filter.
    """

    number: int
    cells: list[str]
    dates: tuple[int, ...]
    hidden: bool = False


class SheetReader:
    """Reads the sheets of a workbook that openpyxl has opened.

    Parameters
    ----------
    book : openpyxl.Workbook
        Opened with ``read_only`` and ``data_only``: it lends shared texts and formats.
    archive : zipfile.ZipFile
        The same file.
    """

    def __init__(self, book, archive: zipfile.ZipFile):
        self.book, self.archive = book, archive
        self._formats: dict[int, str] = {}

    def hidden_columns(self, worksheet) -> frozenset[int]:
        """Positions of the hidden columns of a sheet, from 0."""
        found: set[int] = set()
        with self.archive.open(worksheet._worksheet_path) as stream:
            for _, element in iterparse(stream, ("start",)):
                tag = element.tag.rpartition("}")[2]
                if tag == "sheetData":  # columns are told before the rows
                    break
                if tag == "col" and _is_hidden(element, "width"):
                    first, last = (_bounded(element.get(name)) for name in ("min", "max"))
                    found.update(range(first - 1, last))
        return frozenset(found)

    def rows(self, worksheet) -> Iterator[SheetRow]:
        """Every written row of a sheet.

        Raises
        ------
        DamagedCell
            When a cell breaks the rules of the format.
        """
        number, parent = 0, None
        with self.archive.open(worksheet._worksheet_path) as stream:
            for event, element in iterparse(stream, ("start", "end")):
                tag = element.tag.rpartition("}")[2]
                if event == "start":
                    parent = element if tag == "sheetData" else parent
                elif tag == "row":
                    written = element.get("r")
                    number = number + 1 if written is None else _row_number(written)
                    yield self._row(number, element, worksheet._shared_strings)
                    if parent is not None:
                        parent.clear()

    def _row(self, number: int, element: Element, shared) -> SheetRow:
        cells: dict[int, str] = {}
        dates, position = [], -1
        for cell in element:
            if not cell.tag.endswith("}c"):
                continue
            place = cell.get("r")
            position = position + 1 if place is None else _position(place)
            try:
                text, is_date = self._text(cell, shared)
            except (ValueError, LookupError, OverflowError) as error:
                raise DamagedCell(f"row {number}, column {position + 1}: {error}") from error
            if len(text) > MAX_LETTERS:
                raise DamagedCell(
                    f"row {number}, column {position + 1}: {len(text):,} characters; a cell has at most "
                    f"{MAX_LETTERS:,}"
                )
            if text:
                cells[position] = text
                if is_date:
                    dates.append(position)
        texts = [cells.get(at, "") for at in range(max(cells, default=-1) + 1)]
        return SheetRow(number, texts, tuple(dates), _is_hidden(element, "ht"))

    def _text(self, cell: Element, shared) -> tuple[str, bool]:
        """Text of a cell, and whether it is a true date."""
        kind = cell.get("t", "n")
        if kind not in _KINDS:
            raise ValueError(f"a cell of the unknown type {kind!r}")
        parts = {part.tag.rpartition("}")[2]: part for part in cell}
        value = parts["v"].text if "v" in parts else None
        formula = parts.get("f")
        if formula is not None and not value and not (kind == "str" and "v" in parts):
            return "=" + (formula.text or "…"), False
        if kind == "inlineStr":
            return _unescaped(_all_text(parts["is"])) if "is" in parts else "", False
        if value is None:
            return "", False
        if kind == "s":
            return _unescaped(str(shared[int(value)])), False
        if kind in ("str", "e"):
            return _unescaped(value), False
        if kind == "b":
            return ("TRUE" if int(value) else "FALSE"), False
        if kind == "d":
            return value[:10], _DAY.fullmatch(value[:10]) is not None
        return self._number(value, cell.get("s", "0"))

    def _number(self, text: str, style: str) -> tuple[str, bool]:
        try:
            value = int(text) if text.isdecimal() and len(text) <= 15 else float(text)
        except ValueError:
            return text, False  # the checks say that it is no number
        index = int(style) if style.isdecimal() else 0
        if index in self.book._date_formats or index in self.book._timedelta_formats:
            return self._moment(value, index)
        return shown_number(value, self._format(index)), False

    def _moment(self, value: float, style: int) -> tuple[str, bool]:
        is_span = style in self.book._timedelta_formats
        try:
            moment = from_excel(value, self.book.epoch, timedelta=is_span)
        except (ValueError, OverflowError):
            return shown_number(value, ""), False
        if isinstance(moment, (datetime, date)):
            return f"{moment:%Y-%m-%d}" if moment.year > 999 else str(moment)[:10], True
        return (moment.isoformat() if isinstance(moment, time) else _hours(moment)), False

    def _format(self, style: int) -> str:
        if style not in self._formats:
            styles = self.book._cell_styles
            number = styles[style].numFmtId if style < len(styles) else 0
            own = number - BUILTIN_FORMATS_MAX_SIZE
            known = self.book._number_formats
            text = BUILTIN_FORMATS.get(number, "General") if own < 0 else ""
            self._formats[style] = known[own] if 0 <= own < len(known) else text
        return self._formats[style]


def _is_hidden(element: Element, size: str) -> bool:
    """Whether a row or column is hidden, or has a width or height of nothing."""
    if element.get("hidden") in ("1", "true"):
        return True
    return element.get(size, "") in ("0", "0.0")


def _bounded(text: str | None) -> int:
    """A column's number, from 1; what lies outside of a sheet counts as its end."""
    return min(int(text), MOST_COLUMNS) if text and text.isascii() and text.isdecimal() else 1


def _row_number(text: str) -> int:
    if not text.isdecimal() or len(text) > 12:
        raise DamagedCell(f"a row with the number {text[:20]!r}")
    return int(text)


def _position(place: str) -> int:
    """Position of a column, from 0: ``"C2"`` → 2."""
    match = _PLACE.fullmatch(place)
    if match is None:
        raise DamagedCell(f"a cell with the place {place[:20]!r}")
    position = 0
    for letter in match[1].upper():
        position = 26 * position + ord(letter) - ord("A") + 1
    return position - 1


def _all_text(element: Element) -> str:
    """Text of an inline string, without the reading aids beside it."""
    return "".join(
        part.text or ""
        for run in element
        if not run.tag.endswith("}rPh")
        for part in run.iter()
        if part.tag.endswith("}t")
    )


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _hours(span: timedelta) -> str:
    return str(span) if isinstance(span, timedelta) else ""
