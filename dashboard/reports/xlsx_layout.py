"""Looks and measures of the workbook: formats made once, column widths, rows high enough for their text."""

from __future__ import annotations

import math
from dataclasses import dataclass

import xlsxwriter

from dashboard.reports.model import ReportTable

GREY, YELLOW, CLOSED_GREY, EDGE = "#D9D9D9", "#FFF2B3", "#A6A6A6", "#7F7F7F"
NUMBER_FORMATS = {"0": "#,##0", "0.00": "0.00", "0.0%": "0.0%"}
LABEL_WIDTH = 28  # of the first column, in characters
LINE_HEIGHT = 13  # points, of a line of 9-point text


@dataclass
class Sheet:
    """The table's sheet while it is written: where each cell and indicator stands."""

    book: xlsxwriter.Workbook
    page: xlsxwriter.worksheet.Worksheet
    table: ReportTable
    language: str
    formats: dict
    places: dict  # (row key, column key) → (row, column) on the sheet
    lines: dict  # indicator key → (row, column) of its value

    def look(self, **properties):
        """A cell format, made once."""
        key = tuple(sorted(properties.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format({"font_name": "Calibri", "font_size": 10, **properties})
        return self.formats[key]

    def boxed(self, **properties):
        """A bordered cell format."""
        return self.look(**({"border": 1, "border_color": EDGE, "valign": "vcenter"} | properties))

    @property
    def last(self) -> int:
        """Index of the last column of the table."""
        return len(self.table.columns)

    @property
    def column_width(self) -> int:
        """Width of a figure's column in characters: narrow tables are spread out, wide ones stay readable."""
        return max(11, min(22, 84 // self.last))

    def fit(self, row: int, text: str, first: int, last: int, least: int = 16) -> None:
        """Make a row high enough for a text that is merged over some columns."""
        width = sum(LABEL_WIDTH if column == 0 else self.column_width for column in range(first, last + 1))
        self.page.set_row(row, max(least, height_of(text, width)))


def height_of(text: str, width: float) -> float:
    """Height in points of a row in which a text wraps.

    Parameters
    ----------
    text : str
    width : float
        Of the column, in characters.
    """
    return 4 + LINE_HEIGHT * max(1, math.ceil(len(text) / (width * 1.05)))


def merge(page, first_row: int, first_column: int, last_row: int, last_column: int, text: str, look) -> None:
    """Write a text into a range, merged where it has more than one cell."""
    if (first_row, first_column) == (last_row, last_column):
        page.write_string(first_row, first_column, text, look)
    else:
        page.merge_range(first_row, first_column, last_row, last_column, text, look)
