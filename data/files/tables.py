"""Any table file an office may send → one frame of text, with the row numbers that the office sees.

Nothing is interpreted here: every cell stays text, so that a student number keeps its leading zeros. What a
cell means is decided column by column in :mod:`data.files.cells`.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import pandas as pd

from data.files.text_files import TableError, decode, refuse_other_formats

DELIMITERS = (",", ";", "\t", "|")
HEADER_SEARCH_ROWS = 40  # titles, addresses and print dates stand above the header in many exports
CHUNK_ROWS = 50_000
MAX_BYTES = 2**30
MAX_COLUMNS = 1_000
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060"))


@dataclass(frozen=True)
class TextTable:
    """One table as text.

    Parameters
    ----------
    name : str
        File name as the user knows it.
    frame : pandas.DataFrame
        Text cells, one column per header as written; the index ``row`` is the number that a spreadsheet
        program shows beside the row (blank lines and titles above the header are counted).
    decimal : {",", "."} or None
        Decimal sign that the format suggests; only decides cells that could be read both ways.
    delimiter : str
        The CSV delimiter; empty for a workbook.
    encoding : str
        The encoding; empty for a workbook.
    sheet : str
        The sheet; empty for CSV.
    ragged : dict of int to int
        Rows whose number of cells differs from the header's, with the number found.
    """

    name: str
    frame: pd.DataFrame
    decimal: str | None = None
    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""
    ragged: dict[int, int] = field(default_factory=dict)


def header_key(header: str) -> str:
    """A header without case, accents of width, spaces and punctuation; ``%`` counts as a word.

    Examples
    --------
    >>> header_key("  N.I.M. "), header_key("Kehadiran (%)"), header_key("id_semester")
    ('nim', 'kehadiranpercent', 'idsemester')
    """
    plain = unicodedata.normalize("NFKC", str(header)).replace("%", " percent ").casefold()
    return "".join(char for char in plain if char.isalnum())


def read_table(source, name: str = "", *, sheet: str | None = None, known: Collection[str] = ()):
    """Read a CSV or XLSX file as text.

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
    refuse_other_formats(source, name)
    if source[:4] == b"PK\x03\x04":
        from data.files.workbooks import read_workbook

        return read_workbook(source, name, sheet=sheet, known=known, limit=limit)
    return _read_csv(source, name, known, limit)


def clean_cell(text: str) -> str:
    """A cell without surrounding or invisible spaces and without a spreadsheet's text marks.

    Examples
    --------
    >>> clean_cell("\\xa0 00123 "), clean_cell('="00123"'), clean_cell("'00123"), clean_cell("'=SUM")
    ('00123', '00123', '00123', '=SUM')
    """
    text = text.translate(_INVISIBLE).strip()
    if len(text) > 2 and text.startswith('="') and text.endswith('"'):
        return text[2:-1].strip()
    if len(text) > 1 and text[0] == "'" and (text[1].isdigit() or text[1] in "=+-@"):
        return text[1:]
    return text


class _Cleaned(dict):
    """Remembers :func:`clean_cell` of the first distinct cells: registers repeat themselves."""

    def __missing__(self, text: str) -> str:
        cell = clean_cell(text)
        if len(self) < 200_000:
            self[text] = cell
        return cell


def find_header(rows: list[list[str]], known: Collection[str] = ()) -> int:
    """Position of the header among the first rows: most known headers, else the first well-filled row."""
    rows = rows[:HEADER_SEARCH_ROWS]
    if known:
        hits = [len({header_key(cell) for cell in row} & set(known)) for row in rows]
        if max(hits, default=0) >= 2:
            return hits.index(max(hits))
    filled = [sum(bool(clean_cell(cell)) for cell in row) for row in rows]
    if not any(filled):
        raise TableError(f"no filled cell in the first {HEADER_SEARCH_ROWS} rows")
    enough = max(filled) if max(filled) < 3 else max(2, 0.6 * max(filled))
    return next(position for position, count in enumerate(filled) if count >= enough)


def unique_headers(cells: list[str]) -> list[str]:
    """Headers as written, less stray spaces; an empty one is named by position, a repeated one numbered."""
    headers: list[str] = []
    for position, cell in enumerate(cells, start=1):
        header = re.sub(r"\s+", " ", clean_cell(cell)) or f"column {position}"
        seen = sum(other == header or other.startswith(f"{header} (") for other in headers)
        headers.append(f"{header} ({seen + 1})" if header in headers else header)
    return headers


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


def build_frame(body, headers: list[str], *, pad: bool = False) -> tuple[pd.DataFrame, dict[int, int]]:
    """Records → frame, in chunks so that a million rows need little more memory than their text.

    Parameters
    ----------
    body : iterable of (int, list of str)
        Row number and cells.
    headers : list of str
        Column names.
    pad : bool
        Whether a short row is simply filled up (workbooks do not write empty cells at the end).

    Returns
    -------
    frame : pandas.DataFrame
        Text, index ``row``; blank rows left out.
    ragged : dict of int to int
        Row → number of cells, where it differs from the header's.
    """
    width, ragged, chunks, cleaned = len(headers), {}, [], _Cleaned()
    body = iter(body)
    while chunk := list(islice(body, CHUNK_ROWS)):
        numbers, rows = [], []
        for number, record in chunk:
            cells = list(map(cleaned.__getitem__, record))
            if not any(cells):
                continue
            if len(cells) > width and not any(cells[width:]):
                cells = cells[:width]
            if len(cells) != width:
                if len(cells) > width or not pad:
                    ragged[number] = len(cells)
                cells = (cells + [""] * width)[:width]
            numbers.append(number)
            rows.append(cells)
        index = pd.Index(numbers, name="row", dtype="int64")
        chunks.append(pd.DataFrame(rows, index=index, columns=headers, dtype="str"))
    unnamed = [header for header in headers if header.startswith("column ")]
    if not chunks:
        empty = pd.Index([], name="row", dtype="int64")
        return pd.DataFrame(columns=headers, index=empty, dtype="str"), ragged
    frame = pd.concat(chunks)
    hollow = [header for header in unnamed if (frame[header] == "").all()]
    return frame.drop(columns=hollow), ragged
