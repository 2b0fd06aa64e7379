"""The words that reports print, and figures as text (``words.toml``; Indonesian and English)."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from dashboard.reports.language import known_language, number, percent, read_texts
from dashboard.reports.model import CLOSED, EMPTY, FEW, MARKS, MISSING, NOT_KNOWN, NOT_YET, OPEN, SUPPRESSED
from dashboard.reports.suppress import THRESHOLD

FILE = Path(__file__).with_name("words.toml")
STATE_WORDS = {
    CLOSED: "mark_closed",
    NOT_YET: "mark_not_yet",
    NOT_KNOWN: "mark_not_known",
    EMPTY: "mark_empty",
    MISSING: "mark_missing",
    SUPPRESSED: "mark_suppressed",
}


def say(language: str, key: str, **values) -> str:
    """A text in a language.

    Raises
    ------
    ValueError
        When the language is neither ``id`` nor ``en``.
    KeyError
        When there is no such text.
    """
    return read_texts(FILE)[f"{known_language(language)}.{key}"].format(**({"threshold": THRESHOLD} | values))


def figure(value: float | int | None, form: str, language: str, state: str = OPEN) -> str:
    """A figure as printed: decimals by ``form`` (``0``, ``0.00``, ``0.0%``), a mark where there is none.

    Examples
    --------
    >>> figure(4.349, "0.00", "id"), figure(0.5, "0.0%", "en"), figure(None, "0", "en", "empty_denominator")
    ('4,35', '50.0%', '—')
    """
    if value is None:
        return MARKS.get(state, "—")
    write, digits = percent if form.endswith("%") else number, len(form.rstrip("%").partition(".")[2])
    return write(value, digits, language)


def month_words(month: int, language: str) -> str:
    """The name of a month, 1–12."""
    return say(language, "months").split()[month - 1]


def day_words(day: date | str, language: str) -> str:
    """A day as papers write it; accepts dates, datetimes and ISO texts.

    Examples
    --------
    >>> day_words("2026-09-01", "en"), day_words("2026-08-31", "id")
    ('1 September 2026', '31 Agustus 2026')
    """
    day = date.fromisoformat(day[:10]) if isinstance(day, str) else day
    return f"{day.day} {month_words(day.month, language)} {day.year}"


def moment_words(moment: datetime, language: str) -> str:
    """A day and a time of day with the name of its clock, such as "1 September 2026 09:30 WIB"."""
    return f"{day_words(moment, language)} {moment:%H:%M} {clock_name(moment)}".rstrip()


def clock_name(moment: datetime) -> str:
    """The name of the clock of a moment, such as "WIB"; empty where it has none."""
    clock = moment.tzname() or ""
    # A zone that has no letters of its own, such as Asia/Singapore: +08.
    return f"UTC{clock}" if clock[:1] in ("+", "-") else clock


def clock_of(zone: str) -> str:
    """The name of a zone's clock; of one with summer time the zone itself, for its clock has two names.

    Examples
    --------
    >>> clock_of("Asia/Jakarta"), clock_of("Asia/Singapore"), clock_of("Europe/Berlin"), clock_of("")
    ('WIB', 'UTC+08', 'Europe/Berlin', 'UTC')
    """
    if not zone:
        return "UTC"
    january, july = (clock_name(datetime(2026, month, 1, tzinfo=ZoneInfo(zone))) for month in (1, 7))
    return january if january == july else zone


def with_days(text: str, language: str) -> str:
    """A text of the data in which every ISO date is written as papers write days."""
    return re.sub(r"\b\d{4}-\d{2}-\d{2}\b", lambda found: day_words(found[0], language), text)


def head_count(count: int, language: str) -> str:
    """A number of students, or "fewer than five" where a suppressed report must not say."""
    return say(language, "few") if count == FEW else figure(count, "0", language)
