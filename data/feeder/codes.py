"""What Feeder's codes mean, by its own lists and not by numbers that somebody once knew.

A code that its list names stands for the list's words; our vocabulary then decides about the words. Where the
words say something else than the number was taken for until now, the words hold and the clash is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from data.columns import OUTCOME_COLUMNS, STUDENT_COLUMNS, TERM_COLUMNS
from data.feeder.lists import ENTRY_KINDS, EXIT_KINDS, SEMESTERS, STATUSES, FeederList
from data.feeder.staging import Staging
from data.files.mapping import load_mapping
from data.files.matching import shipped_words
from data.files.term_words import read_term
from data.files.text_table import cell_key


@dataclass(frozen=True)
class Codes:
    """The words of Feeder's code lists.

    Parameters
    ----------
    words : dict of str to dict of str to str
        Field of the code → code → words (of a semester: the term).
    clashes : tuple of (str, str)
        Act, and what it says against what was expected.
    """

    words: dict[str, dict[str, str]]
    clashes: tuple[tuple[str, str], ...] = ()

    def said(self, field: str, code: str) -> str:
        """The words of a code; the code itself where no list names it."""
        return self.words.get(field, {}).get(code, code)


_KINDS = (
    (STATUSES, "id_status_mahasiswa", ("nama_status_mahasiswa",), "terms", "status"),
    (EXIT_KINDS, "id_jenis_keluar", ("jenis_keluar", "nama_jenis_keluar"), "outcomes", "exit_type"),
    (ENTRY_KINDS, "id_jenis_daftar", ("nama_jenis_daftar",), "students", "entry_type"),
)
_COLUMNS = {column.name: column for column in (*STUDENT_COLUMNS, *TERM_COLUMNS, *OUTCOME_COLUMNS)}


def codes_of(staging: Staging) -> Codes:
    """The code lists that were read, and where they contradict the numbers known so far."""
    words: dict[str, dict[str, str]] = {}
    clashes: list[tuple[str, str]] = []
    for one, field, labels, table, column in _KINDS:
        told = _told(staging, one, field, labels)
        vocabulary = _vocabulary(table, column)
        clashes += [(one.act, line) for line in _against(told, field, table, column, vocabulary)]
        # Words that are not known stand for a number, to be refused by name; a letter speaks for itself.
        words[field] = {
            code: label for code, label in told.items() if code.isdecimal() or cell_key(label) in vocabulary
        }
    semesters, strange = _semesters(_told(staging, SEMESTERS, "id_semester", ("nama_semester",)))
    words["id_semester"] = semesters
    return Codes(words, (*clashes, *strange))


def _told(staging: Staging, one: FeederList, field: str, labels: tuple[str, ...]) -> dict[str, str]:
    rows = [(row[field], next((row[name] for name in labels if row[name]), "")) for row in staging.rows(one)]
    return {code: label for code, label in rows if code and label}


def _vocabulary(table: str, name: str) -> dict[str, str]:
    words = shipped_words(_COLUMNS[name], table)
    return {key: value for key, value in words.items() if not key.isdecimal()}


def _against(
    told: Mapping[str, str], field: str, table: str, name: str, vocabulary: Mapping[str, str]
) -> list[str]:
    expected = load_mapping("pddikti").words(table, _COLUMNS[name])
    lines = []
    for code, label in told.items():
        meant, said = expected.get(cell_key(code)), vocabulary.get(cell_key(label))
        if said is not None and meant is not None and said != meant:
            lines.append(f"{field} {code} is {label!r} there; taken for {meant or 'nothing'} until now")
    return lines


def _semesters(told: Mapping[str, str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Term by code where its words name one; a code that names another term is a clash."""
    terms, clashes = {}, []
    for code, label in told.items():
        try:
            term = str(read_term(label))
        except ValueError:
            continue
        terms[code] = term
        if code.isdecimal() and len(code) == len(term) and code != term:
            clashes.append((SEMESTERS.act, f"id_semester {code} is {label!r} there: {term} is taken"))
    return terms, clashes
