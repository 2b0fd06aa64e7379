"""Which header of a file gives which column, to be corrected on the page. No Streamlit here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace

from dashboard.importing.plan import UploadedFile
from data.files.choices import OWN
from data.files.mapping import TABLES, Mapping, TableMapping, missing_columns, shipped_mappings
from data.files.matching import Match, graduation_header, strange_cells
from data.files.reading import Reading
from data.files.register_files import REGISTER, Source, match_source
from data.files.tables import TableError
from data.files.text_table import cell_key, header_key
from data.records.ingest import remembered_mappings
from data.store import Store

LOOKED_AT = 2_000  # rows read to know a file's headers and its codes
MOST_CODES = 24  # different cells of a column that are asked about
SAMPLES = 3
IGNORED = ""


@dataclass(frozen=True)
class FileColumns:
    """The headers of one file.

    Parameters
    ----------
    table : str
        One of :data:`data.files.mapping.TABLES`.
    headers : tuple of str
        In the order of the file, without those that are never stored.
    samples : dict of str to tuple of str
        Header → its first different cells.
    match : Match
        What was detected, or what the chosen layout says.
    cells : dict of str to tuple of str
        Header → its different cells, as far as they are looked at.
    zeros : int
        Term averages of 0 of which nobody has said yet what they mean.
    others : tuple of Mapping
        Lend their words to the match's own mapping.
    """

    table: str
    headers: tuple[str, ...]
    samples: dict[str, tuple[str, ...]]
    match: Match
    cells: dict[str, tuple[str, ...]] = field(default_factory=dict)
    zeros: int = 0
    others: tuple[Mapping, ...] = ()

    @property
    def given(self) -> dict[str, str]:
        """Header → column, or :data:`IGNORED`."""
        columns = {header: column for column, header in self.match.headers.items()}
        return {header: columns.get(header, IGNORED) for header in self.headers}

    @property
    def fixed(self) -> dict[str, str]:
        """Column → what the layout says for every row."""
        return self.match.mapping.table(self.table).fixed

    @property
    def options(self) -> tuple[str, ...]:
        """What a header may mean."""
        return (IGNORED, *(column.name for column in TABLES[self.table]))

    def strange(self, chosen: Dict[str, str]) -> dict[str, tuple[str, ...]]:
        """Header → cells that mean none of the values of the column that the header is chosen for."""
        headers = {column: header for header, column in chosen.items() if column != IGNORED}
        match = replace(self.match, headers=headers)
        found = {
            header: strange_cells(self.cells.get(header, ()), column, match, self.others)
            for column, header in headers.items()
        }
        return {header: cells[:MOST_CODES] for header, cells in found.items() if cells}


@dataclass(frozen=True)
class Said:
    """What a reader says of one table beyond the meaning of its headers.

    Parameters
    ----------
    fixed : dict of str to str
        Column → what every row says.
    meanings : dict of str to dict of str to str
        Header → cell → value; ``""`` is "nothing".
    zero : str
        One of :data:`data.files.mapping.ZERO_MEANINGS`, or empty.
    """

    fixed: dict[str, str] = field(default_factory=dict)
    meanings: dict[str, dict[str, str]] = field(default_factory=dict)
    zero: str = ""

    def __bool__(self) -> bool:
        return bool(self.fixed or self.meanings or self.zero)


def tables_of_kind(kind: str) -> tuple[str, ...]:
    """The tables whose columns are shown for a file of this kind."""
    return REGISTER if kind == "register" else (kind,) if kind in TABLES else ()


def read_columns(
    store: Store, file: UploadedFile, table: str, mapping: Mapping | None, reading: Reading = Reading()
) -> FileColumns | None:
    """The headers of a file and what they mean; None when it is no table."""
    remembered = remembered_mappings(store)
    source = Source(table, file.name, file.data, reading)
    try:
        text, match = match_source(source, mapping=mapping, remembered=remembered, limit=LOOKED_AT)
    except TableError:
        return None
    headers = tuple(header for header in text.frame.columns if header not in match.left_out)
    samples = {header: _samples(text.frame[header]) for header in headers}
    cells = {header: tuple(text.frame[header].fillna("").unique()) for header in headers}
    others = tuple(one for one in (*remembered, *shipped_mappings()) if one is not match.mapping)
    return FileColumns(table, headers, samples, match, cells, text.zeros, others)


def own_mapping(
    files: Sequence[FileColumns],
    chosen: Dict[str, Dict[str, str]],
    title: str,
    said: Dict[str, Said] | None = None,
) -> Mapping | None:
    """The mapping with every choice made by hand; None when nothing differs from what was detected.

    Parameters
    ----------
    files : sequence of FileColumns
        At most one per table.
    chosen : mapping of str to mapping of str to str
        Table → header → column, or :data:`IGNORED`.
    title : str
        Shown where layouts are listed.
    said : mapping of str to Said, optional
        Table → what was said beside.
    """
    said = said or {}
    if all(chosen[file.table] == file.given for file in files) and not any(said.values()):
        return None
    tables = {
        file.table: _own_table(file, chosen[file.table], said.get(file.table, Said())) for file in files
    }
    return replace(files[0].match.mapping, name=OWN, title=title, tables=tables)


def _own_table(file: FileColumns, chosen: Dict[str, str], said: Said) -> TableMapping:
    part = file.match.mapping.table(file.table)
    meanings = {
        header_key(header): {cell_key(cell): value for cell, value in pairs.items()}
        for header, pairs in said.meanings.items()
    }
    both = {key: {**part.meanings.get(key, {}), **meanings.get(key, {})} for key in part.meanings | meanings}
    fixed = {**part.fixed, **said.fixed}
    return replace(part, chosen=dict(chosen), fixed=fixed, meanings=both, zero=said.zero or part.zero)


def missing(table: str, chosen: Dict[str, str], fixed: Collection[str] = ()) -> list[str]:
    """Columns that the table cannot do without and no header gives, nor any of ``fixed``."""
    given = {column: header for header, column in chosen.items() if column != IGNORED}
    lacking = missing_columns(table, {*given, *fixed})
    graduated = table == "outcomes" and graduation_header(given) is not None
    return [column for column in lacking if not (graduated and column == "exit_type")]


def unread(file: FileColumns, chosen: Dict[str, str], elsewhere: Collection[str]) -> dict[str, list[str]]:
    """Why headers of the file give no column of its table; with those that do, every header has its place.

    Parameters
    ----------
    file : FileColumns
    chosen : mapping of str to str
        Header → column, or :data:`IGNORED`.
    elsewhere : collection of str
        Headers that give columns of other tables of the same file.

    Returns
    -------
    dict of str to list of str
        Reason → headers: ``refused`` (personal, and no work needs it), ``other_table``, ``by_hand``,
        ``joined`` (only together with another one do its cells name a term), ``twice``, ``elsewhere`` (the
        students table holds it), ``unread`` (not understood) and ``unneeded``.
    """
    match = file.match
    twice = {header for headers in match.twice.values() for header in headers}
    reasons = {  # the first that holds
        "refused": match.left_out,
        "other_table": elsewhere,
        "by_hand": [header for header, column in file.given.items() if column != IGNORED],
        "joined": (*_joined(file), match.year_header),
        "twice": twice,
        "elsewhere": match.elsewhere,
        "unread": match.unknown,
        "unneeded": file.headers,
    }
    found: dict[str, list[str]] = {}
    for header in (*match.left_out, *(one for one in file.headers if chosen[one] == IGNORED)):
        reason = next(name for name, headers in reasons.items() if header in headers)
        found.setdefault(reason, []).append(header)
    return found


def _joined(file: FileColumns) -> list[str]:
    """Headers whose cells say something only together with those of another one that the file has too."""
    by_key = {header_key(header): header for header in file.headers}
    join = file.match.mapping.table(file.table).join
    options = [option for column in file.match.headers for option in join.get(column, ())]
    keys = [[header_key(one) for one in option] for option in options]
    return [by_key[key] for option in keys if by_key.keys() >= set(option) for key in option]


def taken_twice(chosen: Dict[str, str]) -> list[str]:
    """Columns that more than one header gives."""
    counted = Counter(column for column in chosen.values() if column != IGNORED)
    return [column for column, times in counted.items() if times > 1]


def may_say(file: FileColumns, chosen: Dict[str, str]) -> list[str]:
    """Columns that every row may say alike: those that lack, and the level of programmes without one."""
    lacking = missing(file.table, chosen, file.fixed)
    if file.table == "students" and "degree_level" not in chosen.values():
        lacking.append("degree_level")
    return lacking


def _samples(cells) -> tuple[str, ...]:
    texts = (str(cell).strip() for cell in cells.dropna())
    return tuple(dict.fromkeys(cell for cell in texts if cell))[:SAMPLES]
