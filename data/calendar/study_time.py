"""To which term an exit belongs, how many terms were studied, and from which day on that is known.

Labels, training rows, risk sets, overviews and reports ask this module and no other, so that a student who
graduated in time is in time everywhere, however the register tells it: by the exit term, the exit date, both,
or the number of terms.

1. A term has a *closing time*: days after its last day in which an exit still belongs to it. By default it
   lasts until the next academic year starts (1 September: all of August), and as long after the odd term.
2. The exit term is the one that the register names; else the one that the exit date falls into by 1; else the
   one that the number of terms leads to. Where they contradict each other that order decides, and the import
   says so. A date after the entry never leads to a term before it.
3. An exit is known on the last day of its term's closing time, and a normal time is over on the last day of
   its last term's: whatever day within it a ceremony falls on, nobody who graduated in time is ever late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from data.calendar.term_calendar import from_ordinal, ordinal, term_after, term_end, term_on, term_start

AFTER_EVEN, AFTER_ODD = 8, 2  # the month after the last one of an even and of an odd term
TOLD = ("exit_type", "exit_date", "exit_term", "terms_to_exit")


@dataclass(frozen=True)
class StudyCalendar:
    """When an academic year starts, and how long a term that has ended still takes exits.

    Parameters
    ----------
    start_month : int
        Month, 8–12, whose first day starts the academic year in which an exit counts.
    closing_months : tuple of int, optional
        Months whose exits belong to the term that ended before them, e.g. ``(2, 8)``. By default the time
        until the academic year starts, and as many days after the odd term.

    Raises
    ------
    ValueError
        For settings that contradict the terms or each other.
    """

    start_month: int = 9
    closing_months: tuple[int, ...] | None = None

    def __post_init__(self):
        if self.start_month not in range(AFTER_EVEN, 13):
            raise ValueError(
                f"start_month must be 8–12, got {self.start_month!r}: the odd term begins in August, so an "
                "academic year that started in another month would cut through a term"
            )
        if self.closing_months is None:
            return
        months = tuple(sorted(set(self.closing_months)))
        object.__setattr__(self, "closing_months", months)
        after_odd = [month for month in months if month < AFTER_EVEN]
        if after_odd != list(range(AFTER_ODD, AFTER_ODD + len(after_odd))) or len(after_odd) > 5:
            raise ValueError(
                f"closing_months must run on from February for the odd term, to June at most, got {after_odd}"
            )
        needed = list(range(AFTER_EVEN, self.start_month))
        after_even = [month for month in months if month >= AFTER_EVEN]
        if after_even != needed:
            raise ValueError(
                f"closing_months after the even term must be {needed or 'none'} when the academic year "
                f"starts in month {self.start_month}, got {after_even or 'none'}: an exit would belong to a "
                "term of one academic year and be counted in another"
            )

    def closing_day(self, term_id: int) -> date:
        """The last day on which an exit still belongs to a term; a short term closes with the even one."""
        last = term_end(from_ordinal(ordinal(term_id)))
        if self.closing_months is None:
            return last + (date(2001, self.start_month, 1) - date(2001, AFTER_EVEN, 1))
        month = last.month + 1
        while month in self.closing_months:
            month += 1
        return date(last.year + month // 13, (month - 1) % 12 + 1, 1) - timedelta(days=1)

    def term_of(self, day: date) -> int:
        """The regular term to which an exit on ``day`` belongs."""
        term = term_on(day)
        before = term_after(term, -1)
        return before if day <= self.closing_day(before) else term

    def deadline(self, cohort_term: int, terms: int) -> date:
        """The last day on which an exit is one after at most ``terms`` regular terms (0: the first day)."""
        if terms <= 0:
            return term_start(cohort_term)
        return self.closing_day(term_after(cohort_term, terms - 1))

    def last_closed(self, day: date) -> int:
        """The newest regular term whose exits are all known on ``day``."""
        term = term_on(day)
        while self.closing_day(term) > day:
            term = term_after(term, -1)
        return term


def study_time(exits: pd.DataFrame, calendar: StudyCalendar = StudyCalendar()) -> pd.DataFrame:
    """When each student left, in terms and days, by the one rule.

    Parameters
    ----------
    exits : DataFrame
        ``cohort_term`` and any of ``exit_date``, ``exit_term``, ``terms_to_exit``; with an ``exit_type``,
        rows without one are students who have not left.
    calendar : StudyCalendar

    Returns
    -------
    DataFrame
        Index of ``exits``. ``exit_term`` (``YYYYT``, Int64); ``terms`` (regular terms from entry to exit,
        the entry term counted, Int64, 0 for an exit before the entry); ``exit_date`` (datetime64, as told;
        else the last day of the exit term); ``known_from`` (datetime64, last day of the exit term's closing
        time); ``date_differs`` and ``count_differs`` (bool: the date, or the number of terms, belongs to
        another term than ``exit_term``). Null where nothing tells.
    """
    told = _told(exits)
    entry = each(told["cohort_term"], ordinal, "Int64")
    by_term = each(told["exit_term"], ordinal, "Int64")
    by_date = each(told["exit_date"], lambda day: ordinal(calendar.term_of(day.date())), "Int64")
    began = each(told["cohort_term"], term_start)
    early = (by_date < entry).fillna(False).astype(bool) & (told["exit_date"] >= began)
    by_date = by_date.mask(early, entry)
    by_count = entry + told["terms_to_exit"] - 1
    place = by_term.fillna(by_date).fillna(by_count.where((by_count >= entry).fillna(False).astype(bool)))
    term = told["exit_term"].fillna(each(place, from_ordinal, "Int64"))
    closes, ends = each(term, calendar.closing_day), each(term, term_end)
    return pd.DataFrame(
        {
            "exit_term": term,
            "terms": (place - entry + 1).clip(lower=0),
            "exit_date": told["exit_date"].fillna(ends.where(ends <= closes, closes)),
            "known_from": closes,
            "date_differs": (by_date != place).fillna(False).astype(bool),
            "count_differs": (by_count != place).fillna(False).astype(bool),
        }
    )


def each(values: pd.Series, function, dtype: str = "datetime64[ns]") -> pd.Series:
    """``function`` of every value, worked out once per distinct value; null stays null."""
    codes, unique = pd.factorize(values)
    results = pd.Series([function(value) for value in unique], dtype=dtype)
    return results.reindex(codes).set_axis(values.index)


def within_normal_time(terms_taken, terms_allowed) -> np.ndarray:
    """Who finished on time: in no more terms than the programme allows; the one comparison of all pages.

    Parameters
    ----------
    terms_taken : array_like (n,)
        Terms from entry to exit, at least 0; missing where there is no exit.
    terms_allowed : array_like (n,) or int
        Normal terms of the programme, and what is granted beside them.

    Returns
    -------
    ndarray of bool (n,)
        False where the terms are missing.
    """
    kind = getattr(terms_taken, "dtype", None)
    if isinstance(kind, np.dtype) and kind.kind in "iuf":
        taken = np.asarray(terms_taken, dtype=float)
    else:
        taken = pd.Series(terms_taken).astype("Float64").to_numpy(float, na_value=np.nan)
    return (taken >= 0) & (taken <= np.asarray(terms_allowed, dtype=float))


def deadlines(cohorts, terms, calendar: StudyCalendar = StudyCalendar()) -> pd.Series:
    """:meth:`StudyCalendar.deadline` of each pair of entry term and number of terms, as datetime64."""
    pairs = pd.MultiIndex.from_arrays([np.asarray(cohorts), np.asarray(terms)])
    codes, unique = pairs.factorize()
    days = pd.to_datetime([calendar.deadline(int(cohort), int(count)) for cohort, count in unique])
    return pd.Series(days.to_numpy()[codes] if len(codes) else [], dtype="datetime64[ns]")


def _told(exits: pd.DataFrame) -> pd.DataFrame:
    """What the register says of those who left, with missing columns empty and types made sure."""
    told = exits.reindex(columns=["cohort_term", *TOLD])
    gone = told["exit_type"].notna() if "exit_type" in exits else pd.Series(True, index=exits.index)
    told["exit_date"] = pd.to_datetime(told["exit_date"]).where(gone)
    for name in ("cohort_term", "exit_term", "terms_to_exit"):
        told[name] = pd.to_numeric(told[name]).astype("Int64")
    for name in ("exit_term", "terms_to_exit"):
        told[name] = told[name].where(gone)
    return told
