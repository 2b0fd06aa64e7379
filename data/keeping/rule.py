"""Until when something of a person is kept: the institution's rule, and the date it gives.

Until somebody has decided, a proposal is in force. Dates are set by it, and nothing is deleted by a date:
deleting takes somebody's yes, or a nightly job that somebody has asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, select

from data import schema
from data.engine.bulk import fetch, fetch_by_keys, update_frame
from data.engine.facts import read_fact, write_fact
from data.trust.origin import MARK

FACT = "retention"
MOST_YEARS = 80
KEEP, PSEUDONYMISE, ERASE = "keep", "pseudonymise", "erase"
HOW = (KEEP, PSEUDONYMISE, ERASE)


@dataclass(frozen=True)
class Rule:
    """How long is kept what.

    Parameters
    ----------
    after_exit : int
        Years after a student has left for which their signatures are kept.
    at_most : int
        Years after it was given for which a signature is kept at most, whoever has not left by then.
    records : {"keep", "pseudonymise", "erase"}
        What is done with the records of who has left.
    records_after : int
        Years after they have left.
    decided : bool
        Whether somebody has decided so; the proposal otherwise.
    """

    after_exit: int = 2
    at_most: int = 10
    records: str = KEEP
    records_after: int = 10
    decided: bool = False

    def __post_init__(self) -> None:
        for name in ("after_exit", "at_most", "records_after"):
            years = getattr(self, name)
            if not (isinstance(years, int) and 0 <= years <= MOST_YEARS):
                raise ValueError(f"{name} must be a number of years from 0 to {MOST_YEARS}, got {years!r}")
        if self.records not in HOW:
            raise ValueError(f"records must be one of {', '.join(HOW)}, got {self.records!r}")

    def signature_until(self, captured: date, left: date | None) -> date:
        """The last day on which a signature is kept.

        Parameters
        ----------
        left : date or None
            When the student left; None while enrolled, or where nobody knows when.
        """
        latest = years_later(captured, self.at_most)
        return latest if left is None else min(latest, years_later(left, self.after_exit))

    def records_until(self, left: date) -> date | None:
        """The last day on which the records of who has left are kept as they are; None for ever."""
        return None if self.records == KEEP else years_later(left, self.records_after)

    def told(self) -> dict[str, Any]:
        """The rule as JSON."""
        return {name: value for name, value in asdict(self).items() if name != "decided"}


def years_later(day: date, years: int) -> date:
    """The same day some years later; 28 February for a 29th that there is not."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def rule_in(connection: Connection) -> Rule:
    """The rule in force inside a transaction."""
    found = read_fact(connection, FACT)
    return Rule() if found is None else Rule(**found, decided=True)


def write_rule(connection: Connection, rule: Rule) -> int:
    """Set the rule, and every date by it. Returns how many signatures have another date now."""
    write_fact(connection, FACT, rule.told())
    return date_signatures(connection)


def date_signatures(
    connection: Connection, keys: Sequence[str] | None = None, *, undated: bool = False
) -> int:
    """Set the date of every signature, or of some students', by the rule. Returns how many changed.

    An invented register keeps the dates that it was made with.

    Parameters
    ----------
    undated : bool
        Only of those that have none.
    """
    if read_fact(connection, MARK):
        return 0
    rule = rule_in(connection)
    table, outcome = schema.specimens, schema.outcomes
    wanted = select(
        table.c.specimen_id,
        table.c.captured_on,
        table.c.retention_until,
        outcome.c.exit_type,
        outcome.c.exit_date,
        outcome.c.observed_until,
    ).outerjoin(outcome, outcome.c.student_key == table.c.student_key)
    if keys is None:
        frame = fetch(connection, wanted)
    else:
        frame = fetch_by_keys(connection, wanted, table.c.student_key, list(keys))
    frame = frame[frame["retention_until"].isna()] if undated else frame
    if frame.empty:
        return 0
    until = [
        rule.signature_until(captured.date(), left)
        for captured, left in zip(frame["captured_on"], left_on(frame), strict=True)
    ]
    fresh = frame[["specimen_id"]].assign(retention_until=pd.to_datetime(pd.Series(until, index=frame.index)))
    fresh = fresh[fresh["retention_until"] != frame["retention_until"]]
    update_frame(connection, table, ["specimen_id"], fresh)
    return len(fresh)


def left_on(frame: pd.DataFrame) -> list[date | None]:
    """When each student left: the exit's date, or until when the register knew of an exit without one.

    Parameters
    ----------
    frame : DataFrame
        ``exit_type, exit_date, observed_until``, missing where a student is enrolled.
    """
    known = frame["exit_date"].fillna(frame["observed_until"]).where(frame["exit_type"].notna())
    return [None if pd.isna(day) else day.date() for day in known]
