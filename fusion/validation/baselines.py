"""What a risk model has to beat: the programme's base rate, an on-track rule, and logistic regression."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fusion.features.encode import TableEncoder
from fusion.features.rows import Rows, TrainingSet

PRIOR_ROWS = 20  # rows' worth of overall rate mixed into every group's rate
GOOD_GPA, WEAK_GPA = 2.75, 2.0
GOOD_PACE, WEAK_PACE = 0.9, 0.6


def base_rate(train: TrainingSet, test: Rows) -> np.ndarray:
    """Share of the event among past students of the same programme and as-of term, (n,)."""
    return _group_rate(_programme(train.rows), train.outcome, _programme(test))


def on_track_rule(train: TrainingSet, test: Rows) -> np.ndarray:
    """Past share of the event at each level of the credits-and-GPA rule, (n,).

    Level 0: GPA at least 2.75 and credits at least 90 % of plan; 1: one of the two missed; 2: both missed;
    3: GPA below 2.00 or credits below 60 % of plan. Unknown: a level of its own.
    """
    return _group_rate(_rule_level(train.rows.table), train.outcome, _rule_level(test.table))


def logistic_regression(train: TrainingSet, test: Rows, encoder: TableEncoder) -> np.ndarray:
    """Risk by logistic regression on the same features: medians for the missing, standardised, C = 1."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if not np.ptp(train.outcome):
        return np.full(len(test), float(train.outcome.mean()))
    chain = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=1.0, max_iter=500),
    )
    chain.fit(encoder.matrix(train.rows.table), train.outcome)
    return chain.predict_proba(encoder.matrix(test.table))[:, 1] if len(test) else np.zeros(0)


def _programme(rows: Rows) -> np.ndarray:
    return (rows.meta["program_code"].astype(str) + "|" + rows.meta["as_of_index"].astype(str)).to_numpy(
        object
    )


def _rule_level(table: pd.DataFrame) -> np.ndarray:
    gpa, pace = (
        table[name].to_numpy(float) if name in table else np.full(len(table), np.nan)
        for name in ("gpa_cum", "credit_pace")
    )
    return rule_levels(gpa, pace)


def rule_levels(gpa: np.ndarray, pace: np.ndarray) -> np.ndarray:
    """Level of the credits-and-GPA rule, int (n,): 0 on track … 3 far off; -1 where neither is known.

    Parameters
    ----------
    gpa : ndarray (n,)
        Cumulative grade-point average, 0…4.
    pace : ndarray (n,)
        Credits earned as a share of the plan up to now.
    """
    level = (gpa < GOOD_GPA).astype(int) + (pace < GOOD_PACE)
    level = np.where((gpa < WEAK_GPA) | (pace < WEAK_PACE), 3, level)
    return np.where(np.isnan(gpa) & np.isnan(pace), -1, level)


def _group_rate(train_groups: np.ndarray, outcome: np.ndarray, test_groups: np.ndarray) -> np.ndarray:
    overall = float(np.mean(outcome)) if len(outcome) else 0.5
    sums = pd.Series(outcome).groupby(pd.Series(train_groups)).agg(["sum", "size"])
    rate = (sums["sum"] + PRIOR_ROWS * overall) / (sums["size"] + PRIOR_ROWS)
    return pd.Series(test_groups).map(rate).fillna(overall).to_numpy(float)
