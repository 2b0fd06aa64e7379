"""The calendar of a store: read from its settings, changed with everything that was derived by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, select, update

from data import schema
from data.calendar.academic_year import AcademicCalendar
from data.calendar.study_time import StudyCalendar, each, study_time
from data.calendar.term_calendar import ordinal
from data.engine.bulk import fetch, update_frame
from data.engine.database import Store
from data.engine.facts import read_fact, write_fact
from data.records.derived import refresh
from data.trust import audit

SETTINGS = "report_settings"  # fact of the store: start_month, closing_months, graduation_date, signatories
NAME = "institution"  # fact of the store: how the institution is called
MAPPINGS = "import_mappings"  # fact of the store: mappings remembered, by the institution's name
LONGEST_NAME = 160
CHANGED_BY_HAND = ("start_month", "closing_months", "graduation_date")


@dataclass(frozen=True)
class SettingsChange:
    """What a change of the settings did.

    Parameters
    ----------
    settings : dict
        All of them now.
    moved : int
        Students whose exit belongs to another term than before.
    """

    settings: dict[str, Any]
    moved: int


def academic_calendar(settings: dict[str, Any]) -> AcademicCalendar:
    """The calendar that a store's settings describe.

    Raises
    ------
    ValueError
        For settings that contradict the terms or each other, with the command that mends them.
    """
    given = {name: settings[name] for name in CHANGED_BY_HAND if settings.get(name) is not None}
    if "closing_months" in given:
        given["closing_months"] = tuple(given["closing_months"])
    try:
        return AcademicCalendar(**given)
    except ValueError as problem:
        raise ValueError(
            f"settings of the calendar: {problem}. Set them with: python -m dashboard report-settings "
            "--start-month 9 --closing-months default"
        ) from None


def study_calendar(connection: Connection) -> StudyCalendar:
    """The rule of a store by which exits belong to terms."""
    return academic_calendar(_settings(connection)).study


def change_settings(
    store: Store, given: dict[str, Any], *, actor: str, role: str = "system"
) -> SettingsChange:
    """Change some settings; stored exit terms that were derived by the old calendar follow the new one.

    A stored exit term that agrees with the exit date by the old calendar is derived again from the date; any
    other was told by the register and stays. When exits moved, the last import can no longer be undone, since
    its undo would bring back terms of the old calendar.

    Parameters
    ----------
    store : Store
    given : dict
        Settings to set; None takes one back to its default.
    actor, role : str
        For the audit log.

    Raises
    ------
    ValueError
        For settings that contradict each other. Nothing is changed then.
    """
    with store.writing() as connection:
        before = _settings(connection)
        after = {name: value for name, value in (before | given).items() if value is not None}
        calendar = academic_calendar(after).study
        moved = rederive_exits(connection, _before(before), calendar)
        write_fact(connection, SETTINGS, after)
        touched = {name: after.get(name) for name in CHANGED_BY_HAND if after.get(name) != before.get(name)}
        about = {"actor": actor, "role": role, "object": SETTINGS}
        if touched:
            detail = {**touched, "exits_moved": moved}
            audit.append_in(connection, action="change calendar", detail=detail, **about)
        others = sorted(
            name for name in {*before, *after} - {*CHANGED_BY_HAND} if before.get(name) != after.get(name)
        )
        if others:
            audit.append_in(connection, action="change settings", detail={"changed": others}, **about)
    return SettingsChange(after, moved)


def rename_institution(store: Store, name: str, *, actor: str, role: str = "system") -> bool:
    """Call the institution otherwise; what was remembered of its files goes along. Returns whether it is new.

    Raises
    ------
    ValueError
        For an empty name, or one of more than :data:`LONGEST_NAME` characters.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(f"name must have 1 to {LONGEST_NAME} characters, got {len(name)}")
    with store.writing() as connection:
        before = read_fact(connection, NAME) or ""
        if before == name:
            return False
        write_fact(connection, NAME, name)
        mappings = read_fact(connection, MAPPINGS) or {}
        if before in mappings:
            kept = mappings.pop(before)
            write_fact(connection, MAPPINGS, {**mappings, name: kept})
        about = {"actor": actor, "role": role, "object": SETTINGS}
        audit.append_in(connection, action="change settings", detail={"changed": [NAME]}, **about)
    return True


def rederive_exits(connection: Connection, before: StudyCalendar, after: StudyCalendar) -> int:
    """Give stored exits the term that ``after`` sees in their date; returns how many changed."""
    outcomes, students = schema.outcomes, schema.students
    names = ("student_key", "exit_type", "exit_date", "exit_term", "terms_to_exit")
    statement = select(*(outcomes.c[name] for name in names), students.c.cohort_term)
    joined = statement.join(students, students.c.student_key == outcomes.c.student_key)
    rows = fetch(connection, joined.where(outcomes.c.exit_type.is_not(None)))
    if before == after or rows.empty:
        return 0
    then = study_time(rows.drop(columns="exit_term"), before)["exit_term"]
    derived = (
        rows["exit_date"].notna() & rows["exit_term"].notna() & (_place(then) == _place(rows["exit_term"]))
    )
    rows["exit_term"] = rows["exit_term"].mask(derived.fillna(False).astype(bool))
    now = study_time(rows, after)
    moved = derived & (_place(now["exit_term"]) != _place(then))
    moved = moved.fillna(False).astype(bool)
    if not moved.any():
        return 0
    changed = pd.DataFrame(
        {
            "student_key": rows["student_key"],
            "exit_term": now["exit_term"],
            "terms_to_exit": now["terms"],
        }
    )[moved.to_numpy()]
    update_frame(connection, outcomes, ["student_key"], changed)
    connection.execute(update(schema.imports).values(replaced=None))
    refresh(connection, changed["student_key"])
    return len(changed)


def _place(terms: pd.Series) -> pd.Series:
    return each(pd.to_numeric(terms).astype("Int64"), ordinal, "Int64")


def _before(settings: dict[str, Any]) -> StudyCalendar:
    """The calendar that stored exits were derived by; settings that never were valid derived nothing."""
    try:
        return academic_calendar(settings).study
    except ValueError:
        return StudyCalendar()


def _settings(connection: Connection) -> dict[str, Any]:
    return read_fact(connection, SETTINGS) or {}
