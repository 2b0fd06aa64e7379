"""What a spreadsheet shows in a cell of numbers: leading zeros and separators of its format, per cents."""

from __future__ import annotations

import re
from functools import lru_cache

EXACT = 10**15  # spreadsheet programs keep fifteen digits of a number
_TOKEN = re.compile(r'"([^"]*)"|\\(.)|\[[^\]]*\]|_.|\*.|([0#?]+)|(.)', re.DOTALL)


def shown_number(value: float, number_format: str) -> str:
    """A number as the office sees it, and never with fewer digits than are stored.

    Parameters
    ----------
    value : int or float
        The number stored.
    number_format : str
        The cell's format, e.g. ``0000000000``, ``"00"00000000``, ``0.0%``.

    Examples
    --------
    >>> shown_number(117200001, "0000000000;-0"), shown_number(17200001, '"01"00000000')
    ('0117200001', '0117200001')
    >>> shown_number(0.85, "0%"), shown_number(85, '0" %"'), shown_number(20, '0" SKS"')
    ('85%', '85 %', '20')
    """
    if abs(value) >= EXACT:
        return f"{value:.15E}"  # its last digits are lost; the checks say so
    layout = _layout(number_format or "")
    if layout.percent == "sign":
        return f"{round(value * 100, 10):g}%"
    if not float(value).is_integer():
        text = repr(float(value))
    elif value >= 0 and layout.fixed:
        text = layout.filled(str(int(value)))
    else:
        text = str(int(value))
    return f"{text} %" if layout.percent == "text" else text


class _Layout:
    """The first section of a number format, as far as it decides which digits are seen."""

    def __init__(self, number_format: str):
        self.percent, self.parts, plain = "", [], True
        for quoted, escaped, digits, other in _section(number_format):
            literal = quoted or escaped
            if digits:
                self.parts.append((True, digits))
            elif literal or other in tuple("-/ ()"):
                self.percent = "text" if "%" in literal else self.percent
                self.parts.append((False, literal or other))
            elif other == "%":
                self.percent = "sign"
            elif other:
                plain = False  # a decimal point, thousands, an exponent, a date: the digits stored are meant
        places = [at for at, (is_digits, _) in enumerate(self.parts) if is_digits]
        zeros = sum(text.count("0") for is_digits, text in self.parts if is_digits)
        if not places or not plain or self.percent:
            self.fixed = False
            return
        before = "".join(text for _, text in self.parts[: places[0]])
        self.fixed = zeros > 1 or bool(before.strip(" -()"))
        if zeros < 2:  # one placeholder with a word behind it: a unit, which is no part of the number
            self.parts = self.parts[: places[-1] + 1]

    def filled(self, digits: str) -> str:
        """The digits in their places from the right; what has no place stands in front."""
        shown = []
        front = next(at for at, (is_digits, _) in enumerate(self.parts) if is_digits)
        for at, (is_digits, text) in reversed(list(enumerate(self.parts))):
            if not is_digits:
                shown.append(text)
                continue
            for place in reversed(text):
                if digits:
                    shown.append(digits[-1])
                    digits = digits[:-1]
                elif place == "0":
                    shown.append("0")
            if digits and at == front:
                shown.append(digits)
                digits = ""
        return "".join(reversed(shown)).strip()


def _section(number_format: str):
    """Tokens of the section for positive numbers: quoted text, escaped sign, places of digits, other sign."""
    depth = 0
    for token in _TOKEN.finditer(number_format):
        if token[4] == ";" and not depth:
            return
        yield token[1] or "", token[2] or "", token[3] or "", token[4] or ""


@lru_cache(maxsize=1_000)
def _layout(number_format: str) -> _Layout:
    return _Layout(number_format)
