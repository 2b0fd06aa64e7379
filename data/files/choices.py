"""What a person says about a file beyond its headers, on the page or by ``--set``; kept as a mapping."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from data.files.mapping import TABLES, ZERO_MEANINGS, Mapping, MappingError, TableMapping
from data.files.matching import Match
from data.files.text_table import cell_key, header_key

OWN = "own"  # name of the mapping that choices make
_AT = r"(?:(?P<table>\w+)\.)?"
_FORMS = (
    ("zero", re.compile(r"(?:terms\.)?zero=(?P<value>.*)")),
    ("fixed", re.compile(_AT + r"(?P<column>\w+):=(?P<value>.*)", re.DOTALL)),
    (
        "meaning",
        re.compile(_AT + r"(?P<column>\w+)\[(?P<cell>.*?)\]=(?P<value>.*)", re.DOTALL),
    ),
    ("ignored", re.compile(_AT + r"-=(?P<value>.+)", re.DOTALL)),
    ("header", re.compile(_AT + r"(?P<column>\w+)=(?P<value>.+)", re.DOTALL)),
)
HOW = (
    "COLUMN=HEADER, COLUMN:=VALUE for every row, COLUMN[CELL]=MEANING, -=HEADER to leave a column out, "
    "zero=empty, grade, leave or inactive; COLUMN may be TABLE.COLUMN"
)


@dataclass(frozen=True)
class Choice:
    """One thing said about the files of an import.

    Parameters
    ----------
    kind : {"header", "fixed", "meaning", "ignored", "zero"}
    value : str
        The header, the value or the answer.
    column : str
        Column of the common layout; empty for answers.
    table : str
        Where it holds; empty for every table that has the column.
    cell : str
        For a meaning, the cell as written.
    """

    kind: str
    value: str
    column: str = ""
    table: str = ""
    cell: str = ""

    def holds_in(self, table: str) -> bool:
        """Whether the choice says something about a table."""
        if self.kind == "zero":
            return table == "terms"
        named = {column.name for column in TABLES[table]}
        return self.table in ("", table) and (self.kind == "ignored" or self.column in named)


def read_choice(text: str) -> Choice:
    """One ``--set``.

    Raises
    ------
    MappingError
        When the text says none of :data:`HOW`, or names no such table, column or answer.

    Examples
    --------
    >>> read_choice("students.sex[1]=L").cell, read_choice("program_code:=55201").value
    ('1', '55201')
    """
    for kind, form in _FORMS:
        match = form.fullmatch(text.strip())
        if match is None:
            continue
        parts = {name: (said or "").strip() for name, said in match.groupdict().items()}
        choice = Choice(kind, **parts)
        _refuse_strange(choice, text)
        return choice
    raise MappingError(f"{text!r} must be {HOW}")


def _refuse_strange(choice: Choice, text: str) -> None:
    if choice.table and choice.table not in TABLES:
        raise MappingError(f"{text!r}: no such table {choice.table!r}; there are {', '.join(TABLES)}")
    tables = [choice.table] if choice.table else list(TABLES)
    if not any(choice.holds_in(table) for table in tables):
        names = sorted({column.name for table in tables for column in TABLES[table]})
        raise MappingError(f"{text!r}: no such column {choice.column!r}; there are {', '.join(names)}")
    if choice.kind == "zero" and choice.value not in ZERO_MEANINGS:
        raise MappingError(f"{text!r}: zero must be {' or '.join(ZERO_MEANINGS)}")


def with_choices(matches: Sequence[Match], choices: Sequence[Choice], title: str = "own choices") -> Mapping:
    """The mapping of an import whose files were matched, with what was chosen; choices go before all else.

    Raises
    ------
    MappingError
        When a choice is about a column that no file of the import can have.
    """
    tables = {match.table: match.mapping.table(match.table) for match in matches}
    for choice in choices:
        mine = [match for match in matches if choice.holds_in(match.table)]
        if not mine:
            raise MappingError(f"{choice.column or choice.value!r} is chosen for no file of this import")
        for match in mine:
            tables[match.table] = _chosen(tables[match.table], choice, match)
    base = matches[0].mapping if matches else Mapping(OWN, title)
    return replace(base, name=OWN, title=title, tables={**base.tables, **tables}, lends=True)


def _chosen(part: TableMapping, choice: Choice, match: Match) -> TableMapping:
    if choice.kind == "zero":
        return replace(part, zero=choice.value)
    if choice.kind == "ignored":
        return replace(part, chosen={**part.chosen, choice.value: ""})
    if choice.kind == "header":
        fixed = {column: said for column, said in part.fixed.items() if column != choice.column}
        return replace(part, chosen={**part.chosen, choice.value: choice.column}, fixed=fixed)
    told = {column: header for header, column in part.chosen.items() if column}
    header = told.get(choice.column, match.headers.get(choice.column))
    if choice.kind == "fixed":  # what is said for every row goes before what a column says
        left = {} if header is None else {header: ""}
        return replace(
            part, fixed={**part.fixed, choice.column: choice.value}, chosen={**part.chosen, **left}
        )
    if header is None:
        raise MappingError(f"{choice.column}: no header gives it; choose it first, {choice.column}=HEADER")
    key = header_key(header)
    pairs = {**part.meanings.get(key, {}), cell_key(choice.cell): choice.value}
    return replace(part, meanings={**part.meanings, key: pairs})
