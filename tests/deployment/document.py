"""What ``docs/deployment.md`` tells an operator to type and to write: its fenced blocks, by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "deployment.md"
_BLOCK = re.compile(r"^```(?P<kind>\w+) (?P<name>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> dict[str, str]:
    """Name → text: files by the path that they are to have, commands by the word behind ``sh``."""
    found = [(one["name"], one["text"]) for one in _BLOCK.finditer(DOCUMENT.read_text(encoding="utf-8"))]
    names = [name for name, _ in found]
    if len(set(names)) != len(names):
        raise ValueError(f"the names of the blocks must differ, got {names}")
    return dict(found)


def placed(text: str, instead: Mapping[str, str]) -> str:
    """A block with this machine's names, ports and folders in the place of the document's.

    Parameters
    ----------
    instead : mapping of str to str
        What stands in the document → what stands here. Replaced in one pass, the longest first, so that
        nothing is replaced twice; a number only where it stands alone.

    Raises
    ------
    ValueError
        When nothing of it stands in the block although it was named for it.
    """
    parts = sorted(instead, key=len, reverse=True)
    alone = [rf"(?<!\d){re.escape(part)}(?!\d)" if part.isdigit() else re.escape(part) for part in parts]
    return re.sub("|".join(alone), lambda one: instead[one[0]], text)


def unit(text: str) -> dict[str, str]:
    """The settings of a systemd unit, without its sections."""
    lines = [line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return {name.strip(): value.strip() for name, _, value in lines}
