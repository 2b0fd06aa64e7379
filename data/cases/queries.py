"""SELECTs of what advisors did and what is due."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pandas as pd
from sqlalchemy import ColumnElement, func, or_, select

from data import schema
from data.cases.events import QUIET_KINDS, open_steps, with_whole_detail, withdrawn_ids
from data.engine.bulk import fetch
from data.engine.database import Store
from data.trust.scope import Scope
from data.trust.scoping import visible

QUIET_DAYS = 14


def case_events(store: Store, scope: Scope, key: str, *, withdrawn: bool = False) -> pd.DataFrame:
    """One student's events, newest first: ``event_id, student_key, at, actor, kind, detail`` (a dict).

    What was taken back is left out, unless ``withdrawn`` asks for everything that was ever written.
    """
    table, owner = schema.case_events, schema.students
    statement = (
        select(table)
        .join(owner, owner.c.student_key == table.c.student_key)
        .where(table.c.student_key == key, *visible(scope))
        .order_by(table.c.event_id.desc())
    )
    if not withdrawn:
        statement = statement.where(*_standing())
    with store.reading() as connection:
        return with_whole_detail(store.cipher, fetch(connection, statement))


def _standing() -> list[ColumnElement[bool]]:
    """Conditions of events that count: neither taken back nor themselves a taking back."""
    events = schema.case_events
    return [events.c.kind != "withdrawn", events.c.event_id.not_in(withdrawn_ids())]


def followups_due(store: Store, scope: Scope, on: date) -> pd.DataFrame:
    """Follow-ups that are due on ``on`` or were before, the oldest first.

    Every step whose day has come and that nothing has settled, unless the student is snoozed beyond ``on``;
    and a snooze that has run out, when the student has no such step.

    Returns
    -------
    DataFrame
        ``event_id, student_key, at, actor, kind, detail, due_on`` (ISO text), ``owner`` (who is to do it; the
        one who logged it unless the event says otherwise), ``program_code, cohort_term``; and, if
        ``scope.may_identify``, ``student_number, name``.
    """
    due, owner, identity = _due(on).cte("due"), schema.students, schema.identities
    due_on = due.c.detail["due_on"].as_string()
    whose = func.coalesce(due.c.detail["owner"].as_string(), due.c.actor)
    columns = [*due.c, due_on.label("due_on"), whose.label("owner")]
    columns += [owner.c.program_code, owner.c.cohort_term]
    joined = due.join(owner, owner.c.student_key == due.c.student_key)
    if scope.may_identify:
        joined = joined.outerjoin(identity, identity.c.student_key == due.c.student_key)
        columns += [identity.c.student_number, identity.c.name]
    statement = select(*columns).select_from(joined).where(*visible(scope)).order_by(due_on, due.c.event_id)
    with store.reading() as connection:
        return with_whole_detail(store.cipher, fetch(connection, statement))


def _due(on: date):
    """SELECT of the events that are due: see :func:`followups_due`."""
    newest, steps, day = _deciding_events().cte("newest"), open_steps().cte("steps"), on.isoformat()
    snoozed = select(newest.c.student_key).where(
        newest.c.kind == "snooze", newest.c.detail["due_on"].as_string() > day
    )
    due_steps = (
        select(steps.c.event_id, steps.c.student_key)
        .where(steps.c.detail["due_on"].as_string() <= day, steps.c.student_key.not_in(snoozed))
        .cte("due_steps")
    )
    events = schema.case_events
    reminders = select(newest.c.event_id).where(
        newest.c.detail["due_on"].as_string() <= day,
        func.coalesce(newest.c.detail["stays"].as_boolean(), False).is_(False),
        newest.c.student_key.not_in(select(due_steps.c.student_key)),
    )
    due_ids = or_(events.c.event_id.in_(select(due_steps.c.event_id)), events.c.event_id.in_(reminders))
    return select(events).where(due_ids)


def last_events(store: Store, scope: Scope) -> pd.DataFrame:
    """Each student's newest event that is no note, override or review, for those who have one.

    ``event_id, student_key, at, actor, kind``: what a caseload shows beside the risk, and who was contacted
    lately. Nothing of their text is opened.
    """
    last, owner = _deciding_events().subquery(), schema.students
    columns = [last.c[name] for name in ("event_id", "student_key", "at", "actor", "kind")]
    statement = select(*columns).join(owner, owner.c.student_key == last.c.student_key).where(*visible(scope))
    with store.reading() as connection:
        return fetch(connection, statement.order_by(last.c.event_id))


def quiet_students(store: Store, scope: Scope, on: date, days: int = QUIET_DAYS) -> list[str]:
    """Students whom nobody needs to be reminded of on ``on``.

    Those with nothing due by ``on`` whose newest event (no note, override or review) is a snooze that has not
    run out, or anything else logged within the last ``days`` days.
    """
    last, owner = _deciding_events().subquery(), schema.students
    due_on = last.c.detail["due_on"].as_string()
    later = last.c.student_key.not_in(select(_due(on).cte("due").c.student_key))
    recent = last.c.at >= datetime.combine(on - timedelta(days=days), time())
    snoozed = (last.c.kind == "snooze") & due_on.is_not(None)
    statement = (
        select(last.c.student_key)
        .join(owner, owner.c.student_key == last.c.student_key)
        .where(later, snoozed | recent, *visible(scope))
        .order_by(last.c.student_key)
    )
    with store.reading() as connection:
        return list(connection.scalars(statement))


def _deciding_events():
    table = schema.case_events
    newest = (
        select(func.max(table.c.event_id))
        .where(table.c.kind.not_in(QUIET_KINDS), *_standing())
        .group_by(table.c.student_key)
    )
    return select(table).where(table.c.event_id.in_(newest))
