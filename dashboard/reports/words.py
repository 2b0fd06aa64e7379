"""The words that reports print, and figures as text (``words.toml``; Indonesian and English)."""

from __future__ import annotations

from pathlib import Path

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


def head_count(count: int, language: str) -> str:
    """A number of students, or "fewer than five" where a suppressed report must not say."""
    return say(language, "few") if count == FEW else figure(count, "0", language)
