"""Workbooks of other programs (``.xls``, ``.ods``, ``.xlsb``) → text tables, sheets as XLSX has them.

They are read by :mod:`data.files.workbook_child` in a process of its own, with an end in time and memory.
Number formats are not read from them: a student number that is stored as a number has lost its zeros.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import NamedTuple

from data.files.text_files import TableError
from data.files.text_table import TextTable
from data.files.workbooks import read_sheet, refuse_bomb

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # how an .xls file begins, and an encrypted workbook
ODS = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
MAX_BYTES = 64 * 2**20  # an .xls of 65,536 rows is far smaller
SECONDS = 120
_CHILD = Path(__file__).with_name("workbook_child.py")
_STATES = {"Visible": "visible", "Hidden": "hidden", "VeryHidden": "veryHidden"}


def is_old_workbook(source: bytes) -> bool:
    """Whether a file is one of the workbooks that this module reads."""
    if source[:8] == OLE:
        return True
    return source[:4] == b"PK\x03\x04" and (ODS in source[:256] or b"xl/workbook.bin" in source)


def read_old_workbook(
    source: bytes, name: str, *, sheet=None, known: Collection[str] = (), limit: int | None = None
) -> TextTable:
    """Read one sheet; parameters and errors are those of :func:`data.files.workbooks.read_workbook`."""
    if len(source) > MAX_BYTES:
        raise TableError(f"{name}: {len(source):,} bytes; save a workbook of this size as .xlsx")
    if source[:4] == b"PK\x03\x04":
        refuse_bomb(source, name)
    return read_sheet(_Book(_sheets(source, name)), name, sheet, known, limit)


def _sheets(source: bytes, name: str) -> list[dict]:
    """The sheets as the child tells them."""
    try:
        ended = subprocess.run(
            [sys.executable, "-I", str(_CHILD)], input=source, capture_output=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise TableError(f"{name}: takes too long to read; save it as .xlsx or CSV") from error
    if ended.returncode != 0:
        raise TableError(f"{name}: the workbook is damaged; save it as .xlsx or CSV")
    answer = json.loads(ended.stdout)
    if answer.get("error") == "password":
        raise TableError(f"{name}: the workbook has a password; save it without one")
    if "error" in answer:
        raise TableError(
            f"{name}: not a workbook that can be read, or one with a password ({answer['error']}); save it "
            "as .xlsx without a password, or as CSV"
        )
    return answer["sheets"]


class _Cell(NamedTuple):
    """A cell as the reader of XLSX gives it."""

    value: object
    number_format: str = ""


@dataclass(frozen=True)
class _Sheet:
    """A sheet as the reader of XLSX gives it."""

    title: str
    sheet_state: str
    rows: list[list]

    def reset_dimensions(self) -> None:
        """Nothing to do: the size is that of the filled cells."""

    def iter_rows(self, max_col: int | None = None) -> Iterator[list[_Cell]]:
        """The rows from the top of the sheet on, empty ones included."""
        for row in self.rows:
            yield [_Cell(_value(cell)) for cell in row[:max_col]]


class _Book:
    """A workbook as the reader of XLSX gives it."""

    def __init__(self, sheets: list[dict]) -> None:
        self.worksheets = [
            _Sheet(sheet["title"], _STATES.get(sheet["state"], "visible"), sheet["rows"]) for sheet in sheets
        ]

    def __getitem__(self, title: str) -> _Sheet:
        return next(sheet for sheet in self.worksheets if sheet.title == title)


def _value(cell):
    if not isinstance(cell, dict):
        return cell
    text = cell["date"]
    return time.fromisoformat(text) if ":" in text else date.fromisoformat(text)
