"""Any table file an office may send → one frame of text, with the row numbers that the office sees.

Nothing is interpreted here: every cell stays text, so that a student number keeps its leading zeros. What a
cell means is decided column by column in :mod:`data.files.cells`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from data.files.json_tables import is_json, read_json_table
from data.files.old_workbooks import is_old_workbook, old_sheet_titles, read_old_workbook
from data.files.reading import Guess, Reading
from data.files.text_files import Decoded, TableError, decode, is_odd, refuse_other_formats, repaired
from data.files.text_table import (
    HEADER_SEARCH_ROWS,
    MAX_COLUMNS,
    MAX_LINES,
    TextTable,
    build_frame,
    find_header,
    header_key,
    header_of,
    unique_headers,
)
from data.files.web_tables import is_web_page, read_web_table
from data.files.workbooks import read_workbook, sheet_titles

DELIMITERS = (",", ";", "\t", "|")
MAX_BYTES = 2**30
SECOND_HEADER = frozenset({"pointspossible", "maxpoints", "maximumpoints", "nilaimaksimum"})
MAX_CELLS = 16_384  # of a row, empty ones counted: the width of a spreadsheet


def read_table(source, name: str = "", *, sheet: str | None = None, known: Collection[str] = ()):
    """Read a CSV, XLSX, XLS, ODS, JSON or HTML file as text.

    Parameters
    ----------
    source : bytes or path
        The file's bytes, or where it lies.
    name : str
        File name for messages; taken from a path when empty.
    sheet : str, optional
        Sheet of a workbook; by default see :func:`data.files.workbooks.read_workbook`.
    known : collection of str
        :func:`header_key` of headers that may be expected; finds the header row below titles.

    Returns
    -------
    pandas.DataFrame
        See :class:`TextTable`.frame.

    Raises
    ------
    TableError
        When the file is no table, is too large, or is damaged.
    """
    reading = Reading() if sheet is None else Reading(sheets=(sheet,))
    return read_text_table(source, name, reading=reading, known=known).frame


def read_text_table(
    source,
    name: str = "",
    *,
    reading: Reading = Reading(),
    known: Collection[str] = (),
    limit: int | None = None,
) -> TextTable:
    """Like :func:`read_table`, with what was found out about the file.

    Parameters
    ----------
    reading : Reading
        Its encoding and sheets, as the office says them.
    limit : int, optional
        Read so many rows only.
    """
    if isinstance(source, (str, Path)):
        name = name or Path(source).name
        source = Path(source).read_bytes()
    if len(source) > MAX_BYTES:
        raise TableError(f"{name}: {len(source):,} bytes; a table file may have at most {MAX_BYTES:,}")
    if not source.strip(b"\x00 \r\n\t\xef\xbb\xbf\xff\xfe"):
        raise TableError(f"{name}: the file is empty")
    if is_old_workbook(source):
        return _below_header(read_old_workbook(source, name, reading=reading, known=known, limit=limit))
    if is_web_page(source):
        return _below_header(read_web_table(source, name, known=known, limit=limit))
    refuse_other_formats(source, name)
    if is_json(source):
        return read_json_table(source, name, known=known, limit=limit)
    if source[:4] == b"PK\x03\x04":
        return _below_header(read_workbook(source, name, reading=reading, known=known, limit=limit))
    return _below_header(_read_csv(source, name, reading.encoding, known, limit))


def titles_of(source: bytes, name: str) -> tuple[str, ...]:
    """Titles of the sheets of a workbook of any kind, in their order; none for other files.

    Raises
    ------
    TableError
        When the workbook is damaged.
    """
    if is_old_workbook(source):
        return old_sheet_titles(source, name)
    return sheet_titles(source, name) if source[:4] == b"PK\x03\x04" else ()


def _sniff_delimiter(text: str, known: Collection[str]) -> str:
    """The delimiter that cuts most known headers, else the one whose rows agree best with their header."""
    scores = {}
    for delimiter in DELIMITERS:
        sample = csv.reader(io.StringIO(text[:200_000], newline=""), delimiter=delimiter)
        try:
            rows = [row[: MAX_COLUMNS + 1] for row in islice(sample, 60) if any(cell.strip() for cell in row)]
        except csv.Error:  # quotation marks that only balance under another delimiter
            scores[delimiter] = (-1, -1.0)
            continue
        header = rows[find_header(rows, known)]
        hits = len({header_key(cell) for cell in header} & set(known))
        below = rows[rows.index(header) + 1 :] or [header]
        agreeing = sum(len(row) == len(header) for row in below) / len(below)
        scores[delimiter] = (hits if hits >= 2 else 0, agreeing * (len(header) - 1))
    return max(DELIMITERS, key=scores.__getitem__)


def _records(text: str, delimiter: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Each filled record with the row number a spreadsheet shows; a quoted line break starts no new row."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, record in enumerate(reader, start=1):
            if len(record) > MAX_CELLS:
                raise TableError(
                    f"{name}: row {number}: {len(record):,} cells; at most {MAX_COLUMNS:,} columns are read; "
                    "look for a line break that is missing"
                )
            if record:
                yield number, record
    except csv.Error as error:
        raise TableError(
            f"{name}: row {number + 1} (line {reader.line_num}) breaks the CSV rules: {error}; "
            'look for a quotation mark " that is opened and not closed'
        ) from error


def _read_csv(
    source: bytes, name: str, encoding: str, known: Collection[str], limit: int | None
) -> TextTable:
    read = decode(source, name, encoding)
    text = _without_blank_end(read.text)
    lines = text.count("\n")
    if lines > MAX_LINES:
        raise TableError(f"{name}: {lines:,} rows; at most {MAX_LINES:,} are read; split the file")
    marked = re.match(r"sep=(.)\r?\n", text)  # a spreadsheet's own hint; the program hides this line
    text = text[marked.end() :] if marked else text
    delimiter = marked.group(1) if marked else _sniff_delimiter(text, known)
    odd: list[tuple[int, int, str]] = []
    records = _records(text, delimiter, name)
    records = _mended(records, odd) if read.odd else records
    head = list(islice(records, HEADER_SEARCH_ROWS))
    position, cells = header_of([record for _, record in head], known)
    if len(cells) > MAX_COLUMNS:
        raise TableError(
            f"{name}: row {head[position][0]}: {len(cells):,} columns; at most {MAX_COLUMNS:,} are read; "
            "delete the columns that hold nothing of the register"
        )
    headers = unique_headers(cells)
    body = islice(chain(head[position + 1 :], records), limit)
    frame, ragged = build_frame(body, headers, name=name)
    return TextTable(
        name,
        frame,
        "," if delimiter == ";" else None,
        delimiter,
        read.encoding,
        ragged=ragged,
        repaired=tuple(
            (row, headers[at] if at < len(headers) else "", cell)
            for row, at, cell in odd
            if row in frame.index
        ),
        guesses=_about_encoding(read, bool(encoding)),
    )


def _without_blank_end(text: str) -> str:
    """Text without the lines at its end that hold nothing; millions of them cost nothing then."""
    end = len(text.rstrip(" \r\n\t,;|"))
    line = text.find("\n", end)
    return text if line < 0 else text[: line + 1]


def _mended(records: Iterator, odd: list) -> Iterator[tuple[int, list[str]]]:
    """Records with letters in the place of odd bytes; where they stood goes into ``odd``."""
    for number, record in records:
        for at, cell in enumerate(record):
            if is_odd(cell):
                record[at] = repaired(cell)
                odd.append((number, at, record[at]))
        yield number, record


def _about_encoding(read: Decoded, asked: bool) -> tuple[Guess, ...]:
    beyond = re.search(r"[^\x00-\x7f]", read.text)
    if beyond is None:
        return (Guess("encoding", read.encoding, proven=True),) if asked else ()
    before = re.split(r'[\n,;\t|"]', read.text[max(0, beyond.start() - 20) : beyond.start()])[-1]
    after = re.split(r'[\n,;\t|"]', read.text[beyond.start() : beyond.start() + 20])[0]
    row = read.text.count("\n", 0, beyond.start()) + 1
    cell = repaired(before + after).strip()
    return (
        Guess("encoding", read.encoding, row=row, cell=cell, proven=asked or read.proven and not read.odd),
    )


def _below_header(table: TextTable) -> TextTable:
    """The table without a second header row, such as the points possible of a grade book."""
    if table.frame.empty:
        return table
    first = table.frame.index[0]
    cells = [cell for cell in table.frame.iloc[0] if cell]
    keys = {header_key(cell) for cell in cells}
    again = sum(
        header_key(cell) == header_key(header) for header, cell in table.frame.iloc[0].items() if cell
    )
    if keys.isdisjoint(SECOND_HEADER) and not (len(cells) > 1 and again == len(cells)):
        return table
    ragged = {row: count for row, count in table.ragged.items() if row != first}
    return replace(table, frame=table.frame.iloc[1:], ragged=ragged, second_header=int(first))
