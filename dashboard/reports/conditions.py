"""Conditions of a profile applied to a flow: whom a cell counts, and whether that can be known yet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from dashboard.reports.profile_parts import Profile
from data.calendar.academic_year import AcademicCalendar
from data.calendar.cohorts import AUGUST, is_mature
from data.columns import REGISTERED

TIMES_NORMAL = {"normal_end_year": 1, "double_end_year": 2}
YEARS_ENDED = (
    "exit_year",
    "active_year",
    "enrolled_year",
    "unreported_year",
    *TIMES_NORMAL,
)  # facts that take a whole year to see
IN_PDDIKTI = ("in_pddikti", "exit_in_pddikti", "unreported_year")  # what a pull from Feeder has told
YEAR_NAME = re.compile(r"TS(-\d+)?")
COMPARE = {"eq": np.equal, "gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal}
ACTIVE_STATUSES = REGISTERED  # leave and inactive are not


@dataclass(frozen=True)
class Selection:
    """What one report is about.

    Parameters
    ----------
    ts : int
        TS, the last full academic year (its first calendar year).
    program_code : str
        Empty: every programme together.
    program_name, level : str
        As printed; ``level`` is empty when programmes of several levels are counted together.
    """

    ts: int
    program_code: str = ""
    program_name: str = ""
    level: str = ""


@dataclass
class Facts:
    """A flow as arrays with its masks remembered, so that a table of fifty cells asks each question once.

    Parameters
    ----------
    flow : DataFrame
        From :func:`data.calendar.cohorts.build_flow`, of the programme in question only.
    active : DataFrame or None
        ``student_key`` and a column of bool for each academic year: whether registered as active in it.
    """

    flow: pd.DataFrame
    active: pd.DataFrame | None
    profile: Profile
    selection: Selection
    snapshot: date | None
    calendar: AcademicCalendar = AcademicCalendar()
    _masks: dict = field(default_factory=dict)

    def where(self, condition: dict, row: int | None, column: int | None) -> np.ndarray:
        """Mask (n,) of the students for whom a condition holds, with the years of row and column put in."""
        mask = np.ones(len(self.flow), dtype=bool)
        for fact, wanted in condition.items():
            tests = wanted.items() if isinstance(wanted, dict) else [("eq", wanted)]
            for name, value in tests:
                until = row if fact == "leave_terms_until_row" else None
                mask &= self._mask(fact, name, self.resolve(value, row, column), until)
        return mask

    def resolve(self, value, row: int | None, column: int | None):
        """The number or tuple that a value of a condition stands for; offsets become academic years."""
        if isinstance(value, list):
            return tuple(value)
        if not isinstance(value, str):
            return value
        years = self.profile.source.get("years", {})
        offsets = {"row": row, "column": column, "ts": 0}
        if "rows" in years:
            offsets |= {"first_row": min(years["rows"]), "last_row": max(years["rows"])}
        if YEAR_NAME.fullmatch(value):
            return self.selection.ts + int(value[2:] or 0)
        if offsets.get(value) is not None:
            return self.selection.ts + offsets[value]
        named = years.get(value, self.profile.constants.get(value))
        if named is None:
            raise ValueError(
                f"profile {self.profile.id}: a condition names {value!r}, which has no value here"
            )
        return named

    def _mask(self, fact: str, name: str, value, until: int | None = None) -> np.ndarray:
        key = (fact, name, value, until)
        if key not in self._masks:
            self._masks[key] = self._test(fact, name, value, until)
        return self._masks[key]

    def _test(self, fact: str, name: str, value, until: int | None) -> np.ndarray:
        if fact == "enrolled_year":
            return self._mask("entry_year", "le", value) & self._mask("exit_year", "ge", value)
        if fact == "active_year":
            if self.active is None:
                return np.zeros(len(self.flow), dtype=bool)
            return self._active_in(value)
        if fact == "unreported_year":
            return np.array([value in years for years in self.flow["unreported_years"]], dtype=bool)
        if fact == "leave_terms_until_row":
            return COMPARE[name](self._leave_until(until), value)
        if isinstance(value, tuple):
            return self.flow[fact].isin(value).to_numpy()
        return COMPARE[name](self.flow[fact].to_numpy(dtype=float), value)

    def _active_in(self, year) -> np.ndarray:
        """Who was registered as active in an academic year."""
        found = np.zeros(len(self.flow), dtype=bool)
        if year in self.active:
            keys = self.active.loc[self.active[year], "student_key"]
            places = self._places.get_indexer(keys.astype(object))
            found[places[places >= 0]] = True
        return found

    @cached_property
    def _places(self) -> pd.Index:
        """Where each student stands in the flow."""
        return pd.Index(self.flow["student_key"].astype(object))

    def _leave_until(self, row: int | None) -> np.ndarray:
        """Terms of leave up to the end of a row's academic year; all of them where a row has no year."""
        if row is None:
            return self.flow["leave_terms"].to_numpy(dtype=float)
        last = self.selection.ts + row
        return np.array(
            [sum(year <= last for year in years) for years in self.flow["leave_years"]], dtype=float
        )

    def cohort(self) -> np.ndarray:
        """Mask of the students counted: the profile's entry types, unknown ones included, less exclusions."""
        mask = np.ones(len(self.flow), dtype=bool)
        if self.profile.entry_types:
            mask &= self._mask("entry_type", "eq", (*self.profile.entry_types, "unknown"))
        if self.profile.entry_terms:
            mask &= self._mask("entry_term", "eq", self.profile.entry_terms)
        if self.profile.exclude_exits:
            mask &= ~self._mask("exit_type", "eq", self.profile.exclude_exits)
        return mask

    def years_asked(self, condition: dict, row: int | None, column: int | None) -> list[tuple[str, int]]:
        """``(fact, academic year)`` of everything that a condition asks about a year."""
        return [
            (fact, self.resolve(value, row, column))
            for fact, wanted in condition.items()
            if fact == "entry_year" or fact in YEARS_ENDED
            for value in (wanted.values() if isinstance(wanted, dict) else [wanted])
        ]

    def observed(self, condition: dict, row: int | None, column: int | None) -> bool:
        """Whether the register reaches the end of every year that a condition asks about."""
        if self.snapshot is None:
            return False
        asked = self.years_asked(condition, row, column)
        needed = [self.calendar.last_day(year) for fact, year in asked if fact != "entry_year"]
        needed += [self.calendar.first_day(year) for fact, year in asked if fact == "entry_year"]
        if row is not None and "augusts_to_exit" in condition:
            wanted = condition["augusts_to_exit"]
            years = max(wanted.values()) if isinstance(wanted, dict) else wanted
            needed.append(date(self.selection.ts + row + years, AUGUST, 31))
        return all(day <= self.snapshot for day in needed)

    @property
    def begins(self) -> int | None:
        """The first academic year that the register knows: that of its oldest cohort; ``None``: no cohort."""
        return None if self.flow.empty else int(self.flow["entry_year"].min())

    def known(self, condition: dict, row: int | None, column: int | None) -> bool:
        """Whether no academic year that a condition asks about lies before the register begins."""
        groups = {fact: condition[fact] for fact in ("degree_level", "program_code") if fact in condition}
        members = self.flow[self.where(groups, row, column)]
        if members.empty:
            return True
        begins, longest = int(members["entry_year"].min()), int(np.ceil(members["normal_terms"].max() / 2))
        return all(
            year - max(0, longest * TIMES_NORMAL.get(fact, 0) - 1) >= begins
            for fact, year in self.years_asked(condition, row, column)
        )

    def compared(self, condition: dict, row: int | None, column: int | None) -> bool:
        """Whether a pull from PDDikti has asked for every student of whom a condition asks about it."""
        if not any(fact in IN_PDDIKTI for fact in condition):
            return True
        if "asked_on" not in self.flow or self.flow["asked_on"].isna().all():
            return False
        rest = {fact: wanted for fact, wanted in condition.items() if fact not in IN_PDDIKTI}
        if "unreported_year" in condition:
            rest["active_year"] = condition["unreported_year"]
        members = self.where(rest, row, column)
        return bool(self.flow["asked_on"].notna().to_numpy()[members].all())

    def mature(self, row: int | None, years: float | None, normal: float | None) -> bool:
        """Whether a row's cohort has been observed for so many years, or multiples of its normal time."""
        if (years is None and normal is None) or row is None:
            return True
        members = self._mask("entry_year", "eq", self.selection.ts + row)
        entered = self.flow.loc[members, "entry_date"]
        if entered.empty:
            first = self.calendar.first_day(self.selection.ts + row)
            alone = pd.Series([pd.Timestamp(first)])
            return bool(is_mature(alone, years or 0, self.snapshot, self.calendar)[0])
        horizon = self.flow.loc[members, "normal_terms"] / 2 * normal if normal else years
        return bool(is_mature(entered, horizon, self.snapshot, self.calendar).all())
