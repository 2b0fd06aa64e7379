"""What stands where in a mapping file: refused in words where something of another kind stands there."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from datetime import date


class MappingError(ValueError):
    """A mapping file that breaks its own rules."""


def _is_text(value) -> bool:
    return isinstance(value, str)


def _is_cell(value) -> bool:
    """What can be written as a cell: text, a number or a date."""
    return isinstance(value, (str, int, float, date)) and not isinstance(value, bool)


def _is_factor(value) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(value) and value > 0


def _are_texts(value) -> bool:
    return isinstance(value, (list, tuple)) and all(map(_is_text, value))


def _is_header(value) -> bool:
    return _is_text(value) or _are_texts(value)


def _are_lists(value) -> bool:
    return isinstance(value, (list, tuple)) and all(_are_texts(one) and one for one in value)


def _are_cells(value) -> bool:
    return isinstance(value, dict) and all(map(_is_cell, value.values()))


_PARTS: dict[str, tuple[Callable, str]] = {  # part of a table → what each of its entries must be
    "columns": (_is_header, "a header, or a list of headers"),
    "values": (_are_cells, "a table of your words and our values"),
    "scale": (_is_factor, "a number above 0"),
    "join": (_are_lists, 'a list of lists of headers, as [["Tahun Ajaran", "Smt"]]'),
    "chosen": (_is_text, "one of our columns, or empty"),
    "fixed": (_is_cell, "what a cell would say"),
    "meanings": (_are_cells, "a table of your words and our values"),
}
_WHOLE: dict[str, tuple[Callable, str]] = {
    "name": (_is_text, "text"),
    "title": (_is_text, "text"),
    "date_order": (_is_text, "text"),
    "extends": (lambda value: value is None or _is_text(value), "the name of a mapping that ships"),
    "lends": (lambda value: isinstance(value, bool), "true or false"),
}


def check_shape(raw: dict, tables: Collection[str]) -> None:
    """Refuse a mapping whose entries are not of their kind.

    Parameters
    ----------
    raw : dict
        As TOML or JSON gives it; entries of other names are left to others.
    tables : collection of str
        Names of the parts that are about a table.

    Raises
    ------
    MappingError
        With the entry, what it must be and what it is.
    """
    for name, (fits, what) in _WHOLE.items():
        if name in raw and not fits(raw[name]):
            raise MappingError(f"{name} must be {what}, got {_shown(raw[name])}")
    for name in tables:
        part = raw.get(name, {})
        _demand(
            isinstance(part, dict),
            f"[{name}]",
            'a table, such as [students.columns] with "our" = "your"',
            part,
        )
        for entry, (fits, what) in _PARTS.items():
            place, told = f"[{name}.{entry}]", part.get(entry, {})
            _demand(isinstance(told, dict), place, "a table", told)
            for key, value in told.items():
                _demand(fits(value), f"{place} {key!r}", what, value)
        _demand(
            _are_texts(part.get("unneeded", ())),
            f"[{name}] unneeded",
            "a list of headers",
            part.get("unneeded"),
        )
        _demand(_is_text(part.get("zero", "")), f"[{name}] zero", "text", part.get("zero"))


def _demand(holds: bool, place: str, what: str, value) -> None:
    if not holds:
        raise MappingError(f"{place} must be {what}, got {_shown(value)}")


def _shown(value) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
