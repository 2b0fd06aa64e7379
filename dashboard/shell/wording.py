"""Every word a person reads, in English and Bahasa Indonesia, and numbers the way each language writes them.

The texts live in ``dashboard/locales/*.toml``; code refers to them by key only. A key that a file lacks is
an error (a test compares the two files), never a silent fall-back to the other language.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path

from dashboard.reports import language as writing
from dashboard.reports.language import LANGUAGES

LOCALES = Path(__file__).parent.parent / "locales"
EMPTY = "–"
"""What is not known."""
NOT_YET = "…"
"""What cannot be known yet, as the days of it are still to come."""


@cache
def _texts(language: str) -> dict[str, str]:
    return writing.read_texts(LOCALES / f"{language}.toml", *sorted(LOCALES.glob(f"*.{language}.toml")))


def language_of(locale: str | None) -> str:
    """The language to begin with for a browser's locale such as ``"id-ID"``; English when unknown."""
    wanted = (locale or "").lower().split("-")[0]
    return wanted if wanted in LANGUAGES else "en"


class _Filled(str):
    """A value as it stands in a text, where ``{n:one|other}`` chooses a word by it."""

    def __format__(self, choice: str) -> str:
        one, either, other = choice.partition("|")
        if either:
            return one if self == "1" else other
        return super().__format__(choice)


@dataclass(frozen=True)
class Words:
    """The texts and number formats of one language.

    Parameters
    ----------
    language : {"en", "id"}
        Which file of ``dashboard/locales`` to read.

    Examples
    --------
    >>> Words("en").number(1234.5, 1), Words("id").number(1234.5, 1)
    ('1,234.5', '1.234,5')
    """

    language: str = "en"

    def __post_init__(self) -> None:
        writing.known_language(self.language)

    def __call__(self, key: str, /, **values) -> str:
        """The text of ``key`` with ``values`` filled in; whole numbers are written in the language's way.

        A text may choose by a number: ``{n:file|files}`` is "file" where ``n`` is 1.

        Raises
        ------
        KeyError
            If the language's file has no such key.
        """
        text = _texts(self.language)[key]
        if not values:
            return text
        return text.format(**{name: self._shown(value) for name, value in values.items()})

    def has(self, key: str) -> bool:
        """Whether the language has a text of that key (for names that come from data, such as features)."""
        return key in _texts(self.language)

    def named(self, family: str, name: object) -> str:
        """The text of ``family.name``; a name that no file knows is shown as it is, with spaces."""
        key = f"{family}.{name}"
        return self(key) if self.has(key) else str(name).replace("_", " ")

    def count(self, thing: str, n: int) -> str:
        """``n`` things in words, as ``count("students", 1)`` → "1 student"."""
        form = "one" if n == 1 else "other"
        return self(f"count.{thing}.{form}", n=n)

    def number(self, value: float | None, digits: int = 0) -> str:
        """A number with ``digits`` decimals; a dash when there is none."""
        if value is None or value != value:
            return EMPTY
        return writing.number(value, digits, self.language)

    def percent(self, share: float | None, digits: int = 0) -> str:
        """A share in 0–1 as a percentage."""
        return EMPTY if share is None or share != share else writing.percent(share, digits, self.language)

    def of_100(self, risk: float | None) -> str:
        """A risk in 0–1 as "n of 100"; never 0 or 100, which no model can promise."""
        if risk is None or risk != risk:
            return EMPTY
        return self.number(min(max(round(100 * risk), 1), 99))

    def signed(self, value: float | None, digits: int = 0) -> str:
        """A difference with its sign."""
        if value is None or value != value:
            return EMPTY
        shown = self.number(value, digits)
        return f"+{shown}" if value > 0 and shown.strip("0.,") else shown

    def day(self, value: date | str | None) -> str:
        """A date such as "20 Nov 2026"; accepts dates, datetimes and ISO texts."""
        if value is None or value != value or value == "":
            return EMPTY
        if isinstance(value, str):
            value = date.fromisoformat(value[:10])
        return f"{value.day} {self('months.short').split()[value.month - 1]} {value.year}"

    def month(self, month: int) -> str:
        """The name of a month, 1–12, such as "November"."""
        return self("months.long").split()[month - 1]

    def moment(self, value: datetime | None) -> str:
        """A day with the time of day, such as "20 Nov 2026 15:48"."""
        return EMPTY if value is None or value != value else f"{self.day(value)} {value:%H:%M}"

    def term(self, term_id: int | None) -> str:
        """A ``YYYYT`` term such as "Odd 2025/26"."""
        if term_id is None or term_id != term_id:
            return EMPTY
        year, part = divmod(int(term_id), 10)
        return f"{self(f'term.part{part}')} {year}/{(year + 1) % 100:02d}"

    @property
    def separators(self) -> str:
        """Decimal and thousands signs in the order that plotly wants."""
        thousands, decimals = writing.SEPARATORS[self.language]
        return decimals + thousands

    def _shown(self, value: object) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            return _Filled(self.number(value))
        return _Filled(value)
