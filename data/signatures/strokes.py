"""Strokes that somebody drew on a screen: read from JSON that may be hostile, and written for the store.

The pad sends one JSON object::

    {"width": 720, "height": 240,
     "strokes": [{"pointer": "pen", "points": [[x, y, t, p], …]}, …]}

``x`` to the right and ``y`` down in units of the pad, ``t`` in milliseconds since the first point, ``p`` the
pressure, 0 to 1. Nothing in it is believed: its size is looked at before it is parsed, and every number
before anything is made of it.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from data.columns import SCREEN_POINTERS

MOST_BYTES = 2**20  # of the JSON; the most points that are taken need less
MOST_STROKES = 200
MOST_POINTS = 20_000  # three minutes of a pen that reports 120 points a second
MOST_MS = 180_000.0
MOST_INK = 20_000.0  # length of all strokes, units of the pad: some ten times a long signature
SIDES = {"width": (200.0, 2_000.0), "height": (100.0, 1_000.0)}  # of the pad
LEAST_POINTS, LEAST_INK, LEAST_SPREAD = 8, 60.0, 40.0  # below, it is a dot or a tick and no signature
_SHAPE = {"width", "height", "strokes"}
_DIGITS = {"x": 2, "y": 2, "t": 1, "p": 3}  # decimals that are kept


class RefusedStrokes(ValueError):
    """Strokes that are not taken.

    Parameters
    ----------
    code : {"unreadable", "too_large", "too_long", "too_little"}
        No strokes as a pad sends them; more than is taken; it took too long; a dot or a tick.
    message : str
        What is wrong, with the limit; none of the points.
    """

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Point:
    """Where the pointer was.

    Parameters
    ----------
    x, y : float
        Units of the pad, from its upper left corner.
    t : float
        Milliseconds since the first point of the signature.
    p : float
        Pressure, 0 to 1; what a device without one reports (a mouse: 0.5) is kept as it came.
    """

    x: float
    y: float
    t: float
    p: float


@dataclass(frozen=True, slots=True)
class Stroke:
    """What was drawn from putting the pointer down to lifting it.

    Parameters
    ----------
    pointer : str
        One of :data:`data.columns.SCREEN_POINTERS`.
    points : tuple of Point
        One or more, in the order of time.
    """

    pointer: str
    points: tuple[Point, ...]

    @property
    def length(self) -> float:
        """Units of the pad."""
        steps = zip(self.points, self.points[1:], strict=False)
        return sum(math.hypot(after.x - before.x, after.y - before.y) for before, after in steps)


@dataclass(frozen=True, slots=True)
class Strokes:
    """A drawing.

    Parameters
    ----------
    width, height : float
        Of the pad.
    strokes : tuple of Stroke
        In the order in which they were drawn.
    """

    width: float
    height: float
    strokes: tuple[Stroke, ...]

    @property
    def points(self) -> list[Point]:
        """Of all strokes."""
        return [point for stroke in self.strokes for point in stroke.points]

    @property
    def duration(self) -> float:
        """Milliseconds from the first point to the last; 0 of an empty drawing."""
        return max((point.t for point in self.points), default=0.0)

    @property
    def length(self) -> float:
        """Units of the pad, without the ways between strokes."""
        return sum(stroke.length for stroke in self.strokes)

    @property
    def pointers(self) -> list[str]:
        """What it was drawn with, each once."""
        return sorted({stroke.pointer for stroke in self.strokes})

    def to_bytes(self) -> bytes:
        """As :func:`read_strokes` reads it and the store seals it."""
        strokes = [
            {"pointer": one.pointer, "points": [[point.x, point.y, point.t, point.p] for point in one.points]}
            for one in self.strokes
        ]
        told = {"width": self.width, "height": self.height, "strokes": strokes}
        return json.dumps(told, separators=(",", ":")).encode()


def read_strokes(text: str | bytes) -> Strokes:
    """Read what a pad sent, or what the store holds.

    Coordinates are kept to a hundredth of a unit, times to a tenth of a millisecond, pressures to a
    thousandth.

    Parameters
    ----------
    text : str or bytes
        JSON.

    Raises
    ------
    RefusedStrokes
        When it is anything else, a number is out of its range or not finite, time runs backwards, or a limit
        of this module is passed.
    """
    if not isinstance(text, (str, bytes)):
        raise _unreadable(f"strokes must come as JSON, got {type(text).__name__}")
    if len(text) > MOST_BYTES:
        raise RefusedStrokes("too_large", f"{len(text):,} bytes of strokes; at most {MOST_BYTES:,} are taken")
    try:  # every number as a float: one of a million digits is infinite at once, and costs nothing
        told = json.loads(text, parse_int=float, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _unreadable("strokes must be JSON") from error
    if not isinstance(told, dict) or set(told) != _SHAPE or not isinstance(told["strokes"], list):
        raise _unreadable(f"strokes must be an object of {', '.join(sorted(_SHAPE))}")
    width, height = (_number(told[name], name, *SIDES[name], 2) for name in ("width", "height"))
    if len(told["strokes"]) > MOST_STROKES:
        raise RefusedStrokes("too_large", f"{len(told['strokes'])} strokes; at most {MOST_STROKES} are taken")
    _count_points(told["strokes"])
    drawn = Strokes(width, height, tuple(_stroke(one, width, height) for one in told["strokes"]))
    times = [point.t for point in drawn.points]
    if any(after < before for before, after in zip(times, times[1:], strict=False)):
        raise _unreadable("t must not run backwards")
    if drawn.length > MOST_INK:
        raise RefusedStrokes("too_large", f"a line longer than {MOST_INK:g} units is not taken")
    return drawn


def need_signature(drawn: Strokes) -> None:
    """Refuse what cannot be a signature: nothing, a dot, a tick.

    Raises
    ------
    RefusedStrokes
        With the code "too_little".
    """
    points = drawn.points
    spread = max(
        (max(values) - min(values) for values in ([one.x for one in points], [one.y for one in points]))
        if points
        else (0.0,)
    )
    if len(points) < LEAST_POINTS or drawn.length < LEAST_INK or spread < LEAST_SPREAD:
        raise RefusedStrokes(
            "too_little",
            f"{len(points)} points, {drawn.length:.0f} units of line over {spread:.0f}; a signature has at "
            f"least {LEAST_POINTS}, {LEAST_INK:g} and {LEAST_SPREAD:g}",
        )


def _count_points(strokes: list) -> None:
    """Before any point is looked at: how many there are."""
    count = 0
    for one in strokes:
        if not isinstance(one, dict) or set(one) != {"pointer", "points"} or not one["points"]:
            raise _unreadable("a stroke must be an object of pointer and points")
        if not isinstance(one["points"], list):
            raise _unreadable("points must be a list")
        count += len(one["points"])
    if count > MOST_POINTS:
        raise RefusedStrokes("too_large", f"{count:,} points; at most {MOST_POINTS:,} are taken")


def _stroke(told: dict, width: float, height: float) -> Stroke:
    pointer = told["pointer"]
    if not isinstance(pointer, str) or pointer not in SCREEN_POINTERS:
        raise _unreadable(f"pointer must be one of {', '.join(SCREEN_POINTERS)}")
    return Stroke(pointer, tuple(_point(one, width, height) for one in told["points"]))


def _point(told: Any, width: float, height: float) -> Point:
    if not isinstance(told, list) or len(told) != len(_DIGITS):
        raise _unreadable("a point must be a list of x, y, t and p")
    x, y, t, p = told
    if isinstance(t, float) and math.isfinite(t) and t > MOST_MS:
        raise RefusedStrokes(
            "too_long", f"a signature that takes more than {MOST_MS / 1000:g} s is not taken"
        )
    return Point(
        _number(x, "x", 0.0, width, _DIGITS["x"]),
        _number(y, "y", 0.0, height, _DIGITS["y"]),
        _number(t, "t", 0.0, MOST_MS, _DIGITS["t"]),
        _number(p, "p", 0.0, 1.0, _DIGITS["p"]),
    )


def _number(value: Any, name: str, low: float, high: float, digits: int) -> float:
    if not isinstance(value, float) or not low <= value <= high:  # a NaN lies in no range
        raise _unreadable(f"{name} must be a number from {low:g} to {high:g}")
    return round(value, digits) + 0.0  # no negative zero


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _unreadable(message: str) -> RefusedStrokes:
    return RefusedStrokes("unreadable", message)
