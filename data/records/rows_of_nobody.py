"""What is said once: rows that are nobody's (totals, captions, signatures), and rows that follow others."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import pandas as pd

from data.files.cells import is_null
from data.files.register_files import ParsedTable
from data.files.student_numbers import is_summary
from data.files.text_table import header_key
from data.files.told import Told, data_of
from data.files.wide import row_of

RULE = "REC021"
LOOKED_AT = 2_000  # rows without a student number: a file with more of them lacks the column
FEW = 3  # filled cells of a caption or a signature; a student's row has more
_SUM = re.compile(r"=.*|-?[\d.,\s%]+", re.DOTALL)
TOTAL = Told("no_student", "a total, a caption or a note, not the row of a student; delete the row")
AGAIN = Told("header_again", "the header once more, as printed on each page; delete the row")
FOOTER = Told(
    "footer",
    "a row without a student number, as a caption or a signature; delete the row, or write the number",
)


def rows_of_nobody(parsed: ParsedTable) -> dict[int, str]:
    """Row of the frame → why it is nobody's, in words.

    Such a row holds no student number, and is a total (a cell begins as one does, or all of them are sums) or
    has at most :data:`FEW` filled cells, and half of the row's at most. A row with more is a student's whose
    number is missing.
    """
    header, rows = parsed.header("student_number"), parsed.text.own_rows
    if "student_number" not in parsed.raw or header not in rows:
        return {}
    without = rows[header].fillna("").map(_says_no_number).astype(bool)
    if not without.any() or without.sum() > LOOKED_AT:
        return {}
    said = {int(row): _why_nobody(cells, header) for row, cells in rows[without].iterrows()}
    if parsed.text.by_term:
        return {int(at): said[row_of(at)] for at in parsed.text.frame.index if said.get(row_of(at))}
    return {row: why for row, why in said.items() if why}


def _why_nobody(cells: pd.Series, header: str) -> str:
    """Why a row without a student number is nobody's; empty where it may be a student's."""
    filled = [cell for cell in cells if not is_null(cell)]
    rest = [cell for name, cell in cells.items() if name != header and not is_null(cell)]
    if sum(header_key(cell) == header_key(name) for name, cell in cells.items()) == len(filled):
        return AGAIN
    if any(map(is_summary, filled)) or rest and all(_SUM.fullmatch(cell) for cell in rest):
        return TOTAL
    return FOOTER if len(filled) <= min(FEW, len(cells) // 2) else ""


def said_once(found: pd.DataFrame, tables: Iterable[ParsedTable]) -> pd.DataFrame:
    """Problems of files in which a row that is nobody's has one error and no more."""
    for parsed in tables:
        found = _said_once(found, parsed)
    return found


def said_for_all(found: pd.DataFrame, tables: dict[str, ParsedTable], asked: Collection[str]) -> pd.DataFrame:
    """Problems in which a file that falls with the students file has one sentence, not one for each row.

    Parameters
    ----------
    found : DataFrame
        Problems of every row.
    tables : dict of str to ParsedTable
        The files that could be read, by table.
    asked : collection of str
        The tables of the import, those that could not be read included.
    """
    students = tables.get("students")
    lost = "students" in asked and (students is None or bool(students.match.missing))
    errors = found[found["severity"] == "error"]
    if lost:
        rules, fallen, what = ("REC011", "REC012"), True, "the students file cannot be used"
    elif students is not None:
        refused = errors.loc[errors["file"] == students.file, "row"].dropna().nunique()
        rules, fallen = ("REC012",), refused >= len(students.raw) > 0
        what = f"the rows of their students in {students.file} were refused"
    else:
        return found
    for name, parsed in tables.items():
        mine = found["rule"].isin(rules) & (found["file"] == parsed.file)
        count = found.loc[mine, "row"].nunique()
        if name == "students" or count < 2 or not (fallen or count >= len(parsed.raw)):
            continue
        sentence = f"{count:,} of {len(parsed.raw):,} rows fall because {what}; mend that and they follow"
        code = "all_fall_unusable" if lost else "all_fall_refused"
        of_file = "" if students is None else students.file
        told = Told(code, sentence, n=int(count), all=len(parsed.raw), file=of_file).data
        first = found.index == found.index[mine][0]
        said = found[first].assign(
            row=pd.array([pd.NA], dtype="Int64"), rule="REC012", value="", message=sentence, told=told
        )
        found = pd.concat([found[~mine], said]).sort_index()
    return found.reset_index(drop=True)


def _said_once(found: pd.DataFrame, parsed: ParsedTable) -> pd.DataFrame:
    nobody = rows_of_nobody(parsed)
    mine = (found["file"] == parsed.file) & found["row"].isin(list(nobody))
    if not mine.any():
        return found
    kept = mine & (found["severity"] == "error") & ~found.duplicated(["file", "row", "severity"])
    said = found[kept].assign(
        rule=RULE,
        column=parsed.header("student_number"),
        value=[_first_cell(parsed, row) for row in found.loc[kept, "row"]],
        message=[str(nobody[int(row)]) for row in found.loc[kept, "row"]],
        told=[data_of(nobody[int(row)]) for row in found.loc[kept, "row"]],
    )
    return pd.concat([found[~mine], said]).sort_index()


def _says_no_number(cell: str) -> bool:
    return is_null(cell) or is_summary(cell)


def _first_cell(parsed: ParsedTable, row: int) -> str:
    """The first filled cell of a row, as the office finds it."""
    place = row_of(row) if parsed.text.by_term else row
    return next((cell for cell in parsed.text.own_rows.loc[place] if not is_null(cell)), "")
