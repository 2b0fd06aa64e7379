"""Workbooks of other programs (``.xls``, ``.ods``, ``.xlsb``) → text tables, sheets as XLSX has them.

Number formats are not read from them: a student number that is stored as a number has lost its zeros.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from data.files.text_files import TableError
from data.files.text_table import TextTable
from data.files.workbooks import BROKEN, read_sheet, refuse_bomb

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # how an .xls file begins, and an encrypted workbook
ODS = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
MAX_BYTES = 64 * 2**20  # an .xls of 65,536 rows is far smaller
MAX_CELLS = 5_000_000


def is_old_workbook(source: bytes) -> bool:
    """Whether a file is one of the workbooks that this module reads."""
    if source[:8] == OLE:
        return True
    return source[:4] == b"PK\x03\x04" and (ODS in source[:256] or b"xl/workbook.bin" in source)


def read_old_workbook(
    source: bytes, name: str, *, sheet=None, known: Collection[str] = (), limit: int | None = None
) -> TextTable:
    """Read one sheet; parameters and errors are those of :func:`data.files.workbooks.read_workbook`."""
    if len(source) > MAX_BYTES:
        raise TableError(f"{name}: {len(source):,} bytes; save a workbook of this size as .xlsx")
    if source[:4] == b"PK\x03\x04":
        refuse_bomb(source, name)
    try:
        book = _opened(source, name)
        try:
            return read_sheet(book, name, sheet, known, limit)
        finally:
            book.close()
    except TableError:
        raise
    except BROKEN as error:
        raise TableError(f"{name}: the workbook is damaged ({type(error).__name__}: {error})") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how the reader's own language ends on a broken file
            raise
        raise TableError(f"{name}: the workbook is damaged; save it as .xlsx or CSV") from error


def _opened(source: bytes, name: str) -> _Book:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        return _Book(CalamineWorkbook.from_filelike(io.BytesIO(source)), name)
    except PasswordError as error:
        raise TableError(f"{name}: the workbook has a password; save it without one") from error
    except (CalamineError, OSError, *BROKEN) as error:
        raise TableError(
            f"{name}: not a workbook that can be read, or one with a password ({error}); save it as .xlsx "
            "without a password, or as CSV"
        ) from error


class _Cell(NamedTuple):
    """A cell as the reader of XLSX gives it."""

    value: object
    number_format: str = ""


@dataclass(frozen=True)
class _Sheet:
    """A sheet as the reader of XLSX gives it."""

    title: str
    sheet_state: str
    book: _Book

    def reset_dimensions(self) -> None:
        """Nothing to do: the size is that of the filled cells."""

    def iter_rows(self, max_col: int | None = None) -> Iterator[list[_Cell]]:
        """The rows from the top of the sheet on, empty ones included."""
        from python_calamine import CalamineError

        try:
            sheet = self.book.sheet(self.title)
            high, wide = sheet.total_height + 1, sheet.total_width + 1
            if high * wide > MAX_CELLS:
                raise TableError(
                    f"{self.book.name}: sheet {self.title!r} reaches over {high:,} rows and {wide:,} "
                    "columns; delete what lies outside the table"
                )
            for row in sheet.iter_rows():  # from the first row of the sheet and its first filled column on
                yield [_Cell(_plain(value)) for value in row[:max_col]]
        except CalamineError as error:
            raise TableError(f"{self.book.name}: sheet {self.title!r} is damaged ({error})") from error


class _Book:
    """A workbook as the reader of XLSX gives it."""

    def __init__(self, reader, name: str) -> None:
        self.reader, self.name, self.read = reader, name, {}
        states = {sheet.name: str(sheet.visible).rpartition(".")[2] for sheet in reader.sheets_metadata}
        shown = {"Visible": "visible", "Hidden": "hidden", "VeryHidden": "veryHidden"}
        self.worksheets = [
            _Sheet(title, shown.get(states.get(title, "Visible"), "visible"), self)
            for title in reader.sheet_names
        ]

    def __getitem__(self, title: str) -> _Sheet:
        return next(sheet for sheet in self.worksheets if sheet.title == title)

    def sheet(self, title: str):
        """A sheet's cells, read once."""
        if title not in self.read:
            self.read[title] = self.reader.get_sheet_by_name(title)
        return self.read[title]

    def close(self) -> None:
        """Give the file back."""
        self.reader.close()


def _plain(value):
    """Numbers that are whole as integers; a length of time as text."""
    if value == "":
        return None
    if isinstance(value, float) and not isinstance(value, bool) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, timedelta):
        return str(value)
    return value if isinstance(value, (str, int, float, bool, datetime, date, time)) else str(value)
