"""Answers of PDDikti Neo Feeder and other JSON exports → text tables: a row per record, a column per name."""

from __future__ import annotations

import json
from collections.abc import Collection
from itertools import islice

from data.files.text_files import TableError, decode, repaired
from data.files.text_table import MAX_COLUMNS, TextTable, build_frame, unique_headers

MAX_BYTES = 256 * 2**20
HOLDERS = ("data", "rows", "records", "result", "results", "items")


def is_json(source: bytes) -> bool:
    """Whether a file begins as JSON does with records in it."""
    start = source[:4096].lstrip(b"\xef\xbb\xbf \r\n\t")
    return start[:1] == b"{" or (start[:1] == b"[" and start[1:].lstrip()[:1] in (b"{", b"]"))


def read_json_table(
    source: bytes, name: str, *, known: Collection[str] = (), limit: int | None = None
) -> TextTable:
    """Read the records of a JSON file; a row's number is its record's place.

    Numbers keep the digits they are written with, so that nothing of a student number is lost that the file
    still has. Lists and objects inside a record are left out.

    Raises
    ------
    data.files.text_files.TableError
        When the file is no JSON, holds no records, or is an answer that tells of an error.
    """
    if len(source) > MAX_BYTES:
        raise TableError(f"{name}: {len(source):,} bytes; export a file of this size in parts, or as CSV")
    told = decode(source, name)
    text, encoding = repaired(told.text), told.encoding
    try:
        found = json.loads(text, parse_float=str, parse_int=str, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise TableError(f"{name}: not JSON, or a damaged one ({error})") from error
    records = _records(found, name)
    columns: dict[str, None] = {}
    for record in records:
        columns |= dict.fromkeys(key for key, cell in record.items() if not isinstance(cell, (list, dict)))
        if len(columns) > MAX_COLUMNS:
            raise TableError(f"{name}: more than {MAX_COLUMNS} columns; at most so many are read")
    if not columns:
        raise TableError(f"{name}: JSON without records that have named values")
    names = list(columns)
    body = ((number, [_text(record.get(key)) for key in names]) for number, record in enumerate(records, 1))
    frame, ragged = build_frame(islice(body, limit), unique_headers(names), name=name)
    return TextTable(name, frame, decimal=".", encoding=encoding, ragged=ragged)


def _records(found, name: str) -> list[dict]:
    if isinstance(found, dict):
        code = str(found.get("error_code") or "0")
        if code != "0":
            said = str(found.get("error_desc") or "")[:200]
            raise TableError(f"{name}: the answer of the feeder tells of error {code}: {said}")
        held = [found[key] for key in HOLDERS if isinstance(found.get(key), list)]
        found = held[0] if held else [found]
    records = [record for record in found if isinstance(record, dict)] if isinstance(found, list) else []
    if not records:
        raise TableError(f"{name}: JSON without records; a list of objects is read, or one under 'data'")
    return records


def _text(cell) -> str:
    if cell is None or isinstance(cell, (list, dict)):
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    return str(cell)
