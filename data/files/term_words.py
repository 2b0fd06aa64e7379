"""Terms as registers write them: ``20241``, ``2024/2025 Ganjil``, ``Fall 2024``; a date only for an entry."""

from __future__ import annotations

import re

from data.calendar.term_calendar import is_term, term_of_entry
from data.files.dates import read_date

_PARTS = {
    1: "ganjil gasal odd fall autumn",
    2: "genap even spring",
    3: "pendek antara short summer",
}
_PART_OF_WORD = {word: part for part, words in _PARTS.items() for word in words.split()}
_YEAR = r"(?<!\d)(?:19|20)\d{2}(?!\d)"
# Words that may stand beside a year and a digit; any other word says that the digit counts something else.
_BESIDE = frozenset(
    "semester smt sem term ta t a th thn tahun akademik ajaran academic year periode period angkatan".split()
)
_CODED = re.compile(rf"({_YEAR})(?:\s*[/-]\s*({_YEAR}))?\s*[-/. (:]+\s*([123])\s*\)?")  # 2023/2024-1, 2023-1


def read_term(text: str, entry: bool = False, order: str = "dmy") -> int:
    """A term as ``YYYYT``.

    Parameters
    ----------
    text : str
        The cell.
    entry : bool
        Whether an entry is asked for: a year alone, or an academic year, is its odd term then, and a date the
        term that begins around it.
    order : {"dmy", "mdy", ""}
        As for :func:`data.files.dates.read_date`.

    Raises
    ------
    ValueError
        When it names no single term.

    Examples
    --------
    >>> read_term("2023/2024 Genap"), read_term("20231"), read_term("2023", True), read_term("Spring 2024")
    (20232, 20231, 20231, 20232)
    >>> read_term("2 September 2021", True), read_term("1 February 2024", True)
    (20211, 20232)
    """
    text = re.sub(r"[.,]0+$", "", text.strip())
    if re.fullmatch(r"\d{5}", text):
        term = int(text)
    elif entry and re.fullmatch(r"\d{4}", text):
        term = int(text) * 10 + 1
    else:
        term = _entry_of_date(text, order) if entry else None
        term = _term_of_words(text, entry) if term is None else term
    if not is_term(term):
        raise ValueError(f"not a term: {text!r}")
    return term


def _entry_of_date(text: str, order: str) -> int | None:
    try:
        return term_of_entry(read_date(text, order))
    except ValueError:
        return None


def _term_of_words(text: str, entry: bool) -> int:
    years = [int(year) for year in re.findall(_YEAR, text)]
    rest = re.sub(_YEAR, " ", text).casefold()
    words, digits = re.findall(r"[a-z]+", rest), re.findall(r"\d+", rest)
    parts = {_PART_OF_WORD[word] for word in words if word in _PART_OF_WORD}
    parts |= {_coded(text, words, digit) for digit in digits}
    if entry and not parts and len(years) == 2 and not set(words) - _BESIDE:
        parts = {1}
    part = parts.pop() if len(parts) == 1 else None
    if part is None or not 1 <= len(years) <= 2:
        raise ValueError(f"not a term: {text!r}")
    if len(years) == 2 and years[1] != years[0] + 1:
        raise ValueError(f"not a term: {text!r}")
    after_new_year = len(years) == 1 and bool({"spring", "summer"} & set(words))
    return (years[0] - after_new_year) * 10 + part


def _coded(text: str, words: list[str], digit: str) -> int | None:
    """A digit as half of the year; None when it may count waves, classes, days or own semesters."""
    strange = set(words) - _BESIDE - set(_PART_OF_WORD)
    if digit not in ("1", "2", "3") or strange:
        return None
    if {"semester", "smt", "sem", "term"} & set(words):
        return int(digit) if digit != "3" else None
    if _PART_OF_WORD.keys() & set(words) or _CODED.search(text):
        return int(digit)
    return None
