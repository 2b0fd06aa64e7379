"""XLSX workbooks → text tables, as a stream behind a guard against bombs; sheets of equal headers as one.

Nothing is read or left in silence: a table says which sheets it holds and which were left, and why. A hidden
sheet is read only when it is asked for.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pandas as pd

from data.files.hidden_cells import Hidden
from data.files.reading import Guess, Reading
from data.files.sheet_rows import DamagedCell, SheetReader
from data.files.text_files import TableError
from data.files.text_table import (
    HEADER_SEARCH_ROWS,
    MAX_COLUMNS,
    SHEET_ROWS,
    Amount,
    TextTable,
    build_frame,
    header_key,
    header_of,
    unique_headers,
)

MAX_UNPACKED = 2**30  # bytes of XML; more than ten million cells
MAX_RATIO = 200
MAX_PARTS = 5_000
MAX_SHEETS = 500
MAX_ROWS = 1_048_576  # of the format itself
MAX_BLANK = 100_000  # written rows without a cell one after the other: formats, or a bomb
NEARLY = 0.75  # share of the best sheet's known headers that makes another one as good
BROKEN = (  # what openpyxl lets through when a part of a workbook is damaged
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError),
    *(RuntimeError, TypeError, ValueError, struct.error),
    *(SyntaxError, zipfile.BadZipFile, zlib.error),  # errors of either XML parser are SyntaxErrors
)
MEND = "open it in a spreadsheet program and save it again as .xlsx, or as CSV"


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
    reading: Reading = Reading(),
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
    reading : Reading
        The sheets to read, and whether hidden rows and columns are. By default the visible sheet with most
        known headers, else the first filled one, and every visible sheet with the same headers, all of them
        with what is hidden.
    known : collection of str
        See :func:`data.files.tables.read_table`.
    limit : int, optional
        Read so many rows of each sheet only.

    Raises
    ------
    TableError
        For a bomb, a damaged file, a missing sheet or an empty workbook.
    """
    book = _opened(source, name)
    try:
        return Book(book, name).read(reading, known, limit)
    except TableError:
        raise
    except BROKEN as error:
        kind = type(error).__name__
        raise TableError(f"{name}: the workbook is damaged ({kind}: {error}); {MEND}") from error
    finally:
        book.close()


def sheet_titles(source: bytes, name: str) -> tuple[str, ...]:
    """Titles of the sheets of an XLSX file, in their order.

    Raises
    ------
    TableError
        As :func:`read_workbook`.
    """
    book = _opened(source, name)
    try:
        return tuple(worksheet.title for worksheet in book.worksheets)
    finally:
        book.close()


def _opened(source: bytes, name: str):
    refuse_bomb(source, name)
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        return load_workbook(io.BytesIO(source), read_only=True, data_only=True)
    except (InvalidFileException, *BROKEN) as error:
        raise TableError(f"{name}: not an XLSX workbook, or a damaged one ({error}); {MEND}") from error


def refuse_bomb(source: bytes, name: str) -> None:
    """Raise :class:`TableError` for an archive that would unpack to far more than its size."""
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


class Book:
    """A workbook whose sheets are read row by row: of openpyxl, or with a reader of its own."""

    def __init__(self, book, name: str, reader=None):
        self.book, self.name = book, name
        self.reader = SheetReader(book, book._archive) if reader is None else reader
        self.titles = [worksheet.title for worksheet in book.worksheets]
        if len(self.titles) > MAX_SHEETS:
            raise TableError(f"{name}: {len(self.titles)} sheets; at most {MAX_SHEETS} are read")

    def read(self, reading: Reading, known: Collection[str], limit: int | None) -> TextTable:
        asked = reading.sheets
        missing = [title for title in asked if title not in self.titles]
        if missing:
            there = ", ".join(map(repr, self.titles))
            raise TableError(f"{self.name}: no sheet {missing[0]!r}; it has {there}")
        hidden = {title: self._hidden(title, reading) for title in (asked or self.titles)}
        heads = {title: self._head(title, known, hidden[title]) for title in hidden}
        filled = {title: head for title, head in heads.items() if head is not None}
        shown = filled if asked else {title: head for title, head in filled.items() if not head.hidden}
        if not shown:
            named = ", ".join(map(repr, filled))
            hint = f"; hidden ones are filled: {named}; name one by --sheet" if named else ""
            raise TableError(f"{self.name}: no visible sheet with filled cells{hint}")
        taken = list(shown) if asked else _alike(shown)
        amount = Amount()
        tables = [self._table(title, filled[title], hidden[title], limit, amount) for title in taken]
        left = tuple(
            (title, self._why_left(title, heads, asked)) for title in self.titles if title not in taken
        )
        table = _joined(self.name, taken, tables, left)
        told = Guess("sheets", ", ".join(taken), proven=bool(asked) or not left and len(taken) == 1)
        concealed = [one for title in taken for one in hidden[title].guesses(title, filled[title].headers)]
        return replace(table, guesses=(told, *concealed))

    def _hidden(self, title: str, reading: Reading) -> Hidden:
        return Hidden(reading, self.reader.hidden_columns(self.book[title]))

    def _why_left(self, title: str, heads: dict[str, _Head | None], asked: Collection[str]) -> str:
        if asked:
            return "unasked"
        head = heads[title]
        if head is None:
            return "empty"
        return "hidden" if head.hidden else "other"

    def _head(self, title: str, known: Collection[str], hidden: Hidden) -> _Head | None:
        """The beginning of a sheet; None when it has no filled cell there."""
        rows = list(islice(self._rows(title), HEADER_SEARCH_ROWS))
        rows = [(number, hidden.shown_cells(cells)) for number, cells in rows]
        rows = [(number, cells) for number, cells in rows if any(cells)]
        if not rows:
            return None
        position, cells = header_of([cells for _, cells in rows], known)
        headers = unique_headers(cells)
        hits = len(set(map(header_key, headers)) & set(known))
        return _Head(rows, position, headers, hits, self.book[title].sheet_state != "visible")

    def _table(self, title: str, head: _Head, hidden: Hidden, limit: int | None, amount: Amount) -> TextTable:
        dates: dict[int, list[int]] = {}
        concealed: set[int] = set()
        header_row = head.rows[head.position][0]
        rows = self._rows(title, dates, concealed)
        below = ((number, hidden.shown_cells(cells)) for number, cells in rows if number > header_row)
        body = islice(hidden.shown_rows(below, concealed), limit)
        name = f"{self.name} ({title})"
        frame, ragged = build_frame(body, head.headers, pad=True, name=name, amount=amount)
        true = {
            head.headers[at]: np.array([row for row in found if row > header_row], dtype="int64")
            for at, found in dates.items()
            if at < len(head.headers)
        }
        return TextTable(self.name, frame, decimal=".", ragged=ragged, true_dates=true)

    def _rows(
        self, title: str, dates: dict[int, list[int]] | None = None, hidden: set[int] | None = None
    ) -> Iterator:
        """Row number and cells as text; the places of true dates go into ``dates``, by position, the numbers
        of hidden rows into ``hidden``."""
        blank = 0
        try:
            for row in self.reader.rows(self.book[title]):
                blank = 0 if row.cells else blank + 1
                if blank > MAX_BLANK:
                    raise TableError(
                        f"{self.name}: sheet {title!r}: {MAX_BLANK:,} blank rows up to row {row.number:,}; "
                        "delete the rows below the table and save the file again"
                    )
                if row.number > MAX_ROWS:
                    raise TableError(f"{self.name}: more than {MAX_ROWS:,} rows in sheet {title!r}")
                if len(row.cells) > MAX_COLUMNS:
                    raise TableError(
                        f"{self.name}: sheet {title!r}, row {row.number}: {len(row.cells):,} columns; at "
                        f"most {MAX_COLUMNS:,} are read; delete what stands far to the right"
                    )
                if hidden is not None and row.hidden:
                    hidden.add(row.number)
                if dates is not None:
                    for at in row.dates:
                        dates.setdefault(at, []).append(row.number)
                yield row.number, row.cells
        except DamagedCell as error:
            raise TableError(f"{self.name}: sheet {title!r}, {error}; {MEND}") from error


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
