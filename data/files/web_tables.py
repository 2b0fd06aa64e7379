"""Web pages that systems save under a spreadsheet's name → text tables: the table with most known headers."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection
from html import unescape
from itertools import islice

from data.files.text_files import TableError, decode, repaired
from data.files.text_table import (
    HEADER_SEARCH_ROWS,
    MAX_COLUMNS,
    MAX_LETTERS,
    TextTable,
    build_frame,
    header_key,
    header_of,
    unique_headers,
)

MAX_BYTES = 256 * 2**20
MAX_TABLES = 10_000  # of a page
MAX_ROWS = 1_048_576  # of all tables of a page
MAX_CELLS = 25_000_000  # of all tables of a page; one of the greatest size has no more that are written out
LONGEST_REFERENCE = 40  # characters that stand for one; the longest of HTML has 33
AGAIN = "export the table again, as CSV or .xlsx"
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
_NO_TEXT = frozenset(
    {"idna", "punycode", "undefined"}
)  # encodings of names of hosts: slow, and none of pages
# Nothing below goes back over what it has read, so that no page is read for longer than its length.
_TAG = re.compile(r"""<(/?)([A-Za-z][^\s/>]*+)((?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+)>""")
_OTHER = re.compile(r"<(?:[!?]|/(?![A-Za-z]))[^>]*+>")
_EMPTY_COMMENT = re.compile(r"<!---?>")
_COMMENT_END = re.compile(r"--!?>")
_SILENT = {kind: re.compile(rf"</{kind}(?=[\s/>])", re.IGNORECASE) for kind in ("script", "style")}
_ATTRIBUTE = re.compile(r"""([^\s=/>"']++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s>]*+))?+""")
_LONG_NUMBER = re.compile(r"&#(?:[0-9]{9,}|[xX][0-9A-Fa-f]{9,});?")
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
    reader = _Tables(name)
    reader.read(text)
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
    frame, ragged = build_frame(islice(filled[position + 1 :], limit), headers, pad=True, name=name)
    return TextTable(name, frame, encoding=encoding, ragged=ragged)


def _decoded(source: bytes, name: str) -> tuple[str, str]:
    """The text, in the encoding that the page names if it is that, else as for any other text."""
    told = _CHARSET.search(source[:4096])
    if told is None or source.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return _guessed(source, name)
    encoding = told[1].decode("ascii").lower()
    try:
        if codecs.lookup(encoding).name in _NO_TEXT:
            return _guessed(source, name)
        return source.decode(encoding), encoding
    except (LookupError, UnicodeError):
        return _guessed(source, name)


def _guessed(source: bytes, name: str) -> tuple[str, str]:
    told = decode(source, name)
    return repaired(told.text), told.encoding


def _hits(rows: list[list[str]], known: Collection[str]) -> int:
    keys = set(known)
    return max(len({header_key(cell) for cell in cells} & keys) for cells in rows[:HEADER_SEARCH_ROWS])


class _Tables:
    """Collects every table of a page as rows of text; a table in a cell is a table of its own.

    Raises
    ------
    data.files.text_files.TableError
        When the page ends within a tag or a comment, or a table is larger than one that is read.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.found: list[list[list[str]]] = []
        self.open: list[_Open] = []
        self.size = _Size(name)

    def read(self, page: str) -> None:
        """Read a page from its beginning to its end, no part of it twice."""
        at = 0
        while (begins := page.find("<", at)) >= 0:
            self._text(page[at:begins])
            if page.startswith("<!--", begins):
                at = self._after_comment(page, begins)
                continue
            mark = page[begins + 1 : begins + 2]
            if not (mark in ("/", "!", "?") or mark.isascii() and mark.isalpha()):
                self._text("<")
                at = begins + 1
                continue
            tag = _TAG.match(page, begins) or _OTHER.match(page, begins)
            if tag is None:
                raise TableError(f"{self.name}: the web page is cut off: a tag that has no end; {AGAIN}")
            at = tag.end()
            if tag.re is _OTHER:
                continue
            kind = tag[2].lower()
            if tag[1]:
                self._end(kind)
            else:
                self._start(kind, tag[3])
                if kind in _SILENT:
                    at = self._found(_SILENT[kind].search(page, at), "script or style").start()
        self._text(page[at:])
        while self.open:
            self.open.pop().end_cell()

    def _after_comment(self, page: str, begins: int) -> int:
        end = _EMPTY_COMMENT.match(page, begins) or _COMMENT_END.search(page, begins + 4)
        return self._found(end, "comment").end()

    def _found(self, end: re.Match[str] | None, what: str) -> re.Match[str]:
        if end is None:
            raise TableError(f"{self.name}: the web page is cut off: a {what} that has no end; {AGAIN}")
        return end

    def _start(self, tag: str, about: str) -> None:
        if tag == "table":
            self.size.table()
            self.open.append(_Open(self.size))
            self.found.append(self.open[-1].rows)
        elif self.open and tag == "tr":
            self.open[-1].row()
        elif self.open and tag in ("td", "th"):
            self.open[-1].cell(_spans(about) if about else {})
        elif self.open and tag in ("br", "p"):
            self.open[-1].text(" ")

    def _end(self, tag: str) -> None:
        if tag == "table" and self.open:
            self.open.pop().end_cell()
        elif tag in ("td", "th") and self.open:
            self.open[-1].end_cell()

    def _text(self, data: str) -> None:
        if not (data and self.open and self.open[-1].inside):
            return
        if "&" in data:  # what is cut off here makes no cell: it is too long without it
            data = unescape(_LONG_NUMBER.sub("\ufffd", data)[: LONGEST_REFERENCE * (MAX_LETTERS + 1)])
        self.open[-1].text(data)


class _Size:
    """How much of a page is table so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tables = self.rows = self.cells = 0

    def table(self) -> None:
        self.tables += 1
        if self.tables > MAX_TABLES:
            raise TableError(f"{self.name}: more than {MAX_TABLES:,} tables in the web page; {AGAIN}")

    def row(self) -> None:
        self.rows += 1
        if self.rows > MAX_ROWS:
            raise TableError(f"{self.name}: more than {MAX_ROWS:,} rows in the web page; {AGAIN}")

    def more(self, cells: int) -> None:
        self.cells += cells
        if self.cells > MAX_CELLS:
            raise TableError(f"{self.name}: more than {MAX_CELLS:,} cells in the web page; {AGAIN}")


class _Open:
    """A table being read; a cell over several rows or columns says its text in the first of each row."""

    def __init__(self, size: _Size) -> None:
        self.rows: list[list[str]] = []
        self.inside = False
        self.size = size
        self.said: list[str] = []  # text of the cell that is read
        self.letters = 0
        self.hanging: dict[int, tuple[int, int]] = {}  # place → row of the text, last row over which it goes

    def row(self) -> None:
        self.end_cell()
        if self.rows:
            self._end_row()
        self.size.row()
        self.rows.append([])

    def _end_row(self) -> None:
        """Cells from above that stand behind the last one of the row."""
        row, number = self.rows[-1], len(self.rows) - 1
        before = len(row)
        for place in sorted(self.hanging):
            if len(row) <= place < MAX_COLUMNS and self._hangs(place):
                row.extend([""] * (place - len(row)))
                row.append(self.rows[self.hanging[place][0]][place])
        self.size.more(len(row) - before)
        if self.hanging:
            self.hanging = {place: found for place, found in self.hanging.items() if found[1] > number}

    def _hangs(self, place: int) -> bool:
        """Whether a cell from above goes over this place of the row that is read."""
        origin, last = self.hanging.get(place, (0, -1))
        return origin < len(self.rows) - 1 <= last

    def cell(self, spans: dict[str, int]) -> None:
        self.end_cell()
        if not self.rows:
            self.row()
        row, number = self.rows[-1], len(self.rows) - 1
        before = len(row)
        while self._hangs(len(row)):
            row.append(self.rows[self.hanging[len(row)][0]][len(row)])
        place = len(row)
        if place >= MAX_COLUMNS:
            raise TableError(
                f"{self.size.name}: row {number + 1}: more than {MAX_COLUMNS:,} columns; at most so many are "
                "read"
            )
        if spans.get("rowspan", 1) > 1:
            self.hanging[place] = (number, number + spans["rowspan"] - 1)
        row.extend([""] * min(spans.get("colspan", 1), MAX_COLUMNS - place))
        self.size.more(len(row) - before)
        self.target = (number, place)
        self.inside = True

    def text(self, data: str) -> None:
        if self.inside:
            self.said.append(data)
            self.letters += len(data)
            if self.letters > MAX_LETTERS:
                number, place = self.target
                raise TableError(
                    f"{self.size.name}: row {number + 1}, column {place + 1}: more than {MAX_LETTERS:,} "
                    "characters; a cell has at most so many"
                )

    def end_cell(self) -> None:
        """Put what the cell said into its place."""
        if self.inside:
            number, place = self.target
            self.rows[number][place] = "".join(self.said)
            self.said, self.letters, self.inside = [], 0, False


def _spans(about: str) -> dict[str, int]:
    """Rows and columns over which a cell goes, of what its tag says; the first one said counts."""
    found: dict[str, int] = {}
    for name, value in _ATTRIBUTE.findall(about):
        if name.lower() in ("colspan", "rowspan"):
            found.setdefault(name.lower(), _span(value.strip("\"'")))
    return found


def _span(text: str) -> int:
    text = text.strip()
    if not text.isdecimal():
        return 1
    return min(int(text), 1000) or 1 if len(text) < 10 else 1000
