"""What stands in a column of student numbers and is none: totals, notes, errors, damaged numbers."""

from __future__ import annotations

import re

from data.files.cells import looks_damaged
from data.files.told import Told

_SUMMARY = re.compile(
    r"(grand|sub)?[ -]*(total|jumlah|jml|rata|rerata|average|mean|sum|count|banyaknya|keterangan|catatan|note"
    r"|mengetahui|dicetak|printed|halaman|page|nim|npm|nomor|sumber|source)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_WRITTEN = re.compile(r"[^\W_]+(?:[ ./_\-–:\\()]+[^\W_]+)*[)]?")  # letters and digits, cut by usual signs
_DAY = re.compile(r"(19|20)\d\d-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?|\d{1,2}[:.]\d\d([:.]\d\d)?")


def is_summary(text: str) -> bool:
    """Whether a cell begins a total, a caption or a note rather than a row of somebody."""
    return bool(_SUMMARY.fullmatch(text.strip()))


_COURSE_TOTAL = re.compile(
    r"(?:(?:grand|sub)[ -]*)?(?:total|jumlah|jml)(?:[ .:]+(?:sks|kredit|nilai|mutu|credits?|mk))*[ .:=]*\d*"
    r"|rata[ -]?rata.*|ip[sk]?[ .:=]*(?:\d[\d.,]*)?|indeks prestasi.*",
    re.IGNORECASE,
)


def is_course_total(text: str) -> bool:
    """Whether a cell in the place of a course begins a line of totals; a course may be called after one.

    Examples
    --------
    >>> is_course_total("JUMLAH SKS"), is_course_total("IPS"), is_course_total("Total Quality Management")
    (True, True, False)
    """
    return bool(_COURSE_TOTAL.fullmatch(text.strip()))


def why_none(number: str) -> Told | None:
    """Why a text is no student number, in words; None when it may be one.

    Examples
    --------
    >>> why_none("H.131.17"), why_none("21/456/TK"), why_none("21E10023"), why_none("18 0301 0015")
    (None, None, None, None)
    >>> why_none("TOTAL")
    'a total, a caption or a note, not the row of a student; delete the row'
    """
    if number.isdecimal() and number.isascii() and number.strip("0"):
        return None
    if looks_damaged(number):
        return None  # that has a rule of its own
    if is_summary(number):
        return Told("no_student", "a total, a caption or a note, not the row of a student; delete the row")
    if not any(char.isdecimal() for char in number):
        return Told("no_digit", "holds no digit; a student number has at least one")
    if not number.strip("0 ./-"):
        return Told("only_zeros", "only zeros")
    if _DAY.fullmatch(number):
        words = "a date or a time, not a student number; format the column as text and export it again"
        return Told("date_as_number", words)
    words = [word for word in re.findall(r"[^\W\d_]+", number) if len(word) > 1]
    if not _WRITTEN.fullmatch(number) or len(number) > 12 and len(words) > 3:
        words = "other text stands in the cell beside the number; only the number may stand there"
        return Told("text_beside", words)
    return None
