"""What happened around a student: notes, contacts, outcomes, snoozes, overrides. Append-only.

What was logged by mistake is not deleted: an event of kind "withdrawn" names it, and from then on it counts
for nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import insert, select

from data import schema
from data.engine.clock import now
from data.engine.database import Store
from data.trust.scope import Scope
from data.trust.scoping import visible

CASE_EVENT_KINDS = (
    "note",  # detail: text
    "contact",  # how, reached (bool), due_on, owner
    "intervention",  # what, due_on, owner
    "outcome",  # text: what came of it; result: one of RESULTS
    "no_action",  # reason
    "snooze",  # due_on: quiet until then
    "override",  # band, reason
    "review",  # decisions about specimens
    "withdrawn",  # event: id of the event taken back
)
QUIET_KINDS = ("note", "override", "review", "withdrawn")  # they neither open nor close a follow-up
RESULTS = ("reached", "partly", "nothing", "no_contact")  # of an outcome
MOST_AT_ONCE = 200


def add_case_event(
    store: Store, student_key: str, actor: str, kind: str, detail: dict, *, scope: Scope | None = None
) -> int:
    """Append an event to a student's case. Returns its id.

    Parameters
    ----------
    kind : str
        One of :data:`CASE_EVENT_KINDS`.
    detail : dict
        JSON. ``due_on`` (ISO date) asks for a follow-up on that day; any later event of a kind outside
        :data:`QUIET_KINDS` settles it. An override needs a ``reason``.
    scope : Scope, optional
        Refuses students that the account may not see.

    Raises
    ------
    ValueError
        When the kind is unknown, ``due_on`` is no date, an override lacks its reason, or there is no such
        student.
    PermissionError
        When ``scope`` does not reach the student.
    """
    (event,) = add_case_events(store, [student_key], actor, kind, detail, scope=scope)
    return event


def add_case_events(
    store: Store,
    student_keys: Sequence[str],
    actor: str,
    kind: str,
    detail: dict,
    *,
    scope: Scope | None = None,
) -> list[int]:
    """Append the same event to several students' cases, to all of them or to none. Returns the ids.

    Parameters
    ----------
    student_keys : sequence of str
        At most :data:`MOST_AT_ONCE`; each gets one event. Several share a ``batch`` in their detail.
    actor, kind, detail, scope
        As in :func:`add_case_event`.

    Raises
    ------
    ValueError, PermissionError
        As in :func:`add_case_event`, and when there are none, too many, or the same student twice.
    """
    detail = _checked(kind, detail)
    keys = list(student_keys)
    if not 0 < len(keys) <= MOST_AT_ONCE or len(set(keys)) < len(keys):
        raise ValueError(f"student_keys must be 1 to {MOST_AT_ONCE} different students, got {len(keys)}")
    if len(keys) > 1:
        detail = {**detail, "batch": uuid.uuid4().hex[:12]}
    students = schema.students
    wanted = select(students.c.student_key).where(students.c.student_key.in_(keys))
    with store.writing() as connection:
        known = set(connection.scalars(wanted))
        unknown = [key for key in keys if key not in known]
        if unknown:
            raise ValueError(f"student_key must be a known student, got {unknown[0]!r}")
        if scope is not None:
            reached = set(connection.scalars(wanted.where(*visible(scope))))
            if len(reached) < len(keys):
                raise PermissionError(f"account {scope.account!r} may not write about this student")
        row = {"at": now(), "actor": actor, "kind": kind, "detail": detail}
        return [_append(connection, {"student_key": key, **row}) for key in keys]


def withdraw_case_events(
    store: Store, event_ids: Sequence[int], actor: str, *, scope: Scope | None = None
) -> int:
    """Take back events that ``actor`` logged. Returns how many.

    Raises
    ------
    ValueError
        When an event is unknown, is somebody else's, was taken back before, or is itself a withdrawal.
    PermissionError
        When ``scope`` does not reach one of the students.
    """
    events, students = schema.case_events, schema.students
    wanted = (
        select(events)
        .join(students, students.c.student_key == events.c.student_key)
        .where(events.c.event_id.in_([int(one) for one in event_ids]))
    )
    with store.writing() as connection:
        found = connection.execute(wanted).mappings().all()
        ours = [one for one in found if one["actor"] == actor and one["kind"] != "withdrawn"]
        gone = set(connection.scalars(withdrawn_ids()))
        if len(ours) < len(set(event_ids)) or any(one["event_id"] in gone for one in ours):
            raise ValueError(f"event_ids must be standing events of {actor!r}, got {list(event_ids)}")
        if scope is not None and len(connection.execute(wanted.where(*visible(scope))).all()) < len(ours):
            raise PermissionError(f"account {scope.account!r} may not write about this student")
        row = {"at": now(), "actor": actor, "kind": "withdrawn"}
        for one in ours:
            taken_back = {"event": one["event_id"]}
            _append(connection, {**row, "student_key": one["student_key"], "detail": taken_back})
        return len(ours)


def withdrawn_ids():
    """SELECT of the ids of events that were taken back."""
    events = schema.case_events
    return select(events.c.detail["event"].as_integer()).where(events.c.kind == "withdrawn")


def _append(connection, row: dict) -> int:
    return connection.execute(insert(schema.case_events).values(**row)).inserted_primary_key[0]


def _checked(kind: str, detail: dict) -> dict:
    if kind not in CASE_EVENT_KINDS:
        raise ValueError(f"kind must be one of {CASE_EVENT_KINDS}, got {kind!r}")
    if kind == "override" and not str(detail.get("reason", "")).strip():
        raise ValueError("detail of an override must have a reason, got none")
    if "result" in detail and detail["result"] not in RESULTS:
        raise ValueError(f"detail.result must be one of {RESULTS}, got {detail['result']!r}")
    return {**detail, "due_on": _iso(detail["due_on"])} if "due_on" in detail else dict(detail)


def _iso(value) -> str:
    if isinstance(value, date):
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError(f"detail.due_on must be an ISO date, got {value!r}") from None
