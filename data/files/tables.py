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
from data.files.old_workbooks import is_old_workbook, read_old_workbook
from data.files.text_files import TableError, decode, refuse_other_formats
from data.files.text_table import (
    HEADER_SEARCH_ROWS,
    MAX_COLUMNS,
    TextTable,
    build_frame,
    clean_cell,
    find_header,
    header_key,
    unique_headers,
)
from data.files.web_tables import is_web_page, read_web_table
from data.files.workbooks import read_workbook

DELIMITERS = (",", ";", "\t", "|")
MAX_BYTES = 2**30
SECOND_HEADER = frozenset({"pointspossible", "maxpoints", "maximumpoints", "nilaimaksimum"})


def read_table(source, name: str = "", *, sheet: str | None = None, known: Collection[str] = ()):
    """Read a CSV, XLSX, XLS, ODS, JSON or HTML file as text.

    Parameters
    ----------
    source : bytes or path
        The file's bytes, or where it lies.
    name : str
        File name for messages; taken from a path when empty.
    sheet : str, optional
        Sheet of a workbook; by default the first that is not empty.
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
    return read_text_table(source, name, sheet=sheet, known=known).frame


def read_text_table(
    source, name: str = "", *, sheet=None, known: Collection[str] = (), limit: int | None = None
) -> TextTable:
    """Like :func:`read_table`, with what was found out about the file; ``limit`` reads so many rows only."""
    if isinstance(source, (str, Path)):
        name = name or Path(source).name
        source = Path(source).read_bytes()
    if len(source) > MAX_BYTES:
        raise TableError(f"{name}: {len(source):,} bytes; a table file may have at most {MAX_BYTES:,}")
    if not source.strip(b"\x00 \r\n\t\xef\xbb\xbf\xff\xfe"):
        raise TableError(f"{name}: the file is empty")
    if is_old_workbook(source):
        return _below_header(read_old_workbook(source, name, sheet=sheet, known=known, limit=limit))
    if is_web_page(source):
        return _below_header(read_web_table(source, name, known=known, limit=limit))
    refuse_other_formats(source, name)
    if is_json(source):
        return read_json_table(source, name, known=known, limit=limit)
    if source[:4] == b"PK\x03\x04":
        return _below_header(read_workbook(source, name, sheet=sheet, known=known, limit=limit))
    return _below_header(_read_csv(source, name, known, limit))


def _sniff_delimiter(text: str, known: Collection[str]) -> str:
    """The delimiter that cuts most known headers, else the one whose rows agree best with their header."""
    scores = {}
    for delimiter in DELIMITERS:
        sample = csv.reader(io.StringIO(text[:200_000], newline=""), delimiter=delimiter)
        try:
            rows = [row for row in islice(sample, 60) if any(cell.strip() for cell in row)]
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
    """Each record with the row number a spreadsheet shows; a quoted line break does not start a new row."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise TableError(
                f"{name}: row {number + 1} (line {reader.line_num}) breaks the CSV rules: {error}; "
                'look for a quotation mark " that is opened and not closed'
            ) from error
        number += 1
        yield number, record


def _read_csv(source: bytes, name: str, known: Collection[str], limit: int | None) -> TextTable:
    text, encoding = decode(source, name)
    marked = re.match(r"sep=(.)\r?\n", text)  # a spreadsheet's own hint; the program hides this line
    text = text[marked.end() :] if marked else text
    delimiter = marked.group(1) if marked else _sniff_delimiter(text, known)
    records = _records(text, delimiter, name)
    head = list(islice(records, HEADER_SEARCH_ROWS))
    position = find_header([record for _, record in head], known)
    headers = unique_headers(_without_empty_tail(head[position][1]))
    if len(headers) > MAX_COLUMNS:
        raise TableError(f"{name}: {len(headers)} columns; at most {MAX_COLUMNS} are read")

    body = islice(chain(head[position + 1 :], records), limit)
    frame, ragged = build_frame(body, headers)
    decimal = "," if delimiter == ";" else None
    return TextTable(name, frame, decimal, delimiter, encoding, ragged=ragged)


def _without_empty_tail(cells: list[str]) -> list[str]:
    while cells and not clean_cell(cells[-1]):
        cells = cells[:-1]
    return cells


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
