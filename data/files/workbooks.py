"""XLSX workbooks → text tables, read as a stream behind a guard against bombs."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator
from datetime import date, datetime, time
from itertools import chain, islice

from data.files.text_files import TableError
from data.files.text_table import (
    HEADER_SEARCH_ROWS,
    MAX_COLUMNS,
    TextTable,
    build_frame,
    find_header,
    header_key,
    unique_headers,
)

MAX_UNPACKED = 2**30  # bytes of XML; more than ten million cells
MAX_RATIO = 200
MAX_PARTS = 5_000
MAX_ROWS = 1_048_576  # of the format itself
EXACT = 10**15  # spreadsheet programs keep fifteen digits of a number
BROKEN = (  # what openpyxl lets through when a part of a workbook is damaged
    *(AttributeError, EOFError, LookupError, NotImplementedError, TypeError, ValueError),
    *(SyntaxError, zipfile.BadZipFile, zlib.error),  # errors of either XML parser are SyntaxErrors
)
_ZEROS = re.compile(r"^0+$")


def read_workbook(
    source: bytes, name: str, *, sheet=None, known: Collection[str] = (), limit: int | None = None
) -> TextTable:
    """Read one sheet of an XLSX file as text.

    Parameters
    ----------
    source : bytes
        The file.
    name : str
        Its name, for messages.
    sheet : str, optional
        The sheet; by default the one with most known headers, else the first filled one.
    known : collection of str
        See :func:`data.files.tables.read_table`.
    limit : int, optional
        Read so many rows only.

    Raises
    ------
    TableError
        For a bomb, a damaged file, a missing sheet or an empty workbook.
    """
    refuse_bomb(source, name)
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(source), read_only=True, data_only=True)
    except (InvalidFileException, OSError, *BROKEN) as error:
        raise TableError(f"{name}: not an XLSX workbook, or a damaged one ({error})") from error
    try:
        return read_sheet(book, name, sheet, known, limit)
    except TableError:
        raise
    except BROKEN as error:
        raise TableError(f"{name}: the workbook is damaged ({type(error).__name__}: {error})") from error
    finally:
        book.close()


def refuse_bomb(source: bytes, name: str) -> None:
    """Raise :class:`TableError` for an archive that would unpack to far more than its size."""
    try:
        with zipfile.ZipFile(io.BytesIO(source)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError) as error:
        raise TableError(f"{name}: a damaged workbook ({error})") from error
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


def read_sheet(book, name: str, sheet: str | None, known: Collection[str], limit: int | None) -> TextTable:
    """One sheet of an open workbook as text; see :func:`read_workbook`."""
    titles = [worksheet.title for worksheet in book.worksheets]
    if sheet is not None and sheet not in titles:
        raise TableError(f"{name}: no sheet {sheet!r}; it has {', '.join(map(repr, titles))}")
    heads = {}
    for title in [sheet] if sheet is not None else titles:
        head = list(islice(_text_rows(book[title], name), HEADER_SEARCH_ROWS))
        filled = [cells for _, cells in head if any(cells)]
        if filled:
            hits = max(len({header_key(cell) for cell in cells} & set(known)) for cells in filled)
            heads[title] = (hits, len(filled) > 1)
    if not heads:
        raise TableError(f"{name}: no sheet with filled cells")
    title = max(heads, key=heads.__getitem__)  # the first sheet on a tie
    rows = _text_rows(book[title], name)
    head = [(number, cells) for number, cells in islice(rows, HEADER_SEARCH_ROWS) if any(cells)]
    position = find_header([cells for _, cells in head], known)
    headers = unique_headers(head[position][1])
    frame, ragged = build_frame(islice(chain(head[position + 1 :], rows), limit), headers, pad=True)
    return TextTable(name, frame, decimal=".", sheet=title, ragged=ragged)


def _text_rows(worksheet, name: str) -> Iterator[tuple[int, list[str]]]:
    worksheet.reset_dimensions()  # the size that a file declares may be wrong, or a lie
    for number, row in enumerate(worksheet.iter_rows(max_col=MAX_COLUMNS), start=1):
        if number > MAX_ROWS:
            raise TableError(f"{name}: more than {MAX_ROWS:,} rows in sheet {worksheet.title!r}")
        cells = [_cell_text(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        yield number, cells


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
        if abs(value) >= EXACT:
            return f"{value:.15E}"  # its last digits are lost; the checks say so
        shown = cell.number_format or ""
        if "%" in shown:
            return f"{round(value * 100, 10):g}%"
        if isinstance(value, int) or value.is_integer():
            digits = str(int(value))
            return digits.zfill(len(shown)) if _ZEROS.match(shown) else digits
        return repr(value)
    return str(value)
