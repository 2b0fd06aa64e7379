"""The places of cells in the bytes of a sheet, told by the XML parser, so that one can be exchanged alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from data.files.tables import TableError

_ADDRESS = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")


class TemplateRefused(TableError):
    """A workbook that cannot be written into, or a cell of it that must not be."""


@dataclass
class CellSpan:
    """Where a cell stands in the bytes of its sheet, and what it holds.

    Parameters
    ----------
    start, end : int
        Byte offsets.
    style : str
        Number of its format; empty for none.
    kind : str
        ``t`` of the file format: ``s``, ``str``, ``inlineStr``, ``n``, ``b``, ``e``; empty for a number.
    text : str
        What stands in it, of a shared text its number.
    formula : bool
    result : tuple of (int, int) or None
        Bytes of the stored result of a formula.
    """

    start: int
    end: int = 0
    style: str = ""
    kind: str = ""
    text: str = ""
    formula: bool = False
    result: tuple[int, int] | None = None


@dataclass
class RowSpan:
    """Where a row stands: ``inner`` is the first byte after its start tag, ``cells`` are (column, start)."""

    start: int
    inner: int = 0
    end: int = 0
    style: str = ""
    cells: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class SheetSpans:
    """A sheet as places in its bytes: cells by ``(row, column)``, counted from 1."""

    xml: bytes
    cells: dict[tuple[int, int], CellSpan] = field(default_factory=dict)
    rows: dict[int, RowSpan] = field(default_factory=dict)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    arrays: list[tuple[int, int, int, int]] = field(default_factory=list)
    column_styles: list[tuple[int, int, str]] = field(default_factory=list)
    data: tuple[int, int] = (0, 0)  # the bytes of sheetData, its own tags included
    prefix: str = ""


def place_of(address: str) -> tuple[int, int]:
    """``(row, column)`` of an address such as ``C8``, counted from 1.

    Examples
    --------
    >>> place_of("C8"), place_of("AA1"), address_of(1, 27)
    ((8, 3), (1, 27), 'AA1')
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise TemplateRefused(f"a cell must be written like C8, got {address!r}")
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - ord("A") + 1
    return int(found[2]), column


def address_of(row: int, column: int) -> str:
    """The address of a place."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def cells_of(area: str) -> list[str]:
    """The addresses of a range of one row or one column, in order, or of a single cell.

    Raises
    ------
    TemplateRefused
        When it is more than one row and more than one column.

    Examples
    --------
    >>> cells_of("C8:C10"), cells_of("B2")
    (['C8', 'C9', 'C10'], ['B2'])
    """
    first, _, last = area.partition(":")
    (top, left), (bottom, right) = place_of(first), place_of(last or first)
    if (top != bottom and left != right) or bottom < top or right < left:
        raise TemplateRefused(f"a range must be one row or one column, first cell first, got {area!r}")
    return [address_of(row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)]


def box_of(area: str) -> tuple[int, int, int, int]:
    """``(top, left, bottom, right)`` of a range."""
    first, _, last = area.replace("$", "").partition(":")
    return (*place_of(first), *place_of(last or first))


def scanned(xml: bytes, name: str) -> SheetSpans:
    """Find every row and cell of a sheet.

    Raises
    ------
    TemplateRefused
        When the part is damaged or not written in UTF-8.
    """
    plain_xml(xml, name)
    scan = _Scan(xml)
    try:
        scan.parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise TemplateRefused(f"{name} is damaged ({error})") from error
    return scan.spans


class _Scan:
    """What is met on the way through a sheet; ``begin`` and ``finish`` name what each tag does."""

    def __init__(self, xml: bytes):
        self.xml, self.spans = xml, SheetSpans(xml)
        self.row = self.column = self.value_at = 0
        self.cell: CellSpan | None = None
        self.text: list[str] | None = None
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._start, self._end
        self.parser.CharacterDataHandler = self._characters
        self.begin = {"sheetData": self._data, "row": self._row, "c": self._cell, "f": self._formula}
        self.begin |= {"v": self._value, "t": self._value, "mergeCell": self._merged, "col": self._col}
        self.finish = {"sheetData": self._data_end, "row": self._row_end, "c": self._cell_end}
        self.finish |= {"v": self._value_end, "t": self._value_end}

    def _start(self, tag: str, given: dict) -> None:
        if act := self.begin.get(tag.rpartition(":")[2]):
            act(tag, given, self.parser.CurrentByteIndex)

    def _end(self, tag: str) -> None:
        if act := self.finish.get(tag.rpartition(":")[2]):
            act(tag, element_end(self.xml, self.parser.CurrentByteIndex, tag))

    def _characters(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)

    def _data(self, tag: str, given: dict, at: int) -> None:
        self.spans.data, self.spans.prefix = (at, at), tag[: -len("sheetData")]

    def _data_end(self, tag: str, end: int) -> None:
        self.spans.data = (self.spans.data[0], end)

    def _row(self, tag: str, given: dict, at: int) -> None:
        self.row, self.column = int(given.get("r", self.row + 1)), 0
        style = given.get("s", "") if given.get("customFormat") in ("1", "true") else ""
        self.spans.rows[self.row] = RowSpan(at, tag_end(self.xml, at), style=style)

    def _row_end(self, tag: str, end: int) -> None:
        self.spans.rows[self.row].end = end

    def _cell(self, tag: str, given: dict, at: int) -> None:
        row, self.column = place_of(given["r"]) if "r" in given else (self.row, self.column + 1)
        self.cell = CellSpan(at, style=given.get("s", ""), kind=given.get("t", ""))
        self.spans.cells[row, self.column] = self.cell
        self.spans.rows[self.row].cells.append((self.column, at))

    def _cell_end(self, tag: str, end: int) -> None:
        if self.cell:
            self.cell.end = end
            self.cell.result = self.cell.result if self.cell.formula else None
        self.cell = None

    def _formula(self, tag: str, given: dict, at: int) -> None:
        if self.cell:
            self.cell.formula = True
            if given.get("t") in ("array", "dataTable") and "ref" in given:
                self.spans.arrays.append(box_of(given["ref"]))

    def _value(self, tag: str, given: dict, at: int) -> None:
        if self.cell:
            self.text, self.value_at = [], at

    def _value_end(self, tag: str, end: int) -> None:
        if self.cell and self.text is not None:
            self.cell.text += "".join(self.text)
            if tag.rpartition(":")[2] == "v":
                self.cell.result = (self.value_at, end)
        self.text = None

    def _merged(self, tag: str, given: dict, at: int) -> None:
        self.spans.merged.append(box_of(given["ref"]))

    def _col(self, tag: str, given: dict, at: int) -> None:
        if given.get("style"):
            self.spans.column_styles.append((int(given["min"]), int(given["max"]), given["style"]))


def plain_xml(xml: bytes, name: str) -> None:
    """Refuse a part that is not UTF-8 or declares entities."""
    head = xml[:200]
    told = re.search(rb"encoding\s*=\s*[\"']([^\"']+)", head)
    if b"\x00" in head or (told and told[1].upper() not in (b"UTF-8", b"UTF8", b"US-ASCII")):
        raise TemplateRefused(f"{name} must be written in UTF-8")
    if b"<!DOCTYPE" in xml:
        raise TemplateRefused(f"{name} declares entities, which no workbook needs; refused")


def tag_end(xml: bytes, at: int) -> int:
    """The first byte after a tag that begins at ``at``; ``>`` may stand inside quotes."""
    quote = 0
    for place in range(at, len(xml)):
        byte = xml[place]
        if quote:
            quote = 0 if byte == quote else quote
        elif byte in b"\"'":
            quote = byte
        elif byte == ord(">"):
            return place + 1
    return len(xml)


def element_end(xml: bytes, at: int, tag: str) -> int:
    """The first byte after an element: of ``<a/>`` the parser is past it already, of ``</a>`` before it."""
    closing = f"</{tag}".encode()
    if xml.startswith(closing, at) and xml[at + len(closing) : at + len(closing) + 1] in b"> \t\r\n":
        return xml.index(b">", at) + 1
    return at
