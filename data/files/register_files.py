"""One file of a register, read: original text beside typed values, row by row.

The original text stays beside the values so that a message can show the cell as the office wrote it, and so
that a refused row can go back unchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data.columns import DEGREE_LEVELS
from data.files import derived_cells
from data.files.cells import parse_column
from data.files.mapping import TABLES, Mapping, shipped_mappings
from data.files.matching import Match, detect_mapping, detect_table, known_headers, match_headers, translate
from data.files.tables import read_text_table
from data.files.text_table import TextTable, header_key

# How programme names begin: "S1 Fisika", "D-III Keperawatan", "Profesi Ners", "S2 Terapan Gizi".
_LEVEL = r"^(S-?[23][ -]?Terapan|S-?[123]|Sp-?[12]|D-?(?:IV|I{1,3}|[1234])|Profesi)\b"
_LEVEL_WORDS = {"di": "D1", "dii": "D2", "diii": "D3", "div": "D4"}


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
    sheet : str, optional
        Sheet of a workbook; by default the one with most known headers.
    """

    table: str
    name: str
    data: bytes
    sheet: str | None = None

    def __post_init__(self):
        if self.table not in TABLES:
            raise ValueError(f"table must be one of {', '.join(TABLES)}, got {self.table!r}")

    @classmethod
    def from_path(cls, table: str, path: str | Path, sheet: str | None = None) -> Source:
        """The file at ``path``."""
        return cls(table, Path(path).name, Path(path).read_bytes(), sheet)

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
    """

    table: str
    file: str
    match: Match
    text: TextTable
    raw: pd.DataFrame
    values: pd.DataFrame
    unreadable: pd.DataFrame
    expected: dict[str, str]

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
    return parse_table(text, match, [other for other in others if other is not match.mapping])


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
    text = read_text_table(source.data, source.name, sheet=source.sheet, known=known, limit=limit)
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


def parse_table(text: TextTable, match: Match, others: Sequence[Mapping] = ()) -> ParsedTable:
    """Type every matched column of a text table."""
    translated = translate(text.frame, match, others)
    scales = {}
    for mapping in (*reversed(others), match.mapping):
        scales |= mapping.table(match.table).scale
    values, unreadable, expected = {}, {}, {}
    for column in TABLES[match.table]:
        if column.name not in translated:
            continue
        cells = translated[column.name]
        cells = _said_otherwise(cells, column.name, match)
        parsed = parse_column(
            cells,
            column,
            decimal=text.decimal,
            date_order=match.mapping.date_order,
            scale=scales.get(header_key(match.headers.get(column.name, "")), 1.0),
        )
        values[column.name] = parsed.values
        unreadable[column.name] = parsed.bad
        expected[column.name] = parsed.expected
    index = text.frame.index
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
        pd.DataFrame(values, index=index),
        pd.DataFrame(unreadable, index=index, dtype=bool),
        expected,
    )


def _levels_of_names(names: pd.Series) -> pd.Series:
    """Degree levels of programme names such as "S1 Teknik Informatika"; missing where the name has none."""
    words = {header_key(word): word for word in DEGREE_LEVELS} | _LEVEL_WORDS
    return names.str.extract(_LEVEL, expand=False).map(header_key, na_action="ignore").map(words)


def _said_otherwise(cells: pd.Series, column: str, match: Match) -> pd.Series:
    """The cells of a column that offices fill with other words for it, as the column's own."""
    if column == "birth_year":
        return derived_cells.birth_years(cells, match.mapping.date_order)
    if column == "cohort_term":
        return derived_cells.entry_terms(cells, match.mapping.date_order)
    if column == "exit_term":
        return derived_cells.exit_years(cells)
    return derived_cells.regions(cells, match.headers.get(column, "")) if column == "region" else cells
