"""A file's headers and cells → columns and values, by the mapping that understands them best.

Detection counts matched headers, nothing more, so that its choice can be explained to the office.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from data.columns import ALL_PURPOSES, Column
from data.files.cells import whole_code
from data.files.mapping import TABLES, Mapping, missing_columns, shipped_mappings
from data.files.term_words import read_term
from data.files.text_table import header_key

# Columns added to the files that go back to the office; ignored when such a file is imported again.
RETURNED_COLUMNS = ("tepat: row", "tepat: reasons")
_ROW_NUMBERS = ("No", "No. Urut", "Nomor Urut", "#")  # the office's own counting, no loss
_BETWEEN = re.compile(r"[,;/|+&\n]|\b(?:dan|serta|and)\b", re.IGNORECASE)  # what stands between listed values
# Left out on sight, whatever a mapping says: not needed for the purpose, so never stored.
NEVER_STORED = frozenset(
    header_key(header)
    for line in (
        "NIK, No KTP, Nomor KTP, NISN, NPWP, Nama Ibu, Nama Ibu Kandung, nm_ibu_kandung, Nama Ayah",
        "Agama, nama_agama, id_agama, Alamat, jalan, dusun, rt, rw, kelurahan, kode_pos, No HP, Nomor HP",
        "No. Telepon, telepon, handphone, Email, E-mail, Tempat Lahir, Status Pernikahan, Pekerjaan",
        "National ID, Passport, Religion, Address, Phone, Mobile, Mother's name, Father's name",
        "Marital status, Place of birth, Employment status",
    )
    for header in line.split(", ")
)


@dataclass(frozen=True)
class Match:
    """What a mapping makes of one file's headers.

    Parameters
    ----------
    table : str
        One of :data:`data.files.mapping.TABLES`.
    mapping : Mapping
        The mapping chosen.
    headers : dict of str to str
        Column → header in the file.
    missing : tuple of str
        Required columns that no header gives.
    unknown : tuple of str
        Headers that mean nothing to the mapping.
    left_out : tuple of str
        Headers that are never stored (national numbers, parents' names, contacts).
    """

    table: str
    mapping: Mapping
    headers: dict[str, str]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def score(self) -> tuple[int, int]:
        """Fewer missing columns first, then more matched ones."""
        return -len(self.missing), len(self.headers)


def known_headers(table: str, mappings: Iterable[Mapping]) -> frozenset[str]:
    """:func:`data.files.text_table.header_key` of every header that one of the mappings expects."""
    keys = {header_key(column.name) for column in TABLES[table]}
    for mapping in mappings:
        part = mapping.table(table)
        keys |= {header_key(header) for headers in part.columns.values() for header in headers}
        keys |= {header_key(header) for header in part.chosen}
    return frozenset(keys)


def match_headers(
    headers: Sequence[str], table: str, mapping: Mapping, others: Sequence[Mapping] = ()
) -> Match:
    """Tie each column to a header by one mapping; columns it cannot find are looked up in the others."""
    by_key = {header_key(header): header for header in reversed(headers)}
    found, tied = _tied_by_hand(by_key, mapping.table(table).chosen)
    understood: set[str] = tied | {header_key(header) for header in (*RETURNED_COLUMNS, *_ROW_NUMBERS)}
    for source in (mapping, *others):
        part = source.table(table)
        for column in TABLES[table]:
            aliases = [header_key(alias) for alias in (*part.columns.get(column.name, ()), column.name)]
            for key in aliases:
                free = by_key.get(key) not in found.values() and key not in NEVER_STORED | tied
                if key in by_key and column.name not in found and free:
                    found[column.name] = by_key[key]
            if source is mapping and table != "consents":  # there a second header would be a second answer
                understood.update(aliases)
        for options in part.join.values():
            understood.update(header_key(header) for option in options for header in option)
    keys = {header: header_key(header) for header in headers}
    used = set(found.values())
    left_out = tuple(header for header in headers if keys[header] in NEVER_STORED and header not in used)
    unknown = tuple(
        header
        for header in headers
        if header not in used and header not in left_out and keys[header] not in understood
    )
    return Match(table, mapping, found, missing_columns(table, found), unknown, left_out)


def _tied_by_hand(by_key: dict[str, str], chosen: dict[str, str]) -> tuple[dict[str, str], set[str]]:
    """Column → header as chosen, the first header of a column counting; and the keys of all such headers."""
    found, tied = {}, set()
    for header, column in chosen.items():
        key = header_key(header)
        if key in by_key:
            tied.add(key)
            if column and key not in NEVER_STORED:
                found.setdefault(column, by_key[key])
    return found, tied


def detect_mapping(headers: Sequence[str], table: str, mappings: Sequence[Mapping] = ()) -> Match:
    """The mapping that understands a file's headers best; the earlier one on a tie.

    Parameters
    ----------
    headers : sequence of str
        The file's headers.
    table : str
        One of :data:`data.files.mapping.TABLES`.
    mappings : sequence of Mapping
        Candidates; the shipped ones when empty.
    """
    mappings = tuple(mappings) or shipped_mappings()
    alone = [match_headers(headers, table, mapping).score for mapping in mappings]
    best = mappings[alone.index(max(alone))]
    return match_headers(headers, table, best, [other for other in mappings if other is not best])


def detect_table(headers: Sequence[str], mappings: Sequence[Mapping] = ()) -> str | None:
    """Which table a file's headers describe, or None when no table's required columns are all there."""
    matches = {table: detect_mapping(headers, table, mappings) for table in TABLES}
    complete = {table: match for table, match in matches.items() if not match.missing}
    return max(complete, key=lambda table: len(complete[table].headers), default=None)


def translate(texts: pd.DataFrame, match: Match, others: Sequence[Mapping] = ()) -> pd.DataFrame:
    """Rename a text frame's columns and put the vocabulary's values in place of the file's.

    Parameters
    ----------
    texts : pandas.DataFrame of str
        As :func:`data.files.tables.read_table` gives it.
    match : Match
        Columns and mapping.
    others : sequence of Mapping
        Lend their word lists (never their numeric codes) for values that the mapping does not know.

    Returns
    -------
    pandas.DataFrame of str
        One column per matched column, same index; unknown values stay as they are.
    """
    part = match.mapping.table(match.table)
    columns = {column.name: column for column in TABLES[match.table]}
    result = {}
    for name, header in match.headers.items():
        cells = texts[header].fillna("").astype("str")
        if name in part.join:
            cells = _joined(texts, cells, part.join[name])
        words = _value_words(columns[name], match, others)
        if words:
            distinct = pd.Series(cells.unique(), dtype="str")
            known = {cell: _value(cell, columns[name], words) for cell in distinct}
            cells = cells.map(known).astype("str")
        result[name] = cells
    return pd.DataFrame(result, index=texts.index)


def _value(cell: str, column: Column, words: dict[str, str]) -> str:
    """A cell in the vocabulary; of a column that lists values, each of them, in the vocabulary's order.

    ``1.0`` is the code 1 and never the code 10, whatever a key of the cell without punctuation would say.
    """
    cell = whole_code(cell)
    key = header_key(cell)
    whole = None if key.isdigit() and not cell.strip().isdigit() else words.get(key)
    if not column.listed or whole == "":
        return cell if whole is None else whole
    return listed_values(cell, column.allowed, words)


def listed_values(cell: str, allowed: Sequence[str], words: dict[str, str]) -> str:
    """Several words in one cell → ``"a, b"``; a word that is not known stays as it is, at the end."""
    parts = [cell] if header_key(cell) in words else _BETWEEN.split(cell)
    found = [words.get(header_key(part), part.strip()) for part in parts if part.strip()]
    if ALL_PURPOSES in found:
        found += allowed
    strange = [one for one in found if one not in allowed and one != ALL_PURPOSES]
    return ", ".join(dict.fromkeys([*(one for one in allowed if one in found), *strange]))


def shipped_words(column: Column, table: str) -> dict[str, str]:
    """Every word of the shipped mappings for the values of a column, by
    :func:`data.files.text_table.header_key`."""
    words = {header_key(value): value for value in column.allowed}
    for mapping in reversed(shipped_mappings()):
        words |= mapping.words(table, column)
    return words | ({ALL_PURPOSES: ALL_PURPOSES} if column.listed else {})


def _value_words(column: Column, match: Match, others: Sequence[Mapping]) -> dict[str, str]:
    own = match.mapping.words(match.table, column)
    lent = {}
    for other in others:
        for cell, value in other.words(match.table, column).items():
            if not cell.isdigit():
                lent.setdefault(cell, value)
    canonical = {header_key(value): value for value in column.allowed}
    if column.listed:
        canonical[header_key(ALL_PURPOSES)] = ALL_PURPOSES
    return {**lent, **canonical, **own}


def _joined(texts: pd.DataFrame, cells: pd.Series, options: tuple[tuple[str, ...], ...]) -> pd.Series:
    by_key = {header_key(header): header for header in reversed(texts.columns)}
    alone = {text: _is_term(text) for text in cells.unique()}
    for option in options:
        keys = [header_key(header) for header in option]
        if not all(key in by_key for key in keys):
            continue
        parts = [texts[by_key[key]].fillna("").astype("str").map(whole_code).astype("str") for key in keys]
        if parts[-1].str.fullmatch(r"[3-9]|1\d").any():
            continue  # the student's own count of semesters, not the half of the year
        joined = parts[0].str.cat(parts[1:], sep=" ")
        return cells.where(cells.map(alone).astype(bool), joined)
    return cells


def _is_term(text: str) -> bool:
    try:
        read_term(text)
    except ValueError:
        return False
    return True
