"""Web pages that systems save under a spreadsheet's name → text tables: the table with most known headers."""

from __future__ import annotations

import re
from collections.abc import Collection
from html.parser import HTMLParser
from itertools import islice

from data.files.text_files import TableError, decode, repaired
from data.files.text_table import (
    HEADER_SEARCH_ROWS,
    MAX_COLUMNS,
    TextTable,
    build_frame,
    header_key,
    header_of,
    unique_headers,
)

MAX_BYTES = 256 * 2**20
_STARTS = (
    b"<html",
    b"<!doctype html",
    b"<table",
    b"<meta",
    b"<style",
    b"<head",
    b"<body",
    b"<div",
    b"<center",
)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)


def is_web_page(source: bytes) -> bool:
    """Whether a file is a web page with a table in it, whatever its name says."""
    start = source[:4096].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    while start.startswith(b"<!--"):
        start = start.partition(b"-->")[2].lstrip()
    if start.startswith(b"<?xml"):
        start = start.partition(b"?>")[2].lstrip()
    return start.startswith(_STARTS) and b"<t" in source.lower()


def read_web_table(
    source: bytes, name: str, *, known: Collection[str] = (), limit: int | None = None
) -> TextTable:
    """Read the table of a web page whose head has most known headers; the longest one on a tie.

    Raises
    ------
    data.files.text_files.TableError
        When the page holds no filled table, or is too large.
    """
    if len(source) > MAX_BYTES:
        raise TableError(f"{name}: {len(source):,} bytes; save a page of this size as CSV or .xlsx")
    text, encoding = _decoded(source, name)
    reader = _Tables()
    reader.feed(text)
    reader.close()
    tables = [rows for rows in reader.found if any(any(cells) for cells in rows)]
    if not tables:
        raise TableError(f"{name}: a web page without a filled table; export the table as CSV or .xlsx")
    rows = max(tables, key=lambda rows: (_hits(rows, known), len(rows)))
    filled = [(number, cells) for number, cells in enumerate(rows, start=1) if any(cells)]
    head = list(islice(filled, HEADER_SEARCH_ROWS))
    position, cells = header_of([cells for _, cells in head], known)
    headers = unique_headers(cells)
    if len(headers) > MAX_COLUMNS:
        raise TableError(f"{name}: {len(headers)} columns; at most {MAX_COLUMNS} are read")
    frame, ragged = build_frame(islice(filled[position + 1 :], limit), headers, pad=True)
    return TextTable(name, frame, encoding=encoding, ragged=ragged)


def _decoded(source: bytes, name: str) -> tuple[str, str]:
    """The text, in the encoding that the page names if it is that, else as for any other text."""
    told = _CHARSET.search(source[:4096])
    if told is None or source.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return _guessed(source, name)
    encoding = told[1].decode("ascii").lower()
    try:
        return source.decode(encoding), encoding
    except (LookupError, UnicodeDecodeError):
        return _guessed(source, name)


def _guessed(source: bytes, name: str) -> tuple[str, str]:
    told = decode(source, name)
    return repaired(told.text), told.encoding


def _hits(rows: list[list[str]], known: Collection[str]) -> int:
    keys = set(known)
    return max(len({header_key(cell) for cell in cells} & keys) for cells in rows[:HEADER_SEARCH_ROWS])


class _Tables(HTMLParser):
    """Collects every table of a page as rows of text; a table in a cell is a table of its own."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[list[list[str]]] = []
        self.open: list[_Open] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs) -> None:
        if tag in ("script", "style"):
            self.silent += 1
        elif tag == "table":
            self.open.append(_Open())
            self.found.append(self.open[-1].rows)
        elif self.open and tag == "tr":
            self.open[-1].row()
        elif self.open and tag in ("td", "th"):
            self.open[-1].cell(dict(attrs))
        elif self.open and tag in ("br", "p"):
            self.open[-1].text(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.silent = max(0, self.silent - 1)
        elif tag == "table" and self.open:
            self.open.pop()
        elif tag in ("td", "th") and self.open:
            self.open[-1].inside = False

    def handle_data(self, data: str) -> None:
        if self.open and not self.silent:
            self.open[-1].text(data)


class _Open:
    """A table being read; a cell over several rows or columns says its text in the first of each row."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []
        self.inside = False
        self.hanging: dict[int, tuple[int, int]] = {}  # place → row of the text, last row over which it goes

    def row(self) -> None:
        if self.rows:
            self._end_row()
        self.rows.append([])
        self.inside = False

    def _end_row(self) -> None:
        """Cells from above that stand behind the last one of the row."""
        row = self.rows[-1]
        for place in sorted(self.hanging):
            if len(row) <= place < MAX_COLUMNS and self._hangs(place):
                row.extend([""] * (place - len(row)))
                row.append(self.rows[self.hanging[place][0]][place])

    def _hangs(self, place: int) -> bool:
        """Whether a cell from above goes over this place of the row that is read."""
        origin, last = self.hanging.get(place, (0, -1))
        return origin < len(self.rows) - 1 <= last

    def cell(self, attributes: dict[str, str | None]) -> None:
        if not self.rows:
            self.row()
        row, number = self.rows[-1], len(self.rows) - 1
        while self._hangs(len(row)):
            row.append(self.rows[self.hanging[len(row)][0]][len(row)])
        across, down = (_span(attributes.get(name)) for name in ("colspan", "rowspan"))
        place = len(row)
        if down > 1:
            self.hanging[place] = (number, number + down - 1)
        row.append("")
        self.target = (number, place)
        row.extend([""] * min(across - 1, MAX_COLUMNS))
        self.inside = True

    def text(self, data: str) -> None:
        if self.inside:
            number, place = self.target
            self.rows[number][place] += data


def _span(text: str | None) -> int:
    return min(int(text), 1000) if text and text.strip().isdecimal() and int(text) > 0 else 1
