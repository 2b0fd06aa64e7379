"""The condition of a cell in words: "year of entry: that of the row; exit: graduated"; a formula in words."""

from __future__ import annotations

import re

from dashboard.reports.expressions import FUNCTIONS, TOKEN
from dashboard.reports.profile_checks import FIRST, LAST, OPENED
from dashboard.reports.profile_parts import Profile
from dashboard.reports.words import figure, say

YEARS_NAMED = ("row", "column", "ts", "first_row", "last_row")
PRINTED = {"+": " + ", "-": " − ", "*": " × ", "/": " / ", ",": "; "}  # a formula's signs
SIGNS = ("eq", "gt", "ge", "lt", "le")


def condition_words(condition: dict, profile: Profile, language: str) -> str:
    """What a condition of a profile asks, as a reader without the profile understands it.

    Parameters
    ----------
    condition : dict
        Fact → value, list of values, or comparisons.
    profile : Profile
        Whose constants the values may name.
    language : {"id", "en"}

    Raises
    ------
    KeyError
        When a fact or a code has no word.
    """
    parts = []
    for fact, wanted in condition.items():
        asked = wanted if isinstance(wanted, dict) else {"eq": wanted}
        said = [_compared(sign, value, profile, language) for sign, value in asked.items()]
        parts.append(f"{say(language, f'where_{fact}')}: {' · '.join(said)}")
    return "; ".join(parts)


def _compared(sign: str, value, profile: Profile, language: str) -> str:
    if sign == "eq":
        return _value(value, profile, language)
    return say(language, f"sign_{sign}", value=_value(value, profile, language))


def _value(value, profile: Profile, language: str) -> str:
    if isinstance(value, list):
        return ", ".join(_value(each, profile, language) for each in value)
    if not isinstance(value, str):
        return figure(value, "0" if float(value).is_integer() else "0.00", language)
    if value in YEARS_NAMED:
        return say(language, f"year_{value}")
    named = profile.constants.get(value, profile.source.get("years", {}).get(value))
    if isinstance(named, (int, float)):
        return _value(named, profile, language)
    code = f"code_{value}"
    return say(language, code) if value.islower() else value  # TS-3, S1 and numbers of programmes stay


def formula_words(formula: str, profile: Profile, language: str) -> str:
    """A formula of a profile with the headings that the reader sees in place of keys.

    Parameters
    ----------
    formula : str
        As :mod:`dashboard.reports.expressions` reads it.
    profile : Profile
        Whose columns, indicators and constants it names.
    language : {"id", "en"}

    Raises
    ------
    KeyError
        When it names something that the profile lacks.
    """
    named = _headings(profile, language)
    said = []
    for token in TOKEN.finditer(formula):
        if token["number"]:
            said.append(decimals(token["number"], language))
        elif token["sign"]:
            said.append(PRINTED.get(token["sign"], token["sign"]))
        elif token["name"] in FUNCTIONS and token["name"] not in named:
            said.append(say(language, f"function_{token['name']}"))
        else:
            said.append(named[token["name"]] + _row_words(token["row"], profile, language))
    return "".join(said)


def decimals(text: str, language: str) -> str:
    """A rule or formula with its numbers as the language writes them.

    Examples
    --------
    >>> decimals("0.6 ≤ x → 1", "id")
    '0,6 ≤ x → 1'
    """
    return re.sub(r"(?<=\d)\.(?=\d)", ",", text) if language == "id" else text


def _headings(profile: Profile, language: str) -> dict[str, str]:
    """What each name of a formula is called in the table, in quotation marks; constants by their number."""
    named = {name: decimals(f"{value:g}", language) for name, value in profile.constants.items()}
    for column in profile.columns:
        group = column.group_label.get(language, "")
        if column.group:
            named[column.group] = f"“{group}”"
        parts = (group, column.label[language]) if column.group else (column.label[language],)
        named[column.key] = f"“{' · '.join(filter(None, parts))}”"
    for indicator in profile.indicators:
        named[indicator.key] = f"“{indicator.label[language].partition(':')[0]}”"
    return named


def _row_words(row: str | None, profile: Profile, language: str) -> str:
    """Which row of a column a formula means."""
    if not row:
        return ""
    if row in (FIRST, LAST, OPENED):
        return f" ({say(language, f'formula_{row}')})"
    label = next((each.label[language] for each in profile.rows if each.key == row), row)
    return f" ({label})"
