"""One file of a register, read: original text beside typed values, row by row.

The original text stays beside the values so that a message can show the cell as the office wrote it, and so
that a refused row can go back unchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from data.columns import Column
from data.files.assumptions import DateColumn, Remark, decide_dates, decide_scale, entry_dates
from data.files.cells import ParsedColumn, is_null, parse_column
from data.files.dates import DATE_ORDERS, read_date
from data.files.mapping import TABLES, Mapping, shipped_mappings
from data.files.matching import Match, detect_mapping, detect_table, known_headers, match_headers, translate
from data.files.reading import Guess, Reading
from data.files.tables import read_text_table
from data.files.text_table import TextTable, header_key

CODE_LENGTH = 32  # characters of a programme's code in the store


@dataclass(frozen=True)
class Source:
    """A file to import: what it holds, its name as the user knows it, and its bytes.

    Parameters
    ----------
    table : {"students", "terms", "outcomes", "consents"}
        What the file holds.
    name : str
        File name, without folders.
    data : bytes
        The file.
    reading : Reading
        How the office says that it is to be read; what it does not say is decided by the file.
    """

    table: str
    name: str
    data: bytes
    reading: Reading = Reading()

    def __post_init__(self):
        if self.table not in TABLES:
            raise ValueError(f"table must be one of {', '.join(TABLES)}, got {self.table!r}")

    @classmethod
    def from_path(cls, table: str, path: str | Path, reading: Reading = Reading()) -> Source:
        """The file at ``path``."""
        return cls(table, Path(path).name, Path(path).read_bytes(), reading)

    @property
    def sha256(self) -> str:
        """Hash of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class ParsedTable:
    """A file after reading.

    Parameters
    ----------
    table, file : str
        What it holds; its name.
    match : Match
        Which header gives which column.
    text : TextTable
        The file as text.
    raw : pandas.DataFrame of str
        The cells of the matched columns as written; index ``row``.
    values : pandas.DataFrame
        The same cells typed; missing where empty or unreadable.
    unreadable : pandas.DataFrame of bool
        Cells that hold something which could not be read.
    expected : dict of str to str
        Column → what a cell should look like.
    guesses : tuple of Guess
        What was decided in reading the file, to be confirmed or changed by the office.
    remarks : tuple of Remark
        Rules that the reading found broken.
    """

    table: str
    file: str
    match: Match
    text: TextTable
    raw: pd.DataFrame
    values: pd.DataFrame
    unreadable: pd.DataFrame
    expected: dict[str, str]
    guesses: tuple[Guess, ...] = ()
    remarks: tuple[Remark, ...] = ()

    def header(self, column: str) -> str:
        """The header of a column as the file writes it, or the column's own name."""
        return self.match.headers.get(column, column)


def read_source(
    source: Source, *, mapping: Mapping | None = None, remembered: Sequence[Mapping] = ()
) -> ParsedTable:
    """Read and type one file.

    Parameters
    ----------
    source : Source
        The file.
    mapping : Mapping, optional
        Used whatever the headers say; columns it does not name are looked up in the shipped ones.
    remembered : sequence of Mapping
        Preferred to the shipped ones when the best one is detected.

    Raises
    ------
    data.files.text_files.TableError
        When the file is no table.
    """
    text, match = match_source(source, mapping=mapping, remembered=remembered)
    others = (*remembered, *shipped_mappings())
    return parse_table(text, match, [other for other in others if other is not match.mapping], source.reading)


def match_source(
    source: Source,
    *,
    mapping: Mapping | None = None,
    remembered: Sequence[Mapping] = (),
    limit: int | None = None,
) -> tuple[TextTable, Match]:
    """The cells of a file as text, at most ``limit`` rows of them, and which header gives which column.

    The other parameters and what is raised are those of :func:`read_source`.
    """
    others = (*remembered, *shipped_mappings())
    known = known_headers(source.table, others if mapping is None else (mapping, *others))
    text = read_text_table(source.data, source.name, reading=source.reading, known=known, limit=limit)
    headers = list(text.frame.columns)
    if mapping is None:
        return text, detect_mapping(headers, source.table, others)
    return text, match_headers(headers, source.table, mapping, others)


def guess_table(name: str, data: bytes, *, remembered: Sequence[Mapping] = ()) -> str | None:
    """Which table a file holds, by its headers; None when it is none of them.

    Parameters
    ----------
    name, data : str, bytes
        The file.
    remembered : sequence of Mapping
        The office's own mappings.

    Raises
    ------
    data.files.text_files.TableError
        When the file is no table.
    """
    mappings = (*remembered, *shipped_mappings())
    known = frozenset().union(*(known_headers(table, mappings) for table in TABLES))
    text = read_text_table(data, name, known=known, limit=100)
    return detect_table(list(text.frame.columns), mappings)


def parse_table(
    text: TextTable, match: Match, others: Sequence[Mapping] = (), reading: Reading = Reading()
) -> ParsedTable:
    """Type every matched column of a text table, columns of dates and shares by what they show as a whole."""
    translated = translate(text.frame, match, others)
    scales = {}
    for mapping in (*reversed(others), match.mapping):
        scales |= mapping.table(match.table).scale
    columns = {column.name: column for column in TABLES[match.table] if column.name in translated}
    days = decide_dates(
        {name: translated[name] for name, column in columns.items() if _holds_dates(column)},
        match.headers,
        text.true_dates,
        reading,
        match.mapping.date_order,
        text.where,
    )
    guesses = [*text.guesses, *(guess for day in days.values() for guess in day.guesses)]
    remarks = [remark for day in days.values() for remark in day.remarks]
    parsed: dict[str, ParsedColumn] = {}
    for name, column in columns.items():
        cells, scale = translated[name], scales.get(header_key(match.headers[name]), 1.0)
        if name == "birth_year":
            cells = _years_of_dates(cells)
        if name == "cohort_term":
            guesses += entry_dates(cells, match.headers[name])
        if column.kind == "number" and column.high == 1 and scale in (1.0, 0.01):
            scale, assumed, found = decide_scale(cells, name, match.headers[name], scale, reading)
            guesses, remarks = guesses + assumed, remarks + found
        day = days.get(name, DateColumn(cells, match.mapping.date_order))
        parsed[name] = parse_column(
            day.cells, column, decimal=text.decimal, date_order=day.order, scale=scale
        )
        remarks += _cell_remarks(name, parsed[name])
        if day.against:
            parsed[name] = replace(parsed[name], expected=day.against)
        elif name == "birth_year":
            parsed[name] = replace(parsed[name], expected="a year or a date of birth")
    index = text.frame.index
    values = pd.DataFrame({name: column.values for name, column in parsed.items()}, index=index)
    values, shortened = _with_short_codes(values, match, others)
    names = values.get("program_name", values.get("program_code"))
    if names is not None and "degree_level" not in values:
        values["degree_level"] = _levels_of_names(names)
    raw = pd.DataFrame({name: text.frame[header] for name, header in match.headers.items()}, index=index)
    return ParsedTable(
        match.table,
        text.name,
        match,
        text,
        raw,
        values,
        pd.DataFrame({name: column.bad for name, column in parsed.items()}, index=index, dtype=bool),
        {name: column.expected for name, column in parsed.items()},
        tuple(text.placed(guess) for guess in guesses),
        (*remarks, *shortened),
    )


def _holds_dates(column: Column) -> bool:
    return column.kind == "date" or column.name == "cohort_term"


def _cell_remarks(name: str, column: ParsedColumn) -> list[Remark]:
    """Cells whose text is not what the office wrote: errors of a spreadsheet, formulas without a result."""
    error = "a spreadsheet program shows an error here; stored as empty"
    formula = (
        "a formula without a stored result: open the file in a spreadsheet program, save it, import it again"
    )
    found = (("REC120", column.errors, error), ("REC022", column.formulas, formula))
    return [Remark(rule, name, mask.index[mask], message) for rule, mask, message in found if mask.any()]


def _with_short_codes(
    values: pd.DataFrame, match: Match, others: Sequence[Mapping]
) -> tuple[pd.DataFrame, list[Remark]]:
    """Programme names that serve as codes and are longer than a code may be, shortened always alike."""
    if "program_code" not in values:
        return values, []
    long = (values["program_code"].str.len() > CODE_LENGTH).fillna(False).astype(bool)
    named = [one.table(match.table).columns.get("program_name", ()) for one in (match.mapping, *others)]
    by_name = header_key(match.headers["program_code"]) in {header_key(name) for own in named for name in own}
    if not long.any() or not by_name:
        return values, []
    whole = values.get("program_name", pd.Series(pd.NA, index=values.index, dtype="str"))
    short = {name: _short_code(name) for name in values.loc[long, "program_code"].unique()}
    values = values.assign(
        program_name=whole.fillna(values["program_code"]).astype("str"),
        program_code=values["program_code"].replace(short).astype("str"),
    )
    codes = ", ".join(f"{code!r} for {name!r}" for name, code in short.items())
    message = (
        "there is no column for the programme's code, so the name serves as one; names longer than "
        f"{CODE_LENGTH} characters are shortened: {codes}"
    )
    return values, [Remark("REC122", "program_code", None, message)]


def _short_code(name: str) -> str:
    mark = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: CODE_LENGTH - 7].rstrip()}-{mark}"


def _levels_of_names(names: pd.Series) -> pd.Series:
    """Degree levels of programme names such as "S1 Teknik Informatika"; missing where the name has none."""
    level = names.str.extract(r"^(S-?[123]|D-?(?:III|IV|[34]))\b", expand=False)
    roman = {"DIII": "D3", "DIV": "D4"}
    return level.str.replace("-", "").replace(roman)


def _years_of_dates(cells: pd.Series) -> pd.Series:
    """Dates of birth → years: the day and month are nobody's business here, nor is their order."""
    return cells.map({text: _year(text) for text in cells.unique()}).astype("str")


def _year(text: str) -> str:
    if is_null(text) or text.isdigit():
        return text
    for order in DATE_ORDERS:
        try:
            return str(read_date(text, order).year)
        except ValueError:
            continue
    return text
