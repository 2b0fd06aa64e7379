"""From what happened to what the register says: dates, gaps, late bookings and corrections."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from data.calendar.term_calendar import GRADES_KNOWN_AFTER, from_ordinal, ordinal, term_end
from data.synthetic.people import People
from data.synthetic.rates import Rates
from data.synthetic.study import CREDITS_PER_COURSE, HIDDEN

LATE_EXIT_DAYS = 90  # a resignation may be booked well into the next term
BOOKED_WITHIN = 29  # days after the end of a term, so that it is known one month after
FIRST_ATTENDANCE_TERM = 20201
BOOKED_PROMPTLY = ("graduated", "expelled")

INTEGERS = (
    "term_id", "term_index", "credits_attempted", "credits_passed", "credits_cum", "courses_failed",
    "courses_repeated", "tuition_arrears_days",
)  # fmt: skip


def outcome_rows(
    exits: pd.DataFrame, people: People, snapshot: date, rng: np.random.Generator
) -> pd.DataFrame:
    """The outcomes table as of the snapshot, one row per student, in the order of the students.

    A graduation is dated within a month after the last term, any other exit within three months. An exit
    dated after the snapshot has not happened yet.
    """
    n = len(people.programme)
    first = _ordinals(people.cohort_year[exits["student"]] * 10 + 1)
    last = first + exits["last_term"].to_numpy() - 1
    prompt = exits["exit_type"].isin(BOOKED_PROMPTLY).to_numpy()
    days = np.where(
        prompt, rng.integers(1, BOOKED_WITHIN, len(exits)), rng.integers(3, LATE_EXIT_DAYS, len(exits))
    )
    exit_day = _ends(last) + days.astype("timedelta64[D]")
    in_next = days > GRADES_KNOWN_AFTER.days  # later than the closing of the last term
    known = exit_day <= np.datetime64(snapshot)
    chosen = exits.loc[known, "student"].to_numpy()
    frame = pd.DataFrame({"student_number": people.students["student_number"].to_numpy()})
    for column, values in {
        "exit_type": exits["exit_type"].to_numpy(object),
        "exit_term": _terms(last + in_next),
        "exit_date": exit_day,
        "terms_to_exit": exits["last_term"].to_numpy() + in_next,
        "gpa_final": exits["gpa_final"].to_numpy(),
    }.items():
        filled = pd.Series(values[known], index=chosen).reindex(range(n))
        frame[column] = filled.astype("Int64") if column in ("exit_term", "terms_to_exit") else filled
    frame["exit_type"] = frame["exit_type"].astype(object).where(frame["exit_type"].notna(), None)
    frame["exit_date"] = pd.to_datetime(frame["exit_date"])
    frame["observed_until"] = pd.Timestamp(snapshot)
    return frame


def term_rows(
    terms: pd.DataFrame, people: People, snapshot: date, rng: np.random.Generator, rates: Rates
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The terms table as first booked, and the corrected versions of the rows that were corrected later.

    Rows booked after the snapshot are not in it. A correction adds the grade of one course: the row as first
    booked lacks its credits and points. ``known_at`` of a row is when that version was booked.
    """
    student = terms["student"].to_numpy()
    place = _ordinals(people.cohort_year * 10 + 1)[student] + terms["term_index"].to_numpy() - 1
    n = len(terms)
    days = rng.integers(3, BOOKED_WITHIN, n)
    late = rng.random(n) < rates.booked_late
    days = np.where(late, BOOKED_WITHIN + rng.integers(2, 90, n), days)
    booked = _ends(place) + days.astype("timedelta64[D]")
    frame = terms.drop(columns=["student", *HIDDEN])
    frame.insert(0, "student_number", people.students["student_number"].to_numpy()[student])
    frame.insert(1, "term_id", _terms(place))
    _leave_gaps(frame, people.scholarship[student], rng, rates)
    frame["known_at"] = booked
    corrected_on = booked + (20 + rng.integers(0, 60, n)).astype("timedelta64[D]")
    by_courses = frame["credits_passed"] - terms["thesis_credits"] * terms["thesis_passed"]
    fixable = (by_courses >= 2 * CREDITS_PER_COURSE) & frame["gpa_term"].gt(0)
    revised = (rng.random(n) < rates.revised) & ~late & fixable.to_numpy()
    today = np.datetime64(snapshot)
    corrections = frame[revised & (corrected_on <= today)].assign(
        known_at=corrected_on[revised & (corrected_on <= today)]
    )
    first = pd.concat([frame[~revised], _before_correction(frame[revised])]).sort_index()
    return _typed(first[booked <= today]), _typed(corrections)


def _before_correction(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows while the grade of one course is not in yet: it counts as not passed."""
    rows = rows.copy()
    graded = rows["credits_attempted"].clip(lower=1)
    rows["gpa_term"] = (rows["gpa_term"] * (1 - CREDITS_PER_COURSE / graded)).clip(lower=0).round(2)
    lost = rows["gpa_cum"] * CREDITS_PER_COURSE / rows["credits_cum"].clip(lower=CREDITS_PER_COURSE)
    rows["gpa_cum"] = (rows["gpa_cum"] - lost).clip(lower=0).round(2)
    rows["credits_passed"] -= CREDITS_PER_COURSE
    rows["credits_cum"] -= CREDITS_PER_COURSE
    rows["courses_failed"] += 1
    return rows


def _leave_gaps(frame: pd.DataFrame, scholarship: np.ndarray, rng, rates: Rates) -> None:
    """Blank what such registers lack, in place."""
    n = len(frame)
    old = (frame["term_id"] < FIRST_ATTENDANCE_TERM).to_numpy()
    unseen = rng.random(n) < np.where(old, rates.attendance_missing_old, rates.attendance_missing)
    frame.loc[unseen, "attendance_rate"] = np.nan
    unknown = scholarship | (rng.random(n) < rates.arrears_missing)
    frame["tuition_arrears_days"] = frame["tuition_arrears_days"].astype("Int64").mask(unknown)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.reset_index(drop=True).astype(dict.fromkeys(INTEGERS, "Int64"))


def _ordinals(terms: np.ndarray) -> np.ndarray:
    unique, codes = np.unique(terms, return_inverse=True)
    return np.array([ordinal(int(term)) for term in unique])[codes]


def _terms(ordinals: np.ndarray) -> np.ndarray:
    unique, codes = np.unique(ordinals, return_inverse=True)
    return np.array([from_ordinal(int(number)) for number in unique])[codes]


def _ends(ordinals: np.ndarray) -> np.ndarray:
    """Last day of each term, as datetime64[D]."""
    unique, codes = np.unique(ordinals, return_inverse=True)
    return np.array([term_end(from_ordinal(int(number))) for number in unique], dtype="datetime64[D]")[codes]
