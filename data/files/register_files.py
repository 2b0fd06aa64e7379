"""One file of a register, read: original text beside typed values, row by row.

The original text stays beside the values so that a message can show the cell as the office wrote it, and so
that a refused row can go back unchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from data.columns import DEGREE_LEVELS, OUTCOME_COLUMNS, TERM_STATUSES, Column
from data.files import derived_cells
from data.files.assumptions import DateColumn, Remark, decide_dates, decide_scale, entry_dates
from data.files.cells import ParsedColumn, is_null, parse_column
from data.files.mapping import TABLES, Mapping, shipped_mappings
from data.files.matching import (
    Match,
    detect_mapping,
    detect_table,
    known_headers,
    match_headers,
    own_numbers,
    shipped_words,
    tells_exits,
    translate,
)
from data.files.reading import Guess, Reading
from data.files.tables import read_text_table
from data.files.text_table import TextTable, header_key
from data.files.told import Told
from data.files.wide import number_of, row_of, term_headers, unfold

YEAR_ALONE = r"\s*(19|20)\d\d\s*"  # an exit told by its year
IDLE = {"leave": "C", "inactive": "N"}  # what the office says of empty terms → status
REGISTER = ("students", "terms", "outcomes")  # what a file with one row per student may hold
# How programme names begin: "S1 Fisika", "D-III Keperawatan", "Profesi Ners", "S2 Terapan Gizi".
_LEVEL = r"^(S-?[23][ -]?Terapan|S-?[123]|Sp-?[12]|D-?(?:IV|I{1,3}|[1234])|Profesi)\b"
_LEVEL_WORDS = {"di": "D1", "dii": "D2", "diii": "D3", "div": "D4"}

NAMED_CODES = (("program_code", "program_name", "programme"), ("course_code", "course_name", "course"))
CODE_LENGTH = 32  # characters of a programme's code in the store


@dataclass(frozen=True)
class Source:
    """A file to import: what it holds, its name as the user knows it, and its bytes.

    Parameters
    ----------
    table : {"students", "terms", "grades", "outcomes", "consents"}
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
    date_orders : dict of str to str
        Column that may hold dates → the order of day and month in which it was read; empty where its cells
        contradict each other.
    without_figures : dict of str to tuple of int
        Student number → the terms without average and credits of a file that does not tell the status of
        terms: as ``YYYYT``, or by the student's own semester number where the file counts so.
    derived : frozenset of str
        Columns that no cell of the file gives.
    left, studied : tuple of int
        Rows of terms whose status says that the student has left: without an average, left out; with one,
        taken as a term of study.
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
    derived: frozenset[str] = frozenset()
    left: tuple[int, ...] = ()
    studied: tuple[int, ...] = ()
    guesses: tuple[Guess, ...] = ()
    remarks: tuple[Remark, ...] = ()
    date_orders: dict[str, str] = field(default_factory=dict)
    without_figures: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def header(self, column: str) -> str:
        """The header of a column as the file writes it, or the column's own name."""
        placed = "term_index" if column == "term_id" and column in self.derived else column
        return self.match.headers.get(placed, column)


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
    candidates = others if mapping is None else (mapping, *others)
    known = known_headers(source.table, candidates)
    text = read_text_table(source.data, source.name, reading=source.reading, known=known, limit=limit)
    return _matched(text, source.table, mapping, others, source.reading)


def _matched(
    text: TextTable,
    table: str,
    mapping: Mapping | None,
    others: Sequence[Mapping],
    reading: Reading = Reading(),
) -> tuple[TextTable, Match]:
    if table == "terms":
        candidates = others if mapping is None else (mapping, *others)
        zero = next((one.table("terms").zero for one in candidates if one.table("terms").zero), "")
        with_gaps = reading.empty_terms in IDLE
        text = unfold(text, term_headers(candidates), zero, with_gaps=with_gaps)
    headers = list(text.frame.columns)
    if mapping is None:
        match = detect_mapping(headers, table, others)
    else:
        match = match_headers(headers, table, mapping, others)
    match = own_numbers(text, match, others)
    if text.by_term and "status" in match.missing:
        match = _with_status(match)
    return text, match


def _with_status(match: Match) -> Match:
    """Terms told in columns have no status: whoever has a figure in a term studied in it."""
    part = match.mapping.table("terms")
    part = replace(part, fixed={**part.fixed, "status": "A"})
    mapping = replace(match.mapping, tables={**match.mapping.tables, "terms": part})
    return replace(match, mapping=mapping, missing=tuple(set(match.missing) - {"status"}))


def tables_of(
    name: str,
    data: bytes,
    *,
    mapping: Mapping | None = None,
    remembered: Sequence[Mapping] = (),
    reading: Reading = Reading(),
) -> tuple[str, ...]:
    """The tables that one file holds all needed columns of, e.g. a register with one row per student.

    Exits count only where the file says when somebody left. The parameters and what is raised are those of
    :func:`match_source`.
    """
    others = (*remembered, *shipped_mappings())
    candidates = others if mapping is None else (mapping, *others)
    known = frozenset().union(*(known_headers(table, candidates) for table in REGISTER))
    text = read_text_table(data, name, reading=reading, known=known)
    matches = {table: _matched(text, table, mapping, others)[1] for table in REGISTER}
    held = [table for table, match in matches.items() if not match.missing]
    return tuple(table for table in held if table != "outcomes" or tells_exits(matches[table]))


def guess_table(name: str, data: bytes, *, remembered: Sequence[Mapping] = ()) -> str | None:
    """Which table a file holds, by its headers: one of them, "register" for several, None for none.

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
    text, mappings = _for_guessing(name, data, remembered)
    matches = {table: _matched(text, table, None, mappings)[1] for table in (*REGISTER, "grades")}
    complete = {table for table, match in matches.items() if not match.missing}
    if "grades" in complete:
        return "grades"
    if "students" in complete and (
        tells_exits(matches["outcomes"]) or ("terms" in complete and _one_row_each(text, matches["students"]))
    ):
        return (
            "register"
            if _one_row_each(text, matches["students"])
            else detect_table(list(text.frame.columns), mappings)
        )
    if "terms" in complete and complete == {"terms"}:
        return "terms"
    return detect_table(list(text.frame.columns), mappings)


def nearest_table(name: str, data: bytes, *, remembered: Sequence[Mapping] = ()) -> Match | None:
    """Which table a file comes nearest to that holds none whole; what it lacks stands in ``missing``.

    The parameters and what is raised are those of :func:`guess_table`.

    Returns
    -------
    Match or None
        None where fewer than two of a table's columns are there: a number alone stands in every table.
    """
    text, mappings = _for_guessing(name, data, remembered)
    matches = [_matched(text, table, None, mappings)[1] for table in TABLES]
    best = max(matches, key=lambda match: (len(match.headers) - len(match.missing), len(match.headers)))
    return best if len(best.headers) > 1 else None


def _for_guessing(
    name: str, data: bytes, remembered: Sequence[Mapping]
) -> tuple[TextTable, tuple[Mapping, ...]]:
    """The first rows of a file, and the mappings that may say which table it is."""
    mappings = (*remembered, *shipped_mappings())
    known = frozenset().union(*(known_headers(table, mappings) for table in TABLES))
    text = read_text_table(data, name, known=known, limit=100)
    keys = {header_key(header) for header in text.frame.columns}
    return text, (*(_as_of(mapping, keys) for mapping in remembered), *shipped_mappings())


def _as_of(mapping: Mapping, keys: Collection[str]) -> Mapping:
    """A mapping of the office's own without what it says for every row of other files than this one.

    What every row says completes any file that has a student number: it speaks for the file that it was said
    of, and that one is known by the headers that were tied by hand there.
    """
    tables = {}
    for table, part in mapping.tables.items():
        same = bool(part.chosen) and all(header_key(header) in keys for header in part.chosen)
        tables[table] = part if same else replace(part, fixed={}, chosen={} if part.fixed else part.chosen)
    return replace(mapping, tables=tables)


def _one_row_each(text: TextTable, match: Match) -> bool:
    """Whether no student number comes twice."""
    header = match.headers.get("student_number")
    return header is not None and text.frame[header].is_unique


def parse_table(
    text: TextTable, match: Match, others: Sequence[Mapping] = (), reading: Reading = Reading()
) -> ParsedTable:
    """Type every matched column of a text table, columns of dates and shares by what they show as a whole."""
    rows = text.frame.index.map(row_of) if text.by_term else text.frame.index
    translated = translate(text.frame, match, others, rows)
    left = studied = pd.Index([])
    if match.table == "terms" and "status" in match.headers:
        left, studied = _gone(translated, text.frame[match.headers["status"]], match)
        translated["status"] = translated["status"].mask(translated.index.isin(studied), "A")
        translated = translated.drop(index=left)
        text = replace(text, frame=text.frame.drop(index=left))
    headers = {name: match.headers.get(name, name) for name in map(str, translated)}
    scales = {}
    for mapping in (*reversed(others), match.mapping):
        scales |= mapping.table(match.table).scale
    columns = {column.name: column for column in TABLES[match.table] if column.name in translated}
    days = decide_dates(
        {name: translated[name] for name, column in columns.items() if _holds_dates(column)},
        headers,
        text.true_dates,
        reading,
        match.mapping.date_order,
        text.where,
        text.told_row,
    )
    guesses = [*text.guesses, *(guess for day in days.values() for guess in day.guesses)]
    remarks = [remark for day in days.values() for remark in day.remarks]
    parsed: dict[str, ParsedColumn] = {}
    for name, column in columns.items():
        cells, scale = translated[name], scales.get(header_key(headers[name]), 1.0)
        if name == "cohort_term":
            guesses += entry_dates(cells, headers[name])
        if column.kind == "number" and column.high == 1 and scale in (1.0, 0.01):
            scale, assumed, found = decide_scale(cells, name, headers[name], scale, reading)
            guesses, remarks = guesses + assumed, remarks + found
        day = days.get(name, DateColumn(_said_otherwise(cells, name, match), match.mapping.date_order))
        parsed[name] = parse_column(
            day.cells, column, decimal=text.decimal, date_order=day.order, scale=scale
        )
        remarks += _cell_remarks(name, parsed[name])
        if day.against:
            parsed[name] = replace(parsed[name], expected=day.against)
        elif name == "birth_year":
            expected = Told("birth", "a year or a date of birth")
            parsed[name] = replace(parsed[name], expected=expected)
    index = text.frame.index
    values = pd.DataFrame({name: column.values for name, column in parsed.items()}, index=index)
    values, shortened = _with_short_codes(values, match, others)
    names = values.get("program_name", values.get("program_code"))
    if names is not None and "degree_level" not in values:
        values["degree_level"] = _levels_of_names(names)
    values, empty, without = _with_idle_terms(values, match, text, reading)
    guesses += empty
    raw = pd.DataFrame({name: text.frame[header] for name, header in match.headers.items()}, index=index)
    if "exit_term" in raw and "exit_date" in values:  # a date says more than the year alone
        by_year = raw["exit_term"].fillna("").str.fullmatch(YEAR_ALONE) & values["exit_date"].notna()
        values["exit_term"] = values["exit_term"].mask(by_year)
    return ParsedTable(
        match.table,
        text.name,
        match,
        text,
        raw,
        values,
        pd.DataFrame({name: column.bad for name, column in parsed.items()}, index=index, dtype=bool),
        {name: column.expected for name, column in parsed.items()},
        guesses=tuple(text.placed(guess) for guess in guesses),
        remarks=(*remarks, *shortened),
        left=tuple(left),
        studied=tuple(studied),
        without_figures=without,
        date_orders={name: day.order for name, day in days.items()}
        | {name: match.mapping.date_order for name in ("birth_year",) if name in columns},
    )


def _gone(translated: pd.DataFrame, statuses: pd.Series, match: Match) -> tuple[pd.Index, pd.Index]:
    """Rows of terms whose status is a kind of exit: those without a term average, and those with one."""
    exit_type = next(column for column in OUTCOME_COLUMNS if column.name == "exit_type")
    words = {**shipped_words(exit_type, "outcomes"), **match.mapping.words("outcomes", exit_type)}
    exits = {word for word, kind in words.items() if kind and not word.isdecimal()}
    strange = ~translated["status"].isin(list(TERM_STATUSES))
    gone = strange & statuses.fillna("").map(header_key).isin(exits)
    none = pd.Series("", index=translated.index, dtype="str")
    average = translated.get("gpa_term", none).map(lambda text: not is_null(text)).astype(bool)
    return translated.index[gone & ~average], translated.index[gone & average]


def _with_idle_terms(
    values: pd.DataFrame, match: Match, text: TextTable, reading: Reading
) -> tuple[pd.DataFrame, list[Guess], dict[str, tuple[int, ...]]]:
    """Terms without average and credits as the office says they were, where no cell tells their status.

    What it says of averages of 0 holds for those terms alone, and what it says of empty terms for these.
    """
    if match.table != "terms" or "status" in match.headers or "status" not in values:
        return values, [], {}
    guesses, (zero, zeros) = [], text.told_zeros
    of_zero = values.index.isin(text.idle_zeros)
    if zeros:
        guesses.append(Guess("zero", zero, cell=str(zeros), proven=True))
    if zero in IDLE:
        values = values.assign(status=values["status"].mask(of_zero, IDLE[zero]))
    gaps = pd.Index(text.gaps)
    idle = without_figures(values) & ~of_zero
    places = gaps.union(idle.index[idle]).sort_values()
    if places.empty:
        return values, guesses, {}
    said = reading.empty_terms
    if said in IDLE:
        of_leave = idle | values.index.isin(gaps)
        values = values.assign(status=values["status"].mask(of_leave, IDLE[said]))
    guesses.append(Guess("empty_terms", said or "none", cell=str(len(places)), proven=bool(said)))
    return values, guesses, _by_student(places, values, match, text)


def _by_student(
    places: pd.Index, values: pd.DataFrame, match: Match, text: TextTable
) -> dict[str, tuple[int, ...]]:
    """Student number → the terms at some places, in their order."""
    found: dict[str, set[int]] = {}
    for place in map(int, places):
        if text.by_term:
            header = match.headers.get("student_number", "")
            number = text.own_rows.at[row_of(place), header] if header in text.own_rows else ""
            term = number_of(place)
        else:
            number = values.at[place, "student_number"] if "student_number" in values else ""
            term = values.at[place, "term_id" if "term_id" in values else "term_index"]
        if not pd.isna(number) and not pd.isna(term):
            found.setdefault(str(number), set()).add(int(term))
    return {number: tuple(sorted(terms)) for number, terms in found.items()}


def without_figures(values: pd.DataFrame) -> pd.Series:
    """Rows of terms with 0 credits and no average, or one of 0."""
    if not {"credits_attempted", "gpa_term"} <= set(values.columns):
        return pd.Series(False, index=values.index)
    average = values["gpa_term"]
    none = (values["credits_attempted"] == 0).fillna(False).astype(bool)
    return none & (average.isna() | (average == 0).fillna(False).astype(bool))


def _holds_dates(column: Column) -> bool:
    return column.kind == "date" or column.name == "cohort_term"


def _cell_remarks(name: str, column: ParsedColumn) -> list[Remark]:
    """Cells whose text is not what the office wrote: errors of a spreadsheet, formulas without a result."""
    error = "a spreadsheet program shows an error here; stored as empty"
    formula = (
        "a formula without a stored result: open the file in a spreadsheet program, save it, import it again"
    )
    found = (
        ("REC120", column.errors, Told("sheet_error", error)),
        ("REC022", column.formulas, Told("formula", formula)),
    )
    return [Remark(rule, name, mask.index[mask], message) for rule, mask, message in found if mask.any()]


def _with_short_codes(
    values: pd.DataFrame, match: Match, others: Sequence[Mapping]
) -> tuple[pd.DataFrame, list[Remark]]:
    """Names of programmes or courses that serve as codes and are too long for one, shortened always alike."""
    remarks: list[Remark] = []
    for code, name, what in NAMED_CODES:
        if code in values:
            values, found = _with_short_names(values, match, others, code, name, what)
            remarks += found
    return values, remarks


def _with_short_names(values, match, others, code, name, what) -> tuple[pd.DataFrame, list[Remark]]:
    long = (values[code].str.len() > CODE_LENGTH).fillna(False).astype(bool)
    named = [one.table(match.table).columns.get(name, ()) for one in (match.mapping, *others)]
    by_name = header_key(match.headers.get(code, "")) in {
        header_key(header) for own in named for header in own
    }
    if not long.any() or not by_name:
        return values, []
    whole = values.get(name, pd.Series(pd.NA, index=values.index, dtype="str"))
    short = {text: short_code(text) for text in values.loc[long, code].unique()}
    values = values.assign(
        **{
            name: whole.fillna(values[code]).astype("str"),
            code: values[code].replace(short).astype("str"),
        }
    )
    codes = ", ".join(f"{made!r} for {text!r}" for text, made in short.items())
    message = (
        f"there is no column for the {what}'s code, so the name serves as one; names longer than "
        f"{CODE_LENGTH} characters are shortened: {codes}"
    )
    message = Told("shortened", message, column=code, length=CODE_LENGTH, codes=[*short.values()])
    return values, [Remark("REC122", code, None, message)]


def short_code(name: str) -> str:
    """A name as a code of at most :data:`CODE_LENGTH` characters, always alike."""
    if len(name) <= CODE_LENGTH:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: CODE_LENGTH - 7].rstrip()}-{mark}"


def _levels_of_names(names: pd.Series) -> pd.Series:
    """Degree levels of programme names such as "S1 Teknik Informatika"; missing where the name has none."""
    words = {header_key(word): word for word in DEGREE_LEVELS} | _LEVEL_WORDS
    return names.str.extract(_LEVEL, expand=False).map(header_key, na_action="ignore").map(words)


def _said_otherwise(cells: pd.Series, column: str, match: Match) -> pd.Series:
    """The cells of a column that offices fill with other words for it, as the column's own."""
    if column == "birth_year":
        return derived_cells.birth_years(cells)
    if column == "exit_term":
        return derived_cells.exit_years(cells)
    return derived_cells.regions(cells, match.headers.get(column, "")) if column == "region" else cells
