"""Graduation and drop-out as competing risks: what a cohort will have come to by each term.

A cohort that is still under way has students whose end is not known. Counting only the ends that are known
overstates drop-out, because drop-outs end early. The Aalen–Johansen estimator takes every student as long as
they were seen.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.calendar.study_time import StudyCalendar, each, study_time
from data.calendar.term_calendar import ordinal
from data.columns import DROPOUT_EXITS

CAUSES = ("graduated", "dropout", "other")  # other: transferred, deceased
FEWEST_AT_RISK = 5  # students; terms with fewer are not estimated


def durations(flow: pd.DataFrame, calendar: StudyCalendar = StudyCalendar()) -> pd.DataFrame:
    """How long each student was seen and how it ended.

    Parameters
    ----------
    flow : DataFrame
        ``student_key, program_code, cohort_term, exit_type, observed_until`` and any of ``exit_date,
        exit_term, terms_to_exit`` (``data.queries.student_flow``).
    calendar : StudyCalendar
        To which term an exit on a day belongs.

    Returns
    -------
    DataFrame
        ``student_key, program_code, cohort_term``; ``term`` (last term seen, entry term = 1; 0: none over
        yet) and ``cause`` (one of :data:`CAUSES`, or "" while enrolled).

    Raises
    ------
    ValueError
        When a student left without a known number of terms.
    """
    exit_type = flow["exit_type"].astype(object).where(flow["exit_type"].notna(), "")
    cause = np.select(
        [exit_type == "graduated", exit_type.isin(DROPOUT_EXITS), exit_type != ""], CAUSES, default=""
    )
    taken = study_time(flow, calendar)["terms"].astype("float64").to_numpy()
    if np.isnan(taken[cause != ""]).any():
        raise ValueError("terms_to_exit must be known for every student who left, some are missing")
    seen = _terms_seen(flow["cohort_term"], flow["observed_until"], calendar)
    term = np.where(cause != "", np.nan_to_num(taken, nan=0).clip(1), seen).astype(int)
    columns = flow[["student_key", "program_code", "cohort_term"]].reset_index(drop=True)
    return columns.assign(term=term, cause=cause)


def cumulative_incidence(
    seen: pd.DataFrame, rng: np.random.Generator, *, last_term: int = 14, draws: int = 400
) -> pd.DataFrame:
    """Share of a cohort that has ended in each way by the end of each term.

    Parameters
    ----------
    seen : DataFrame
        ``term``, ``cause`` (:func:`durations`); with a column ``students`` a row stands for so many.
    rng : Generator
        Draws students for the intervals.
    last_term : int
        Terms 1…last_term are given.
    draws : int
        Bootstrap draws.

    Returns
    -------
    DataFrame
        ``term, at_risk, cause, share, low, high`` in long form; ``share`` 0…1, NaN from the first term with
        fewer than :data:`FEWEST_AT_RISK` students at risk. For each term the shares of all causes and of
        those still enrolled sum to 1.

    Notes
    -----
    Aalen–Johansen for discrete time: ``CIF_c(t) = Σ_{s≤t} S(s-1) d_c(s) / n(s)`` with
    ``S(t) = Π_{s≤t} (1 - d(s) / n(s))``.
    """
    terms = np.arange(1, last_term + 1)
    if seen.empty:
        return pd.DataFrame(columns=["term", "at_risk", "cause", "share", "low", "high"])
    cells = seen.groupby(["term", "cause"])
    cells = cells["students"].sum() if "students" in seen else cells.size()
    ends, cause = (cells.index.get_level_values(level).to_numpy() for level in ("term", "cause"))
    drawn = rng.multinomial(
        cells.sum(), cells.to_numpy() / cells.sum(), size=draws
    )  # students, with replacement
    count = np.vstack([cells.to_numpy(), drawn]).astype(float)
    # Someone seen through term t without an end is still at risk in term t.
    at_risk = count @ (ends[:, None] >= terms)
    events = np.stack([count @ ((ends[:, None] == terms) & (cause == c)[:, None]) for c in CAUSES])
    hazard = events / np.maximum(at_risk, 1e-12)
    survival = np.cumprod(1 - hazard.sum(axis=0), axis=1)
    before = np.column_stack([np.ones(len(count)), survival[:, :-1]])
    incidence = np.cumsum(before * hazard, axis=2)
    incidence[:, :, np.cumsum(at_risk[0] < FEWEST_AT_RISK) > 0] = np.nan
    parts = []
    for number, name in enumerate(CAUSES):
        low, high = np.percentile(incidence[number, 1:], [2.5, 97.5], axis=0)
        parts.append(
            pd.DataFrame(
                {
                    "term": terms,
                    "at_risk": at_risk[0].astype(int),
                    "cause": name,
                    "share": incidence[number, 0],
                    "low": low,
                    "high": high,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _terms_seen(cohorts: pd.Series, observed_until: pd.Series, calendar: StudyCalendar) -> np.ndarray:
    """Regular terms of each student that were closed when the register was read."""
    closed = each(
        pd.to_datetime(observed_until), lambda day: ordinal(calendar.last_closed(day.date())), "Int64"
    )
    first = each(cohorts, ordinal, "Int64")
    return (closed - first + 1).fillna(0).clip(lower=0).to_numpy(int)
