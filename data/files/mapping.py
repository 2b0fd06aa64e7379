"""How an office names its columns and codes: mappings, shipped (``data/mappings/*.toml``) or its own.

:mod:`data.files.matching` applies a mapping to a file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path

from data.columns import (
    ALL_PURPOSES,
    CONSENT_COLUMNS,
    CONSENT_PURPOSES,
    GRADE_COLUMNS,
    OUTCOME_COLUMNS,
    STUDENT_COLUMNS,
    TERM_COLUMNS,
    Column,
)
from data.files.dates import DATE_ORDERS
from data.files.mapping_shape import MappingError, check_shape
from data.files.text_table import cell_key, header_key

MAX_BYTES = 2**20  # of a mapping file; those that ship have a hundredth
FOLDER = Path(__file__).parent.parent / "mappings"
SHIPPED = ("siakad", "pddikti", "english", "epsbed")
# What a term average of 0 says: no grade yet, everything failed, a leave, or a term without registration.
ZERO_MEANINGS = ("empty", "grade", "leave", "inactive")
TABLES: dict[str, tuple[Column, ...]] = {
    "students": STUDENT_COLUMNS,
    "terms": TERM_COLUMNS,
    "grades": GRADE_COLUMNS,
    "outcomes": OUTCOME_COLUMNS,
    "consents": CONSENT_COLUMNS,
}
BY_TERM = ("terms", "grades")  # tables whose rows stand in a term, perhaps told by the student's own count
# Beside the required columns a file of consents needs one of each line.
_CONSENTS_NEED = (
    ("purpose", *CONSENT_PURPOSES, *(f"{purpose}_on" for purpose in CONSENT_PURPOSES)),
    ("decision", "granted_on", "withdrawn_on", *CONSENT_PURPOSES),
    ("decided_on", "granted_on", "withdrawn_on", *(f"{purpose}_on" for purpose in CONSENT_PURPOSES)),
)


@dataclass(frozen=True)
class TableMapping:
    """How one table's headers and values are named.

    Parameters
    ----------
    columns : dict of str to tuple of str
        Column → the headers it may have, best first.
    values : dict of str to dict of str to str
        Column → cell as written → value; ``""`` is "nothing".
    scale : dict of str to float
        Header → factor of its numbers.
    join : dict of str to tuple of tuple of str
        Column → headers whose cells only together make a value.
    chosen : dict of str to str
        Header → column, tied by hand; ``""`` ignores the header. Comes before everything else.
    fixed : dict of str to str
        Column → what every row says where the file has no such column, as a cell would say it.
    meanings : dict of str to dict of str to str
        Header → cell as written → value; for columns of codes. Comes before ``values``.
    unneeded : tuple of str
        Headers that are understood and have no column here.
    zero : str
        One of :data:`ZERO_MEANINGS`, for terms told in columns; empty: not said yet.
    """

    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    scale: dict[str, float] = field(default_factory=dict)
    join: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)
    meanings: dict[str, dict[str, str]] = field(default_factory=dict)
    unneeded: tuple[str, ...] = ()
    zero: str = ""


@dataclass(frozen=True)
class Mapping:
    """A named mapping of the tables; ``lends`` says whether its words serve the files of others."""

    name: str
    title: str
    date_order: str = "dmy"
    tables: dict[str, TableMapping] = field(default_factory=dict)
    lends: bool = True

    def table(self, table: str) -> TableMapping:
        """The part for one table; an empty one when the mapping says nothing about it."""
        return self.tables.get(table, TableMapping())

    def words(self, table: str, column: Column) -> dict[str, str]:
        """The words for the values of a column, by :func:`data.files.text_table.header_key`."""
        shared = self.table("consents").values.get(column.words, {}) if column.words else {}
        return {**shared, **self.table(table).values.get(column.name, {})}

    def with_chosen(self, table: str, chosen: dict[str, str]) -> Mapping:
        """This mapping with headers of one table tied by hand: header → column, or ``""`` to ignore it."""
        part = replace(self.table(table), chosen=dict(chosen))
        return replace(self, tables={**self.tables, table: part})


def missing_columns(table: str, given: Collection[str]) -> tuple[str, ...]:
    """Columns that a file of ``table`` cannot do without and that are not among ``given``."""
    missing = [column.name for column in TABLES[table] if column.required and column.name not in given]
    if table in BY_TERM and "term_index" in given:  # the student's own semester number places the term
        missing = [name for name in missing if name != "term_id"]
    if table == "grades" and not {"grade", "grade_points", "score"} & set(given):
        missing.append("grade")
    if table == "consents":
        missing += [needed[0] for needed in _CONSENTS_NEED if not set(needed) & set(given)]
    return tuple(missing)


def load_mapping(source: str | Path | bytes) -> Mapping:
    """Read a mapping from a TOML file, its bytes, or the name of a shipped one.

    Raises
    ------
    MappingError
        When the text is no TOML or too long, names an unknown table, column or date order, or holds something
        of another kind than belongs there.
    """
    if isinstance(source, str) and source in SHIPPED:
        return shipped_mappings()[SHIPPED.index(source)]
    name = "mapping" if isinstance(source, bytes) else Path(source).stem
    text = source if isinstance(source, bytes) else Path(source).read_bytes()
    if len(text) > MAX_BYTES:
        raise MappingError(f"mapping {name}: {len(text):,} bytes; a mapping has at most {MAX_BYTES:,}")
    try:
        raw = tomllib.loads(text.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise MappingError(f"mapping {name}: not a TOML file in UTF-8: {error}") from error
    return mapping_from_dict({"name": name, **raw})


@lru_cache
def shipped_mappings() -> tuple[Mapping, ...]:
    """The mappings that come with the software, in order of preference when headers tie."""
    return tuple(load_mapping(FOLDER / f"{name}.toml") for name in SHIPPED)


def mapping_from_dict(raw: dict) -> Mapping:
    """A mapping from plain values, as in TOML or JSON; ``extends`` names a shipped mapping to build on."""
    if not isinstance(raw.get("tables", {}), dict):
        raise MappingError(f"tables must hold a part for each of {', '.join(TABLES)}")
    raw = {**raw, **raw.get("tables", {})}
    check_shape(raw, TABLES)
    base = load_mapping(raw["extends"]) if raw.get("extends") in SHIPPED else None
    if raw.get("extends") and base is None:
        raise MappingError(f"extends must be one of {', '.join(SHIPPED)}, got {raw['extends']!r}")
    order = raw.get("date_order", base.date_order if base else "dmy")
    if order not in DATE_ORDERS:
        raise MappingError(f"date_order must be one of {', '.join(DATE_ORDERS)}, got {order!r}")
    allowed = {"name", "title", "date_order", "extends", "tables", "lends", *TABLES}
    if strange := sorted(set(raw) - allowed):
        raise MappingError(f"unknown entries {', '.join(strange)}; allowed are {', '.join(sorted(allowed))}")
    tables = {}
    for table in TABLES:
        part = _table_from_dict(table, raw.get(table, {}))
        tables[table] = _merged(part, base.table(table)) if base else part
    return Mapping(raw["name"], raw.get("title", raw["name"]), order, tables, bool(raw.get("lends", True)))


def mapping_to_dict(mapping: Mapping) -> dict:
    """Plain values of a mapping, for JSON; :func:`mapping_from_dict` reads them back."""
    return asdict(mapping)


def _table_from_dict(table: str, raw: dict) -> TableMapping:
    names = {column.name for column in TABLES[table]}
    for part in ("columns", "values", "join", "fixed"):
        if strange := sorted(set(raw.get(part, {})) - names):
            raise MappingError(f"[{table}.{part}] names no such column: {', '.join(strange)}")
    if strange := sorted({*raw.get("chosen", {}).values()} - names - {""}):
        raise MappingError(f"[{table}.chosen] names no such column: {', '.join(strange)}")
    if strange := sorted(set(raw) - {part.name for part in fields(TableMapping)}):
        raise MappingError(f"[{table}] has unknown parts: {', '.join(strange)}")
    if raw.get("zero", "") not in ("", *ZERO_MEANINGS):
        raise MappingError(f"[{table}] zero must be one of {', '.join(ZERO_MEANINGS)}, got {raw['zero']!r}")
    columns = {
        column: (headers,) if isinstance(headers, str) else tuple(headers)
        for column, headers in raw.get("columns", {}).items()
    }
    values = {
        column: {cell_key(cell): str(value) for cell, value in pairs.items()}
        for column, pairs in raw.get("values", {}).items()
    }
    scale = {header_key(header): float(factor) for header, factor in raw.get("scale", {}).items()}
    join = {column: tuple(map(tuple, options)) for column, options in raw.get("join", {}).items()}
    _refuse_strange_values(table, values)
    return TableMapping(
        columns,
        values,
        scale,
        join,
        dict(raw.get("chosen", {})),
        {column: str(cell) for column, cell in raw.get("fixed", {}).items()},
        {
            header_key(header): {cell_key(cell): str(value) for cell, value in pairs.items()}
            for header, pairs in raw.get("meanings", {}).items()
        },
        tuple(raw.get("unneeded", ())),
        raw.get("zero", ""),
    )


def _refuse_strange_values(table: str, values: dict[str, dict[str, str]]) -> None:
    for column in TABLES[table]:
        allowed = {"", *column.allowed, *((ALL_PURPOSES,) if column.listed else ())}
        for cell, value in values.get(column.name, {}).items():
            if column.allowed and value not in allowed:
                raise MappingError(
                    f"[{table}.values.{column.name}] {cell!r} is mapped to {value!r}; "
                    f"allowed are {', '.join(column.allowed)}"
                )


def _merged(part: TableMapping, base: TableMapping) -> TableMapping:
    columns = {
        column: (*part.columns.get(column, ()), *base.columns.get(column, ()))
        for column in {**base.columns, **part.columns}
    }
    values = {
        column: {**base.values.get(column, {}), **part.values.get(column, {})}
        for column in {**base.values, **part.values}
    }
    meanings = {
        header: {**base.meanings.get(header, {}), **part.meanings.get(header, {})}
        for header in {**base.meanings, **part.meanings}
    }
    return TableMapping(
        columns,
        values,
        {**base.scale, **part.scale},
        {**base.join, **part.join},
        part.chosen,
        {**base.fixed, **part.fixed},
        meanings,
        (*base.unneeded, *part.unneeded),
        part.zero or base.zero,
    )
