"""A language's texts and the way it writes numbers: the one loader and the one writer of pages and reports.

It stands in the room that leans on no other of the dashboard, so that both can use it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

LANGUAGES = {"en": "English", "id": "Bahasa Indonesia"}
PRINTED = ("id", "en")
"""Languages in the order in which reports are printed."""
SEPARATORS = {"en": (",", "."), "id": (".", ",")}
"""Signs between thousands and before decimals."""


def whole_number(value: object) -> object:
    """A whole float as the integer that it is; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def program_label(code: str, name: str) -> str:
    """Code and name of a programme; the name once where it serves as the code, in a register without codes.

    Parameters
    ----------
    code : str
    name : str
        Empty: not known.
    """
    return code if code == name else f"{code} {name}".strip()


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
    """A number with ``digits`` decimals, thousands apart, a true minus sign, and no minus before a zero.

    Examples
    --------
    >>> number(1234.5, 1, "en"), number(-1234.5, 1, "id"), number(-0.004, 2, "en")
    ('1,234.5', '−1.234,5', '0.00')
    """
    thousands, decimals = SEPARATORS[known_language(language)]
    text = f"{value:z,.{digits}f}".replace("-", "−")
    return text.translate(str.maketrans({",": thousands, ".": decimals}))


def percent(share: float, digits: int, language: str) -> str:
    """A share in 0–1 as a percentage; both languages write the sign without a space.

    Examples
    --------
    >>> percent(0.5, 1, "en"), percent(0.125, 1, "id")
    ('50.0%', '12,5%')
    """
    return f"{number(100 * share, digits, language)}%"


class NumberError(ValueError):
    """A text that is no number of the range: ``why`` is "none", "two" or "range"; ``said`` fills in words."""

    def __init__(self, why: str, **said: str):
        super().__init__(f"{why}: {said}")
        self.why, self.said = why, said


def read_number(text: str, language: str, low: float | None = None, high: float | None = None) -> float:
    """The number that a text writes, with a comma or a point before its decimals.

    Parameters
    ----------
    text : str
        As somebody typed it; blanks and a true minus sign are taken too.
    language : {"en", "id"}
        In which bounds and readings are told.
    low, high : float, optional
        The least and the greatest number that is right.

    Raises
    ------
    NumberError
        "none": no number. "range": beyond ``low`` and ``high``. "two": one sign before three digits, such as
        1.234, which can mean more than a thousand or little more than one, and both are in the range.

    Examples
    --------
    >>> read_number("0,35", "id"), read_number("0.35", "id"), read_number("1.234,5", "id")
    (0.35, 0.35, 1234.5)
    """
    plain = "".join(text.split()).replace("−", "-")
    readings = _readings(plain)
    if not readings:
        raise NumberError("none", text=text.strip(), example=number(2.5, 1, language))
    fitting = [one for one in readings if (low is None or one >= low) and (high is None or one <= high)]
    if not fitting:
        bounds = ["" if one is None else short_number(one, language) for one in (low, high)]
        raise NumberError("range", text=text.strip(), low=bounds[0], high=bounds[1])
    if len(fitting) > 1:
        small, large = sorted(fitting, key=abs)
        raise NumberError("two", text=text.strip(), one=f"{large:.0f}", other=number(small, 4, language))
    return fitting[0]


def short_number(value: float, language: str, digits: int = 0) -> str:
    """A number with the decimals that it has, up to six, and at least ``digits``.

    Examples
    --------
    >>> short_number(0.5, "id"), short_number(30.0, "en"), short_number(30.0, "id", 1)
    ('0,5', '30', '30,0')
    """
    needed = len(f"{value:.6f}".rstrip("0").partition(".")[2])
    return number(value, max(digits, needed), language)


def _readings(plain: str) -> list[float]:
    """What a text without blanks can mean as a number."""
    shape = re.fullmatch(r"([+-]?)([0-9]+(?:[.,][0-9]+)*)", plain)
    if shape is None:
        return []
    sign, figures = (-1.0 if shape[1] == "-" else 1.0), shape[2]
    signs = [mark for mark in figures if mark in ".,"]
    found = []
    if len(signs) <= 1:
        found.append(figures.replace(",", "."))
    elif signs[-1] not in signs[:-1]:  # 1.234.567,8: the last sign stands before the decimals
        whole, _, rest = figures.rpartition(signs[-1])
        found += [f"{''.join(parts)}.{rest}" for parts in _thousands(whole)]
        return [sign * float(one) for one in found]
    found += ["".join(parts) for parts in _thousands(figures) if signs]
    return [sign * float(one) for one in found]


def _thousands(figures: str) -> list[list[str]]:
    """The groups of a number whose signs stand between thousands; empty where they do not."""
    if not re.fullmatch(r"[1-9][0-9]{0,2}(?:([.,])[0-9]{3}(?:\1[0-9]{3})*)?", figures):
        return []
    return [re.split("[.,]", figures)]
