"""A register whose lists are long enough to draw lots from, worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

import pandas as pd
import pytest
from sqlalchemy import insert, select, text, update

from data import schema
from data.calendar.term_calendar import as_of_date
from data.cases.trial_protocol import Protocol, earliest_reading
from data.migrations.triggers import install_triggers
from data.store import RecordFrames, Store, write_records

ENTRY, LAST, NEXT = 20231, 20232, 20241
DRAWN_ON, UNTIL = date(2024, 9, 10), date(2024, 12, 1)
ADVISORS = ("ani", "budi", "citra")
EACH = 24  # students of an advisor


@dataclass(frozen=True)
class Crowd:
    """Three advisors with 24 students each, the first at highest risk; two programmes.

    Parameters
    ----------
    store : Store
    keys : dict
        Student number (``ani-01`` …) → key.
    """

    store: Store
    keys: dict[str, str]

    def term(self, registered: set[str], left: dict[str, str]) -> None:
        """The next term: who was registered, and who left and how."""
        rows = [_term(number, NEXT, 3, "A" if number in registered else "N") for number in self.keys]
        exits = [
            {
                "student_number": number,
                "exit_type": kind,
                "exit_term": NEXT,
                "observed_until": date(2025, 3, 31),
            }
            for number, kind in left.items()
        ]
        exits += [
            {"student_number": number, "exit_type": None, "observed_until": date(2025, 3, 31)}
            for number in self.keys
            if number not in left
        ]
        frames = RecordFrames(terms=pd.DataFrame(rows), outcomes=pd.DataFrame(exits))
        write_records(self.store, frames, source="next.csv", files={}, actor="test", synthetic=True)

    def event(self, number: str, at: datetime, kind: str = "contact", **detail) -> None:
        """Something logged at a moment."""
        row = {"student_key": self.keys[number], "at": at, "actor": "ani", "kind": kind, "detail": detail}
        with self.store.writing() as connection:
            connection.execute(insert(schema.case_events).values(**row))

    def arms(self, trial_id: str) -> dict[str, str]:
        """Student number → group."""
        table, back = schema.trial_students, {key: number for number, key in self.keys.items()}
        wanted = select(table.c.student_key, table.c.arm).where(table.c.trial_id == trial_id)
        with self.store.reading() as connection:
            return {back[key]: arm for key, arm in connection.execute(wanted)}


def _term(number: str, term: int, index: int, status: str) -> dict:
    return {
        "student_number": number,
        "term_id": term,
        "term_index": index,
        "status": status,
        "known_at": as_of_date(ENTRY, index),
    }


@pytest.fixture
def crowd(store) -> Crowd:
    """As of the second term, scored."""
    programs = pd.DataFrame(
        [("IF", "Informatics", "S1", 8, 144), ("SI", "Systems", "S1", 8, 144)],
        columns=["program_code", "name", "degree_level", "normal_terms", "required_credits"],
    )
    numbers = [(advisor, f"{advisor}-{place:02d}") for advisor in ADVISORS for place in range(1, EACH + 1)]
    students = pd.DataFrame(
        {
            "student_number": [number for _, number in numbers],
            "name": [f"Student {number}" for _, number in numbers],
            "program_code": ["SI" if advisor == "citra" else "IF" for advisor, _ in numbers],
            "cohort_term": ENTRY,
            "advisor": [advisor for advisor, _ in numbers],
        }
    )
    terms = [
        _term(number, term, index, "A") for _, number in numbers for index, term in ((1, ENTRY), (2, LAST))
    ]
    outcomes = students[["student_number"]].assign(exit_type=None, observed_until=date(2024, 8, 31))
    keys = {number: f"{place:016x}" for place, (_, number) in enumerate(numbers, 1)}
    frames = RecordFrames(programs, students, pd.DataFrame(terms), outcomes)
    about = {"files": {}, "actor": "test", "synthetic": True}
    write_records(store, frames, source="register.csv", student_keys=keys, **about)
    at = datetime(2024, 9, 2)
    with store.writing() as connection:
        model = {"model_version": "m", "created_at": at, "status": "served", "folder": "m", "manifest": {}}
        connection.execute(insert(schema.models).values(**model))
        for place, (advisor, number) in enumerate(numbers):
            risk = 0.9 - 0.03 * (place % EACH)
            row = {"student_key": keys[number], "target": "dropout", "score_id": place + 1, "risk": risk}
            row |= {"as_of_index": 2, "as_of_term": LAST, "model_version": "m", "modality": "records"}
            row |= {"risk_low": risk, "risk_high": risk, "band": "high"}
            connection.execute(insert(schema.scores).values(**row, margin=0.0, scored_at=at))
            row |= {"program_code": "SI" if advisor == "citra" else "IF", "cohort_term": ENTRY}
            connection.execute(insert(schema.risk_current).values(**row, advisor=advisor))
    return Crowd(store, keys)


def protocol_of(**changed) -> Protocol:
    """A protocol for the crowd: places 5 to 12 of each advisor's list, capacity 8."""
    from data.calendar.study_time import StudyCalendar

    told = {"title": "Talks in autumn", "program_code": None, "target": "dropout", "lists": "advisor"}
    told |= {"capacity": 8, "window": 4, "block": 4, "outcome": "left", "outcome_terms": 1}
    told |= {"base_rate": 0.3, "difference": 0.1, "planned": 40, "power": 0.2, "draw_from": DRAWN_ON}
    told |= {"draw_until": UNTIL, "offer_days": 60}
    told |= {"read_on": earliest_reading(UNTIL, 1, StudyCalendar())} | changed
    return Protocol(**told)


def triggers_off(connection, table: str) -> None:
    """What somebody does first who may write to the database."""
    if connection.dialect.name == "sqlite":
        for action in ("update", "delete", "replace"):
            connection.execute(text(f"DROP TRIGGER tr_{table}_no_{action}"))
    else:
        connection.execute(text(f"DROP TRIGGER tr_{table}_guard ON {table}"))


def replaced_protocol(store: Store, trial_id: str, **changed) -> None:
    """A stored protocol changed together with the digest beside it, past the triggers; they are put back."""
    table = schema.trials
    with store.writing() as connection:
        stored = connection.scalar(select(table.c.protocol).where(table.c.trial_id == trial_id))
        other = replace(Protocol.read(stored), **changed)
        triggers_off(connection, "trials")
        values = {"protocol": other.as_dict(), "protocol_sha256": other.digest()}
        connection.execute(update(table).where(table.c.trial_id == trial_id).values(**values))
        install_triggers(connection)


@pytest.fixture
def protocol() -> Protocol:
    """See :func:`protocol_of`."""
    return protocol_of()
