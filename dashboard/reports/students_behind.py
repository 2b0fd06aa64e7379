"""The restricted list: which students stand behind a cell, for assessors; never part of a public file."""

from __future__ import annotations

import io

import pandas as pd
import xlsxwriter

from dashboard.reports import describe
from dashboard.reports.formulas import reads
from dashboard.reports.model import TOTAL_ROW, ReportTable
from dashboard.reports.provenance import ReportProvenance
from dashboard.reports.words import say
from dashboard.reports.xlsx import created
from data.files.safe_cells import safe_cell

SHOWN = ("student_number", "name", "cohort_term", "entry_type", "exit_type", "exit_date", "study_years")
HEADINGS = {"cohort_term": "cohort"}


def students_behind(table: ReportTable, row: str, column: str) -> tuple[str, ...]:
    """Keys of the students whom a cell counts; for a formula, of all cells that it reads.

    Raises
    ------
    PermissionError
        When the table was suppressed: it carries no students.
    KeyError
        When there is no such cell.
    """
    if table.external:
        raise PermissionError("a table with hidden cells lists no students")
    if (row, column) not in table.cells:
        raise KeyError(f"no cell {row}/{column} in {table.profile.id}")
    cell = table.cells[row, column]
    if not cell.formula:
        return cell.students
    at = None if cell.row == TOTAL_ROW else cell.row
    behind: set[str] = set()
    for address in reads(table.profile, cell.formula, at):
        behind.update(students_behind(table, *address))
    return tuple(sorted(behind))


def restricted_frame(keys: tuple[str, ...], identities: pd.DataFrame, flow: pd.DataFrame) -> pd.DataFrame:
    """The list as a frame, by student number.

    Parameters
    ----------
    keys : tuple of str
        From :func:`students_behind`.
    identities : DataFrame
        ``student_key, student_number, name`` of those whom the reader may identify; others stay unnamed.
    flow : DataFrame
        From :func:`data.calendar.cohorts.build_flow`.
    """
    wanted = flow[flow["student_key"].isin(keys)].drop(columns=["student_number", "name"], errors="ignore")
    frame = wanted.merge(identities, on="student_key", how="left")
    frame["exit_date"] = frame["exit_date"].dt.date.astype(object).where(frame["exit_date"].notna(), None)
    for name in ("entry_type", "exit_type"):
        frame[name] = frame[name].astype(object)
    return frame[list(SHOWN)].sort_values("student_number", ignore_index=True)


def restricted_xlsx(
    frame: pd.DataFrame,
    table: ReportTable,
    cell: tuple[str, str],
    provenance: ReportProvenance,
    language: str,
) -> bytes:
    """The list as a workbook whose first lines say that it is restricted, of which cell, and from where."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"created": created(provenance)})
    page = book.add_worksheet(say(language, "sheet_restricted"))
    bold = book.add_format({"bold": True})
    alarm = book.add_format({"bold": True, "font_color": "#9C0006"})
    lines = [say(language, key) for key in ("restricted_title", "confidential_people", "restricted_note")]
    lines += [say(language, "synthetic")] if provenance.synthetic else []
    for row, text in enumerate(lines):
        page.write_string(row, 0, text, alarm)
    told = [describe.title(table, language), describe.program_words(table, language), " / ".join(cell)]
    told += [f"{words}: {value}" for words, value in describe.provenance_pairs(table, provenance, language)]
    at = len(lines)
    for text in told:
        page.write_string(at, 0, safe_cell(text))
        at += 1
    for column, name in enumerate(frame.columns):
        page.write_string(at + 1, column, say(language, HEADINGS.get(name, name)), bold)
        for row, value in enumerate(frame[name], start=at + 2):
            if isinstance(value, (int, float)) and value == value:
                page.write_number(row, column, round(value, 2))
            elif value is not None and value == value:
                page.write_string(row, column, safe_cell(str(value)))
    page.set_column(0, len(frame.columns), 18)
    book.close()
    return buffer.getvalue()
