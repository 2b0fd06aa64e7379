"""A trial from its protocol to its result: registered, approved by another person, drawn, read once.

Every step is appended and written to the audit log in its own transaction; nothing is changed afterwards.
Who may take a step is asked by the caller (``dashboard.shell.access``); what the database holds of it, and
that author and approver are two people, is seen to here.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, insert, select

from data import schema
from data.calendar.clock import today_in
from data.calendar.setting import study_calendar
from data.cases.trial_outcomes import counted, ripe_on
from data.cases.trial_protocol import Protocol, check_protocol
from data.cases.trial_queries import Trial, near_the_line, one_trial
from data.columns import TRIAL_ARMS
from data.engine.bulk import insert_frame
from data.engine.clock import now
from data.engine.database import Store
from data.scores.standing import register_day
from data.trust import audit
from data.trust.reports_store import same_account
from data.trust.scope import Scope

SEED_BYTES = 32
Lottery = Callable[[pd.DataFrame, bytes, int], pd.DataFrame]
"""Candidates (``student_key, list_name, place``), secret, number of the draw → ``block``, ``arm`` beside."""
Analysis = Callable[[Mapping[str, Mapping[str, int]]], dict[str, Any]]
"""Arm → ``{"students", "events"}`` → figures as JSON."""


class TrialRefused(ValueError):
    """A step that a trial does not allow now.

    Parameters
    ----------
    code : str
        What the locales have words for.
    said : str
        One sentence.
    """

    def __init__(self, code: str, said: str) -> None:
        super().__init__(said)
        self.code = code


@dataclass(frozen=True)
class Drawn:
    """What a draw did.

    Parameters
    ----------
    draw : int
        Its number, from 1.
    lists, offered, usual : int
        Lists with somebody near the line; students offered help, and the others.
    """

    draw: int
    lists: int
    offered: int
    usual: int


def register_trial(
    store: Store, scope: Scope, protocol: Protocol, *, actor: str, role: str, today: date | None = None
) -> Trial:
    """Freeze a protocol with the SHA-256 of a fresh secret; nobody is drawn.

    Raises
    ------
    ValueError
        When the protocol cannot be carried out, or the store has no such programme.
    PermissionError
        When the account does not reach the programme.
    """
    _reach(scope, protocol.program_code)
    trial_id, seed = uuid.uuid4().hex, secrets.token_bytes(SEED_BYTES)
    protocol = replace(protocol, title=protocol.title.strip(), seed_sha256=hashlib.sha256(seed).hexdigest())
    with store.writing() as connection:
        check_protocol(protocol, today or today_in(connection), study_calendar(connection))
        programs = schema.programs
        if protocol.program_code is not None and not connection.scalar(
            select(func.count()).where(programs.c.program_code == protocol.program_code)
        ):
            raise ValueError(f"the store has no programme {protocol.program_code}")
        row = {"trial_id": trial_id, "registered_at": now(), "registered_by": actor}
        row |= {"program_code": protocol.program_code, "protocol": protocol.as_dict()}
        row |= {"protocol_sha256": protocol.digest()}
        connection.execute(insert(schema.trials).values(**row))
        sealed = store.cipher.encrypt(seed, f"trial:{trial_id}")
        connection.execute(insert(schema.trial_seeds).values(trial_id=trial_id, ciphertext=sealed))
        about = {"sha256": row["protocol_sha256"], "program_code": protocol.program_code}
        audit.append_in(
            connection, actor=actor, role=role, action="register trial", object=trial_id, detail=about
        )
        return one_trial(connection, scope, trial_id)


def approve_trial(
    store: Store,
    scope: Scope,
    trial_id: str,
    sha256: str,
    *,
    actor: str,
    role: str,
    today: date | None = None,
) -> None:
    """Approve a protocol as it was seen.

    Parameters
    ----------
    sha256 : str
        Of the protocol that the approver has read.

    Raises
    ------
    TrialRefused
        When the author approves, another protocol was read, it was decided on before, or its time is over.
    LookupError
        When the account does not reach such a trial.
    """
    with store.writing() as connection:
        trial = one_trial(connection, scope, trial_id)
        if same_account(trial.registered_by, actor):
            raise TrialRefused("own", "a trial must be approved by another person than the one who wrote it")
        if trial.state != "registered":
            raise TrialRefused("decided", f"trial {trial_id} is not waiting for approval")
        if sha256 != trial.protocol_sha256 or trial.protocol.digest() != trial.protocol_sha256:
            raise TrialRefused("other_protocol", f"trial {trial_id} has another protocol than the one read")
        if (today or today_in(connection)) > trial.protocol.draw_until:
            raise TrialRefused("over", f"the days of drawing ended on {trial.protocol.draw_until}")
        hold_to_what_was_registered(connection, trial)
        _act(connection, trial, "approved", actor, role, {"sha256": sha256})


def draw_lots(
    store: Store,
    scope: Scope,
    trial_id: str,
    lottery: Lottery,
    *,
    actor: str,
    role: str,
    today: date | None = None,
) -> Drawn:
    """Draw lots among those near the line now who were never drawn before.

    Parameters
    ----------
    lottery : callable
        See :data:`Lottery`; its blocks and arms are stored as it gives them.

    Raises
    ------
    TrialRefused
        When the trial is not approved, was stopped or read, it is not a day of drawing, the planned number
        is in, nobody is near a line, or protocol or sealed secret are not those registered and approved.
    LookupError
        When the account does not reach such a trial.
    """
    with store.writing() as connection:
        day = today or today_in(connection)
        trial = one_trial(connection, scope, trial_id)
        if trial.state not in ("approved", "drawn"):
            raise TrialRefused("not_approved", f"trial {trial_id} is {trial.state}: no lots are drawn")
        hold_to_what_was_registered(connection, trial)
        if not trial.protocol.draw_from <= day <= trial.protocol.draw_until:
            days = f"{trial.protocol.draw_from} to {trial.protocol.draw_until}"
            raise TrialRefused("not_now", f"lots are drawn from {days}")
        if trial.drawn >= trial.protocol.planned:
            raise TrialRefused("enough", f"the planned {trial.protocol.planned} students were drawn")
        seed, number = seed_of(store, connection, trial), trial.draws + 1
        near = near_the_line(connection, scope, trial.protocol)
        if near.empty:
            raise TrialRefused("nobody", "nobody who was not drawn before is near a line with a new score")
        lots = lottery(near, seed, number)
        fresh = lots.assign(trial_id=trial_id, draw=number, drawn_on=day)
        names = [column.name for column in schema.trial_students.columns]
        insert_frame(connection, schema.trial_students, fresh[names])
        arms = lots["arm"].value_counts()
        made = Drawn(number, int(lots["list_name"].nunique()), *(int(arms.get(arm, 0)) for arm in TRIAL_ARMS))
        detail = {"draw": number, "lists": made.lists, "offered": made.offered, "usual": made.usual}
        _act(connection, trial, "drawn", actor, role, detail)
        return made


def stop_trial(store: Store, scope: Scope, trial_id: str, reason: str, *, actor: str, role: str) -> None:
    """Draw no more; who was drawn stays drawn, and the result is read on its day.

    Raises
    ------
    ValueError
        When no reason is given.
    TrialRefused
        When the trial was stopped or read before.
    LookupError
        When the account does not reach such a trial.
    """
    if not reason.strip():
        raise ValueError("reason of stopping must not be empty")
    with store.writing() as connection:
        trial = one_trial(connection, scope, trial_id)
        if trial.state in ("stopped", "read"):
            raise TrialRefused("decided", f"trial {trial_id} is {trial.state}")
        _act(connection, trial, "stopped", actor, role, {"reason": reason.strip()})


def read_result(
    store: Store,
    scope: Scope,
    trial_id: str,
    analyse: Analysis,
    *,
    actor: str,
    role: str,
    today: date | None = None,
) -> dict[str, Any]:
    """Look at the outcomes, once: the figures are kept, and the secret of the lots is told with them.

    Raises
    ------
    TrialRefused
        When the day of reading has not come, the register does not reach that far, nobody was drawn, the
        result was read before, or the protocol is not the one registered and approved.
    LookupError
        When the account does not reach such a trial.
    """
    with store.writing() as connection:
        trial = one_trial(connection, scope, trial_id)
        if trial.state == "read":
            raise TrialRefused("decided", f"the result of trial {trial_id} was read before")
        if not trial.drawn:
            raise TrialRefused("nobody", f"nobody was drawn in trial {trial_id}")
        hold_to_what_was_registered(connection, trial)
        if (today or today_in(connection)) < trial.protocol.read_on:
            raise TrialRefused("not_due", f"the result is read on {trial.protocol.read_on} and not before")
        reached, needed = register_day(connection), ripe_on(connection, trial)
        if reached is None or reached < needed:
            raise TrialRefused("register_short", f"the register must reach {needed}, it reaches {reached}")
        counts = counted(connection, trial)
        figures = analyse({arm: counts[arm] for arm in TRIAL_ARMS})
        kept = {"counts": counts, "figures": figures, "seed": seed_of(store, connection, trial).hex()}
        row = {"trial_id": trial_id, "kind": "read", "at": now(), "actor": actor, "detail": kept}
        connection.execute(insert(schema.trial_acts).values(**row))
        about = {"sha256": trial.protocol_sha256}
        audit.append_in(
            connection, actor=actor, role=role, action="read trial", object=trial_id, detail=about
        )
        return kept


def hold_to_what_was_registered(connection: Connection, trial: Trial) -> None:
    """Refuse a trial whose protocol is not the one that the audit log says was registered, and approved.

    A row can be changed together with the digest in it; what was approved, and the log's entries of both
    steps, name the digest of then. Whether the log itself was changed is told by its own proof.

    Raises
    ------
    TrialRefused
        When the digests differ, or the log has no entry of a step.
    """
    steps = ["register trial"]
    told = [trial.protocol.digest(), trial.protocol_sha256]
    told += [act["detail"].get("sha256") for act in trial.acts if act["kind"] == "approved"]
    if trial.approved_by is not None:
        steps.append("approve trial")
    log = schema.audit_log
    about = select(log.c.action, log.c.detail).where(log.c.object == trial.trial_id, log.c.action.in_(steps))
    entries = connection.execute(about).all()
    told += [entry.detail.get("sha256") for entry in entries]
    if len(set(told)) != 1 or {entry.action for entry in entries} != set(steps):
        raise TrialRefused(
            "other_protocol",
            f"the protocol of trial {trial.trial_id} is not the one that was registered and approved",
        )


def seed_of(store: Store, connection: Connection, trial: Trial) -> bytes:
    """The secret that the lots of a trial are made with.

    Raises
    ------
    TrialRefused
        When it is not the one whose SHA-256 was registered.
    """
    table = schema.trial_seeds
    sealed = connection.scalar(select(table.c.ciphertext).where(table.c.trial_id == trial.trial_id))
    seed = b"" if sealed is None else store.cipher.decrypt(bytes(sealed), f"trial:{trial.trial_id}")
    if hashlib.sha256(seed).hexdigest() != trial.protocol.seed_sha256:
        raise TrialRefused("other_seed", f"the secret of trial {trial.trial_id} is not the registered one")
    return seed


def _act(
    connection: Connection, trial: Trial, kind: str, actor: str, role: str, detail: dict[str, Any]
) -> None:
    row = {"trial_id": trial.trial_id, "kind": kind, "at": now(), "actor": actor, "detail": detail}
    connection.execute(insert(schema.trial_acts).values(**row))
    action = {"approved": "approve trial", "drawn": "draw trial", "stopped": "stop trial"}[kind]
    audit.append_in(connection, actor=actor, role=role, action=action, object=trial.trial_id, detail=detail)


def _reach(scope: Scope, program_code: str | None) -> None:
    limited = scope.program_codes is not None and program_code not in scope.program_codes
    if limited or scope.own_students_only:
        raise PermissionError(f"account {scope.account!r} does not reach the students of this trial")
