"""A table of text with the row numbers that the office sees: its header found, its cells cleaned."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice

import numpy as np
import pandas as pd

from data.files.reading import Guess
from data.files.text_files import TableError

HEADER_SEARCH_ROWS = 40  # titles, addresses and print dates stand above the header in many exports
CHUNK_ROWS = 50_000
CHUNK_CELLS = 5_000_000
MAX_COLUMNS = 1_000
MAX_LINES = 5_000_000  # rows of a CSV file, blank ones counted; a register of 400,000 terms has a tenth
MAX_LETTERS = 32_767  # of a cell: a spreadsheet's own limit
MAX_TEXT = 2**29  # characters of a table; 800,000 terms of 160 characters each have a quarter
MAX_CELLS = 100_000_000  # of a table, empty ones counted; 800,000 terms of 40 columns have a third
SHEET_ROWS = 2**21  # more than a sheet can have
_QUOTES = "‘’`´"
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060"))


@dataclass(frozen=True)
class TextTable:
    """One table as text.

    Parameters
    ----------
    name : str
        File name as the user knows it.
    frame : pandas.DataFrame
        Text cells, one column per header as written; the index ``row`` is the number that a spreadsheet
        program shows beside the row (blank lines and titles above the header are counted).
    decimal : {",", "."} or None
        Decimal sign that the format suggests; only decides cells that could be read both ways.
    delimiter : str
        The CSV delimiter; empty for a workbook.
    encoding : str
        The encoding; empty for a workbook.
    sheets : tuple of str
        The sheets read, one after the other; empty for CSV. Where there are several, each one's rows are
        counted from a multiple of :data:`SHEET_ROWS` on; :meth:`place` says where a row stands.
    left : tuple of (str, str)
        Sheets that were not read, each with the reason in one word: "hidden", "empty", "other" (other
        headers) or "unasked".
    ragged : dict of int to int
        Rows whose number of cells differs from the header's, with the number found.
    second_header : int or None
        Row of a second header, which is left out.
    as_given : pandas.DataFrame or None
        The rows as the file has them, where ``frame`` has a row per term instead (:mod:`data.files.wide`).
    by_term : dict of str to dict of int to str
        Header of ``frame`` → the student's own semester number → header of the file.
    beside : tuple of str
        Headers about terms in general, which are left out beside those.
    zeros : int
        Term averages of 0 of which nobody has said yet what they mean.
    told_zeros : (str, int)
        What was said of averages of 0, one of :data:`data.files.mapping.ZERO_MEANINGS`, and how many there
        are.
    gaps : tuple of int
        Terms of which no cell says anything between two of which one does; rows of ``frame`` where asked for.
    idle_zeros : tuple of int
        Rows of ``frame`` whose average of 0 was said to be a leave or a term without registration.
    true_dates : dict of str to array of int
        Header → rows whose cell is a date of the spreadsheet program and no text.
    repaired : tuple of (int, str, str)
        Cells in which bytes of another encoding stood: row, header, the cell as read.
    guesses : tuple of Guess
        What was decided in reading the file as text.
    """

    name: str
    frame: pd.DataFrame
    decimal: str | None = None
    delimiter: str = ""
    encoding: str = ""
    sheets: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    ragged: dict[int, int] = field(default_factory=dict)
    true_dates: dict[str, np.ndarray] = field(default_factory=dict)
    repaired: tuple[tuple[int, str, str], ...] = ()
    guesses: tuple[Guess, ...] = ()
    second_header: int | None = None
    as_given: pd.DataFrame | None = None
    by_term: dict[str, dict[int, str]] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    zeros: int = 0
    told_zeros: tuple[str, int] = ("", 0)
    gaps: tuple[int, ...] = ()
    idle_zeros: tuple[int, ...] = ()

    @property
    def own_rows(self) -> pd.DataFrame:
        """The rows as the file has them."""
        return self.frame if self.as_given is None else self.as_given

    @property
    def sheet(self) -> str:
        """The sheets read, by name."""
        return ", ".join(self.sheets)

    def place(self, row: int) -> tuple[str, int]:
        """Sheet and row number, as a spreadsheet program shows them, of a row of the frame."""
        if len(self.sheets) < 2:
            return self.sheet, int(row)
        number, row = divmod(int(row), SHEET_ROWS)
        return self.sheets[number], row

    def where(self, row: int) -> str:
        """A row in words, with its sheet where there are several."""
        sheet, number = self.place(row)
        return f"row {number} of {sheet!r}" if len(self.sheets) > 1 else f"row {number}"

    def told_row(self, row: int) -> str:
        """A row without words: its number, with its sheet in brackets where there are several."""
        sheet, number = self.place(row)
        return f"{number} ({sheet})" if len(self.sheets) > 1 else str(number)

    def placed(self, guess: Guess) -> Guess:
        """A guess whose row is the one that a spreadsheet program shows."""
        if guess.row is None or len(self.sheets) < 2:
            return guess
        sheet, row = self.place(guess.row)
        return replace(guess, sheet=sheet, row=row)


@lru_cache(maxsize=100_000)
def header_key(header: str) -> str:
    """A header without case, accents of width, spaces and punctuation; ``%`` counts as a word.

    Examples
    --------
    >>> header_key("  N.I.M. "), header_key("Kehadiran (%)"), header_key("id_semester")
    ('nim', 'kehadiranpercent', 'idsemester')
    """
    plain = unicodedata.normalize("NFKC", str(header)).replace("%", " percent ").casefold()
    return "".join(char for char in plain if char.isalnum())


_SHORT = {
    "mhs": "mahasiswa",
    "mhsw": "mahasiswa",
    "smt": "semester",
    "smstr": "semester",
    "tgl": "tanggal",
    "thn": "tahun",
    "jml": "jumlah",
    "kum": "kumulatif",
    "ket": "keterangan",
    "nmr": "nomor",
}


@lru_cache(maxsize=10_000)
def spelled_out(header: str) -> str:
    """A header with the usual short forms of its words written in full.

    Examples
    --------
    >>> spelled_out("Status Mhs."), spelled_out("SKS_Kum"), spelled_out("IPS 1")
    ('Status mahasiswa.', 'SKS_kumulatif', 'IPS 1')
    """
    return re.sub(r"[^\W\d_]+", lambda word: _SHORT.get(word[0].casefold(), word[0]), str(header))


def is_known(header: str, known: Collection[str]) -> bool:
    """Whether a header is among those expected, written in full or short."""
    return header_key(header) in known or header_key(spelled_out(header)) in known


_SIGNED = re.compile(r"\s*([A-Za-z]{1,2})\s*([+\-\u2010-\u2015\u2212]+)\s*")


def cell_key(cell: str) -> str:
    """The key of a cell of codes: as :func:`header_key`, but the signs of a mark are part of it.

    Examples
    --------
    >>> cell_key("A -"), cell_key("B+"), cell_key("Non-Aktif")
    ('aminus', 'bplus', 'nonaktif')
    """
    signed = _SIGNED.fullmatch(str(cell))
    if signed is None:
        return header_key(cell)
    return header_key(signed[1]) + "".join("plus" if sign == "+" else "minus" for sign in signed[2])


def clean_cell(text: str) -> str:
    """A cell without surrounding or invisible spaces and without a spreadsheet's text marks.

    Examples
    --------
    >>> clean_cell("\\xa0 00123 "), clean_cell('="00123"'), clean_cell("'00123"), clean_cell("'=SUM")
    ('00123', '00123', '00123', '=SUM')
    """
    text = text.translate(_INVISIBLE).strip()
    if len(text) > 2 and text.startswith('="') and text.endswith('"') and text.count('"') == 2:
        return text[2:-1].strip()
    if len(text) > 1 and text[0] == "'" and (text[1].isdecimal() or text[1] in "=+-@＝＋－＠"):
        return text[1:]
    if len(text) > 1 and text[0] in _QUOTES and text[1].isdecimal():  # the mark, made typographic on the way
        return text[1:]
    return text


class _Cleaned(dict):
    """Remembers :func:`clean_cell` of the first distinct cells: registers repeat themselves."""

    def __missing__(self, text: str) -> str:
        cell = clean_cell(text)
        if len(self) < 200_000:
            self[text] = cell
        return cell


def find_header(rows: list[list[str]], known: Collection[str] = ()) -> int:
    """Position of the header among the first rows: most known headers, else the first well-filled row."""
    rows, known = rows[:HEADER_SEARCH_ROWS], frozenset(known)
    if known:
        hits = [len({header_key(cell) for cell in row if is_known(cell, known)}) for row in rows]
        if max(hits, default=0) >= 2:
            return hits.index(max(hits))
    filled = [sum(bool(clean_cell(cell)) for cell in row) for row in rows]
    if not any(filled):
        raise TableError(f"no filled cell in the first {HEADER_SEARCH_ROWS} rows")
    enough = max(filled) if max(filled) < 3 else max(2, 0.6 * max(filled))
    return next(position for position, count in enumerate(filled) if count >= enough)


def header_of(rows: list[list[str]], known: Collection[str] = ()) -> tuple[int, list[str]]:
    """The header among the first rows: the position of its last row, and its cells.

    Where names stand in two rows, because some cells of the upper one are merged over several of the lower,
    both make the header; what stands under the number of a semester gets it: "IPS" under "Semester 1" is
    "IPS Semester 1". A name that alone would be the student's, or nothing, is read with its group: "Nama"
    under "Program Studi" is "Program Studi / Nama".

    Parameters
    ----------
    rows : list of list of str
        Of the beginning of the file.
    known : collection of str
        :func:`header_key` of headers that may be expected.

    Raises
    ------
    TableError
        When no cell is filled.
    """
    position = find_header(rows, known)
    if position + 1 < len(rows) and _goes_on(rows[position], rows[position + 1], known):
        position += 1
    cells = with_names_above(rows, position, known)
    if position:
        _number_terms(cells, rows[position - 1], rows[position], known)
        _name_groups(cells, rows[position - 1], rows[position], known)
    return position, cells


def _goes_on(upper: list[str], lower: list[str], known: Collection[str]) -> bool:
    """Whether the row below a header names what stands under its merged cells."""
    named, terms = 0, [bool(_TERM_ABOVE.fullmatch(clean_cell(cell))) for cell in upper]
    for at, cell in enumerate(map(clean_cell, lower)):
        above = clean_cell(upper[at]) if at < len(upper) else ""
        if not cell or header_key(cell) == header_key(above):
            continue
        group = _group_at(upper, lower, at)
        if is_known(above, known) and not _is_merged(upper, lower, at):  # a cell of a row of data
            return False
        if not any(map(str.isalpha, cell)):
            return False
        named += is_known(cell, known) or is_known(f"{cell} {group}", known) or any(terms[: at + 1])
    return named >= 2


def _is_merged(upper: list[str], lower: list[str], at: int) -> bool:
    """Whether a cell is merged over several names: nothing stands beside it, names below both."""
    beside = at + 1
    if beside >= len(lower) or not clean_cell(lower[beside]):
        return False
    return beside >= len(upper) or not clean_cell(upper[beside])


def _group_at(upper: list[str], lower: list[str], at: int) -> str:
    """The cell above that a name stands under, beside or below which nothing else begins."""
    for place in range(min(at, len(upper) - 1), -1, -1):
        if cell := clean_cell(upper[place]):
            return _without_filling(cell)
        if place >= len(lower) or not clean_cell(lower[place]):
            return ""
    return ""


GROUPED = " / "  # between a group and the name under it, in a header
_OTHERS = re.compile(  # groups that are about somebody or something else than the student
    r"\b(?:program studi|prodi|jurusan|fakultas|departemen|orang ?tua|ortu|ayah|ibu|wali|dosen|pembimbing"
    r"|sekolah|slta|sma|smk|pendidikan asal|asal|kampus asal|perguruan tinggi|beasiswa|sponsor"
    r"|study program(?:me)?|program(?:me)?|major|department|faculty|parents?|father|mother|guardian"
    r"|advis[eo]r|supervisor|lecturer|school|university)\b"
)
_FILLING = re.compile(
    r"\b(?:identitas|data|informasi|info|keterangan|detail|details of|information)\b", re.IGNORECASE
)
_SUBJECTS = frozenset(  # names that say nothing of whose they are
    "nama kode nomor no nik tgllahir tanggallahir tempatlahir tempattanggallahir jeniskelamin lp agama status"
    " jenjang strata alamat email nohp umur name code number sex gender birthdate dateofbirth level".split()
)


def _without_filling(group: str) -> str:
    return " ".join(_FILLING.sub(" ", group).split())


def _names_groups(upper: list[str], lower: list[str], known: Collection[str]) -> bool:
    filled = [at for at, cell in enumerate(upper) if clean_cell(cell)]
    alone = [at for at in filled if at >= len(lower) or not clean_cell(lower[at])]
    if any(is_known(upper[at], known) for at in alone):
        return True
    groups = all(_is_merged(upper, lower, at) and not re.search(r"[:\d]", upper[at]) for at in filled)
    return len(filled) >= 2 and groups


def _name_groups(cells: list[str], upper: list[str], lower: list[str], known: Collection[str]) -> None:
    """Write the group in front of names that need it: ``Program Studi / Nama``.

    Only where the row above is one of names and no title: a known header stands there beside the groups, or
    it holds nothing but groups.
    """
    if not _names_groups(upper, lower, known):
        return
    for at in range(min(len(cells), len(lower))):
        name = clean_cell(lower[at])
        group = _group_at(upper, lower, at) if name else ""
        if not group or header_key(cells[at]) != header_key(name) or header_key(group) == header_key(name):
            continue
        other = _OTHERS.search(group.casefold()) is not None and _OTHERS.search(name.casefold()) is None
        tells_more = is_known(f"{name} {group}", known)
        if (
            other
            and (header_key(name) in _SUBJECTS or tells_more)
            or tells_more
            and not is_known(name, known)
        ):
            at_group = next(
                place for place in range(min(at, len(upper) - 1), -1, -1) if clean_cell(upper[place])
            )
            cells[at] = f"{clean_cell(upper[at_group])}{GROUPED}{name}"


@lru_cache(maxsize=10_000)
def in_one(header: str) -> str:
    """A header of a group and a name as one name; another header as it is.

    Examples
    --------
    >>> in_one("Identitas Prodi / Kode"), in_one("Program Studi/Jenjang")
    ('Kode Prodi', 'Program Studi/Jenjang')
    """
    group, between, name = header.partition(GROUPED)
    if not between:
        return header
    return f"{name} {_without_filling(group)}"


_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv")
_TERM_ABOVE = re.compile(
    rf"(?:semester|smstr|smt|sem|term)(?:\s*ke)?[\s._-]*(0?[1-9]|1[0-4]|{'|'.join(_ROMAN)})\.?", re.IGNORECASE
)


def _number_terms(cells: list[str], upper: list[str], lower: list[str], known: Collection[str]) -> None:
    """Write the number of the semester behind the headers that stand under it."""
    terms = {at: found for at, cell in enumerate(upper) if (found := _TERM_ABOVE.fullmatch(clean_cell(cell)))}
    if len(terms) < 2 and not (terms and any(is_known(cell, known) for cell in upper)):
        return
    term = ""
    for at in range(min(len(cells), len(lower))):
        if at in terms:
            said = terms[at][1].lower()
            term = str(_ROMAN.index(said) + 1 if said in _ROMAN else int(said))
        elif at < len(upper) and clean_cell(upper[at]):
            term = ""
        if term and clean_cell(lower[at]):
            cells[at] = f"{clean_cell(lower[at])} Semester {term}"


def with_names_above(rows: list[list[str]], position: int, known: Collection[str]) -> list[str]:
    """The header's cells; where cells are merged downwards, an empty one takes the name above it.

    The row above is one of names when a known header stands there over an empty cell.
    """
    cells = list(rows[position])
    above = rows[position - 1] if position else []
    cells += [""] * (len(above) - len(cells))
    empty = [at for at, name in enumerate(above) if clean_cell(name) and not clean_cell(cells[at])]
    if any(is_known(above[at], known) for at in empty):
        for at in empty:
            cells[at] = above[at]
    while cells and not clean_cell(cells[-1]):
        cells.pop()
    return cells


def unique_headers(cells: list[str]) -> list[str]:
    """Headers as written, less stray spaces; an empty one is named by position, a repeated one numbered."""
    headers: list[str] = []
    taken: set[str] = set()
    seen: Counter[str] = Counter()
    for position, cell in enumerate(cells, start=1):
        header = re.sub(r"\s+", " ", clean_cell(cell)) or f"column {position}"
        seen[header] += 1
        name = header
        while name in taken:
            name = f"{header} ({seen[header]})"
            seen[header] += name in taken
        taken.add(name)
        headers.append(name)
    return headers


class Amount:
    """Counts what of a file becomes a table, so that a small file does not become gigabytes of one."""

    def __init__(self) -> None:
        self.letters = self.cells = 0

    def counted(self, body, width: int, name: str) -> Iterator[tuple[int, list[str]]]:
        """The records of a body, each after it was counted.

        Parameters
        ----------
        body : iterable of (int, list of str)
            Row number and cells.
        width : int
            Columns of the table: a shorter record is filled up.
        name : str
            File name, for messages.

        Raises
        ------
        TableError
            When a cell is longer than :data:`MAX_LETTERS`, or the records so far have more than
            :data:`MAX_TEXT` characters or :data:`MAX_CELLS` cells; the message names the row.
        """
        for number, record in body:
            letters = sum(map(len, record))
            if letters > MAX_LETTERS:
                refuse_long_cell(record, f"{name}: row {number}")
            self.letters += letters
            self.cells += max(len(record), width)
            if self.letters > MAX_TEXT:
                raise TableError(
                    f"{name}: more than {MAX_TEXT:,} characters up to row {number:,}; delete the columns "
                    "that hold nothing of the register, or split the file"
                )
            if self.cells > MAX_CELLS:
                raise TableError(
                    f"{name}: more than {MAX_CELLS:,} cells up to row {number:,}; delete the columns that "
                    "hold nothing of the register, or split the file"
                )
            yield number, record


def refuse_long_cell(record: list[str], where: str) -> None:
    """Raise :class:`TableError` for a cell longer than :data:`MAX_LETTERS`; ``where`` names the row."""
    for column, cell in enumerate(record, start=1):
        if len(cell) > MAX_LETTERS:
            raise TableError(
                f"{where}, column {column}: {len(cell):,} characters; a cell has at most {MAX_LETTERS:,}"
            )


def build_frame(
    body, headers: list[str], *, pad: bool = False, name: str = "", amount: Amount | None = None
) -> tuple[pd.DataFrame, dict[int, int]]:
    """Records → frame, in chunks so that a million rows need little more memory than their text.

    Parameters
    ----------
    body : iterable of (int, list of str)
        Row number and cells.
    headers : list of str
        Column names.
    pad : bool
        Whether a short row is simply filled up (workbooks do not write empty cells at the end).
    name : str
        File name, for messages.
    amount : Amount, optional
        What other sheets of the file have made already; by default nothing.

    Returns
    -------
    frame : pandas.DataFrame
        Text, index ``row``; blank rows left out.
    ragged : dict of int to int
        Row → number of cells, where it differs from the header's.

    Raises
    ------
    TableError
        When a row has more than :data:`MAX_COLUMNS` cells, or see :meth:`Amount.counted`.
    """
    width, ragged, chunks, cleaned = len(headers), {}, [], _Cleaned()
    body = (amount or Amount()).counted(body, width, name)
    together = max(1, min(CHUNK_ROWS, CHUNK_CELLS // max(width, 1)))
    while chunk := list(islice(body, together)):
        numbers, rows = [], []
        for number, record in chunk:
            if not any(record):
                continue
            if len(record) > MAX_COLUMNS and any(map(clean_cell, record[MAX_COLUMNS:])):
                raise TableError(
                    f"{name}: row {number}: {len(record):,} cells; at most {MAX_COLUMNS:,} columns are read"
                )
            cells = list(map(cleaned.__getitem__, record[:MAX_COLUMNS]))
            if not any(cells):
                continue
            if len(cells) > width and not any(cells[width:]):
                cells = cells[:width]
            if len(cells) != width:
                if len(cells) > width or not pad:
                    ragged[number] = len(cells)
                cells = (cells + [""] * width)[:width]
            numbers.append(number)
            rows.append(cells)
        index = pd.Index(numbers, name="row", dtype="int64")
        chunks.append(pd.DataFrame(rows, index=index, columns=headers, dtype="str"))
    unnamed = [header for header in headers if header.startswith("column ")]
    if not chunks:
        empty = pd.Index([], name="row", dtype="int64")
        return pd.DataFrame(columns=headers, index=empty, dtype="str"), ragged
    frame = pd.concat(chunks)
    hollow = [header for header in unnamed if (frame[header] == "").all()]
    return frame.drop(columns=hollow), ragged
