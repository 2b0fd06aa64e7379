"""The one analysis of a trial: everybody as drawn, two shares, their difference with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scipy.stats import binomtest

from fusion.trial.lottery import OFFERED, USUAL

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """Share with the outcome of those offered help less that of the others.

    Parameters
    ----------
    offered, usual : float
        The shares, 0–1.
    value, low, high : float
        Their difference and its interval, −1 to 1; below zero: fewer among those offered help.
    """

    offered: float
    usual: float
    value: float
    low: float
    high: float

    @property
    def found(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def difference(
    events_offered: int, offered: int, events_usual: int, usual: int, confidence: float = CONFIDENCE
) -> Difference:
    """Newcombe's hybrid score interval of a difference of two independent shares.

    Parameters
    ----------
    events_offered, events_usual : int
        Students with the outcome, 0 to the size of the group.
    offered, usual : int
        Students drawn into each group, at least 1.
    confidence : float
        Strictly between 0 and 1.

    Notes
    -----
    Method 10 of R. G. Newcombe (Statistics in Medicine 17, 1998, 873–890): Wilson's intervals of both shares,
    combined by the root of the sum of squares. Lists and blocks are ignored. With half of each block in
    either group the difference is the one within blocks, and what lists differ by only widens the interval.
    """
    ours = binomtest(events_offered, offered).proportion_ci(confidence, method="wilson")
    theirs = binomtest(events_usual, usual).proportion_ci(confidence, method="wilson")
    first, second = events_offered / offered, events_usual / usual
    value = first - second
    down = ((first - ours.low) ** 2 + (theirs.high - second) ** 2) ** 0.5
    up = ((ours.high - first) ** 2 + (second - theirs.low) ** 2) ** 0.5
    return Difference(first, second, value, float(value - down), float(value + up))


def analyse(counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """The figures of a result, as they are kept.

    Parameters
    ----------
    counts : mapping
        "offered" and "usual" → ``students`` and ``events``.

    Raises
    ------
    ValueError
        When a group is empty.
    """
    ours, theirs = counts[OFFERED], counts[USUAL]
    if not ours["students"] or not theirs["students"]:
        raise ValueError("a group of the trial is empty: nothing can be compared")
    found = difference(ours["events"], ours["students"], theirs["events"], theirs["students"])
    return asdict(found) | {"confidence": CONFIDENCE}
