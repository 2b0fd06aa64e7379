"""Dataclasses to plain JSON and back, by their annotations: what a manifest is written with and read by.

A figure with its interval is a list of three; a number that does not exist is null; days and times are ISO
texts. Keys that a dataclass does not know are left out, fields that the JSON lacks keep their default.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from fusion.metrics import Estimate

_SCALARS = {bool: (bool,), int: (int, float), float: (int, float), str: (str,)}


class Unreadable(ValueError):
    """JSON that is not of the shape a dataclass says; the message names the place, the rule and the value."""


def to_plain(value: Any) -> Any:
    """Dataclasses, mappings, sequences, days and NumPy's numbers as what ``json.dumps`` takes."""
    if isinstance(value, Estimate):
        return [to_plain(value.value), to_plain(value.low), to_plain(value.high)]
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(name): to_plain(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(held) for held in value]
    if isinstance(value, date):  # a time is one, too
        return value.isoformat()
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def from_plain(kind: Any, value: Any) -> Any:
    """An object of ``kind`` from plain JSON.

    Parameters
    ----------
    kind : type or generic alias
        A dataclass, ``dict[str, …]``, ``tuple[…, ...]``, a union with None, `Estimate`, a day, a time, a
        number or text.
    value : object
        As ``json.loads`` gives it.

    Raises
    ------
    Unreadable
        When the value is of another kind.
    """
    try:
        return _reader(kind)(value)
    except _Wrong as wrong:
        raise Unreadable(f"{wrong.place.lstrip('.') or 'the whole'} {wrong}") from None


class _Wrong(ValueError):
    """A value of another kind; its place is put together on the way up."""

    place = ""

    def within(self, place: str) -> _Wrong:
        self.place = f"{place}{self.place}"
        return self


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """How values of a kind are read, worked out once per kind: a manifest holds thousands of them."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _optional(_reader(next(part for part in parts if part is not NoneType)))
    if origin is dict:
        return _mapping(_reader(parts[1]))
    if origin is tuple:
        return _sequence(_reader(parts[0]))
    if kind is Estimate:
        return _estimate
    if kind in (date, datetime):
        return _moment(kind)
    return _object(kind) if is_dataclass(kind) else _scalar(kind)


def _optional(read: Callable) -> Callable:
    return lambda value: None if value is None else read(value)


def _mapping(read: Callable) -> Callable:
    def whole(value):
        made, name = {}, ""
        try:
            for name, each in _of(dict, value).items():
                made[name] = read(each)
        except _Wrong as wrong:
            raise wrong.within(f".{name}" if name else "") from None
        return made

    return whole


def _sequence(read: Callable) -> Callable:
    def whole(value):
        held, made = _of(list, value), []
        try:
            for each in held:
                made.append(read(each))
        except _Wrong as wrong:
            raise wrong.within(f"[{len(made)}]") from None
        return tuple(made)

    return whole


def _estimate(value) -> Estimate:
    if len(_of(list, value)) != 3:
        raise _Wrong(f"must hold value, low and high, got {value!r}")
    return Estimate(*map(_reader(float), value))


def _moment(kind: Any) -> Callable:
    def read(value):
        try:
            return kind.fromisoformat(_of(str, value))
        except ValueError:
            raise _Wrong(f"must be a {kind.__name__}, got {value!r}") from None

    return read


def _object(kind: Any) -> Callable:
    hints = get_type_hints(kind)
    known = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    wanted = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]

    def read(value):
        held, made, name = _of(dict, value), {}, ""
        try:
            for name, reader in known.items():
                if name in held:
                    made[name] = reader(held[name])
        except _Wrong as wrong:
            raise wrong.within(f".{name}") from None
        for name in wanted:
            if name not in made:
                raise _Wrong("must be there, it is missing").within(f".{name}")
        return kind(**made)

    return read


def _scalar(kind: Any) -> Callable:
    allowed = _SCALARS[kind]

    def read(value: Any):
        if type(value) in allowed and (kind is not int or value == int(value)):
            return kind(value)
        if value is None and kind is float:
            return math.nan
        raise _Wrong(f"must be {kind.__name__}, got {value!r}")

    return read


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise _Wrong(f"must be a {kind.__name__}, got {value!r}")
    return value
