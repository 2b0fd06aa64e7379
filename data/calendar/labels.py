"""What became of each student, as a label a model may learn, with the date on which it became known.

A label is a rule applied to the register, never a column of it: the same outcome is "on time" in a programme
of eight terms and "delayed" in one of six. The date matters as much as the label, because a forward split may
only train on what was known on the day it simulates.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from data.calendar.study_time import StudyCalendar, deadlines, study_time, within_normal_time
from data.columns import DROPOUT_EXITS, EXIT_TYPES

LABEL_COLUMNS = ("student_key", "label", "terms_to_exit", "observed_until", "known_from")


def label_outcomes(
    students: pd.DataFrame,
    programs: pd.DataFrame,
    outcomes: pd.DataFrame,
    *,
    terms: pd.DataFrame | None = None,
    count_leave: bool = True,
    extra_terms: int = 0,
    seen_on: date | None = None,
    calendar: StudyCalendar = StudyCalendar(),
) -> pd.DataFrame:
    """Label every student by rule: on_time, delayed, dropout or censored.

    Which term an exit belongs to, when it is known, and when the normal time of ``normal_terms`` regular
    terms is over, is the rule of :mod:`data.calendar.study_time`, the same on every day.

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
        Label as if the register had been read on that day: exits of terms that were not closed then are not
        yet known. Default: read it as it is.
    calendar : StudyCalendar
        To which term an exit on a day belongs.

    Returns
    -------
    DataFrame
        In the order of ``students``: ``student_key``; ``label``; ``terms_to_exit`` (Int64, entry term = 1,
        null while enrolled); ``observed_until`` and ``known_from`` (datetime64; ``known_from`` is null for a
        censored student). ``known_from`` is the day on which the exit term of an on-time graduate or a
        dropout closes (or the register was read, if that was earlier), and the end of the normal time of a
        delayed student.

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
    frame = _joined(students, programs, outcomes, calendar)
    allowed = frame["normal_terms"].to_numpy() + int(extra_terms)
    if not count_leave:
        allowed = allowed + _leave_terms(frame["student_key"], terms)
    deadline = deadlines(frame["cohort_term"], allowed, calendar)
    exit_type, known_from = frame["exit_type"].copy(), frame["known_from"]
    observed = frame["observed_until"].copy()
    if seen_on is not None:
        limit = pd.Timestamp(seen_on)
        unseen = known_from > limit
        exit_type[unseen] = None
        frame.loc[unseen, "terms_to_exit"] = pd.NA
        observed = observed.where(observed <= limit, limit)
    taken = frame["terms_to_exit"]
    graduated = (exit_type == "graduated").to_numpy(bool) & taken.notna().to_numpy()
    in_time = within_normal_time(taken, allowed)
    on_time = graduated & in_time
    dropout = exit_type.isin(DROPOUT_EXITS).to_numpy(bool)
    overrun = exit_type.isna().to_numpy() & (observed >= deadline).to_numpy()
    delayed = (graduated & ~in_time) | overrun
    return pd.DataFrame(
        {
            "student_key": frame["student_key"].to_numpy(),
            "label": np.select([on_time, delayed, dropout], ["on_time", "delayed", "dropout"], "censored"),
            "terms_to_exit": taken.to_numpy(),
            "observed_until": observed.to_numpy(),
            "known_from": known_from.where(on_time | dropout, deadline.where(delayed)).to_numpy(),
        },
        index=students.index,
    ).astype({"terms_to_exit": "Int64"})


def _joined(students, programs, outcomes, calendar: StudyCalendar) -> pd.DataFrame:
    """One row per student with its programme's normal terms and its outcome, types made sure."""
    if students["student_key"].duplicated().any():
        raise ValueError("students must have one row per student_key; some key comes twice")
    if outcomes["student_key"].duplicated().any():
        raise ValueError("outcomes must have one row per student_key; some key comes twice")
    unknown = set(outcomes["exit_type"].dropna()) - set(EXIT_TYPES)
    if unknown:
        raise ValueError(f"exit_type must be one of {', '.join(EXIT_TYPES)} or null, got {sorted(unknown)}")
    missing = set(students["program_code"]) - set(programs["program_code"])
    if missing:
        raise ValueError(f"program_code must be one of the programmes, got {sorted(missing)}")
    columns = ["student_key", "exit_type", "exit_term", "exit_date", "terms_to_exit", "observed_until"]
    frame = students[["student_key", "program_code", "cohort_term"]].merge(
        outcomes.reindex(columns=columns), on="student_key", how="left"
    )
    frame["normal_terms"] = frame["program_code"].map(programs.set_index("program_code")["normal_terms"])
    frame["exit_type"] = frame["exit_type"].astype(object).where(frame["exit_type"].notna(), None)
    frame["observed_until"] = pd.to_datetime(frame["observed_until"])
    frame["observed_until"] = frame["observed_until"].fillna(frame["observed_until"].max())
    exits = study_time(frame, calendar)
    frame["terms_to_exit"] = exits["terms"]
    frame["known_from"] = exits["known_from"].fillna(frame["observed_until"])
    frame["known_from"] = frame["known_from"].where(
        ~(frame["known_from"] > frame["observed_until"]), frame["observed_until"]
    )
    return frame


def _leave_terms(keys: pd.Series, terms: pd.DataFrame | None) -> np.ndarray:
    if terms is None:
        raise ValueError("terms must be given when count_leave is False, got None")
    counted = terms.loc[terms["status"] == "C"].groupby("student_key").size()
    return keys.map(counted).fillna(0).to_numpy(int)
