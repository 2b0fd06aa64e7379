"""What happened around a student: notes, contacts, outcomes, snoozes, overrides. Append-only.

What was logged by mistake is not deleted: an event of kind "withdrawn" names it, and from then on it counts
for nothing.

Of an event's detail only what queries ask for stands open in the database (:data:`OPEN_PARTS`). All else, and
so everything that somebody wrote about a student, is sealed in the row (:mod:`data.engine.sealed_texts`).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date

import pandas as pd
from sqlalchemy import ColumnElement, Connection, FromClause, Select, select

from data import schema
from data.engine.cipher import Cipher
from data.engine.clock import now
from data.engine.database import Store
from data.engine.sealed_texts import COLUMN, insert_sealed, opened
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
    "settled",  # event: id of the step that is done or replaced; by: id of the event that settles it
    "withdrawn",  # event: id of the event taken back
)
OPEN_PARTS = (
    "due_on",
    "owner",
    "stays",
    "reached",
    "event",
    "by",
    "batch",
)  # of a detail; the rest is sealed
QUIET_KINDS = ("note", "override", "review", "settled", "withdrawn")  # no step, and no sign of a contact
STEP_KINDS = ("contact", "intervention")  # with a day they stay due until they are settled
CLOSING_KINDS = ("outcome", "no_action")  # they settle every open step unless told which
RESULTS = ("reached", "partly", "nothing", "no_contact")  # of an outcome
MOST_AT_ONCE = 200


def add_case_event(
    store: Store,
    student_key: str,
    actor: str,
    kind: str,
    detail: dict,
    *,
    scope: Scope | None = None,
    settles: Sequence[int] | None = None,
) -> int:
    """Append an event to a student's case. Returns its id.

    Parameters
    ----------
    kind : str
        One of :data:`CASE_EVENT_KINDS`.
    detail : dict
        JSON. ``due_on`` (ISO date) asks for a follow-up on that day: a step (:data:`STEP_KINDS`) stays due
        until it is settled, a snooze until the next event. An override needs a ``reason``.
    scope : Scope, optional
        Refuses students that the account may not see.
    settles : sequence of int, optional
        Open steps of the student that are done or replaced by this event. By default an event of
        :data:`CLOSING_KINDS` settles every one, any other none.

    Raises
    ------
    ValueError
        When the kind is unknown, ``due_on`` is no date, an override lacks its reason, there is no such
        student, or a step to settle is not an open one of theirs.
    PermissionError
        When ``scope`` does not reach the student.
    """
    (event,) = add_case_events(store, [student_key], actor, kind, detail, scope=scope, settles=settles)
    return event


def add_case_events(
    store: Store,
    student_keys: Sequence[str],
    actor: str,
    kind: str,
    detail: dict,
    *,
    scope: Scope | None = None,
    settles: Sequence[int] | None = None,
) -> list[int]:
    """Append the same event to several students' cases, to all of them or to none. Returns the ids.

    Parameters
    ----------
    student_keys : sequence of str
        At most :data:`MOST_AT_ONCE`; each gets one event. Several share a ``batch`` in their detail.
    actor, kind, detail, scope, settles
        As in :func:`add_case_event`; ``settles`` holds the steps of all of them.

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
        settled = _to_settle(connection, keys, kind, settles)
        row = {"at": now(), "actor": actor, "kind": kind, "detail": detail}
        made = {key: _append(connection, store.cipher, {"student_key": key, **row}) for key in keys}
        for step, key in settled.items():
            done = {"kind": "settled", "detail": {"event": step, "by": made[key]}}
            _append(connection, store.cipher, {"student_key": key, **row, **done})
        return list(made.values())


def _to_settle(connection, keys: list[str], kind: str, settles: Sequence[int] | None) -> dict[int, str]:
    """Open steps that an event settles → their students."""
    if settles is None and kind not in CLOSING_KINDS:
        return {}
    wanted = log_of(schema.students.c.student_key.in_(keys)).open_steps()
    found = {row.event_id: row.student_key for row in connection.execute(wanted)}
    if settles is None:
        return found
    unknown = [step for step in settles if int(step) not in found]
    if unknown:
        raise ValueError(f"settles must name open steps of the student, got {unknown[0]!r}")
    return {int(step): found[int(step)] for step in settles}


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
        log = log_of(students.c.student_key.in_([one["student_key"] for one in found]))
        gone = set(connection.scalars(log.withdrawn_ids()))
        if len(ours) < len(set(event_ids)) or any(one["event_id"] in gone for one in ours):
            raise ValueError(f"event_ids must be standing events of {actor!r}, got {list(event_ids)}")
        if scope is not None and len(connection.execute(wanted.where(*visible(scope))).all()) < len(ours):
            raise PermissionError(f"account {scope.account!r} may not write about this student")
        row = {"at": now(), "actor": actor, "kind": "withdrawn"}
        for one in [*ours, *_settled_by(connection, log, [one["event_id"] for one in ours])]:
            whose = {"student_key": one["student_key"], "detail": {"event": one["event_id"]}}
            _append(connection, store.cipher, row | whose)
        return len(ours)


def _settled_by(connection: Connection, log: Log, event_ids: list[int]) -> list:
    """The settlings that go when the events are taken back: their steps are open again."""
    events = log.rows
    wanted = select(events.c.event_id, events.c.student_key).where(
        events.c.kind == "settled",
        events.c.detail["by"].as_integer().in_(event_ids),
        events.c.event_id.not_in(log.withdrawn_ids()),
    )
    return list(connection.execute(wanted).mappings())


class Log:
    """Events of some students, and which of them still stand.

    What was taken back and what was settled is looked up among these rows alone: such an event names one of
    the same student. So a question costs what its students cost, and not what was ever logged.

    Parameters
    ----------
    rows : sqlalchemy.FromClause
        All events of those students, with the columns of ``case_events``.
    """

    def __init__(self, rows: FromClause):
        self.rows = rows
        self._taken_back = self._named("withdrawn").cte("taken_back")
        done = self._named("settled").where(rows.c.event_id.not_in(self.withdrawn_ids()))
        self._done = done.cte("done_steps")

    def _named(self, kind: str) -> Select:
        """SELECT of the ids of events that an event of this kind names."""
        named = self.rows.c.detail["event"].as_integer().label("event_id")
        return select(named).where(self.rows.c.kind == kind)

    def withdrawn_ids(self) -> Select:
        """SELECT of the ids of events that were taken back."""
        return select(self._taken_back.c.event_id)

    def standing(self) -> list[ColumnElement[bool]]:
        """Conditions of events that count: neither taken back nor themselves a taking back."""
        return [self.rows.c.kind != "withdrawn", self.rows.c.event_id.not_in(self.withdrawn_ids())]

    def open_steps(self) -> Select:
        """SELECT of the steps that are still to do: neither settled nor taken back.

        Steps of before this rule (without ``stays``) are left out: there the newest event decides.
        """
        return select(self.rows).where(
            self.rows.c.kind.in_(STEP_KINDS),
            self.rows.c.detail["stays"].as_boolean(),
            self.rows.c.event_id.not_in(select(self._done.c.event_id)),
            self.rows.c.event_id.not_in(self.withdrawn_ids()),
        )


EVERYBODY = Log(schema.case_events)


def log_of(*conditions: ColumnElement[bool]) -> Log:
    """The log of the students who meet conditions on ``students``, as those of :func:`visible`."""
    events, students = schema.case_events, schema.students
    whose = select(events).join(students, students.c.student_key == events.c.student_key).where(*conditions)
    return Log(whose.cte("log"))


def with_whole_detail(cipher: Cipher, events: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``case_events`` with what is sealed back in ``detail``, and without the column of seals.

    Raises
    ------
    data.engine.cipher.KeyProblem
        When one does not open; the message names the row.
    """
    name = schema.case_events.name
    whole = [
        {**(detail or {}), **opened(cipher, name, number, sealed)}
        for number, detail, sealed in zip(events["event_id"], events["detail"], events[COLUMN], strict=True)
    ]
    return events.drop(columns=COLUMN).assign(detail=pd.Series(whole, index=events.index, dtype=object))


def _append(connection: Connection, cipher: Cipher, row: dict) -> int:
    detail = row["detail"]
    asked = {name: value for name, value in detail.items() if name in OPEN_PARTS}
    told = {name: value for name, value in detail.items() if name not in OPEN_PARTS}
    return insert_sealed(connection, cipher, schema.case_events, {**row, "detail": asked}, told)


def _checked(kind: str, detail: dict) -> dict:
    if kind not in CASE_EVENT_KINDS:
        raise ValueError(f"kind must be one of {', '.join(CASE_EVENT_KINDS)}, got {kind!r}")
    if kind == "override" and not str(detail.get("reason", "")).strip():
        raise ValueError("detail of an override must have a reason, got none")
    if "result" in detail and detail["result"] not in RESULTS:
        raise ValueError(f"detail.result must be one of {', '.join(RESULTS)}, got {detail['result']!r}")
    checked = {**detail, "due_on": _iso(detail["due_on"])} if "due_on" in detail else dict(detail)
    return {**checked, "stays": True} if kind in STEP_KINDS and "due_on" in checked else checked


def _iso(value) -> str:
    if isinstance(value, date):
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError(f"detail.due_on must be an ISO date, got {value!r}") from None
