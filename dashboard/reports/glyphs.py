"""What the fonts of the PDFs have: a name in any script prints, with a sign where a glyph lacks."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

FONT = "Libertinus Serif"  # comes with typst, as do the fonts that it falls back to
SIGN = "\ufffd"  # what stands for a character that no font has
TURNS = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)  # they would turn what follows round
_PLAIN = frozenset(map(chr, range(0x20, 0x7F))) | {"\n", "\t", SIGN}
_known: dict[str, bool] = {}  # asked of the typesetter once in a process


def lacking(text: str) -> set[str]:
    """Characters of a text that cannot be printed: without a glyph, or turning the line round."""
    used = set(text) - _PLAIN
    new = sorted(used - _known.keys())
    if new:
        _ask([character for character in new if character not in TURNS])
        _known.update(dict.fromkeys(TURNS, False))
    return {character for character in used if not _known[character]}


def printable(data: Any) -> tuple[Any, bool]:
    """A document's data with :data:`SIGN` for what cannot be printed, and whether anything was replaced.

    Parameters
    ----------
    data : str, list, tuple, dict or anything else
        As a template takes it; keys of dictionaries are names of the template and stay.
    """
    if isinstance(data, str):
        missing = lacking(data)
        text = data.translate({ord(character): SIGN for character in missing})
        broken = _broken(text)
        for cluster in broken:
            text = text.replace(cluster, cluster[0] + SIGN)
        return text, bool(missing or broken)
    if isinstance(data, dict):
        pairs = {key: printable(value) for key, value in data.items()}
        return {key: value for key, (value, _) in pairs.items()}, any(lost for _, lost in pairs.values())
    if isinstance(data, (list, tuple)):
        parts = [printable(value) for value in data]
        return [value for value, _ in parts], any(lost for _, lost in parts)
    return data, False


def _broken(text: str) -> list[str]:
    """A character with its marks, where each can be printed and both together cannot; the longest first."""
    clusters = {cluster for cluster in _clusters(text) if len(cluster) > 1}
    _ask(sorted(clusters - _known.keys()))
    return sorted((cluster for cluster in clusters if not _known[cluster]), key=len, reverse=True)


def _clusters(text: str) -> Iterator[str]:
    """Characters, each with the marks and signs without a width that follow it."""
    begun = ""
    for character in text:
        joins = unicodedata.category(character) in ("Mn", "Me", "Mc", "Cf")
        if begun and not joins:
            yield begun
            begun = ""
        begun += character
    if begun:
        yield begun


def _ask(characters: list[str]) -> None:
    """Print them on a page that nobody sees; halve until each one that stops it is alone."""
    if not characters:
        return
    if _prints(characters):
        _known.update(dict.fromkeys(characters, True))
    elif len(characters) == 1:
        _known[characters[0]] = False
    else:
        middle = len(characters) // 2
        _ask(characters[:middle])
        _ask(characters[middle:])


def _prints(characters: list[str]) -> bool:
    import typst

    page = (
        f'#set document(title: "trial")\n#set text(font: "{FONT}")\n#json(bytes(sys.inputs.data)).join(" ")'
    )
    data = {"data": json.dumps(characters, ensure_ascii=False)}
    try:
        typst.compile(page.encode(), sys_inputs=data, pdf_standards=["ua-1"], ignore_system_fonts=True)
    except typst.TypstError:
        return False
    except BaseException as error:  # what it gives up with is no Exception, and has no class to import
        if type(error).__name__ != "PanicException":
            raise
        return False
    return True
