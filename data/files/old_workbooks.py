"""Workbooks of other programs (``.xls``, ``.ods``, ``.xlsb``) → text tables, sheets as XLSX has them.

They are read by :mod:`data.files.workbook_child` in a process of its own, with an end in time and memory
(:mod:`data.files.workbook_reader`).
Number formats are not read from them: a student number that is stored as a number has lost its zeros.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from data.files import workbook_reader
from data.files.cell_formats import EXACT
from data.files.reading import Guess, Reading
from data.files.sheet_rows import MOST_COLUMNS, SheetRow
from data.files.text_files import TableError
from data.files.text_table import TextTable
from data.files.workbook_child import DAMAGED
from data.files.workbook_reader import ReaderEnded
from data.files.workbooks import Book, refuse_bomb

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # how an .xls file begins, and an encrypted workbook
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # the entry that holds the workbook
ODS = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
MAX_BYTES = 64 * 2**20  # an .xls of 65,536 rows is far smaller
_STATES = {"Visible": "visible", "Hidden": "hidden", "VeryHidden": "veryHidden"}


def is_old_workbook(source: bytes) -> bool:
    """Whether a file is one of the workbooks that this module reads."""
    if source[:8] == OLE:
        return True
    return source[:4] == b"PK\x03\x04" and (ODS in source[:256] or b"xl/workbook.bin" in source)


def read_old_workbook(
    source: bytes,
    name: str,
    *,
    reading: Reading = Reading(),
    known: Collection[str] = (),
    limit: int | None = None,
) -> TextTable:
    """Read sheets as one table; parameters and errors as :func:`data.files.workbooks.read_workbook`.

    What is hidden is told of ODS only.
    """
    table = _book(source, name).read(reading, known, limit)
    if source[:4] == b"PK\x03\x04" and ODS in source[:256]:
        return table
    return replace(table, guesses=(*table.guesses, Guess("hidden", "", proven=True)))


def old_sheet_titles(source: bytes, name: str) -> tuple[str, ...]:
    """Titles of the sheets, in their order; errors as :func:`read_old_workbook`."""
    return tuple(_book(source, name).titles)


def _book(source: bytes, name: str) -> Book:
    if len(source) > MAX_BYTES:
        raise TableError(f"{name}: {len(source):,} bytes; save a workbook of this size as .xlsx")
    if source[:8] == OLE and ENCRYPTED in source:
        raise TableError(f"{name}: the workbook has a password; save it without one")
    if source[:4] == b"PK\x03\x04":
        refuse_bomb(source, name)
    sheets = _Sheets(_sheets(source, name))
    return Book(sheets, name, sheets)


def _sheets(source: bytes, name: str) -> list[dict]:
    """The sheets as the child tells them."""
    try:
        answer = workbook_reader.read(source)
    except TimeoutError as error:
        raise TableError(f"{name}: takes too long to read; save it as .xlsx or CSV") from error
    except ReaderEnded as error:
        raise TableError(f"{name}: the workbook is damaged; save it as .xlsx or CSV") from error
    if answer.get("error") == DAMAGED:
        raise TableError(f"{name}: the workbook is damaged; save it as .xlsx or CSV")
    if answer.get("error") == "password":
        raise TableError(f"{name}: the workbook has a password; save it without one")
    if "error" in answer:
        raise TableError(
            f"{name}: not a workbook that can be read, or one with a password ({answer['error']}); save it "
            "as .xlsx without a password, or as CSV"
        )
    return answer["sheets"]


@dataclass(frozen=True)
class _Sheet:
    """A sheet as the reader of XLSX gives it."""

    title: str
    sheet_state: str
    written: list[list]
    hidden_rows: list[list[int]]  # first and last of each run, from 0
    hidden_columns: list[list[int]]


class _Sheets:
    """The sheets by title, and their rows as :class:`data.files.workbooks.Book` wants them."""

    def __init__(self, sheets: list[dict]) -> None:
        self.worksheets = [
            _Sheet(
                sheet["title"],
                _STATES.get(sheet["state"], "visible"),
                sheet["rows"],
                *(sheet.get(name, []) for name in ("hidden_rows", "hidden_columns")),
            )
            for sheet in sheets
        ]

    def __getitem__(self, title: str) -> _Sheet:
        return next(sheet for sheet in self.worksheets if sheet.title == title)

    def hidden_columns(self, sheet: _Sheet) -> frozenset[int]:
        """Positions of the hidden columns of a sheet, from 0."""
        return frozenset(at for run in sheet.hidden_columns for at in _among(run, MOST_COLUMNS))

    def rows(self, sheet: _Sheet) -> Iterator[SheetRow]:
        """The written rows of a sheet, from its top on."""
        hidden = {at + 1 for run in sheet.hidden_rows for at in _among(run, len(sheet.written))}
        for number, cells in enumerate(sheet.written, start=1):
            texts = [_text(cell) for cell in cells]
            while texts and not texts[-1]:
                texts.pop()
            dates = tuple(at for at, cell in enumerate(cells) if isinstance(cell, dict))
            if texts:
                yield SheetRow(number, texts, dates, number in hidden)


def _among(run: list[int], many: int) -> range:
    return range(run[0], min(run[1] + 1, many))


def _text(cell) -> str:
    """A cell as the office sees it: whole numbers without ".0", dates as they are written in ISO 8601."""
    if cell is None:
        return ""
    if isinstance(cell, dict):
        return cell["date"]
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, (int, float)):
        return f"{cell:.15E}" if abs(cell) >= EXACT else str(cell)
    return cell
