"""What may become of cohorts that are still under way, and how groups differ. Pure functions of counts.

Three honest readings: the cumulative incidence of degrees and drop-out, which takes every student for as long
as they were seen; the on-time rate that a cohort reaches if the scores hold, with the band of the scores' own
ranges; and gaps between groups with the interval of the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum

import numpy as np
import pandas as pd

from dashboard.cohorts.summaries import OUTSIDE, normal_terms, outcomes, terms_passed
from data.columns import DROPOUT_EXITS

FEWEST = 10  # students of a group for its rate to be shown
LAST_TERM = 12
SEED = 5  # of the bootstrap, so that a page draws the same band twice


@dataclass(frozen=True)
class Gap:
    """The largest difference between two groups.

    Parameters
    ----------
    high_group, low_group : str
        As in the table.
    difference, low, high : float
        Of the two rates, in 0–1, with its 95 % interval.
    """

    high_group: str
    low_group: str
    difference: float
    low: float
    high: float


def seen(flow: pd.DataFrame, programs: pd.DataFrame, last_term: int, *, mature: bool) -> pd.DataFrame:
    """How long the students of the mature, or of the immature cohorts were seen, and how it ended.

    Parameters
    ----------
    flow, programs, last_term
        As in :func:`dashboard.cohorts.summaries.outcomes`.
    mature : bool
        Which cohorts: those whose normal time has passed, or the others.

    Returns
    -------
    DataFrame
        ``term`` (1 is the entry term), ``cause`` (graduated, dropout, other, or "" while enrolled),
        ``students``. Exits without a known term are left out.
    """
    normal, passed = normal_terms(flow, programs), terms_passed(flow, last_term)
    state, term = flow["state"].to_numpy(object), flow["terms_to_exit"].to_numpy(int)
    enrolled = state == "enrolled"
    kinds = [enrolled, state == "graduated", np.isin(state, DROPOUT_EXITS)]
    cause = np.select(kinds, ["", "graduated", "dropout"], "other").astype(object)
    length = np.where(enrolled, passed, term.clip(min=1))
    known = (enrolled | (term >= 0)) & ((passed >= normal) == mature) & (passed > 0)
    return pd.DataFrame(
        {"term": length[known], "cause": cause[known], "students": flow["students"].to_numpy()[known]}
    )


def incidence(flow: pd.DataFrame, programs: pd.DataFrame, last_term: int, *, mature: bool) -> pd.DataFrame:
    """Share that graduated and that dropped out by each term, with 95 % bands.

    Returns
    -------
    DataFrame
        ``cause`` (graduated or dropout), ``term``, ``share``, ``low``, ``high``, ``at_risk``; only terms with
        enough students at risk.
    """
    from fusion.model.competing import cumulative_incidence

    rng = np.random.default_rng(SEED)
    shares = cumulative_incidence(seen(flow, programs, last_term, mature=mature), rng, last_term=LAST_TERM)
    return (
        shares[shares["cause"].isin(("graduated", "dropout"))].dropna(subset=["share"]).reset_index(drop=True)
    )


def scenarios(cohorts: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """The on-time rate that each immature cohort reaches if the scores hold.

    Parameters
    ----------
    cohorts : DataFrame
        :func:`dashboard.cohorts.summaries.outcomes` by ``cohort_term``.
    expected : DataFrame
        ``queries.expected_late``: ``program_code, cohort_term, scored, late, late_low, late_high`` (sums of
        the risk of being late or never graduating, and of the ends of its range).

    Returns
    -------
    DataFrame
        ``cohort_term``, ``n`` (entrants less moved or died), ``done`` (on time already), ``enrolled``,
        ``scored``; ``rate`` = (done + students expected on time) / n, ``low`` and ``high`` if every risk
        stood at the worse or the better end of its range. Students without a score count like the others.
    """
    table = cohorts[~cohorts["mature"].to_numpy(bool)]
    whose, at = np.unique(expected["cohort_term"].to_numpy(int), return_inverse=True)
    place = {cohort: row for row, cohort in enumerate(whose.tolist())}
    rows = np.array([place.get(cohort, -1) for cohort in table["cohort_term"].tolist()], int)
    sums = {
        name: np.append(_exact_sums(expected[name].to_numpy(float), at, len(whose)), np.nan)[rows]
        for name in ("scored", "late", "late_low", "late_high")
    }
    known = sums["scored"] > 0
    scored = {name: column[known] for name, column in sums.items()}
    entered, outside, done, enrolled = (
        table[name].to_numpy(int)[known] for name in ("entered", "outside", "on_time", "studying")
    )
    n = entered - outside
    result = {
        "cohort_term": table["cohort_term"].to_numpy()[known],
        "n": n,
        "done": done,
        "enrolled": enrolled,
        "scored": scored["scored"].astype(int),
    }
    of = np.where(n > 0, n, np.nan)
    for name, late in (("rate", "late"), ("low", "late_high"), ("high", "late_low")):
        on_time = enrolled * (1 - scored[late] / scored["scored"])
        result[name] = np.clip((done + on_time) / of, 0, 1)
    return pd.DataFrame(result)


def _exact_sums(values: np.ndarray, at: np.ndarray, length: int) -> list[float]:
    """The sum of each cell, rounded once: the same whatever the order of the rows."""
    return [fsum(values[at == cell].tolist()) for cell in range(length)]


def groups(rows: pd.DataFrame, programs: pd.DataFrame, last_term: int) -> pd.DataFrame:
    """On-time and drop-out rates of the mature cohorts by group.

    Parameters
    ----------
    rows : DataFrame
        ``queries.flow_by_group``: as a flow, with ``group`` ("" unknown).

    Returns
    -------
    DataFrame
        ``group``, ``n``, ``rate``, ``low``, ``high`` (Wilson), ``left_rate``; groups of at least
        :data:`FEWEST` students, the highest rate first.
    """
    group, state = rows["group"].to_numpy(object), rows["state"].to_numpy(object)
    inside = rows[(group != "") & ~np.isin(state, OUTSIDE)]
    table = outcomes(inside, programs, "group", last_term)
    table = table[["group", "n", "on_time_n", "left_n", "rate", "low", "high", "left_rate"]]
    table = table[table["n"] >= FEWEST]
    return table.sort_values(["rate", "group"], ascending=[False, True], ignore_index=True)


def largest_gap(table: pd.DataFrame) -> Gap | None:
    """The highest against the lowest rate, with the interval of the difference; None with one group.

    R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in
    Medicine 17 (1998) 873–890, method 10 (from Wilson intervals).
    """
    if len(table) < 2:
        return None
    best, worst = table.iloc[0], table.iloc[-1]
    difference = best["rate"] - worst["rate"]
    low = difference - np.hypot(best["rate"] - best["low"], worst["high"] - worst["rate"])
    high = difference + np.hypot(best["high"] - best["rate"], worst["rate"] - worst["low"])
    return Gap(str(best["group"]), str(worst["group"]), float(difference), float(low), float(high))
