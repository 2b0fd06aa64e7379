"""Academic years: where one ends and the next begins, and which date counts as a graduation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from data.calendar.study_time import StudyCalendar


@dataclass(frozen=True)
class AcademicCalendar:
    """When an academic year begins, and which date counts as the graduation date.

    Parameters
    ----------
    start_month : int
        Month, 8–12, whose first day begins the academic year in which an exit counts. By default September:
        who finishes the even term and graduates in August belongs to the year that ends.
    graduation_date : str
        What the register's ``exit_date`` is (yudisium, diploma, PDDikti exit); printed on every export.
    closing_months : tuple of int, optional
        Months whose exits belong to the term that ended before them
        (:class:`data.calendar.study_time.StudyCalendar`, which refuses settings that contradict each other).
    """

    start_month: int = 9
    graduation_date: str = "exit date of the register"
    closing_months: tuple[int, ...] | None = None

    def __post_init__(self):
        object.__setattr__(self, "closing_months", self.study.closing_months)

    @property
    def study(self) -> StudyCalendar:
        """The rule by which exits belong to terms."""
        return StudyCalendar(self.start_month, self.closing_months)

    def year_of(self, dates: pd.Series) -> pd.Series:
        """Academic year (its first calendar year) of each date; null where there is none."""
        dates = pd.to_datetime(dates)
        return (dates.dt.year - (dates.dt.month < self.start_month)).astype("float64").where(dates.notna())

    def first_day(self, year: int) -> date:
        """First day of academic year ``year``."""
        return date(year, self.start_month, 1)

    def last_day(self, year: int) -> date:
        """Last day of academic year ``year``."""
        return (pd.Timestamp(self.first_day(year + 1)) - pd.Timedelta(days=1)).date()
