"""The day on an institution's clock, around its midnight and around the machine's."""

from __future__ import annotations

import ast
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from data.calendar import clock
from data.calendar.setting import change_settings
from data.consents.consent import record_consent

ROOT = Path(__file__).resolve().parents[3]
BEFORE = datetime(2026, 11, 29, 16, 59, 59)  # UTC: the last second of 29 November where it is 7 hours later
PLACES = [
    ("Asia/Jakarta", BEFORE, date(2026, 11, 29)),
    ("Asia/Jakarta", BEFORE + timedelta(seconds=1), date(2026, 11, 30)),
    ("Asia/Jayapura", BEFORE, date(2026, 11, 30)),
    ("America/Lima", datetime(2026, 11, 30, 4, 59), date(2026, 11, 29)),
    ("America/Lima", datetime(2026, 11, 30, 5), date(2026, 11, 30)),
]


@pytest.fixture
def at(monkeypatch):
    """A machine in UTC whose clock stands where a test says."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield lambda moment: monkeypatch.setattr(clock, "now", lambda: moment)
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(("zone", "moment", "day"), PLACES)
def test_the_day_is_the_one_of_the_settings_clock_to_the_second(store, at, zone, moment, day):
    change_settings(store, {"time_zone": zone}, actor="test")
    at(moment)
    assert clock.today(store) == day
    with store.reading() as connection:
        assert clock.newest_day(connection) == day


def test_without_a_setting_it_is_the_machines_and_what_has_begun_anywhere_is_no_future(store, at):
    at(datetime(2026, 11, 29, 9, 59))
    assert clock.today(store) == date(2026, 11, 29)
    with store.reading() as connection:
        assert clock.newest_day(connection) == date(2026, 11, 29)
        at(datetime(2026, 11, 29, 10))
        assert (clock.today_in(connection), clock.newest_day(connection)) == (
            date(2026, 11, 29),
            date(2026, 11, 30),
        )


def test_a_consent_of_the_first_hour_of_a_campus_day_is_taken_and_one_of_tomorrow_is_not(small_register, at):
    store, key = small_register.store, small_register.keys["S07"]
    change_settings(store, {"time_zone": "Asia/Jakarta"}, actor="test")
    at(BEFORE + timedelta(seconds=1))
    with pytest.raises(ValueError, match="must not lie in the future, got 2026-12-01"):
        record_consent(store, key, "research", "granted", actor="rina", decided_on=date(2026, 12, 1))
    assert record_consent(store, key, "research", "granted", actor="rina", decided_on=date(2026, 11, 30))


def days_of_the_machine(source: str) -> list[int]:
    """Lines that take the day of the machine's clock, or that of UTC, for the institution's."""
    found = []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        if name.endswith(("date.today", "now().date", "utcnow().date")):
            found.append(call.lineno)
    return found


def test_nothing_in_the_house_takes_the_machines_day_for_the_institutions():
    files = [
        path for room in ("data", "vision", "fusion", "dashboard") for path in (ROOT / room).rglob("*.py")
    ]
    named = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}
    found = {name: days_of_the_machine(source) for name, source in named.items()}
    assert len(found) > 400
    assert [name for name, lines in found.items() if lines] == ["data/records/ingest.py"]  # without a store
    planted = "a = date.today()\nb = now().date()\nc = datetime.utcnow().date()"
    assert days_of_the_machine(planted) == [1, 2, 3]
