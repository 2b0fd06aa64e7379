"""SELECTs of what advisors did and what is due."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pandas as pd
from sqlalchemy import Select, and_, case, func, or_, select

from data import schema
from data.cases.events import QUIET_KINDS, Log, log_of, with_whole_detail
from data.engine.bulk import fetch
from data.engine.database import Store
from data.trust.scope import Scope
from data.trust.scoping import visible

QUIET_DAYS = 14


def case_events(store: Store, scope: Scope, key: str, *, withdrawn: bool = False) -> pd.DataFrame:
    """One student's events, newest first: ``event_id, student_key, at, actor, kind, detail`` (a dict).

    What was taken back is left out, unless ``withdrawn`` asks for everything that was ever written.
    """
    log = log_of(schema.students.c.student_key == key, *visible(scope))
    statement = select(log.rows).order_by(log.rows.c.event_id.desc())
    if not withdrawn:
        statement = statement.where(*log.standing())
    with store.reading() as connection:
        return with_whole_detail(store.cipher, fetch(connection, statement))


def followups_due(store: Store, scope: Scope, on: date) -> pd.DataFrame:
    """Follow-ups that are due on ``on`` or were before, the oldest first.

    Every step whose day has come and that nothing has settled, unless the student is snoozed beyond ``on``;
    and a snooze that has run out, when the student has no such step. A step that is put off by a snooze is
    due on the day of the snooze.

    Returns
    -------
    DataFrame
        ``event_id, student_key, at, actor, kind, detail, due_on`` (ISO text; when it is due now), ``owner``
        (who is to do it; the one who logged it unless the event says otherwise), ``program_code,
        cohort_term``; and, if ``scope.may_identify``, ``student_number, name``.
    """
    log, owner, identity = log_of(*visible(scope)), schema.students, schema.identities
    due, last = _due(log, on).cte("due"), _deciding(log).cte("last")
    first, later = due.c.detail["due_on"].as_string(), last.c.detail["due_on"].as_string()
    due_on = case((and_(last.c.kind == "snooze", later > first), later), else_=first)
    whose = func.coalesce(due.c.detail["owner"].as_string(), due.c.actor)
    columns = [*due.c, due_on.label("due_on"), whose.label("owner")]
    columns += [owner.c.program_code, owner.c.cohort_term]
    joined = due.join(owner, owner.c.student_key == due.c.student_key)
    joined = joined.outerjoin(last, last.c.student_key == due.c.student_key)
    if scope.may_identify:
        joined = joined.outerjoin(identity, identity.c.student_key == due.c.student_key)
        columns += [identity.c.student_number, identity.c.name]
    statement = select(*columns).select_from(joined).order_by(due_on, due.c.event_id)
    with store.reading() as connection:
        return with_whole_detail(store.cipher, fetch(connection, statement))


def _due(log: Log, on: date) -> Select:
    """SELECT of the events that are due: see :func:`followups_due`."""
    newest, steps, day = _deciding(log).cte("newest"), log.open_steps().cte("steps"), on.isoformat()
    snoozed = select(newest.c.student_key).where(
        newest.c.kind == "snooze", newest.c.detail["due_on"].as_string() > day
    )
    due_steps = (
        select(steps.c.event_id, steps.c.student_key)
        .where(steps.c.detail["due_on"].as_string() <= day, steps.c.student_key.not_in(snoozed))
        .cte("due_steps")
    )
    events = log.rows
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
    last = _deciding(log_of(*visible(scope))).subquery()
    columns = [last.c[name] for name in ("event_id", "student_key", "at", "actor", "kind")]
    with store.reading() as connection:
        return fetch(connection, select(*columns).order_by(last.c.event_id))


def quiet_students(store: Store, scope: Scope, on: date, days: int = QUIET_DAYS) -> list[str]:
    """Students whom nobody needs to be reminded of on ``on``.

    Those with nothing due by ``on`` whose newest event (no note, override or review) is a snooze that has not
    run out, or anything else logged within the last ``days`` days.
    """
    log = log_of(*visible(scope))
    last = _deciding(log).subquery()
    due_on = last.c.detail["due_on"].as_string()
    later = last.c.student_key.not_in(select(_due(log, on).cte("due").c.student_key))
    recent = last.c.at >= datetime.combine(on - timedelta(days=days), time())
    snoozed = (last.c.kind == "snooze") & due_on.is_not(None)
    statement = select(last.c.student_key).where(later, snoozed | recent).order_by(last.c.student_key)
    with store.reading() as connection:
        return list(connection.scalars(statement))


def _deciding(log: Log) -> Select:
    """SELECT of each student's newest event that is a step or a sign of a contact."""
    newest = (
        select(func.max(log.rows.c.event_id))
        .where(log.rows.c.kind.not_in(QUIET_KINDS), *log.standing())
        .group_by(log.rows.c.student_key)
    )
    return select(log.rows).where(log.rows.c.event_id.in_(newest))
