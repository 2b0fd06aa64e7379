"""What a check of a specimen found, in the reader's language.

The store keeps a check's code, status and measured value; the sentence is made here from those, so that a
finding written long ago is told in today's words and in both languages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dashboard.shell.wording import Words
from data.signatures.findings import (
    BLANK,
    BLURRED,
    CLEAR,
    COPY,
    FOUND,
    LITTLE_INK,
    LOW_RESOLUTION,
    NOT_APPLICABLE,
    OTHER_PEN,
    PRINT_TOUCHES,
    ROTATED,
    SEVERAL_INKS,
    TWO_SIGNATURES,
    WHOLE_PAGE,
    Finding,
    found_codes,
)

_SHOWN: dict[str, Callable[[Words, float], str]] = {  # all others: a whole number
    BLANK: lambda words, value: words.percent(value, 2),
    BLURRED: lambda words, value: words.number(value, 2),
    SEVERAL_INKS: lambda words, value: words.number(value, 1),
    TWO_SIGNATURES: lambda words, value: words.number(value, 1),
    ROTATED: lambda words, value: words.signed(value),
    PRINT_TOUCHES: lambda words, value: words.percent(value, 1),
    OTHER_PEN: lambda words, value: words.number(value, 2),
}


OF_ANY_PAGE = (WHOLE_PAGE, COPY)
_LIMIT_SHOWN = {PRINT_TOUCHES: lambda words, value: words.percent(value)}


def limits() -> dict[str, dict[str, float]]:
    """The limits that each check goes by, from the code that checks."""
    from vision.scans import pen, quality, sharpness

    return {
        LITTLE_INK: {"limit": quality.LEAST_INK},
        LOW_RESOLUTION: {"limit": quality.LEAST_WIDTH},
        BLURRED: {"limit": sharpness.BLURRED},
        ROTATED: {"limit": quality.MOST_TILT},
        OTHER_PEN: {"least": pen.LEAST_UNLIKE, "limit": pen.MOST_UNLIKE},
        PRINT_TOUCHES: {"limit": quality.MOST_TOUCHED},
    }


def sentence(finding: Finding, words: Words) -> str:
    """One finding as a sentence with its measured value and its limit.

    Parameters
    ----------
    finding : Finding
    words : Words

    Returns
    -------
    str
        Empty for a code or status that no wording file knows.
    """
    code, status, value = finding.code, _graded(finding), finding.value
    key = f"finding_reason.{code}.{status}"
    if not words.has(key) or (status != NOT_APPLICABLE and value is None):
        return ""
    shown = _LIMIT_SHOWN.get(code, _number)
    fills = {name: shown(words, limit) for name, limit in limits().get(code, {}).items()}
    if isinstance(value, int | float):
        fills["value"] = _SHOWN.get(code, Words.number)(words, value)
    return words(key, **fills)


def _graded(finding: Finding) -> str:
    """The status; of SIG004 also "soft" for a scan that is neither sharp nor too blurred, and "earlier" for
    one that an earlier measure, on another scale, found blurred."""
    from vision.scans.sharpness import BLURRED as TOO_BLURRED
    from vision.scans.sharpness import SOFT

    value, status = finding.value, finding.status
    if finding.code != BLURRED or not isinstance(value, int | float):
        return status
    if status == FOUND:
        return FOUND if value >= TOO_BLURRED else "earlier"
    return "soft" if status == CLEAR and value >= SOFT else status


def found(findings: Iterable[Finding] | None) -> list[Finding]:
    """The findings among the answers of the checks; none for a specimen that was not checked.

    Of a whole page only that it is one, and whether it is a copy: the others speak of its print and stamps.
    """
    told = [one for one in findings or () if one.is_found]
    if WHOLE_PAGE in found_codes(told):
        return sorted((one for one in told if one.code in OF_ANY_PAGE), key=lambda one: one.code == COPY)
    return told


def soft(findings: Iterable[Finding] | None) -> list[Finding]:
    """The answer about sharpness where a scan is a little soft."""
    return [one for one in findings or () if _graded(one) == "soft"]


def advice(findings: Iterable[Finding], words: Words) -> list[str]:
    """What to do about each finding, each advice once; a blank sheet needs only its own."""
    codes = found_codes(found(findings))
    keys = [f"finding_advice.{code}" for code in ([BLANK] if BLANK in codes else codes)]
    return list(dict.fromkeys(words(key) for key in keys if words.has(key)))


def _number(words: Words, value: float) -> str:
    return words.number(value, 0 if float(value).is_integer() else 2)
