"""The numbers behind the invented university, in one place.

Every hazard is a logistic function of a student's hidden state: ability (fixed), engagement and hardship
(each a fixed part and a part that wanders from term to term). They were set by hand so that the register's
visible rates fall where Indonesian registers commonly lie: see ``docs/data-card.md`` for what comes out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def sigmoid(values: np.ndarray) -> np.ndarray:
    """The logistic function."""
    return 1.0 / (1.0 + np.exp(-np.asarray(values, dtype=float)))


@dataclass(frozen=True)
class Hazard:
    """Log-odds per term: ``base + ability·a + engagement·e + hardship·h``."""

    base: float
    ability: float = 0.0
    engagement: float = 0.0
    hardship: float = 0.0

    def chance(self, ability, engagement, hardship, shift=0.0) -> np.ndarray:
        """Probability in a term for arrays of hidden states; ``shift`` is added to the log-odds."""
        return sigmoid(
            self.base
            + self.ability * ability
            + self.engagement * engagement
            + self.hardship * hardship
            + shift
        )


@dataclass(frozen=True)
class Rates:
    """Rates of everything that happens to a student in a term."""

    # the parts of engagement and hardship that wander: kept from term to term, and its shock
    engagement_fixed: float = 0.78
    engagement_kept: float = 0.72
    engagement_shock: float = 0.42
    hardship_fixed: float = 0.85
    hardship_kept: float = 0.80
    hardship_shock: float = 0.32
    leave: Hazard = Hazard(-4.55, engagement=-0.25, hardship=0.75)
    inactive: Hazard = Hazard(-5.1, engagement=-0.95, hardship=0.75)
    inactive_again: float = 1.4  # added to the log-odds after an inactive term
    resign: Hazard = Hazard(-6.05, ability=-0.35, engagement=-0.85, hardship=0.75)
    resign_early: float = 0.75  # added in terms 1 to 3
    resign_low_gpa: float = 1.1  # added below a cumulative GPA of 2
    transfer_out: float = 0.0022
    death: float = 0.00025
    dropped_when_inactive: float = 0.12
    dropped_when_inactive_twice: float = 0.45
    fail: Hazard = Hazard(-3.0, ability=-0.75, engagement=-0.8, hardship=0.2)
    grade_mean: float = 3.2  # of courses passed
    grade_ability: float = 0.24
    grade_engagement: float = 0.17
    grade_noise: float = 0.17
    grade_inflation: float = 0.015  # a year after 2017
    kampus_merdeka: float = 0.14
    double_degree: float = 0.001
    thesis_mean: float = 0.60  # of a thesis done in a term
    thesis_ability: float = 0.10
    thesis_engagement: float = 0.20
    thesis_hardship: float = -0.12
    thesis_noise: float = 0.30
    final_project: float = 0.10  # added in a diploma programme, whose project is shorter than a thesis
    expelled_when_behind: float = 0.65
    arrears: Hazard = Hazard(-2.0, engagement=-0.2, hardship=1.0)
    transfer_in: float = 0.03
    prior_learning: float = 0.015
    # what the register lacks
    attendance_missing_old: float = 0.72  # before the attendance system of the year 2020
    attendance_missing: float = 0.07
    arrears_missing: float = 0.03
    booked_late: float = 0.03
    revised: float = 0.007
