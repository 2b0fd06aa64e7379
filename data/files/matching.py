"""A file's headers and cells → columns and values, by the mapping that understands them best.

Detection counts matched headers, nothing more, so that its choice can be explained to the office.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from data.columns import ALL_PURPOSES, MAX_TERM_INDEX, OF_CONSENT, Column
from data.files.cells import is_null, whole_code
from data.files.derived_cells import tells_graduation
from data.files.mapping import BY_TERM, TABLES, Mapping, missing_columns, shipped_mappings
from data.files.mark_words import mark_meaning
from data.files.never_stored import never_stored
from data.files.term_words import read_term
from data.files.text_table import GROUPED, TextTable, cell_key, header_key, in_one, spelled_out
from data.files.wide import own_count, term_headers

# Columns added to the files that go back to the office; ignored when such a file is imported again.
RETURNED_COLUMNS = ("tepat: row", "tepat: reasons")
ROW_NUMBER = "#"  # a fixed value that stands for the number of the row
_ROW_NUMBERS = ("No", "No. Urut", "Nomor Urut", "#")  # the office's own counting, no loss
_OFTEN_WIDE = ("gpa_term", "credits_attempted")  # columns that a wide file has once per term
_OFTEN = ("", "smt", "semester", "sem")
_DATE = re.compile("tanggal|tgl|date|tgmsk")
_BETWEEN = re.compile(r"[,;/|+&\n]|\b(?:dan|serta|and)\b", re.IGNORECASE)  # what stands between listed values


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
    elsewhere : tuple of str
        Headers that repeat what the students table holds, such as names in a file of terms: left out.
    year_header : str or None
        Header of the academic year that stands beside the student's own semester numbers.
    twice : dict of str to tuple of str
        Column → further headers that mean it, and are left out without anybody having said so.
    """

    table: str
    mapping: Mapping
    headers: dict[str, str]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    left_out: tuple[str, ...]
    year_header: str | None = None
    elsewhere: tuple[str, ...] = ()
    twice: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def score(self) -> tuple[int, int]:
        """Fewer missing columns first, then more matched ones."""
        return -len(self.missing), len(self.headers)


def own_numbers(text: TextTable, match: Match, others: Sequence[Mapping] = ()) -> Match:
    """The match of a file of terms that are numbered by the student's own semesters.

    Where the column of terms holds 1 to 14 and nothing else, or stands for the academic year beside a column
    of such numbers above 3, the numbers are the student's own.
    """
    header = match.headers.get("term_id")
    if match.table not in BY_TERM or header is None or "term_index" in match.headers:
        return match
    by_key = {header_key(name): name for name in text.frame.columns}
    told = None
    if own_count(text.frame[header].fillna("").astype("str")):
        told = header
    for mapping in (match.mapping, *others):
        for option in mapping.table(match.table).join.get("term_id", ()):
            beside = by_key.get(header_key(option[-1]))
            years = by_key.get(header_key(option[0])) == header
            if told is None and years and beside and beside not in match.headers.values():
                cells = text.frame[beside].fillna("").astype("str")
                above = cells.str.strip().str.fullmatch(r"[4-9]|1\d").any()
                told = beside if above and own_count(cells) else None
    if told is None:
        return match
    headers = {column: name for column, name in match.headers.items() if column != "term_id"}
    headers["term_index"] = told
    missing = missing_columns(match.table, (*headers, *match.mapping.table(match.table).fixed))
    unknown = tuple(name for name in match.unknown if name != told)
    elsewhere = tuple(name for name in match.elsewhere if name != told)
    years = None if told == header else header
    return replace(
        match,
        headers=headers,
        missing=missing,
        unknown=unknown,
        elsewhere=elsewhere,
        year_header=years,
        twice={column: others for column, others in match.twice.items() if column != "term_id"},
    )


def known_headers(table: str, mappings: Iterable[Mapping]) -> frozenset[str]:
    """:func:`data.files.text_table.header_key` of every header that one of the mappings expects."""
    keys, mappings = {header_key(column.name) for column in TABLES[table]}, tuple(mappings)
    for mapping in mappings:
        part = mapping.table(table)
        keys |= {header_key(header) for headers in part.columns.values() for header in headers}
        keys |= {header_key(header) for header in part.chosen}
    if table == "terms":
        averages = [key for key, column in term_headers(mappings).items() if column in _OFTEN_WIDE]
        numbers = range(1, MAX_TERM_INDEX + 1)
        keys |= {f"{key}{form}{number}" for key in averages for form in _OFTEN for number in numbers}
        keys |= {f"{form}{number}{key}" for key in averages for form in _OFTEN[1:] for number in numbers}
    return frozenset(keys)


def match_headers(
    headers: Sequence[str], table: str, mapping: Mapping, others: Sequence[Mapping] = ()
) -> Match:
    """Tie each column to a header by one mapping; columns it cannot find are looked up in the others."""
    by_key = {header_key(spelled_out(in_one(header))): header for header in reversed(headers)}
    by_key |= _bracketed(headers) | {header_key(in_one(header)): header for header in reversed(headers)}
    by_key |= {header_key(header): header for header in reversed(headers)}
    by_hand = _under_groups(headers) | by_key
    found, tied = _tied_by_hand(by_hand, mapping.table(table).chosen)
    tied_by_hand = frozenset(found)
    for last_resort in (False, True):
        for source in (mapping, *others):
            part = source.table(table)
            for column in TABLES[table]:
                for alias in (*part.columns.get(column.name, ()), column.name):
                    key = header_key(alias)
                    header = by_key.get(key)
                    if header is None or column.name in found or key in tied or header in found.values():
                        continue
                    if header_key(header) in tied:
                        continue
                    if _says_less(column, key) == last_resort and not never_stored(header):
                        found[column.name] = header
    understood, used = tied | _understood(table, mapping, others), set(found.values())
    left_out = tuple(header for header in headers if never_stored(header) and header not in used)
    strange = [
        header
        for header in headers
        if header not in used and header not in left_out and not understood & _keys(header)
    ]
    others_own = _of_students(table, (mapping, *others))
    elsewhere = tuple(header for header in strange if others_own & _keys(header))
    unknown = tuple(header for header in strange if header not in elsewhere)
    told = {*found, *mapping.table(table).fixed}
    if table == "outcomes" and graduation_header(found) is not None:
        told.add("exit_type")
    missing = missing_columns(table, told)
    twice = _twice(table, mapping, found, [one for one in headers if one not in (*left_out, *strange)], tied)
    twice = {column: others for column, others in twice.items() if column not in tied_by_hand}
    return Match(table, mapping, found, missing, unknown, left_out, elsewhere=elsewhere, twice=twice)


def _keys(header: str) -> set[str]:
    return {header_key(header), header_key(in_one(header))}


def _under_groups(headers: Sequence[str]) -> dict[str, str]:
    """Keys of names under a group, without the group, where one header alone ends so."""
    names = [(header_key(header.partition(GROUPED)[2]), header) for header in headers if GROUPED in header]
    keys = [key for key, _ in names]
    return {key: header for key, header in names if keys.count(key) == 1}


def _twice(
    table: str, mapping: Mapping, found: dict[str, str], headers: Sequence[str], tied: set[str]
) -> dict[str, tuple[str, ...]]:
    """Column → headers that mean it too and are left out, for what is not decided by a person."""
    if table == "consents":  # there a second header is not understood, and named as such
        return {}
    part, used, twice = mapping.table(table), set(found.values()), {}
    needless = {header_key(name) for name in (*RETURNED_COLUMNS, *_ROW_NUMBERS, *part.unneeded)}
    needless |= {header_key(one) for options in part.join.values() for option in options for one in option}
    for column in TABLES[table]:
        names = {header_key(name) for name in (*part.columns.get(column.name, ()), column.name)}
        for header in headers:
            keys = _keys(header)
            if header in used or keys & (needless | tied) or not keys & names or column.name not in found:
                continue
            if not any(_says_less(column, key) for key in keys):
                twice.setdefault(column.name, []).append(header)
                used.add(header)
    return {column: tuple(others) for column, others in twice.items()}


def _bracketed(headers: Sequence[str]) -> dict[str, str]:
    """Keys of student numbers that a header gives beside or in brackets, as "No. Induk Mahasiswa (NIM)".

    Other columns are not looked for there: what stands in their brackets is a unit.
    """
    numbers = {
        header_key(name)
        for mapping in shipped_mappings()
        for table in TABLES
        for name in mapping.table(table).columns.get("student_number", ())
    }
    found = {}
    for header in reversed(headers):
        parts = re.fullmatch(r"([^()]*)\(([^()]*)\)\s*", header)
        keys = [header_key(part) for part in parts.groups()] if parts else []
        found |= {key: header for key in keys if key in numbers}
    return found


def _understood(table: str, mapping: Mapping, others: Sequence[Mapping]) -> set[str]:
    """Keys of headers that are known and need no column: nothing is missed when they are left out."""
    names = [*RETURNED_COLUMNS, *_ROW_NUMBERS]
    if table != "consents":  # there a second header would be a second answer
        part = mapping.table(table)
        names += [
            name for column in TABLES[table] for name in (*part.columns.get(column.name, ()), column.name)
        ]
    for source in (mapping, *others):
        part = source.table(table)
        names += part.unneeded
        names += [header for options in part.join.values() for option in options for header in option]
    return {header_key(name) for name in names}


def _of_students(table: str, mappings: Sequence[Mapping]) -> frozenset[str]:
    """Keys of headers that repeat the student's own row in another table; those of consent are answers."""
    if table == "students":  # a figure of a term there is lost, and no repetition
        return frozenset()
    keys = set()
    for column in TABLES["students"]:
        if column.name.startswith(OF_CONSENT) or column.name == "student_number":
            continue
        keys.add(header_key(column.name))
        for mapping in mappings:
            keys |= {header_key(header) for header in mapping.table("students").columns.get(column.name, ())}
    return frozenset(keys)


def graduation_header(headers: dict[str, str]) -> str | None:
    """The header of a file's exits that tells of graduations, where no column tells the kind of exit."""
    if "exit_type" in headers:
        return None
    told = [headers[column] for column in ("exit_date", "exit_term") if column in headers]
    return next((header for header in told if tells_graduation(header)), None)


def _says_less(column: Column, key: str) -> bool:
    """Whether a header names a column's term only by a date or a year: taken where nothing names the term."""
    if column.name == "cohort_term":
        return bool(_DATE.search(key))
    return column.name == "exit_term" and key.startswith(("tahun", "thn"))


def _tied_by_hand(by_key: dict[str, str], chosen: dict[str, str]) -> tuple[dict[str, str], set[str]]:
    """Column → header as chosen, the first header of a column counting; and the keys of all such headers."""
    found, tied = {}, set()
    for header, column in chosen.items():
        key = header_key(header)
        if key in by_key:
            tied |= {key, header_key(by_key[key])}
            if column and not never_stored(by_key[key]):
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
    if "grades" in complete:  # a course beside its mark stands in no other table
        return "grades"
    if "outcomes" in complete and "terms" not in complete and tells_exits(matches["outcomes"]):
        return "outcomes"
    return max(complete, key=lambda table: len(complete[table].headers), default=None)


def tells_exits(match: Match) -> bool:
    """Whether a file says when students left, and not only how they stand."""
    return not match.missing and bool({"exit_date", "exit_term", "terms_to_exit"} & match.headers.keys())


def translate(
    texts: pd.DataFrame, match: Match, others: Sequence[Mapping] = (), rows: pd.Index | None = None
) -> pd.DataFrame:
    """Rename a text frame's columns and put the vocabulary's values in place of the file's.

    Parameters
    ----------
    texts : pandas.DataFrame of str
        As :func:`data.files.tables.read_table` gives it.
    match : Match
        Columns and mapping.
    others : sequence of Mapping
        Lend their word lists (never their numeric codes) for values that the mapping does not know.
    rows : pandas.Index, optional
        The row of the file from which each row comes; by default the index.

    Returns
    -------
    pandas.DataFrame of str
        One column per matched column, same index; unknown values stay as they are.
    """
    part = match.mapping.table(match.table)
    columns = {column.name: column for column in TABLES[match.table]}
    result = {}
    given = dict(match.headers) | {name: None for name in part.fixed if name not in match.headers}
    for name, header in given.items():
        if header is None:
            cells = _same_for_all(part.fixed[name], texts.index, texts.index if rows is None else rows)
        else:
            cells = texts[header].fillna("").astype("str")
        if header is not None and name in part.join:
            cells = _joined(texts, cells, part.join[name])
        words = _value_words(columns[name], match, others) | _meanings(header, match, others)
        if words:
            distinct = pd.Series(cells.unique(), dtype="str")
            known = {cell: _value(cell, columns[name], words) for cell in distinct}
            cells = cells.map(known).astype("str")
        result[name] = cells
    graduated = graduation_header(match.headers) if match.table == "outcomes" else None
    if graduated is not None and "exit_type" not in result:
        gone = ~texts[graduated].fillna("").astype("str").map(is_null).astype(bool)
        result["exit_type"] = pd.Series("", index=texts.index, dtype="str").mask(gone, "graduated")
    return pd.DataFrame(result, index=texts.index)


def _value(cell: str, column: Column, words: dict[str, str]) -> str:
    """A cell in the vocabulary; of a column that lists values, each of them, in the vocabulary's order.

    ``1.0`` is the code 1 and never the code 10, whatever a key of the cell without punctuation would say.
    """
    cell = whole_code(cell)
    key = cell_key(cell)
    whole = None if key.isdecimal() and not cell.strip().isdecimal() else words.get(key)
    if not column.listed or whole == "":
        return cell if whole is None else whole
    return listed_values(cell, column.allowed, words)


def strange_cells(
    cells: Iterable[str], name: str, match: Match, others: Sequence[Mapping] = ()
) -> tuple[str, ...]:
    """The cells of a column of codes that say none of its allowed values, or of marks that no scale knows,
    each once.

    Parameters
    ----------
    cells : iterable of str
        As written.
    name : str
        The column that their header gives.
    match, others
        As for :func:`translate`.
    """
    column = next(column for column in TABLES[match.table] if column.name == name)
    if not (column.allowed or column.by_hand) or column.listed:
        return ()
    words = _value_words(column, match, others) | _meanings(match.headers.get(name), match, others)
    each = dict.fromkeys(cell.strip() for cell in cells if not is_null(cell))
    said = {cell: words.get(cell_key(cell), cell) for cell in each}
    if column.by_hand:
        return tuple(cell for cell, value in said.items() if value and mark_meaning(value) is None)
    return tuple(cell for cell, value in said.items() if value not in ("", *column.allowed))


def listed_values(cell: str, allowed: Sequence[str], words: dict[str, str]) -> str:
    """Several words in one cell → ``"a, b"``; a word that is not known stays as it is, at the end."""
    parts = [cell] if cell_key(cell) in words else _BETWEEN.split(cell)
    found = [words.get(cell_key(part), part.strip()) for part in parts if part.strip()]
    if ALL_PURPOSES in found:
        found += allowed
    strange = [one for one in found if one not in allowed and one != ALL_PURPOSES]
    return ", ".join(dict.fromkeys([*(one for one in allowed if one in found), *strange]))


def shipped_words(column: Column, table: str) -> dict[str, str]:
    """Every word of the shipped mappings for the values of a column, by
    :func:`data.files.text_table.header_key`."""
    words = {cell_key(value): value for value in column.allowed}
    for mapping in reversed(shipped_mappings()):
        words |= mapping.words(table, column) if mapping.lends else {}
    return words | ({ALL_PURPOSES: ALL_PURPOSES} if column.listed else {})


def _same_for_all(said: str, index: pd.Index, rows: pd.Index) -> pd.Series:
    """What every row says; :data:`ROW_NUMBER` is each row's own number."""
    if said == ROW_NUMBER:
        return pd.Series([f"{row:05d}" for row in rows], index=index, dtype="str")
    return pd.Series(said, index=index, dtype="str")


def _meanings(header: str | None, match: Match, others: Sequence[Mapping]) -> dict[str, str]:
    """What the cells under one header say by the mapping chosen, or by the first other that knows it."""
    if header is None:
        return {}
    key = header_key(header)
    lent = [other.table(match.table).meanings.get(key, {}) for other in others if other.lends]
    return {**next(filter(None, lent), {}), **match.mapping.table(match.table).meanings.get(key, {})}


def _value_words(column: Column, match: Match, others: Sequence[Mapping]) -> dict[str, str]:
    own = match.mapping.words(match.table, column)
    lent = {}
    for other in (other for other in others if other.lends):
        for cell, value in other.words(match.table, column).items():
            if not cell.isdecimal():
                lent.setdefault(cell, value)
    canonical = {cell_key(value): value for value in column.allowed}
    if column.listed:
        canonical[header_key(ALL_PURPOSES)] = ALL_PURPOSES
    return {**lent, **canonical, **own}


def _joined(texts: pd.DataFrame, cells: pd.Series, options: tuple[tuple[str, ...], ...]) -> pd.Series:
    by_key = {header_key(header): header for header in reversed(texts.columns)}
    alone = {text: _is_term(text) for text in cells.unique()}
    for option in options:
        keys = [header_key(header) for header in option]
        if not all(key in by_key and not never_stored(by_key[key]) for key in keys):
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
