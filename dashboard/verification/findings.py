"""What a check of a specimen found, in the reader's language.

The store keeps a check's code, status and measured value; the sentence is made here from those, so that a
finding written long ago is told in today's words and in both languages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dashboard.shell.wording import Words

CODES = tuple(f"SIG{number:03d}" for number in range(1, 13))
BLANK = "SIG001"
_SHOWN: dict[str, Callable[[Words, float], str]] = {  # all others: a whole number
    "SIG001": lambda words, value: words.percent(value, 2),
    "SIG004": lambda words, value: words.number(value, 2),
    "SIG006": lambda words, value: words.number(value, 1),
    "SIG008": lambda words, value: words.number(value, 1),
    "SIG009": lambda words, value: words.signed(value),
    "SIG011": lambda words, value: words.percent(value, 1),
    "SIG012": lambda words, value: words.number(value, 2),
}


def limits() -> dict[str, dict[str, float]]:
    """The limits that each check goes by, from the code that checks."""
    from vision.scans import pen, quality, sharpness

    return {
        "SIG002": {"limit": quality.LEAST_INK},
        "SIG003": {"limit": quality.LEAST_WIDTH},
        "SIG004": {"limit": sharpness.BLURRED},
        "SIG009": {"limit": quality.MOST_TILT},
        "SIG012": {"limit": pen.MOST_UNLIKE},
    }


def sentence(finding: dict, words: Words) -> str:
    """One finding as a sentence with its measured value and its limit.

    Parameters
    ----------
    finding : dict
        ``code``, ``status`` ("found", "clear" or "not_applicable"), ``value`` (number, text or None).
    words : Words

    Returns
    -------
    str
        Empty for a code or status that no wording file knows.
    """
    code, status, value = finding["code"], _graded(finding), finding.get("value")
    key = f"finding_reason.{code}.{status}"
    if not words.has(key) or (status != "not_applicable" and value is None):
        return ""
    fills = {name: _number(words, limit) for name, limit in limits().get(code, {}).items()}
    if isinstance(value, int | float):
        fills["value"] = _SHOWN.get(code, Words.number)(words, value)
    return words(key, **fills)


def _graded(finding: dict) -> str:
    """The status; of SIG004 also "soft" for a scan that is neither sharp nor too blurred, and "earlier" for
    one that an earlier measure, on another scale, found blurred."""
    from vision.scans.sharpness import BLURRED, SOFT

    value, status = finding.get("value"), finding["status"]
    if finding["code"] != "SIG004" or value is None:
        return status
    if status == "found":
        return "found" if value >= BLURRED else "earlier"
    return "soft" if status == "clear" and value >= SOFT else status


def found(quality: Sequence[dict] | None) -> list[dict]:
    """The findings among the answers of the checks; none for a specimen that was not checked."""
    return [finding for finding in quality or () if finding["status"] == "found"]


def soft(quality: Sequence[dict] | None) -> list[dict]:
    """The answer about sharpness where a scan is a little soft."""
    return [finding for finding in quality or () if _graded(finding) == "soft"]


def advice(quality: Sequence[dict], words: Words) -> list[str]:
    """What to do about each finding, each advice once; a blank sheet needs only its own."""
    codes = [finding["code"] for finding in found(quality)]
    keys = [f"finding_advice.{code}" for code in ([BLANK] if BLANK in codes else codes)]
    return list(dict.fromkeys(words(key) for key in keys if words.has(key)))


def _number(words: Words, value: float) -> str:
    return words.number(value, 0 if float(value).is_integer() else 2)
