"""How many students a trial needs, and what it can find: two independent shares, worked out beforehand.

The normal approximation of the two-sided test of two shares with equal groups, variance pooled under "no
difference" and apart under the difference (Fleiss, Levin and Paik: Statistical Methods for Rates and
Proportions, 3rd edition, section 4.2), without correction for continuity. Blocks and lists are ignored, so
the figures are on the safe side: neighbours on a list resemble each other.
"""

from __future__ import annotations

from math import ceil, sqrt

from scipy.optimize import brentq
from scipy.stats import norm

ALPHA, USUAL_POWER = 0.05, 0.8


def power_of(students: int, base_rate: float, difference: float, alpha: float = ALPHA) -> float:
    """Chance that the interval leaves out zero.

    Parameters
    ----------
    students : int
        Both groups together, at least 2.
    base_rate : float
        Share with the outcome among those not offered help, strictly between 0 and 1.
    difference : float
        Reduction of that share among those offered help, 0 to ``base_rate``.
    alpha : float
        Two-sided chance of a false finding, strictly between 0 and 1.

    Returns
    -------
    float
        0–1, both directions counted: ``alpha`` where there is no difference.
    """
    _check(base_rate, difference, alpha)
    if students < 2:
        raise ValueError(f"students must be at least 2, got {students}")
    pooled, apart = _spreads(base_rate, difference)
    limit, shift = norm.isf(alpha / 2) * pooled, difference * sqrt(students / 2)
    return float(norm.sf((limit - shift) / apart) + norm.cdf((-limit - shift) / apart))


def needed(base_rate: float, difference: float, power: float = USUAL_POWER, alpha: float = ALPHA) -> int:
    """Students needed, both groups together: the smallest even number of the formula.

    Parameters
    ----------
    base_rate, difference, alpha
        As in :func:`power_of`; ``difference`` above 0.
    power : float
        Wanted chance of finding the difference, above ``alpha`` and below 1.
    """
    _check(base_rate, difference, alpha)
    if difference == 0 or not alpha < power < 1:
        raise ValueError(f"difference must be above 0 and power {alpha} to 1, got {difference} and {power}")
    pooled, apart = _spreads(base_rate, difference)
    return 2 * ceil(((norm.isf(alpha / 2) * pooled + norm.isf(1 - power) * apart) / difference) ** 2 - 1e-9)


def smallest_found(
    students: int, base_rate: float, power: float = USUAL_POWER, alpha: float = ALPHA
) -> float | None:
    """The smallest reduction found with that power; None when not even the whole base rate would be.

    Parameters
    ----------
    students, base_rate, alpha
        As in :func:`power_of`.
    power : float
        Wanted chance of finding it, above ``alpha`` and below 1.

    Returns
    -------
    float or None
        0–1, at most ``base_rate``.
    """

    def lacking(difference: float) -> float:
        return power_of(students, base_rate, difference, alpha) - power

    if lacking(base_rate) < 0:
        return None
    return float(brentq(lacking, 0.0, base_rate))


def _spreads(base_rate: float, difference: float) -> tuple[float, float]:
    """Standard deviations of one pair's difference: under no difference, and under this one."""
    other = base_rate - difference
    middle = (base_rate + other) / 2
    apart = base_rate * (1 - base_rate) + other * (1 - other)
    return sqrt(2 * middle * (1 - middle)), sqrt(apart)


def _check(base_rate: float, difference: float, alpha: float) -> None:
    if not 0 < base_rate < 1 or not 0 < alpha < 1:
        raise ValueError(f"base_rate and alpha must lie between 0 and 1, got {base_rate} and {alpha}")
    if not 0 <= difference <= base_rate:
        raise ValueError(f"difference must be 0 to base_rate, got {difference}")
