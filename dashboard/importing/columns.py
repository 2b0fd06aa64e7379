"""Which header of a file gives which column, to be corrected on the page. No Streamlit here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dashboard.importing.plan import UploadedFile
from data.files.mapping import TABLES, Mapping, missing_columns
from data.files.matching import Match
from data.files.reading import Reading
from data.files.register_files import Source, match_source
from data.files.tables import TableError
from data.records.ingest import remembered_mappings
from data.store import Store

LOOKED_AT = 60  # rows read to know a file's headers
SAMPLES = 3
IGNORED = ""
OWN = "own"  # name of the mapping made on the page


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
    """

    table: str
    headers: tuple[str, ...]
    samples: dict[str, tuple[str, ...]]
    match: Match

    @property
    def given(self) -> dict[str, str]:
        """Header → column, or :data:`IGNORED`."""
        columns = {header: column for column, header in self.match.headers.items()}
        return {header: columns.get(header, IGNORED) for header in self.headers}

    @property
    def options(self) -> tuple[str, ...]:
        """What a header may mean."""
        return (IGNORED, *(column.name for column in TABLES[self.table]))


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
    return FileColumns(table, headers, samples, match)


def own_mapping(
    files: Sequence[FileColumns], chosen: Dict[str, Dict[str, str]], title: str
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
    """
    if all(chosen[file.table] == file.given for file in files):
        return None
    tables = {
        file.table: replace(file.match.mapping.table(file.table), chosen=dict(chosen[file.table]))
        for file in files
    }
    return replace(files[0].match.mapping, name=OWN, title=title, tables=tables)


def missing(table: str, chosen: Dict[str, str]) -> list[str]:
    """Columns that the table cannot do without and no header gives."""
    return list(missing_columns(table, set(chosen.values())))


def taken_twice(chosen: Dict[str, str]) -> list[str]:
    """Columns that more than one header gives."""
    counted = Counter(column for column in chosen.values() if column != IGNORED)
    return [column for column, times in counted.items() if times > 1]


def _samples(cells) -> tuple[str, ...]:
    found = (str(cell).strip() for cell in cells.dropna())
    return tuple(dict.fromkeys(cell for cell in found if cell))[:SAMPLES]
