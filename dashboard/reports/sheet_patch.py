"""Writing single cells of somebody else's workbook and nothing else.

A workbook is a ZIP of parts. Reading it into a library and saving it again loses what the library does not
know: macros, charts, pictures, pivot tables, rich text, extended validations. Here the bytes of a sheet are
searched for a cell (its place is told by the XML parser), that cell is exchanged, and every other byte of the
part stays. Parts without a written cell are copied as they are, except that stored results of formulas are
dropped, since they were computed from the old figures: whatever opens the file computes them.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from xml.etree import ElementTree
from xml.parsers import expat
from xml.sax.saxutils import escape

from dashboard.reports.sheet_spans import (
    RowSpan,
    SheetSpans,
    TemplateRefused,
    address_of,
    element_end,
    place_of,
    plain_xml,
    scanned,
    tag_end,
)
from data.files.tables import TableError
from data.files.workbooks import refuse_bomb

_RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_SPREADSHEETS = (".xlsx", ".xlsm", ".xltx", ".xltm")
BEFORE_CALCULATION = ("sheets", "functionGroups", "externalReferences", "definedNames")


class Template:
    """A workbook whose cells are looked at and set; :meth:`save` gives the new file.

    Parameters
    ----------
    source : bytes
    name : str
        For messages.

    Raises
    ------
    TemplateRefused
        When it is no XLSX or XLSM file, encrypted, or signed: a signature would not survive a change.
    """

    def __init__(self, source: bytes, name: str):
        self.name = name
        if not name.casefold().endswith(_SPREADSHEETS):
            raise TemplateRefused(f"{name}: the template must be one of {', '.join(_SPREADSHEETS)}")
        try:
            refuse_bomb(source, name)
        except TableError as error:
            raise TemplateRefused(f"{error}; a password must be taken off first") from error
        with zipfile.ZipFile(io.BytesIO(source)) as archive:
            self.infos = archive.infolist()
            self.parts = {info.filename: archive.read(info) for info in self.infos}
        if any(part.startswith("_xmlsignatures/") for part in self.parts):
            raise TemplateRefused(f"{name}: the workbook is signed; a change would break the signature")
        self.book = self._target("", "/officeDocument") or "xl/workbook.xml"
        if self.book not in self.parts or not self.book.endswith(".xml"):
            raise TemplateRefused(f"{name}: no workbook of the XLSX format is in it")
        self.sheets = self._sheets()
        self._spans: dict[str, SheetSpans] = {}
        self._set: dict[str, dict[tuple[int, int], float | int | str | None]] = {}

    def holds(self, *folders: str) -> list[str]:
        """Which of some folders of the package have parts."""
        return [folder for folder in folders if any(part.startswith(folder) for part in self.parts)]

    def before(self, sheet: str, address: str) -> tuple[str, bool]:
        """What a cell says, and whether a formula says it."""
        cell = self.spans(sheet).cells.get(place_of(address))
        if cell is None:
            return "", False
        shared = cell.kind == "s" and cell.text.isdecimal()
        return (self._shared(int(cell.text)) if shared else cell.text), cell.formula

    def put(self, sheet: str, address: str, value: float | int | str | None) -> None:
        """Set a cell to a number or a text, or empty it; its format stays.

        Raises
        ------
        TemplateRefused
            When it holds a formula or is part of one, or is another cell of a merged range than the first.
        """
        at, spans = place_of(address), self.spans(sheet)
        where = f"{self.name}: {sheet}!{address}"
        if (found := spans.cells.get(at)) and found.formula:
            raise TemplateRefused(f"{where} holds a formula, which stays as it is; take it out of the map")
        if any(_inside(at, box) for box in spans.arrays):
            raise TemplateRefused(f"{where} belongs to an array formula; take it out of the map")
        for box in spans.merged:
            if _inside(at, box) and at != box[:2]:
                first = address_of(*box[:2])
                raise TemplateRefused(f"{where} lies inside a merged range; its first cell is {first}")
        self._set.setdefault(sheet, {})[at] = value

    def spans(self, sheet: str) -> SheetSpans:
        """The places of a sheet.

        Raises
        ------
        TemplateRefused
            When there is no such sheet, or it is written in another way than UTF-8.
        """
        if sheet not in self.sheets:
            there = ", ".join(map(repr, self.sheets))
            raise TemplateRefused(f"{self.name}: no sheet {sheet!r}; it has {there}")
        if sheet not in self._spans:
            part = self.sheets[sheet]
            self._spans[sheet] = scanned(self.parts[part], f"{self.name}: {part}")
        return self._spans[sheet]

    def save(self) -> bytes:
        """The workbook with the cells that were set."""
        changed = {self.sheets[title]: self._patched(title) for title in self.sheets}
        if self._set:
            changed[self.book] = _computed_when_opened(self.parts[self.book], f"{self.name}: {self.book}")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for info in self.infos:
                archive.writestr(info, changed.get(info.filename, self.parts[info.filename]))
        return buffer.getvalue()

    def _patched(self, title: str) -> bytes:
        spans, wanted = self.spans(title), self._set.get(title, {})
        edits = [(*cell.result, b"") for cell in spans.cells.values() if self._set and cell.result]
        new_rows: dict[int, list[tuple[int, bytes]]] = {}
        for (row, column), value in sorted(wanted.items()):
            found, known = spans.cells.get((row, column)), spans.rows.get(row)
            style = found.style if found else _style_of(spans, row, column)
            made = _cell(spans.prefix, address_of(row, column), style, value)
            if found:
                edits.append((found.start, found.end, made))
            elif known and known.inner < known.end:
                after = [start for at, start in known.cells if at > column]
                edits.append((*[after[0] if after else _closing(spans.xml, known)] * 2, made))
            else:
                new_rows.setdefault(row, []).append((column, made))
        edits += _rows_made(spans, new_rows)
        return _spliced(spans.xml, edits)

    def _sheets(self) -> dict[str, str]:
        root, targets = self._tree(self.book), {}
        folder, file = posixpath.split(self.book)
        for relation in self._tree(f"{folder}/_rels/{file}.rels").iter(_RELATION):
            targets[relation.get("Id")] = _resolved(folder, relation.get("Target", ""))
        found = {}
        for sheet in root.iter():
            if sheet.tag.rpartition("}")[2] == "sheet":
                link = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")
                part = targets.get(link, "")
                if part in self.parts and "/worksheets/" in f"/{part}":
                    found[sheet.get("name", "")] = part
        return found

    def _target(self, folder: str, kind: str) -> str:
        for relation in self._tree("_rels/.rels").iter(_RELATION):
            if relation.get("Type", "").endswith(kind):
                return _resolved(folder, relation.get("Target", ""))
        return ""

    def _tree(self, part: str) -> ElementTree.Element:
        if part not in self.parts:
            raise TemplateRefused(f"{self.name}: {part} is missing in the workbook")
        xml = self.parts[part]
        plain_xml(xml, f"{self.name}: {part}")
        try:
            return ElementTree.fromstring(xml)
        except ElementTree.ParseError as error:
            raise TemplateRefused(f"{self.name}: {part} is damaged ({error})") from error

    def _shared(self, number: int) -> str:
        part = posixpath.join(posixpath.dirname(self.book), "sharedStrings.xml")
        if part not in self.parts:
            return ""
        texts = [each for each in self._tree(part) if each.tag.rpartition("}")[2] == "si"]
        if number >= len(texts):
            return ""
        return "".join(
            piece.text or "" for piece in texts[number].iter() if piece.tag.rpartition("}")[2] == "t"
        )


def _closing(xml: bytes, row: RowSpan) -> int:
    return xml.rindex(b"<", row.start, row.end)


def _style_of(spans: SheetSpans, row: int, column: int) -> str:
    known = spans.rows.get(row)
    if known and known.style:
        return known.style
    return next((style for low, high, style in spans.column_styles if low <= column <= high), "")


def _cell(prefix: str, address: str, style: str, value: float | int | str | None) -> bytes:
    look = f' s="{style}"' if style else ""
    if value is None:
        return f'<{prefix}c r="{address}"{look}/>'.encode()
    if isinstance(value, str):
        said = f"<{prefix}is><{prefix}t>{escape(value)}</{prefix}t></{prefix}is>"
        return f'<{prefix}c r="{address}"{look} t="inlineStr">{said}</{prefix}c>'.encode()
    number = int(value) if float(value).is_integer() else float(value)
    return f'<{prefix}c r="{address}"{look}><{prefix}v>{number!r}</{prefix}v></{prefix}c>'.encode()


def _rows_made(spans: SheetSpans, rows: dict[int, list[tuple[int, bytes]]]) -> list[tuple[int, int, bytes]]:
    """Edits that add cells to rows which the sheet lacks or holds without any cell."""
    edits, xml, prefix = [], spans.xml, spans.prefix
    start, end = spans.data
    empty = not xml[start:end].rstrip().endswith(f"</{prefix}sheetData>".encode())
    appended = b""
    for row in sorted(rows):
        inside = b"".join(made for _, made in sorted(rows[row]))
        known = spans.rows.get(row)
        whole = f'<{prefix}row r="{row}">'.encode() + inside + f"</{prefix}row>".encode()
        if known:  # <row r="8" ht="20"/>: opened, filled and closed
            tag = xml[known.start : known.inner].rstrip()
            edits.append((known.start, known.end, tag[:-2] + b">" + inside + f"</{prefix}row>".encode()))
        elif later := [spans.rows[other].start for other in sorted(spans.rows) if other > row]:
            edits.append((later[0], later[0], whole))
        else:
            appended += whole
    if appended and empty:
        edits.append(
            (start, end, f"<{prefix}sheetData>".encode() + appended + f"</{prefix}sheetData>".encode())
        )
    elif appended:
        at = xml.rindex(b"<", start, end)
        edits.append((at, at, appended))
    return edits


def _spliced(xml: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    made, at = [], 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        made += [xml[at:start], new]
        at = max(at, end)
    return b"".join([*made, xml[at:]])


def _computed_when_opened(xml: bytes, name: str) -> bytes:
    """The workbook's part with the wish that formulas are computed when it is opened."""
    plain_xml(xml, name)
    parser, found = expat.ParserCreate(), {}

    def start(tag: str, given: dict) -> None:
        local = tag.rpartition(":")[2]
        if local == "calcPr":
            found["calcPr"] = (parser.CurrentByteIndex, given)
        found.setdefault("prefix", tag[: -len(local)])

    def end(tag: str) -> None:
        if tag.rpartition(":")[2] in BEFORE_CALCULATION:
            found["after"] = element_end(xml, parser.CurrentByteIndex, tag)

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(xml, True)
    if "calcPr" not in found:
        made = f'<{found["prefix"]}calcPr fullCalcOnLoad="1"/>'.encode()
        return _spliced(xml, [(found["after"], found["after"], made)])
    at, given = found["calcPr"]
    if "fullCalcOnLoad" in given:
        tag = xml[at : (end_of := tag_end(xml, at))]
        return _spliced(xml, [(at, end_of, re.sub(rb'(fullCalcOnLoad\s*=\s*["\'])[^"\']*', rb"\g<1>1", tag))])
    name_end = at + 1 + len(f"{found['prefix']}calcPr")
    return _spliced(xml, [(name_end, name_end, b' fullCalcOnLoad="1"')])


def _inside(at: tuple[int, int], box: tuple[int, int, int, int]) -> bool:
    return box[0] <= at[0] <= box[2] and box[1] <= at[1] <= box[3]


def _resolved(folder: str, target: str) -> str:
    return (
        target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
    )
