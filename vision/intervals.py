"""Intervals for error rates: bootstrap over writers, exact binomial, rule of three."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Figure:
    """A measured value with its interval.

    Attributes
    ----------
    value, low, high : float
        Fractions (or bits for Cllr); NaN when it could not be measured.
    """

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """``{"value", "low", "high"}`` with None for NaN, ready for JSON."""
        return {
            name: None if np.isnan(number) else round(float(number), 6)
            for name, number in (("value", self.value), ("low", self.low), ("high", self.high))
        }


def bootstrap_by_writer(
    statistic: Callable[[Sequence], float],
    writers: Sequence,
    rng: np.random.Generator,
    repetitions: int = 500,
    level: float = 0.95,
) -> Figure:
    """Percentile interval of a statistic when whole writers are drawn with replacement.

    Parameters
    ----------
    statistic : callable
        Takes a list of per-writer items, returns a number.
    writers : sequence
        One item per writer (for example a pair of score arrays).
    rng : numpy.random.Generator
    repetitions : int
    level : float, 0 to 1

    Returns
    -------
    Figure
        The interval always contains the value itself.
    """
    if len(writers) == 0:
        raise ValueError("writers: at least one writer is needed, got none")
    value = float(statistic(list(writers)))
    if len(writers) == 1 or repetitions == 0:
        return Figure(value, float("nan"), float("nan"))
    drawn = rng.integers(0, len(writers), size=(repetitions, len(writers)))
    values = np.array([statistic([writers[i] for i in row]) for row in drawn], dtype=np.float64)
    tail = 100 * (1 - level) / 2
    low, high = np.nanpercentile(values, [tail, 100 - tail])
    return Figure(value, float(min(low, value)), float(max(high, value)))


def rule_of_three(trials: int, level: float = 0.95) -> float:
    """Upper bound of a rate when **no** error was seen in so many independent trials.

    At 95 % this is close to 3 / trials; computed exactly as 1 − (1 − level)^(1 / trials).
    """
    if trials < 1:
        raise ValueError(f"trials: must be at least 1, got {trials}")
    return float(1 - (1 - level) ** (1 / trials))


def binomial_interval(errors: int, trials: int, level: float = 0.95) -> Figure:
    """Exact (Clopper–Pearson) interval of a rate counted on independent trials."""
    from scipy.stats import beta

    if trials < 1 or not 0 <= errors <= trials:
        raise ValueError(
            f"errors, trials: need 0 <= errors <= trials and trials >= 1, got {errors}, {trials}"
        )
    tail = (1 - level) / 2
    low = 0.0 if errors == 0 else float(beta.ppf(tail, errors, trials - errors + 1))
    high = 1.0 if errors == trials else float(beta.ppf(1 - tail, errors + 1, trials - errors))
    return Figure(errors / trials, low, high)
