"""The day on an institution's clock: a server may stand in another zone than the campus that it serves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from data.calendar.setting import SETTINGS
from data.engine.clock import now
from data.engine.database import Store
from data.engine.facts import read_fact

FIRST_PLACE = timedelta(hours=14)  # how far ahead of UTC the first places on Earth begin a day


def today(store: Store) -> date:
    """The day on the institution's clock, as ``time_zone`` of its settings names it.

    Where the settings name none, it is the day of the machine's own zone.
    """
    with store.reading() as connection:
        return today_in(connection)


def today_in(connection: Connection) -> date:
    """:func:`today` inside a transaction."""
    zone = _zone(connection)
    return _moment().astimezone(ZoneInfo(zone) if zone else None).date()


def newest_day(connection: Connection) -> date:
    """The latest day that has begun for the people of an institution; any later one lies in the future.

    Where the settings name no clock, somebody's browser may be anywhere: the day of the first places on Earth
    to begin it.
    """
    return today_in(connection) if _zone(connection) else (_moment() + FIRST_PLACE).date()


def _moment() -> datetime:
    return now().replace(tzinfo=UTC)


def _zone(connection: Connection) -> str:
    return (read_fact(connection, SETTINGS) or {}).get("time_zone") or ""
