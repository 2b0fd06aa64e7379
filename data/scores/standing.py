"""How far the register reaches, and whose normal time is over by then.

Both follow from the calendar alone: a student's normal time ends ``normal_terms`` regular terms after entry,
leave and a break of studies included, as the labels count (:mod:`data.calendar.labels`). For whoever is still
enrolled after that lateness is a fact and no risk any more, and lists of risks end there.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, Connection, and_, func, insert, not_, or_, select, update

from data import schema
from data.calendar.term_calendar import as_of_date, from_ordinal, ordinal, term_on
from data.columns import LEAST_TERMS_LEFT

FACT = "register_day"


def register_day(connection: Connection) -> date | None:
    """The newest date that the register speaks about; None without terms and outcomes."""
    facts = schema.store_facts
    kept = connection.scalar(select(facts.c.value).where(facts.c.name == FACT))
    return _read_day(connection) if kept is None else date.fromisoformat(kept)


def keep_register_day(connection: Connection) -> None:
    """Note :func:`register_day` beside what changed it, so that a page need not look through every row."""
    facts, day = schema.store_facts, _read_day(connection)
    mine = facts.c.name == FACT
    if day is None:
        connection.execute(facts.delete().where(mine))
    elif connection.execute(update(facts).where(mine).values(value=day.isoformat())).rowcount == 0:
        connection.execute(insert(facts).values(name=FACT, value=day.isoformat()))


def newest_over(terms: int, day: date) -> int:
    """The youngest entry cohort that has completed so many regular terms by a day, as ``YYYYT``."""
    place = ordinal(term_on(day)) - terms + 1
    while as_of_date(from_ordinal(place), terms) > day:
        place -= 1
    return from_ordinal(place)


def terms_over(cohort_term: int, day: date) -> int:
    """Regular terms of a cohort that are over, grades booked, on a day."""
    count = max(ordinal(term_on(day)) - ordinal(cohort_term) + 1, 0)
    while count and as_of_date(cohort_term, count) > day:
        count -= 1
    return count


def last_completed(connection: Connection) -> int | None:
    """The newest regular term that is over and of which the register holds rows; None without one."""
    day, cube = register_day(connection), schema.term_cube
    if day is None:
        return None
    reached = connection.execute(
        select(cube.c.cohort_term, func.max(cube.c.term_index)).group_by(cube.c.cohort_term)
    )
    newest = ordinal(newest_over(1, day))  # the newest term of which the month after it is over
    places = [
        min(ordinal(cohort) + index - 1, newest)
        for cohort, index in reached
        if index and ordinal(cohort) <= newest
    ]
    return from_ordinal(max(places)) if places else None


def over(connection: Connection, table, target: str) -> ColumnElement[bool] | None:
    """The condition under which a target is no risk any more, for a table with programme and cohort.

    Parameters
    ----------
    table : FromClause
        Has ``program_code`` and ``cohort_term``.
    target : {"late", "dropout"}
        "late" ends with the normal time. Of drop-out there is a score up to that day, and none after it.

    Returns
    -------
    ColumnElement or None
        None when nobody's time is over.
    """
    return past(connection, table, 1 - LEAST_TERMS_LEFT[target])


def past(connection: Connection, table, extra_terms: int = 0) -> ColumnElement[bool] | None:
    """The condition under which the normal time, and some terms more, are over; None when nobody's is."""
    day, programs = register_day(connection), schema.programs
    if day is None:
        return None
    lengths = connection.scalars(select(programs.c.normal_terms).distinct()).all()
    parts = []
    for length in lengths:
        such = select(programs.c.program_code).where(programs.c.normal_terms == length)
        newest = newest_over(length + extra_terms, day)
        parts.append(and_(table.c.program_code.in_(such), table.c.cohort_term <= newest))
    return or_(*parts) if parts else None


def still_open(connection: Connection, table, target: str) -> list[ColumnElement[bool]]:
    """Conditions that keep the students for whom a target still is a risk."""
    closed = over(connection, table, target)
    return [] if closed is None else [not_(closed)]


def _read_day(connection: Connection) -> date | None:
    newest = (schema.terms.c.known_at, schema.outcomes.c.observed_until)
    found = [connection.scalar(select(func.max(column))) for column in newest]
    return max((day for day in found if day is not None), default=None)
