"""The checks of a specimen and what they found, as checks, store and pages share them.

The store keeps findings as JSON (``signature_specimens.quality``, ``verification_decisions.findings``);
everything else sees a :class:`Finding`. The checks themselves are in :mod:`vision.scans.quality`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from data.records.checks import Check

BLANK, LITTLE_INK, LOW_RESOLUTION, BLURRED, CUT_OFF = "SIG001", "SIG002", "SIG003", "SIG004", "SIG005"
SEVERAL_INKS, PRINTED_LINES, TWO_SIGNATURES, ROTATED = "SIG006", "SIG007", "SIG008", "SIG009"
COPY, PRINT_TOUCHES, OTHER_PEN, LEFT_OUT = "SIG010", "SIG011", "SIG012", "SIG013"
WHOLE_PAGE = "SIG014"
_TITLES = {
    BLANK: "Blank",
    LITTLE_INK: "Too little ink",
    LOW_RESOLUTION: "Low resolution",
    BLURRED: "Blurred",
    CUT_OFF: "Cut off at the border",
    SEVERAL_INKS: "Several inks or a stamp",
    PRINTED_LINES: "Printed lines",
    TWO_SIGNATURES: "Two signatures",
    ROTATED: "Rotated",
    COPY: "Copy of another file",
    PRINT_TOUCHES: "Print touches the signature",
    OTHER_PEN: "Another pen",
    LEFT_OUT: "Ink outside the frame",
    WHOLE_PAGE: "A whole page",
}
_TOLD_ONLY = (PRINTED_LINES,)
CHECKS = {
    code: Check(code, title, "warning" if code in _TOLD_ONLY else "error") for code, title in _TITLES.items()
}
"""Every check; with an error's finding no score says how a questioned signature compares."""
OF_A_PAGE = (LEFT_OUT, WHOLE_PAGE)
"""Those of a page that came in: what was cut out of it no longer shows them."""
OF_ONE_SCAN = tuple(code for code in CHECKS if code not in (OTHER_PEN, *OF_A_PAGE))
"""Those that need neither references nor the page around a piece, and so are made of every specimen."""
FOUND, CLEAR, NOT_APPLICABLE = "found", "clear", "not_applicable"


@dataclass(frozen=True)
class Finding:
    """The answer of one check.

    Attributes
    ----------
    code : str
        Of `CHECKS`.
    status : str
        ``found``, ``clear`` or ``not_applicable``.
    value : float, str or None
        What was measured; for a copy the image's fingerprint.
    reason : str
        A sentence with the value and the limit.
    """

    code: str
    status: str
    value: float | str | None = None
    reason: str = ""

    @property
    def title(self) -> str:
        """What is looked for; the code itself where a newer version made the check."""
        return CHECKS[self.code].title if self.code in CHECKS else self.code

    @property
    def line(self) -> str:
        """Code, title and reason in one line, for who reads a terminal."""
        named = named_code(self.code)
        return f"{named}: {self.reason}" if self.reason else named

    @property
    def is_found(self) -> bool:
        """Whether there is something."""
        return self.status == FOUND


def named_code(code: str) -> str:
    """A code with the title of its check; what is no code of ours as it is."""
    return f"{code} {CHECKS[code].title}" if code in CHECKS else code


def read_findings(kept: Any) -> tuple[Finding, ...] | None:
    """Findings as the store keeps them; None for a specimen that no check has seen (null, NaN in a frame)."""
    if not isinstance(kept, list):
        return None
    return tuple(Finding(one["code"], one["status"], one.get("value"), one.get("reason", "")) for one in kept)


def as_rows(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as plain dictionaries, as the store keeps them."""
    return [
        {"code": one.code, "title": one.title, "status": one.status, "value": one.value, "reason": one.reason}
        for one in findings
    ]


def found_codes(findings: Iterable[Finding] | None) -> list[str]:
    """Codes of the checks that found something."""
    return [one.code for one in findings or () if one.is_found]


def fingerprint_of(findings: Iterable[Finding] | None) -> str | None:
    """The image's fingerprint, kept as the value of the check for copies; None without ink."""
    prints = (one.value for one in findings or () if one.code == COPY)
    return next((value for value in prints if isinstance(value, str)), None)
