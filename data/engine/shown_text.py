"""Text that people or files have written, for places that draw it as it is: tables, terminals."""

from __future__ import annotations

import re

# Control characters, and signs that turn the order of what follows; the marks U+200E, U+200F and U+061C
# belong to names in right-to-left scripts and stay.
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")
_BREAKS = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]")


def shown(text: object) -> str:
    """The text without signs that are not seen but turn or hide others; each becomes a ``�``."""
    return _UNSEEN.sub("\ufffd", str(text))


def one_line(text: object) -> str:
    """:func:`shown`, with every run of white space as one blank."""
    return " ".join(shown(text).split())


def is_one_line(text: str) -> bool:
    """Whether a text has neither unseen signs nor line breaks or tabs."""
    return not _UNSEEN.search(text) and not _BREAKS.search(text)
