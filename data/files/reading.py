"""What is assumed in reading a file, and what the office says about it: guesses and choices."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

OPTIONS = {
    "date_order": ("dmy", "mdy"),
    "true_dates": ("stored", "swapped"),
    "attendance": ("percent", "fraction"),
    "empty_terms": ("none", "leave", "inactive"),
    "hidden_rows": ("read", "left"),
    "hidden_columns": ("read", "left"),
}
SETTINGS = (*OPTIONS, "encoding")


class ReadingError(ValueError):
    """A choice that names no setting, no value of it or no table; the message says what there is."""


@dataclass(frozen=True)
class Reading:
    """How the office says one file is to be read; what is empty is decided by the file itself.

    Parameters
    ----------
    date_order : {"", "dmy", "mdy"}
        Order of dates such as 03/04/2024.
    true_dates : {"", "stored", "swapped"}
        Whether the true dates of a spreadsheet column that looks exchanged hold day and month as stored, or
        the other way round.
    attendance : {"", "percent", "fraction"}
        Scale of attendance without a percent sign.
    empty_terms : {"", "none", "leave", "inactive"}
        What a term without average and credits was, in a file that does not tell the status of terms: nothing
        that is told (0 credits: active; empty cells: no row), a leave, or a term without registration.
    hidden_rows, hidden_columns : {"", "read", "left"}
        Whether hidden rows and columns of a workbook are read.
    encoding : str
        Name of the text encoding of a CSV file.
    sheets : tuple of str
        Sheets of a workbook to read, one after the other.
    """

    date_order: str = ""
    true_dates: str = ""
    attendance: str = ""
    empty_terms: str = ""
    hidden_rows: str = ""
    hidden_columns: str = ""
    encoding: str = ""
    sheets: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "sheets", tuple(self.sheets))
        for setting, options in OPTIONS.items():
            value = getattr(self, setting)
            if value and value not in options:
                raise ReadingError(f"{setting} must be one of {', '.join(options)}, got {value!r}")
        if self.encoding and not _is_text_encoding(self.encoding):
            raise ReadingError(f"encoding must name a text encoding such as cp1252, got {self.encoding!r}")

    def to_dict(self) -> dict:
        """Plain values, for JSON; ``Reading(**values)`` reads them back."""
        return asdict(self) | {"sheets": list(self.sheets)}


@dataclass(frozen=True)
class Guess:
    """Something that a file does not say and that was decided in reading it.

    Parameters
    ----------
    what : str
        "date_order", "true_dates", "attendance", "empty_terms", "zero" (averages of 0), "encoding", "sheets",
        "entry_date", "hidden_rows", "hidden_columns" or "hidden" (nothing can tell).
    value : str
        What was assumed, e.g. "dmy"; sheets by name, joined with ", ".
    column : str
        Header that it is about; empty for the whole file.
    row : int or None
        Row of a cell that shows it, as a spreadsheet numbers rows.
    cell : str
        That cell as written; of what is hidden, its rows or columns; of empty terms and zeros, how many.
    sheet : str
        The sheet of that row, where several are read.
    shown_by : str
        Header of the column that decided, when it is another one.
    proven : bool
        Whether the file itself leaves no other reading.
    """

    what: str
    value: str
    column: str = ""
    row: int | None = None
    cell: str = ""
    sheet: str = ""
    shown_by: str = ""
    proven: bool = False

    @property
    def settings(self) -> tuple[str, ...]:
        """What the office can say to change it, as ``setting=value``; empty when nothing can be said."""
        if self.what == "encoding":
            return ("encoding=NAME",)
        return tuple(f"{self.what}={option}" for option in OPTIONS.get(self.what, ()) if option != self.value)


def is_about_reading(text: str) -> bool:
    """Whether a ``--set`` says how files are read: ``date_order=mdy``, ``terms.attendance=fraction``."""
    return text.partition("=")[0].strip().rpartition(".")[2] in SETTINGS and "=" in text


def readings_from_texts(texts: Sequence[str], tables: Sequence[str], sheets: Sequence[str] = ()):
    """Reading by table from ``setting=value`` or ``table.setting=value``; what names no table holds for all.

    Parameters
    ----------
    texts : sequence of str
        E.g. ``["date_order=mdy", "terms.attendance=fraction"]``.
    tables : sequence of str
        The tables that are read.
    sheets : sequence of str
        Names of sheets, as ``NAME`` or ``table:NAME``.

    Returns
    -------
    dict of str to Reading

    Raises
    ------
    ReadingError
        For a setting, value or table that does not exist.
    """
    found = {table: Reading() for table in tables}
    for text in texts:
        key, _, value = text.partition("=")
        table, dot, setting = key.strip().rpartition(".")
        if not is_about_reading(text):
            raise ReadingError(f"a choice is {' or '.join(f'{name}=…' for name in SETTINGS)}, got {text!r}")
        if dot and table not in found:
            raise ReadingError(f"{text!r} is about {table!r}; the files are {', '.join(tables)}")
        for name in (table,) if dot else tables:
            found[name] = replace(found[name], **{setting: value.strip()})
    for text in sheets:
        table, colon, name = text.partition(":")
        about = (table,) if colon and table in found else tables
        for one in about:
            found[one] = replace(found[one], sheets=(*found[one].sheets, name if about == (table,) else text))
    return found


def _is_text_encoding(name: str) -> bool:
    try:
        found = codecs.lookup(name)
    except LookupError:
        return False
    return getattr(found, "_is_text_encoding", True)
