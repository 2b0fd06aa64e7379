"""XLSX workbooks → text tables, as a stream behind a guard against bombs; sheets of equal headers as one.

Nothing is read or left in silence: a table says which sheets it holds and which were left, and why. A hidden
sheet is read only when it is asked for.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from itertools import islice

import numpy as np
import pandas as pd

from data.files.cell_formats import shown_number
from data.files.choices import Guess
from data.files.formulas import unanswered_formulas
from data.files.text_files import TableError
from data.files.text_table import (
    HEADER_SEARCH_ROWS,
    MAX_COLUMNS,
    SHEET_ROWS,
    TextTable,
    build_frame,
    find_header,
    header_key,
    unique_headers,
)

MAX_UNPACKED = 2**30  # bytes of XML; more than ten million cells
MAX_RATIO = 200
MAX_PARTS = 5_000
MAX_SHEETS = 500
MAX_ROWS = 1_048_576  # of the format itself
MAX_WIDTH = 16_384  # likewise
NEARLY = 0.75  # share of the best sheet's known headers that makes another one as good
BROKEN = (  # what openpyxl lets through when a part of a workbook is damaged
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError),
    *(RuntimeError, TypeError, ValueError, struct.error),
    *(SyntaxError, zipfile.BadZipFile, zlib.error),  # errors of either XML parser are SyntaxErrors
)
MEND = "open it in a spreadsheet program and save it again as .xlsx, or as CSV"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")  # how the format writes control characters


@dataclass(frozen=True)
class _Head:
    """The beginning of a sheet: its rows until below the header, and what the header is."""

    rows: list[tuple[int, list[str]]]
    position: int
    headers: list[str]
    hits: int
    hidden: bool

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(header_key(header) for header in self.headers if not header.startswith("column "))


def read_workbook(
    source: bytes,
    name: str,
    *,
    sheets: Collection[str] = (),
    known: Collection[str] = (),
    limit: int | None = None,
) -> TextTable:
    """Read sheets of an XLSX file as one table of text.

    Parameters
    ----------
    source : bytes
        The file.
    name : str
        Its name, for messages.
    sheets : collection of str
        The sheets to read. By default the visible one with most known headers, else the first filled one, and
        every visible sheet with the same headers.
    known : collection of str
        See :func:`data.files.tables.read_table`.
    limit : int, optional
        Read so many rows of each sheet only.

    Raises
    ------
    TableError
        For a bomb, a damaged file, a missing sheet or an empty workbook.
    """
    _refuse_bomb(source, name)
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(source), read_only=True, data_only=True)
    except (InvalidFileException, *BROKEN) as error:
        raise TableError(f"{name}: not an XLSX workbook, or a damaged one ({error}); {MEND}") from error
    try:
        return _Book(book, name).read(sheets, known, limit)
    except TableError:
        raise
    except BROKEN as error:
        kind = type(error).__name__
        raise TableError(f"{name}: the workbook is damaged ({kind}: {error}); {MEND}") from error
    finally:
        book.close()


def _refuse_bomb(source: bytes, name: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(source)) as archive:
            parts = archive.infolist()
    except BROKEN as error:
        raise TableError(f"{name}: a damaged workbook ({error}); {MEND}") from error
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS:
        raise TableError(f"{name}: {len(parts)} parts in the workbook; at most {MAX_PARTS} are read")
    if unpacked > MAX_UNPACKED:
        raise TableError(f"{name}: unpacks to {unpacked:,} bytes; at most {MAX_UNPACKED:,} are read")
    if unpacked > 64 * 2**20 and unpacked > MAX_RATIO * len(source):
        raise TableError(
            f"{name}: unpacks to {unpacked // len(source)} times its size, like a zip bomb; refused"
        )
    if any(part.flag_bits & 1 for part in parts):
        raise TableError(f"{name}: the workbook is encrypted; save it without a password")


class _Book:
    """A workbook that openpyxl has opened as a stream."""

    def __init__(self, book, name: str):
        self.book, self.name = book, name
        self._unanswered: dict[str, dict[int, dict[int, str]]] = {}
        self.titles = [worksheet.title for worksheet in book.worksheets]
        if len(self.titles) > MAX_SHEETS:
            raise TableError(f"{name}: {len(self.titles)} sheets; at most {MAX_SHEETS} are read")

    def read(self, asked: Collection[str], known: Collection[str], limit: int | None) -> TextTable:
        missing = [title for title in asked if title not in self.titles]
        if missing:
            there = ", ".join(map(repr, self.titles))
            raise TableError(f"{self.name}: no sheet {missing[0]!r}; it has {there}")
        heads = {title: self._head(title, known) for title in (asked or self.titles)}
        filled = {title: head for title, head in heads.items() if head is not None}
        shown = filled if asked else {title: head for title, head in filled.items() if not head.hidden}
        if not shown:
            hidden = ", ".join(map(repr, filled))
            hint = f"; hidden ones are filled: {hidden}; name one by --sheet" if hidden else ""
            raise TableError(f"{self.name}: no visible sheet with filled cells{hint}")
        taken = list(shown) if asked else _alike(shown)
        tables = [self._table(title, filled[title], limit) for title in taken]
        left = tuple(
            (title, self._why_left(title, heads, asked)) for title in self.titles if title not in taken
        )
        table = _joined(self.name, taken, tables, left)
        told = Guess("sheets", ", ".join(taken), proven=bool(asked) or not left and len(taken) == 1)
        return replace(table, guesses=(told,))

    def _why_left(self, title: str, heads: dict[str, _Head | None], asked: Collection[str]) -> str:
        if asked:
            return "unasked"
        head = heads[title]
        if head is None:
            return "empty"
        return "hidden" if head.hidden else "other"

    def _head(self, title: str, known: Collection[str]) -> _Head | None:
        """The beginning of a sheet; None when it has no filled cell there."""
        rows = list(islice(self._rows(title), HEADER_SEARCH_ROWS))
        rows = [(number, cells) for number, cells in rows if any(cells)]
        if not rows:
            return None
        position = find_header([cells for _, cells in rows], known)
        headers = unique_headers(rows[position][1])
        hits = len(set(map(header_key, headers)) & set(known))
        return _Head(rows, position, headers, hits, self.book[title].sheet_state != "visible")

    def _table(self, title: str, head: _Head, limit: int | None) -> TextTable:
        dates: dict[int, list[int]] = {}
        header_row = head.rows[head.position][0]
        rows = self._rows(title, dates)
        body = islice((row for row in rows if row[0] > header_row), limit)
        frame, ragged = build_frame(body, head.headers, pad=True, name=f"{self.name} ({title})")
        true = {
            head.headers[at]: np.array([row for row in found if row > header_row], dtype="int64")
            for at, found in dates.items()
            if at < len(head.headers)
        }
        return TextTable(self.name, frame, decimal=".", ragged=ragged, true_dates=true)

    def _rows(self, title: str, dates: dict[int, list[int]] | None = None) -> Iterator[tuple[int, list[str]]]:
        """Row number and cells as text; the places of true dates go into ``dates``, by position."""
        worksheet = self.book[title]
        worksheet.reset_dimensions()  # the size that a file declares may be wrong, or a lie
        formulas = self._formulas(title)
        for number, row in enumerate(worksheet.iter_rows(), start=1):
            if number > MAX_ROWS or len(row) > MAX_WIDTH:
                limit = f"{MAX_ROWS:,} rows and {MAX_WIDTH:,} columns"
                raise TableError(f"{self.name}: more than {limit} in sheet {title!r}")
            cells = [_cell_text(cell) for cell in row]
            for place, text in formulas.get(number, {}).items():
                if place < len(cells):
                    cells[place] = text
            while cells and not cells[-1]:
                cells.pop()
            if len(cells) > MAX_COLUMNS:
                raise TableError(
                    f"{self.name}: sheet {title!r}, row {number}: {len(cells):,} columns; at most "
                    f"{MAX_COLUMNS:,} are read; delete what stands far to the right"
                )
            if dates is not None:
                for at, cell in enumerate(row):
                    if isinstance(cell.value, datetime):
                        dates.setdefault(at, []).append(number)
            yield number, cells

    def _formulas(self, title: str) -> dict[int, dict[int, str]]:
        """Row → position → formula, of the formulas without a result."""
        from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

        if title not in self._unanswered:
            found = self._unanswered[title] = {}
            part = self.book[title]._worksheet_path
            for place, formula in unanswered_formulas(self.book._archive, part).items():
                column, row = coordinate_from_string(place)
                found.setdefault(row, {})[column_index_from_string(column) - 1] = formula
        return self._unanswered[title]


def _alike(heads: dict[str, _Head]) -> list[str]:
    """The sheets to read: the most with equal headers, of those known nearly as well as the best."""
    groups: dict[frozenset[str], list[str]] = {}
    for title, head in heads.items():
        groups.setdefault(head.keys, []).append(title)
    most = max(head.hits for head in heads.values())
    near = [own for own in groups.values() if heads[own[0]].hits >= NEARLY * most]

    def rank(own: list[str]) -> tuple[int, int, bool]:  # the first one on a tie
        filled = any(len(heads[title].rows) > 1 for title in own)
        return (len(own) if most else 0, heads[own[0]].hits, filled)

    return max(near, key=rank)


def _joined(name: str, titles: list[str], tables: list[TextTable], left) -> TextTable:
    """Sheets one after the other; columns with the same header are one, whatever its case and spaces."""
    if len(tables) == 1:
        return replace(tables[0], sheets=tuple(titles), left=left)
    spelled: dict[str, str] = {}
    frames, ragged, dates = [], {}, {}
    for number, table in enumerate(tables):
        offset = number * SHEET_ROWS
        names = {header: spelled.setdefault(header_key(header), header) for header in table.frame.columns}
        frame = table.frame.rename(columns=names)
        frames.append(frame.set_axis(frame.index + offset))
        ragged |= {row + offset: count for row, count in table.ragged.items()}
        for header, rows in table.true_dates.items():
            named = names.get(header, header)
            dates[named] = np.concatenate([dates.get(named, np.array([], dtype="int64")), rows + offset])
    frame = pd.concat(frames).fillna("").astype("str")
    frame.index.name = "row"
    return TextTable(
        name, frame, decimal=".", sheets=tuple(titles), left=left, ragged=ragged, true_dates=dates
    )


def _cell_text(cell) -> str:
    """What the office sees in a cell, as text: whole numbers without ".0", a format's leading zeros kept."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (int, float)):
        return shown_number(value, cell.number_format)
    text = str(value)
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
