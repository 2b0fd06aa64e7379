"""A language's texts and the way it writes numbers: the one loader and the one writer of pages and reports.

It stands in the room that leans on no other of the dashboard, so that both can use it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

LANGUAGES = {"en": "English", "id": "Bahasa Indonesia"}
PRINTED = ("id", "en")
"""Languages in the order in which reports are printed."""
SEPARATORS = {"en": (",", "."), "id": (".", ",")}
"""Signs between thousands and before decimals."""


def known_language(language: str) -> str:
    """The language itself.

    Raises
    ------
    ValueError
        When it is none of :data:`LANGUAGES`.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, got {language!r}")
    return language


@cache
def read_texts(*files: Path) -> dict[str, str]:
    """The texts of TOML files by their dotted keys; of a key that two files have, the later's.

    Parameters
    ----------
    *files : Path
        Tables of texts, nested as deep as they like: ``[a.b]`` with ``c = "…"`` is ``a.b.c``.
    """
    texts: dict[str, str] = {}
    for path in files:
        texts |= _flat(tomllib.loads(path.read_text(encoding="utf-8")), "")
    return texts


def _flat(table: dict, prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def number(value: float, digits: int, language: str) -> str:
    """A number with ``digits`` decimals, thousands apart, and a true minus sign.

    Examples
    --------
    >>> number(1234.5, 1, "en"), number(-1234.5, 1, "id")
    ('1,234.5', '−1.234,5')
    """
    thousands, decimals = SEPARATORS[known_language(language)]
    text = f"{value:,.{digits}f}".replace("-", "−")
    return text.translate(str.maketrans({",": thousands, ".": decimals}))


def percent(share: float, digits: int, language: str) -> str:
    """A share in 0–1 as a percentage; both languages write the sign without a space.

    Examples
    --------
    >>> percent(0.5, 1, "en"), percent(0.125, 1, "id")
    ('50.0%', '12,5%')
    """
    return f"{number(100 * share, digits, language)}%"
