"""Whose signature a file is, when and on what occasion it was made: read from its name and folders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

SHORTEST_INSIDE = 4  # shorter numbers must be a whole name: "scan_2.png" is not student 2
_WORDS = {
    "enrollment": "enrollment enrolment pendaftaran registrasi daftar ulang her herregistrasi ktm masuk",
    "course_registration": "krs course courseregistration registration perwalian",
    "exam": "exam exams ujian uts uas kehadiran presensi",
    "thesis": "thesis skripsi tesis ta tugasakhir sidang disertasi",
}
_CONTEXT_OF = {word: context for context, words in _WORDS.items() for word in words.split()}


class AmbiguousName(ValueError):
    """A file name that fits more than one student."""


@dataclass(frozen=True)
class ReadName:
    """What a file's name says.

    Parameters
    ----------
    student_number : str or None
        The register's number, as the register writes it.
    captured_on : date or None
        A date in the name or a folder.
    context : str or None
        One of :data:`data.columns.SPECIMEN_CONTEXTS`.
    """

    student_number: str | None
    captured_on: date | None
    context: str | None


class NumberIndex:
    """Student numbers, found in names whatever their punctuation and case.

    Parameters
    ----------
    numbers : iterable of str
        Numbers of the register.
    """

    def __init__(self, numbers: Iterable[str]):
        self._by_key: dict[str, set[str]] = {}
        for number in numbers:
            self._by_key.setdefault(_key(number), set()).add(number)
        self._by_key.pop("", None)

    def read_name(self, name: str) -> ReadName:
        """Read a path such as ``krs/0117200001/2023-09-05.png``.

        The file's own name goes before its folders, nearer folders before farther ones.

        Raises
        ------
        AmbiguousName
            When two students fit equally well.
        """
        path = PurePosixPath(name)
        parts = [path.stem, *reversed(path.parts[:-1])]
        found, rest = None, []
        for part in parts:
            numbers, remainder = self._find(part)
            if len(numbers) > 1 or (found and numbers and numbers != {found}):
                raise AmbiguousName(f"fits {len(numbers | ({found} if found else set()))} students")
            found = found or next(iter(numbers), None)
            rest.append(remainder)
        day = next((day for text in rest if (day := find_date(text))), None)
        context = next((context for text in rest if (context := find_context(text))), None)
        return ReadName(found, day, context)

    def _find(self, part: str) -> tuple[set[str], str]:
        """Numbers in one name by their longest occurrence, and the name without it."""
        whole = self._by_key.get(_key(part))
        if whole:
            return whole, ""
        for pattern in (r"[0-9A-Za-z]+", r"[0-9]+|[A-Za-z]+"):
            tokens = list(re.finditer(pattern, part))
            for length in range(len(tokens), 0, -1):
                hits = {}
                for start in range(len(tokens) - length + 1):
                    run = tokens[start : start + length]
                    key = _key("".join(token.group() for token in run))
                    if len(key) >= SHORTEST_INSIDE and key in self._by_key:
                        hits[key] = (run[0].start(), run[-1].end())
                if hits:
                    numbers = set().union(*(self._by_key[key] for key in hits))
                    first, last = next(iter(hits.values()))
                    return numbers, f"{part[:first]} {part[last:]}"
        return set(), part


def _key(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def find_date(text: str) -> date | None:
    """The first date in a name: ``2023-09-05``, ``20230905``, ``05-09-2023``; None when there is none.

    Examples
    --------
    >>> find_date("krs_2023-09-05"), find_date("05.09.2023 a"), find_date("scan 12")
    (datetime.date(2023, 9, 5), datetime.date(2023, 9, 5), None)
    """
    for match in re.finditer(r"(?<!\d)((?:19|20)\d{2})([-_. ]?)(\d{2})\2(\d{2})(?!\d)", text):
        if day := _date(match[1], match[3], match[4]):
            return day
    for match in re.finditer(r"(?<!\d)(\d{2})([-_. ]?)(\d{2})\2((?:19|20)\d{2})(?!\d)", text):
        if day := _date(match[4], match[3], match[1]):
            return day
    return None


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def find_context(text: str) -> str | None:
    """The occasion that a word of a name says, or None."""
    words = re.findall(r"[a-z]+", text.casefold())
    candidates = [*words, *("".join(pair) for pair in zip(words, words[1:], strict=False))]
    return next((_CONTEXT_OF[word] for word in candidates if word in _CONTEXT_OF), None)
