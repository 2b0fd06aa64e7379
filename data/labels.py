"""What became of each student, as a label a model may learn, with the date on which it became known.

A label is a rule applied to the register, never a column of it: the same outcome is "on time" in a programme
of eight terms and "delayed" in one of six. The date matters as much as the label, because a forward split may
only train on what was known on the day it simulates.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from data.columns import DROPOUT_EXITS, EXIT_TYPES
from data.term_calendar import GRADES_KNOWN_AFTER, as_of_date, ordinal, term_end, term_on

LABEL_COLUMNS = ("student_key", "label", "terms_to_exit", "observed_until", "known_from")
_GRACE = pd.Timedelta(GRADES_KNOWN_AFTER)


def label_outcomes(
    students: pd.DataFrame,
    programs: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    terms: pd.DataFrame | None = None,
    count_leave: bool = True,
    extra_terms: int = 0,
    seen_on: date | None = None,
) -> pd.DataFrame:
    """Label every student by rule: on_time, delayed, dropout or censored.

    The normal time of a student ends ``normal_terms`` regular terms after entry, plus a month in which
    graduations of the last term are booked (:func:`data.term_calendar.as_of_date`).

    Parameters
    ----------
    students : DataFrame
        ``student_key``, ``program_code``, ``cohort_term`` (``YYYYT``); one row per student.
    programs : DataFrame
        ``program_code``, ``normal_terms``.
    outcomes : DataFrame
        ``student_key``, ``exit_type``, ``exit_term``, ``exit_date``, ``terms_to_exit``, ``observed_until``.
        A student without a row is one whom the register still shows, as of the newest ``observed_until``.
    terms : DataFrame, optional
        ``student_key``, ``status``; needed when ``count_leave`` is false.
    count_leave : bool
        Whether approved leave (status C) counts as study time. When false every leave term moves the end of
        the normal time by one term.
    extra_terms : int
        Terms after the normal ones that still count as on time (0: the strict rule).
    seen_on : date, optional
        Label as if the register had been read on that day: later exits are not yet known. Default: read it
        as it is.

    Returns
    -------
    DataFrame
        In the order of ``students``: ``student_key``; ``label``; ``terms_to_exit`` (Int64, entry term = 1,
        null while enrolled); ``observed_until`` and ``known_from`` (datetime64; ``known_from`` is null for a
        censored student). ``known_from`` is the exit date of an on-time graduate and of a dropout, and the
        end of the normal time of a delayed student.

    Raises
    ------
    ValueError
        For an unknown programme, an unknown exit type, a duplicated student, or leave left out without
        ``terms``.

    Notes
    -----
    Transfers and deaths are censored: neither is a failure to graduate. So is a graduation whose date
    nothing tells. A dropout stays a dropout when it came after the normal time.
    """
    frame = _joined(students, programs, outcomes)
    allowed = frame["normal_terms"].to_numpy() + int(extra_terms)
    if not count_leave:
        allowed = allowed + _leave_terms(frame["student_key"], terms)
    deadline = _deadlines(frame["cohort_term"].to_numpy(), allowed)
    exit_type, exit_date = frame["exit_type"].copy(), frame["exit_date"].copy()
    observed = frame["observed_until"].copy()
    if seen_on is not None:
        limit = pd.Timestamp(seen_on)
        unseen = exit_date.fillna(observed) > limit
        exit_type[unseen], exit_date[unseen] = None, pd.NaT
        frame.loc[unseen, "terms_to_exit"] = pd.NA
        observed = observed.where(observed <= limit, limit)
    taken = frame["terms_to_exit"]
    graduated = (exit_type == "graduated").to_numpy(bool) & taken.notna().to_numpy()
    in_time = taken.fillna(0).to_numpy(int) <= allowed
    on_time = graduated & in_time
    dropout = exit_type.isin(DROPOUT_EXITS).to_numpy(bool)
    overrun = exit_type.isna().to_numpy() & (observed >= deadline).to_numpy()
    delayed = (graduated & ~in_time) | overrun
    left_on = exit_date.fillna(observed)
    return pd.DataFrame(
        {
            "student_key": frame["student_key"].to_numpy(),
            "label": np.select([on_time, delayed, dropout], ["on_time", "delayed", "dropout"], "censored"),
            "terms_to_exit": taken.to_numpy(),
            "observed_until": observed.to_numpy(),
            "known_from": left_on.where(on_time | dropout, deadline.where(delayed)).to_numpy(),
        },
        index=students.index,
    ).astype({"terms_to_exit": "Int64"})


def _joined(students, programs, outcomes) -> pd.DataFrame:
    """One row per student with its programme's normal terms and its outcome, types made sure."""
    if students["student_key"].duplicated().any():
        raise ValueError("students must have one row per student_key; some key comes twice")
    if outcomes["student_key"].duplicated().any():
        raise ValueError("outcomes must have one row per student_key; some key comes twice")
    unknown = set(outcomes["exit_type"].dropna()) - set(EXIT_TYPES)
    if unknown:
        raise ValueError(f"exit_type must be one of {EXIT_TYPES} or null, got {sorted(unknown)}")
    missing = set(students["program_code"]) - set(programs["program_code"])
    if missing:
        raise ValueError(f"program_code must be one of the programmes, got {sorted(missing)}")
    columns = ["student_key", "exit_type", "exit_term", "exit_date", "terms_to_exit", "observed_until"]
    frame = students[["student_key", "program_code", "cohort_term"]].merge(
        outcomes.reindex(columns=columns), on="student_key", how="left"
    )
    frame["normal_terms"] = frame["program_code"].map(programs.set_index("program_code")["normal_terms"])
    frame["exit_type"] = frame["exit_type"].astype(object).where(frame["exit_type"].notna(), None)
    for column in ("exit_date", "observed_until"):
        frame[column] = pd.to_datetime(frame[column])
    for column in ("exit_term", "terms_to_exit"):
        frame[column] = pd.to_numeric(frame[column]).astype("Int64")
    frame["observed_until"] = frame["observed_until"].fillna(frame["observed_until"].max())
    frame["terms_to_exit"] = (
        frame["terms_to_exit"].fillna(_terms_taken(frame)).where(frame["exit_type"].notna())
    )
    booked = pd.to_datetime(_each(frame["exit_term"], term_end)) + _GRACE
    frame["exit_date"] = frame["exit_date"].fillna(booked.clip(upper=frame["observed_until"]))
    return frame


def _terms_taken(frame: pd.DataFrame) -> pd.Series:
    """Terms from entry to exit, both counted, from the exit term or else the exit date.

    A graduation within a month after the end of a term belongs to that term.
    """
    by_date = _each(frame["exit_date"], lambda day: term_on((day - _GRACE).date()))
    term = frame["exit_term"].fillna(by_date.astype("Int64"))
    taken = _each(term, ordinal).astype("Int64") - _each(frame["cohort_term"], ordinal).astype("Int64") + 1
    return taken.clip(lower=0)


def _each(values: pd.Series, function) -> pd.Series:
    """``function`` of every value, worked out once per distinct value; null stays null."""
    codes, unique = pd.factorize(values)
    results = np.array([function(value) for value in unique] + [None], dtype=object)
    return pd.Series(results[codes], index=values.index)


def _leave_terms(keys: pd.Series, terms: pd.DataFrame | None) -> np.ndarray:
    if terms is None:
        raise ValueError("terms must be given when count_leave is False, got None")
    counted = terms.loc[terms["status"] == "C"].groupby("student_key").size()
    return keys.map(counted).fillna(0).to_numpy(int)


def _deadlines(cohorts: np.ndarray, allowed: np.ndarray) -> pd.Series:
    """Last day on which a graduation is still on time, per student."""
    pairs = pd.MultiIndex.from_arrays([cohorts, allowed])
    codes, unique = pairs.factorize()
    days = pd.to_datetime([as_of_date(int(cohort), int(count)) for cohort, count in unique])
    return pd.Series(days.to_numpy()[codes])
