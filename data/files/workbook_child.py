"""Reads a workbook in a process of its own: a file made to break the reader ends this process and no other.

The workbook comes on standard input. Standard output is one JSON value: ``{"sheets": [{"title", "state",
"rows"}]}``, or ``{"error"}`` with ``password`` or a sentence. A cell is null, text, a number, true or false,
or ``{"date": ISO text}``.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from datetime import date, datetime, time

MAX_MEMORY = 3 * 2**30
MAX_CELLS = 5_000_000  # over all rows and columns that a sheet reaches


def main() -> None:
    """Answer on standard output; see the module."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # where the system has no such limits
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    json.dump(_answer(sys.stdin.buffer.read()), sys.stdout)


def _answer(source: bytes) -> dict:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(source))
        states = {sheet.name: str(sheet.visible).rpartition(".")[2] for sheet in book.sheets_metadata}
        return {"sheets": [_sheet(book, title, states.get(title, "Visible")) for title in book.sheet_names]}
    except PasswordError:
        return {"error": "password"}
    except (CalamineError, OSError, ValueError, LookupError) as error:
        return {"error": str(error) or type(error).__name__}


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
    return {
        "title": title,
        "state": state,
        "rows": [[_cell(cell) for cell in row] for row in sheet.iter_rows()],
    }


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
