"""Frames as files that open safely elsewhere: CSV and XLSX with their provenance, small cells hidden."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import date
from math import isnan

import pandas as pd

from dashboard.reports.language import whole_number
from dashboard.reports.provenance import Provenance, local_time
from dashboard.reports.words import moment_words, say
from dashboard.shell.wording import EMPTY, Words
from data.engine.clock import now
from data.files.safe_cells import safe_cell, safe_frame
from data.trust.small_cells import MARK, THRESHOLD

MIME = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, kw_only=True)
class TableProvenance(Provenance):
    """What the file of a page's table says further: who made it, and what the numbers rest on.

    Parameters
    ----------
    words : Words
        Language of the file.
    about_people : bool
        Whether a row is about one person: the file then bears a line of confidentiality.
    mixed : bool
        Whether generated people stand beside imported records; the file says so.
    role : str
        Role of the person who made it; never a name.
    data_version, model_version : str or None
        What the numbers rest on.
    filters : dict of str to str
        What the page was filtered by.
    """

    words: Words
    role: str
    data_version: str
    model_version: str | None = None
    filters: dict[str, str] = field(default_factory=dict)
    mixed: bool = False
    about_people: bool = True

    @property
    def notice(self) -> str:
        """What a file says of itself in capitals: that its data are not, or not all, real, and that it is
        confidential; empty for counts of real data."""
        told = []
        if self.synthetic or self.mixed:
            told.append(self.words("app.synthetic" if self.synthetic else "app.mixed").upper())
        if self.about_people:
            told.append(say(self.words.language, "confidential_people"))
        return " · ".join(told)

    def rows(self, n_rows: int) -> list[tuple[str, str]]:
        """Name and value of each line of the provenance sheet."""
        words = self.words
        made = local_time(now().isoformat(), self.time_zone)
        lines = [(words("export.made_at"), moment_words(made, words.language))]
        if self.notice:
            lines.insert(0, (words("export.notice"), self.notice))
        lines += [
            (words("export.made_by"), words.named("role", self.role)),
            (words("export.data_version"), self.data_version),
            (words("export.model_version"), self.model_version or EMPTY),
            (words("export.software"), self.software),
            (words("export.rows"), str(n_rows)),
        ]
        lines += [(f"{words('export.filters')}: {key}", value) for key, value in self.filters.items()]
        return lines


def file_name(name: str, kind: str, *, synthetic: bool, on: date) -> str:
    """File name with the day, and with "synthetic" where the data are.

    Parameters
    ----------
    name, kind : str
    synthetic : bool
    on : date
        The day on the institution's clock.
    """
    mark = "_synthetic" if synthetic else ""
    return f"tepat_{name}{mark}_{on:%Y%m%d}.{kind}"


def to_bytes(frame: pd.DataFrame, kind: str, provenance: TableProvenance) -> bytes:
    """The file's content.

    Raises
    ------
    ValueError
        If ``kind`` is neither "csv" nor "xlsx".
    """
    if kind == "csv":
        return _csv(safe_frame(as_written(frame)), provenance)
    if kind == "xlsx":
        return _xlsx(safe_frame(as_written(frame)), provenance)
    raise ValueError(f"kind must be one of {', '.join(MIME)}, got {kind!r}")


def as_written(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy whose counts are whole numbers, and whose moments are told to the second.

    A column of counts in which one is missing or hidden holds floats; nobody writes 18.0 students.
    """
    told = frame.copy()
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if pd.api.types.is_datetime64_any_dtype(column):
            told.isetitem(place, column.dt.floor("s"))
        elif (pd.api.types.is_float_dtype(column) or column.dtype == object) and _whole(column):
            cells = [None if _nan(value) else whole_number(value) for value in column]
            told.isetitem(place, pd.Series(cells, index=column.index, dtype=object))
    return told


def _whole(column: pd.Series) -> bool:
    """Whether all floats of a column, perhaps among marks and texts, are whole."""
    return all(one.is_integer() for one in column if isinstance(one, float) and not _nan(one))


def _nan(value: object) -> bool:
    return isinstance(value, float) and isnan(value)


def _csv(frame: pd.DataFrame, provenance: TableProvenance) -> bytes:
    if provenance.notice:
        frame = frame.assign(**{provenance.words("export.notice"): provenance.notice})
    return ("\ufeff" + frame.to_csv(index=False, lineterminator="\n")).encode()


def _xlsx(frame: pd.DataFrame, provenance: TableProvenance) -> bytes:
    words = provenance.words
    buffer = io.BytesIO()
    # In memory, or each sheet lies in a temporary file for a moment, with whatever names it holds.
    options = {
        "options": {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "nan_inf_to_errors": False,
        }
    }
    with pd.ExcelWriter(buffer, engine="xlsxwriter", engine_kwargs=options) as writer:
        first = 2 if provenance.notice else 0
        frame.to_excel(writer, sheet_name=words("export.sheet"), index=False, startrow=first)
        sheet, bold = writer.sheets[words("export.sheet")], writer.book.add_format({"bold": True})
        if provenance.notice:
            sheet.write(0, 0, provenance.notice, bold)
        sheet.freeze_panes(first + 1, 0)
        for place, column in enumerate(frame.columns):
            shown = frame.iloc[:200, place].dropna()  # a column may hold nothing at all
            longest = max((len(str(cell)) for cell in shown), default=8)
            sheet.set_column(place, place, min(max(longest, len(column), 8) + 2, 48))
        if len(frame):
            sheet.autofilter(first, 0, first + len(frame), max(len(frame.columns) - 1, 0))
        about = writer.book.add_worksheet(words("export.provenance"))
        lines = provenance.rows(len(frame))
        if (frame == MARK).any(axis=None):
            lines.append((MARK, words("export.suppressed_note", minimum=THRESHOLD)))
        for place, (key, value) in enumerate(lines):
            about.write_string(place, 0, safe_cell(key), bold)
            about.write_string(place, 1, safe_cell(value))
        about.set_column(0, 0, 30)
        about.set_column(1, 1, 70)
    return buffer.getvalue()
