"""SELECTs of trials: what leadership may know of them, who is near a line, and whom an advisor offers help.

An advisor is told whom to offer help and nothing else. Who was drawn into the other group is not marked,
though an advisor who knows the order of the list can infer most of it (``docs/trial.md``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Integer, and_, false, func, or_, select, type_coerce

from data import schema
from data.cases.events import EVERYBODY, STEP_KINDS
from data.cases.trial_protocol import Protocol
from data.engine.bulk import fetch
from data.engine.database import Store
from data.scores.standing import last_completed, still_open
from data.trust.scope import Scope
from data.trust.scoping import aggregable, visible, within_programs


@dataclass(frozen=True)
class Trial:
    """A registered trial and how far it has come; no student.

    Parameters
    ----------
    trial_id : str
    registered_at : datetime
        UTC.
    registered_by : str
        Account of its author.
    protocol : Protocol
    protocol_sha256 : str
        As registered.
    acts : tuple of dict
        ``kind, at, actor, detail``, the oldest first.
    """

    trial_id: str
    registered_at: datetime
    registered_by: str
    protocol: Protocol
    protocol_sha256: str
    acts: tuple[dict[str, Any], ...]

    @property
    def state(self) -> str:
        """registered, approved, drawn, stopped or read: what happened last."""
        return self.acts[-1]["kind"] if self.acts else "registered"

    @property
    def approved_by(self) -> str | None:
        """Who approved it; None when nobody did."""
        return next((act["actor"] for act in self.acts if act["kind"] == "approved"), None)

    @property
    def draws(self) -> int:
        """How often lots were drawn."""
        return sum(act["kind"] == "drawn" for act in self.acts)

    @property
    def drawn(self) -> int:
        """Students drawn so far, both groups together, those erased since counted."""
        return sum(self.drawn_into(arm) for arm in ("offered", "usual"))

    def drawn_into(self, arm: str) -> int:
        """Students drawn so far into a group."""
        return sum(act["detail"][arm] for act in self.acts if act["kind"] == "drawn")

    @property
    def result(self) -> dict[str, Any] | None:
        """What was read: ``counts``, ``figures``, ``seed``; None before."""
        return next((act["detail"] for act in self.acts if act["kind"] == "read"), None)


def trials(store: Store, scope: Scope) -> list[Trial]:
    """The trials whose programmes ``scope`` reaches, the newest first; none for an advisor."""
    with store.reading() as connection:
        return _trials(connection, scope)


def one_trial(connection: Connection, scope: Scope, trial_id: str) -> Trial:
    """A trial.

    Raises
    ------
    LookupError
        When there is none that ``scope`` reaches.
    """
    found = _trials(connection, scope, schema.trials.c.trial_id == trial_id)
    if not found:
        raise LookupError(f"there is no trial {trial_id} that account {scope.account!r} reaches")
    return found[0]


def _trials(connection: Connection, scope: Scope, *more: ColumnElement[bool]) -> list[Trial]:
    table, acts = schema.trials, schema.trial_acts
    reached = [false()] if scope.own_students_only else within_programs(scope, table)
    wanted = select(table).where(*reached, *more)
    rows = (
        connection.execute(wanted.order_by(table.c.registered_at.desc(), table.c.trial_id)).mappings().all()
    )
    done: dict[str, list[dict]] = {}
    mine = select(acts).join(table, table.c.trial_id == acts.c.trial_id).where(*reached, *more)
    for act in connection.execute(mine.order_by(acts.c.act_id)).mappings():
        told = {name: act[name] for name in ("kind", "at", "actor", "detail")}
        done.setdefault(act["trial_id"], []).append(told)
    return [
        Trial(
            row["trial_id"],
            row["registered_at"],
            row["registered_by"],
            Protocol.read(row["protocol"]),
            row["protocol_sha256"],
            tuple(done.get(row["trial_id"], ())),
        )
        for row in rows
    ]


def near_the_line(connection: Connection, scope: Scope, protocol: Protocol) -> pd.DataFrame:
    """Who stands just above and just below the capacity line now and was never drawn.

    Of each list those up to ``window`` places from the line on either side who are in no trial yet; an even
    number of each list, the one farthest from the line left out. Only students whose score is as new as the
    register, and for whom the target still is a risk, stand on a list.

    Returns
    -------
    DataFrame
        ``student_key, list_name, place`` (from 1, by falling risk), ``as_of_term``, by list and place.
    """
    now, owner, drawn = schema.risk_current, schema.students, schema.trial_students
    whose = owner.c.advisor if protocol.lists == "advisor" else owner.c.program_code
    newest = last_completed(connection)
    conditions = [now.c.target == protocol.target, whose.is_not(None), now.c.as_of_term == (newest or 0)]
    conditions += [*aggregable(scope), *still_open(connection, now, protocol.target)]
    if protocol.program_code is not None:
        conditions.append(owner.c.program_code == protocol.program_code)
    ordered = func.row_number().over(partition_by=whose, order_by=(now.c.risk.desc(), now.c.student_key))
    place = type_coerce(ordered, Integer)
    listed = (
        select(now.c.student_key, whose.label("list_name"), place.label("place"), now.c.as_of_term)
        .join(owner, owner.c.student_key == now.c.student_key)
        .where(*conditions)
        .subquery()
    )
    nearby = listed.c.place.between(
        protocol.capacity - protocol.window + 1, protocol.capacity + protocol.window
    )
    fresh = listed.c.student_key.not_in(select(drawn.c.student_key))
    statement = select(listed).where(nearby, fresh).order_by(listed.c.list_name, listed.c.place)
    found = fetch(connection, statement)
    return _even(found, protocol.capacity)


def count_near_the_line(store: Store, scope: Scope, protocol: Protocol) -> tuple[int, int]:
    """How many students, on how many lists, a draw would take now."""
    with store.reading() as connection:
        found = near_the_line(connection, scope, protocol)
    return len(found), int(found["list_name"].nunique())


def _even(found: pd.DataFrame, capacity: int) -> pd.DataFrame:
    """An even number of each list: without the one farthest from the line where the number is odd."""
    far = (found["place"] - (capacity + 0.5)).abs()
    rank = far.groupby(found["list_name"]).rank(ascending=False, method="first")
    odd = found.groupby("list_name")["place"].transform("size") % 2 == 1
    return found[~(odd & (rank == 1))].reset_index(drop=True)


def drawn_students(store: Store, trial_id: str) -> pd.DataFrame:
    """Everybody drawn in a trial, for checking the lots: the columns of ``trial_students``. No scope."""
    table = schema.trial_students
    statement = select(table).where(table.c.trial_id == trial_id)
    with store.reading() as connection:
        return fetch(connection, statement.order_by(table.c.draw, table.c.list_name, table.c.place))


def offers(store: Store, scope: Scope, on: date, key: str | None = None) -> pd.DataFrame:
    """Students whom a lot offers help and for whom the days of offering are not over.

    Nobody of the other group is among them, nor how many there are.

    Parameters
    ----------
    key : str, optional
        One student only.

    Returns
    -------
    DataFrame
        ``student_key, program_code, cohort_term, drawn_on, offer_until``; ``contacted_at`` (the first contact
        or agreed step logged since, null when none); and, if ``scope.may_identify``, ``student_number,
        name``. Who waits longest comes first.
    """
    lots, owner, trial, identity = (
        schema.trial_students,
        schema.students,
        schema.trials,
        schema.identities,
    )
    columns = [lots.c.student_key, owner.c.program_code, owner.c.cohort_term, lots.c.drawn_on]
    days = trial.c.protocol["offer_days"].as_integer()
    joined = lots.join(owner, owner.c.student_key == lots.c.student_key)
    joined = joined.join(trial, trial.c.trial_id == lots.c.trial_id)
    if scope.may_identify:
        joined = joined.outerjoin(identity, identity.c.student_key == lots.c.student_key)
        columns += [identity.c.student_number, identity.c.name]
    conditions = [lots.c.arm == "offered", lots.c.drawn_on <= on, *visible(scope)]
    if key is not None:
        conditions.append(lots.c.student_key == key)
    statement = select(*columns, days.label("offer_days")).select_from(joined).where(*conditions)
    with store.reading() as connection:
        found = fetch(connection, statement.order_by(lots.c.drawn_on, lots.c.student_key))
        if found.empty:  # as on nearly every page of nearly every store
            until = pd.Series([], dtype="datetime64[us]")
            return found.drop(columns="offer_days").assign(offer_until=until, contacted_at=until)
        told = fetch(connection, _first_help(conditions))
    until = pd.to_datetime(found["drawn_on"]) + pd.to_timedelta(found.pop("offer_days"), unit="D")
    found = found.assign(offer_until=until).merge(told, on="student_key", how="left")
    return found[found["offer_until"] >= pd.Timestamp(on)].reset_index(drop=True)


def _first_help(conditions: list[ColumnElement[bool]]):
    """SELECT of ``student_key, contacted_at``: the first help logged since the draw."""
    lots, events, owner = schema.trial_students, schema.case_events, schema.students
    return (
        select(lots.c.student_key, func.min(events.c.at).label("contacted_at"))
        .join(owner, owner.c.student_key == lots.c.student_key)
        .join(events, events.c.student_key == lots.c.student_key)
        .where(*conditions, *is_help(), events.c.at >= lots.c.drawn_on)
        .group_by(lots.c.student_key)
    )


def is_help() -> list[ColumnElement[bool]]:
    """Conditions of events of a case that are help: a contact or an agreed step that was not taken back.

    A contact that did not reach the student is none.
    """
    events = schema.case_events
    reached = func.coalesce(events.c.detail["reached"].as_boolean(), True)
    helps = or_(events.c.kind != "contact", reached)
    return [and_(events.c.kind.in_(STEP_KINDS), helps), events.c.event_id.not_in(EVERYBODY.withdrawn_ids())]
