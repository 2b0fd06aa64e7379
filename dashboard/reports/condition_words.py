"""The condition of a cell in words: "year of entry: that of the row; exit: graduated"."""

from __future__ import annotations

from dashboard.reports.profile_parts import Profile
from dashboard.reports.words import figure, say

YEARS_NAMED = ("row", "column", "ts", "first_row", "last_row")
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
