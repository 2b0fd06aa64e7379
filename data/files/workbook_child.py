"""Reads workbooks in a process of its own: a file made to break the reader ends this process and no other.

Each workbook comes on standard input, its length before it as eight bytes, the greatest first. That it is
here is said at once, as one byte; its answer follows as it came, its length before it, as one JSON value:
``{"sheets": [{"title", "state", "rows"}]}``, or
``{"error"}`` with ``password``, ``damaged`` or a sentence. A cell is null, text, a number, true or false, or
``{"date": ISO text}``. A sheet of ODS has ``hidden_rows`` and ``hidden_columns`` too: first and last of each
run, from 0. The process ends with its standard input.

Starting an interpreter costs more than reading most workbooks. So one process waits for the next workbook,
and each is read by a fork of it, with limits of its own and nothing of the workbooks before; where the system
cannot fork, a process reads one workbook and ends.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import zipfile
import zlib
from datetime import date, datetime, time
from xml.parsers import expat

MAX_MEMORY = 3 * 2**30
MAX_SECONDS = 60  # of processor time
MAX_CELLS = 5_000_000  # over all rows and columns that a sheet reaches
MAX_LETTERS = 32_767  # of a cell: the format's own limit
MAX_TEXT = 2**28  # characters of a sheet; 65,536 rows of 4,000 have as many
MAX_REPEATED = 20 * MAX_CELLS  # what the reader may write out before its size is known and judged
DAMAGED = "damaged"
LENGTH = 8  # bytes that say how long what follows is
TAKEN = b"+"  # said as soon as a workbook is here: what ends the process from then on is the workbook


def main() -> None:
    """Answer one workbook after the other; see the module."""
    import python_calamine  # noqa: F401 (loaded once, before anything is read)

    while (source := _received()) is not None:
        sys.stdout.buffer.write(TAKEN)
        sys.stdout.buffer.flush()
        if not hasattr(os, "fork"):
            _send(_said(source))
            return
        child = os.fork()
        if child == 0:
            _read_alone(source)
        _, ended = os.waitpid(child, 0)
        if ended:  # what it had said may be cut off: nobody can read on from there
            sys.exit(1)


def _read_alone(source: bytes) -> None:
    """Answer a workbook within limits, and end."""
    ended = 1
    try:
        with contextlib.suppress(ImportError, ValueError, OSError):  # where the system has no such limits
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _send(_said(source))
        ended = 0
    finally:
        os._exit(ended)


def _said(source: bytes) -> bytes:
    try:
        return json.dumps(_answer(source)).encode()
    except BaseException:  # noqa: BLE001 (a panic of the reader is none of Python's own exceptions)
        return json.dumps({"error": DAMAGED}).encode()


def _received() -> bytes | None:
    """The next workbook; None when there will be none."""
    length = sys.stdin.buffer.read(LENGTH)
    return sys.stdin.buffer.read(int.from_bytes(length, "big")) if len(length) == LENGTH else None


def _send(said: bytes) -> None:
    sys.stdout.buffer.write(len(said).to_bytes(LENGTH, "big") + said)
    sys.stdout.buffer.flush()


def _answer(source: bytes) -> dict:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        content = _ods_content(source)
        if content:
            _refuse_malformed(content)
        _refuse_repeated(content)
        book = CalamineWorkbook.from_filelike(io.BytesIO(source))
        states = {sheet.name: str(sheet.visible).rpartition(".")[2] for sheet in book.sheets_metadata}
        sheets = [_sheet(book, title, states.get(title, "Visible")) for title in book.sheet_names]
        for sheet, hidden in zip(sheets, _hidden(content), strict=False):  # both in the file's order
            sheet |= hidden
        return {"sheets": sheets}
    except PasswordError:
        return {"error": "password"}
    except (CalamineError, OSError, ValueError, LookupError) as error:
        return {"error": str(error) or type(error).__name__}


def _ods_content(source: bytes) -> bytes:
    """The part of an ODS file that holds its sheets; empty for any other file."""
    try:
        with zipfile.ZipFile(io.BytesIO(source)) as packed:
            return packed.read("content.xml")
    except (zipfile.BadZipFile, KeyError, NotImplementedError, zlib.error, RuntimeError, EOFError):
        return b""  # none, or a damaged one: the reader says so


def _hidden(content: bytes) -> list[dict[str, list[list[int]]]]:
    """Hidden rows and columns of each sheet of an ODS file, in the file's order."""
    sheets: list[dict[str, list[list[int]]]] = []
    at = {"row": 0, "column": 0}
    for tag in _TAGS.finditer(content):
        kind, about = tag[1].decode(), tag[2]
        if kind == "table":
            sheets.append({"hidden_rows": [], "hidden_columns": []})
            at = {"row": 0, "column": 0}
            continue
        if not sheets:
            continue
        kind = kind.removeprefix("table-")
        many = _times(_ROWS if kind == "row" else _COLUMNS, about)
        if _HIDDEN.search(about):
            sheets[-1][f"hidden_{kind}s"].append([at[kind], at[kind] + many - 1])
        at[kind] += many
    return sheets


def _refuse_malformed(content: bytes) -> None:
    """Refuse an ODS file whose sheets are no XML: the reader looks for the end of a cut table for ever.

    Raises
    ------
    ValueError
        :data:`DAMAGED`.
    """
    try:
        expat.ParserCreate().Parse(content, True)
    except expat.ExpatError:
        raise ValueError(DAMAGED) from None


def _refuse_repeated(content: bytes) -> None:
    """Refuse an ODS file that says of filled rows that they are there again and again: the reader would write
    them out before anybody could count them.

    Raises
    ------
    ValueError
    """
    cells = 0
    for about, row in _ROW.findall(content):
        wide = filled = 0
        for cell in _CELL.finditer(row):
            wide += _times(_COLUMNS, cell[1])
            if not cell[2] or b"value" in cell[1]:
                filled = wide
        cells += filled * _times(_ROWS, about)
        if cells > MAX_REPEATED:
            raise ValueError(
                "a sheet repeats filled cells over more than the table can be: delete what lies outside it"
            )


_TAGS = re.compile(rb"<table:(table|table-row|table-column)(?=[\s/>])([^<>]*)>")
_HIDDEN = re.compile(rb'table:visibility="(?:collapse|filter)"')
_ROW = re.compile(rb"<table:table-row\b([^>]*)>(.*?)</table:table-row>", re.DOTALL)
_CELL = re.compile(rb"<table:(?:covered-)?table-cell\b([^>]*?)(/?)>")
_ROWS = re.compile(rb'number-rows-repeated="(\d{1,9})"')
_COLUMNS = re.compile(rb'number-columns-repeated="(\d{1,9})"')


def _times(pattern: re.Pattern[bytes], about: bytes) -> int:
    found = pattern.search(about)
    return int(found[1]) if found else 1


def _sheet(book, title: str, state: str) -> dict:
    try:
        sheet = book.get_sheet_by_name(title)
    except LookupError:  # a sheet of charts
        return {"title": title, "state": state, "rows": []}
    high, wide = sheet.total_height + 1, sheet.total_width + 1
    if high * wide > MAX_CELLS:
        raise ValueError(
            f"sheet {title!r} reaches over {high:,} rows and {wide:,} columns; "
            "delete what lies outside the table"
        )
    rows, letters = [], 0
    for number, row in enumerate(sheet.iter_rows(), start=1):
        for column, cell in enumerate(row, start=1):
            length = len(cell) if isinstance(cell, str) else 0
            letters += length
            if length > MAX_LETTERS:
                raise ValueError(
                    f"sheet {title!r}, row {number}, column {column}: {length:,} characters; a cell has "
                    f"at most {MAX_LETTERS:,}"
                )
        if letters > MAX_TEXT:
            raise ValueError(
                f"sheet {title!r}: more than {MAX_TEXT:,} characters up to row {number:,}; "
                "delete what holds nothing of the register"
            )
        rows.append([_cell(cell) for cell in row])
    return {"title": title, "state": state, "rows": rows}


def _cell(value):
    if value == "" or value is None:
        return None
    if isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return str(value)
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, datetime):
        return {"date": value.date().isoformat()}
    if isinstance(value, (date, time)):
        return {"date": value.isoformat()}
    return str(value)


if __name__ == "__main__":
    main()
