"""Whether two kinds of exit were exchanged: who graduated has the credits of a degree, a drop-out has not.

A mapping that reads "graduated" as a drop-out and the other way round fits every other rule of the register,
and a model learns from it that good students leave. What gives it away is what they had reached: of a
graduate and a drop-out of one programme the graduate has more credits, nearly always. Where the drop-out has
more in more than half of such pairs, and in more than chance would bring, the exchanged reading fits the
records better than the one that was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import pandas as pd

from data.calendar.term_calendar import ordinal
from data.calendar.term_columns import by_value
from data.columns import DROPOUT_EXITS
from data.engine.texts import one_of

EVEN = 0.5  # share of pairs from which on "exchanged" fits better than "as read"
Z95 = 1.959963984540054  # two-sided 95 % of the normal law, by which a share is clear of chance


@dataclass(frozen=True)
class Turned:
    """How often a drop-out stands above a graduate of the same programme.

    Parameters
    ----------
    graduated, dropped : int
        Students compared.
    credits, gpa : float or None
        Share of the pairs in which the drop-out has more credits, a higher cumulative average; a tie is half
        a pair. None: not recorded.
    """

    graduated: int
    dropped: int
    credits: float | None
    gpa: float | None

    @property
    def told_by(self) -> str:
        """Which of the two tells it: "both", "credits" or "gpa"."""
        if self.credits is None:
            return "gpa"
        return "credits" if self.gpa is None else "both"

    @property
    def share(self) -> float:
        """The share that decided, 0–1."""
        return (self.gpa if self.credits is None else self.credits) or 0.0


def turned_exits(
    students: pd.DataFrame, terms: pd.DataFrame, outcomes: pd.DataFrame, key: str = "student_key"
) -> Turned | None:
    """That graduated and dropped out look exchanged; None where they do not, or too little is known.

    Credits decide where they are recorded, and the average must not speak against them: a drop-out of the
    last allowed term has many credits and a poor average. Without credits the average decides.

    Parameters
    ----------
    students : DataFrame
        ``key``, ``program_code``, ``cohort_term``; whoever has ``recognized_credits`` is not compared.
    terms : DataFrame
        ``key``, ``term_id``; ``credits_cum``, ``credits_passed``, ``gpa_cum``.
    outcomes : DataFrame
        ``key``, ``exit_type``; ``gpa_final``.
    key : str
        Column that names a student.
    """
    ended = outcomes[outcomes["exit_type"].isin(("graduated", *DROPOUT_EXITS))]
    ended = ended.drop_duplicates(key, keep="last").merge(students.drop_duplicates(key, keep="last"), on=key)
    if "recognized_credits" in ended:
        ended = ended[~(pd.to_numeric(ended["recognized_credits"]) > 0)]
    if ended.empty or not ended["exit_type"].isin(DROPOUT_EXITS).any():
        return None
    mine = terms[one_of(terms[key], ended[key])].sort_values([key, "term_id"], kind="stable")
    keyed = ended.set_index(key)
    dropped = keyed["exit_type"].isin(DROPOUT_EXITS)
    credits, credits_clear = _above(_credits(mine, keyed, key), dropped, keyed["program_code"])
    gpa, gpa_clear = _above(_averages(mine, keyed, key), dropped, keyed["program_code"])
    agrees = gpa is None or gpa > EVEN
    if not (credits_clear and agrees if credits is not None else gpa_clear):
        return None
    return Turned(int((~dropped).sum()), int(dropped.sum()), credits, gpa)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    found = frame[name] if name in frame else pd.Series(pd.NA, frame.index)
    return pd.to_numeric(found, errors="coerce").astype("float64")


def _credits(terms: pd.DataFrame, keyed: pd.DataFrame, key: str) -> pd.Series:
    """Credits at the end: the register's total, else the sum of a record without a gap since entry."""
    booked = _column(terms, "credits_cum").groupby(terms[key]).last()
    summed = _column(terms, "credits_passed").groupby(terms[key]).sum(min_count=1)
    places = by_value(terms["term_id"], ordinal, "float64").groupby(terms[key])
    entry = by_value(keyed["cohort_term"], ordinal, "float64")
    span = places.max() - entry.reindex(places.max().index) + 1
    whole = places.nunique() >= span
    return booked.fillna(summed.where(whole)).reindex(keyed.index)


def _averages(terms: pd.DataFrame, keyed: pd.DataFrame, key: str) -> pd.Series:
    found = _column(terms, "gpa_cum").groupby(terms[key]).last().reindex(keyed.index)
    return found.fillna(_column(keyed, "gpa_final"))


def _above(value: pd.Series, dropped: pd.Series, programme: pd.Series) -> tuple[float | None, bool]:
    """Share of the pairs of one programme in which the drop-out has more, and whether that is clearly more
    than half of them: the rank-sum test of H. B. Mann and D. R. Whitney (Ann. Math. Stat. 18 (1947) 50–60),
    its statistics and variances added over programmes."""
    wins = pairs = variance = 0.0
    for _, rows in value.dropna().groupby(programme):
        mine = dropped.reindex(rows.index)
        low, high = int(mine.sum()), int((~mine).sum())
        if low and high:
            wins += float(rows.rank()[mine].sum()) - low * (low + 1) / 2
            pairs += low * high
            variance += low * high * (low + high + 1) / 12
    if not pairs:
        return None, False
    return wins / pairs, wins - EVEN * pairs > Z95 * sqrt(variance)
