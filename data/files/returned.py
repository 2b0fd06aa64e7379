"""Refused rows, given back: the original columns, the row number and every reason."""

from __future__ import annotations

import csv
import io
from pathlib import PurePath

import pandas as pd

from data.files.matching import RETURNED_COLUMNS
from data.files.register_files import ParsedTable
from data.files.safe_cells import safe_cell


def returned_rows(parsed: ParsedTable, found: pd.DataFrame) -> pd.DataFrame:
    """The rows of a file that hold an error.

    Returns
    -------
    pandas.DataFrame of str
        The file's own columns and cells, then :data:`data.files.matching.RETURNED_COLUMNS`.
    """
    errors = found[(found["severity"] == "error") & (found["file"] == parsed.file) & found["row"].notna()]
    cells = errors["column"].where(errors["column"] == "", errors["column"] + ": ")
    reasons = (errors["rule"] + " " + cells + errors["message"]).groupby(errors["row"].astype("int64"))
    joined = reasons.agg("; ".join)
    rows = parsed.text.own_rows.loc[joined.index]
    row_column, reason_column = RETURNED_COLUMNS
    own = rows.drop(columns=[name for name in RETURNED_COLUMNS if name in rows])
    places = [parsed.text.place(row) for row in joined.index]
    several = len(parsed.text.sheets) > 1
    numbers = [f"{sheet}!{row}" if several else str(row) for sheet, row in places]
    return own.assign(**{row_column: numbers, reason_column: joined})


def returned_csv(rows: pd.DataFrame, delimiter: str = ";") -> bytes:
    """Refused rows as CSV in UTF-8 with a byte order mark, which spreadsheet programs open as it is."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter or ";", lineterminator="\r\n")
    writer.writerow([safe_cell(str(name)) for name in rows.columns])
    for row in rows.fillna("").itertuples(index=False):
        writer.writerow([safe_cell(str(cell)) for cell in row])
    return buffer.getvalue().encode("utf-8-sig")


def returned_workbook(returned: dict[str, pd.DataFrame]) -> bytes:
    """Refused rows as one XLSX workbook, a sheet per table, every cell as text."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        text = book.add_format({"num_format": "@"})
        bold = book.add_format({"bold": True})
        for table, rows in returned.items():
            sheet = book.add_worksheet(table)
            sheet.freeze_panes(1, 0)
            for position, name in enumerate(rows.columns):
                sheet.write_string(0, position, safe_cell(str(name)), bold)
            for number, row in enumerate(rows.fillna("").itertuples(index=False), start=1):
                for position, cell in enumerate(row):
                    sheet.write_string(number, position, safe_cell(str(cell)), text)
            sheet.autofit()
    return buffer.getvalue()


def returned_files(returned: dict[str, pd.DataFrame], name: str) -> dict[str, bytes]:
    """Refused rows as files.

    Parameters
    ----------
    returned : dict of str to DataFrame
        Table → rows, as in ``ImportPlan.returned``.
    name : str
        Wanted file name. ``.xlsx`` gives one workbook with a sheet per table; anything else CSV, with the
        table's name added when there are several.

    Returns
    -------
    dict of str to bytes
        File name → contents; empty when nothing was refused.
    """
    if not returned:
        return {}
    path = PurePath(name)
    if path.suffix.lower() == ".xlsx":
        return {path.name: returned_workbook(returned)}
    if len(returned) == 1:
        return {path.name: returned_csv(next(iter(returned.values())))}
    return {f"{path.stem}-{table}{path.suffix}": returned_csv(rows) for table, rows in returned.items()}
