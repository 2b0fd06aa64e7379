"""An institution's own lists of codes (id_pembiayaan → nama_pembiayaan) → what cells of its files mean."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from data.columns import GRADE_RESULTS
from data.files.cells import is_null
from data.files.choices import Choice
from data.files.mapping import TABLES, shipped_mappings
from data.files.mark_words import mark_meaning
from data.files.matching import Match, shipped_words
from data.files.never_stored import never_stored
from data.files.tables import read_text_table
from data.files.text_files import TableError
from data.files.text_table import cell_key, header_key

MOST_CODES = 20_000


def code_list(name: str, data: bytes, matches: Sequence[Match]) -> list[Choice]:
    """What the codes of a list mean in the files of an import.

    The list has a column whose header, less ``id``, ``kode`` or ``kd``, is that of a column of the files, and
    a column of words beside it. Words of the vocabulary become its values; others are stored as they are.

    Parameters
    ----------
    name, data : str, bytes
        The list.
    matches : sequence of Match
        The files of the import.

    Raises
    ------
    TableError
        When it is no table, has no words beside the codes, or its codes are in no file.
    """
    # Points with a decimal comma look like two columns unless the headers are known.
    marks = any(match.table == "grades" for match in matches)
    known = frozenset(_aliases("grade") | _aliases("grade_points")) if marks else frozenset()
    frame = read_text_table(data, name, known=known).frame
    if marks := _scale(name, frame, matches):
        return marks
    if len(frame) > MOST_CODES:
        raise TableError(f"{name}: {len(frame):,} codes; a list may have at most {MOST_CODES:,}")
    headers = [header for header in frame.columns if not never_stored(header)]
    for code in headers:
        words = next((other for other in headers if other != code and _words_for(other, code)), None)
        if words is None:
            continue
        found = [choice for match in matches for choice in _meanings(frame, code, words, match)]
        if found:
            return found
    raise TableError(
        f"{name}: no list of codes for these files: it needs a column with the header of their codes, such "
        "as id_pembiayaan, and the words beside it, such as nama_pembiayaan"
    )


def _scale(name: str, frame, matches: Sequence[Match]) -> list[Choice]:
    """An institution's marks: a column whose header is one of marks, and beside it points or words."""
    match = next((match for match in matches if match.table == "grades" and "grade" in match.headers), None)
    if match is None or len(frame) > MOST_CODES:
        return []
    keys = {column: _aliases(column) for column in ("grade", "grade_points")}
    named = {header_key(header): header for header in frame.columns}
    letters = next((header for key, header in named.items() if key in keys["grade"]), None)
    if letters is None:
        return []
    points = next((header for key, header in named.items() if key in keys["grade_points"]), None)
    words = next((one for one in frame.columns if one != letters and _words_for(one, letters)), points)
    grade = next(column for column in TABLES["grades"] if column.name == "grade")
    known = shipped_words(grade, "grades")
    found = []
    for row in frame.to_dict("records"):
        said = row.get(points, "") if points and not is_null(row.get(points, "")) else row.get(words, "")
        if is_null(row[letters]) or is_null(str(said)):
            continue
        key = cell_key(said)
        value = (known[key] if key in known else said).strip()
        if mark_meaning(value) is None:
            raise TableError(
                f"{name}: the mark {row[letters]!r} means {said!r}; it must be grade points from 0 to 4, or "
                f"{', '.join(GRADE_RESULTS[1:])}"
            )
        found.append(Choice("meaning", value, "grade", "grades", row[letters]))
    return found


def _aliases(column: str) -> set[str]:
    named = [one.table("grades").columns.get(column, ()) for one in shipped_mappings()]
    return {header_key(header) for own in named for header in own}


def _stem(header: str) -> str:
    key = header_key(header)
    for mark in ("id", "kode", "kd", "nama", "nm", "ket", "keterangan", "code", "name"):
        if key.startswith(mark) and len(key) > len(mark):
            return key[len(mark) :]
    return key


def _words_for(header: str, code: str) -> bool:
    named = header_key(header).startswith(("nama", "nm", "ket", "label", "uraian", "name", "deskripsi"))
    return named and (_stem(header) == _stem(code) or len(_stem(header)) <= len("keterangan"))


def _meanings(frame: pd.DataFrame, code: str, words: str, match: Match) -> list[Choice]:
    columns = {column.name: column for column in TABLES[match.table]}
    found = []
    for name, header in match.headers.items():
        if header_key(header) != header_key(code) and _stem(header) != _stem(code):
            continue
        column = columns[name]
        known = shipped_words(column, match.table) if column.allowed else {}
        for cell, said in zip(frame[code], frame[words], strict=True):
            key = cell_key(said)
            value = known[key] if key in known else said
            usable = not column.allowed or value in ("", *column.allowed)
            if column.kind == "text" and usable and not is_null(cell) and not is_null(said):
                found.append(Choice("meaning", value, name, match.table, cell))
    return found
