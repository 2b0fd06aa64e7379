"""What an administrator sees of accounts beside what they are: last sign-in, open sessions, waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from data import schema
from data.engine.clock import now
from data.engine.database import Store
from data.trust import sessions, throttle
from data.trust.accounts import (
    Account,
    bound_accounts,
    first_password_ran_out,
    list_accounts,
    with_password,
)


@dataclass(frozen=True)
class AccountState:
    """An account and how it is used.

    Parameters
    ----------
    account : Account
    last_sign_in : datetime or None
        UTC, as the audit log tells; None: never.
    sessions : int
        Open ones.
    held_until : datetime or None
        UTC; until then a sign-in has to wait after failures, from one address at least.
    has_password : bool
    is_bound : bool
        Whether the institution's provider signs its owner in, and says role and programmes.
    ran_out : bool
        Whether a password that somebody else set was left unused for too long.
    """

    account: Account
    last_sign_in: datetime | None
    sessions: int
    held_until: datetime | None
    has_password: bool
    is_bound: bool = False
    ran_out: bool = False


def account_states(store: Store) -> list[AccountState]:
    """Every account, closed ones too, by role and name."""
    signed_in, held, opened = _last_sign_ins(store), _held(store), sessions.open_counts(store)
    able, bound = set(with_password(store)), bound_accounts(store)
    return [
        AccountState(
            one,
            signed_in.get(one.account),
            opened.get(one.account, 0),
            held.get(one.account),
            one.account in able,
            one.account in bound,
            one.once and first_password_ran_out(store, one.account),
        )
        for one in list_accounts(store)
    ]


def _last_sign_ins(store: Store) -> dict[str, datetime]:
    log = schema.audit_log
    newest = select(log.c.actor, func.max(log.c.at)).where(log.c.action == "sign_in").group_by(log.c.actor)
    with store.reading() as connection:
        return {actor: at for actor, at in connection.execute(newest)}


def _held(store: Store) -> dict[str, datetime]:
    """The account → until when the newest wait that was written down of it lasts, if it lasts."""
    log, at = schema.audit_log, now()
    longest = max(rule.longest for rule in throttle.RULES.values())
    waits = select(log.c.object, log.c.at, log.c.detail).where(
        log.c.action == "sign_in_held", log.c.at > at - longest
    )
    signed_in = select(log.c.actor, func.max(log.c.at)).where(
        log.c.action == "sign_in", log.c.at > at - longest
    )
    with store.reading() as connection:
        since = {actor: when for actor, when in connection.execute(signed_in.group_by(log.c.actor))}
        found = connection.execute(waits).all()
    until: dict[str, datetime] = {}
    for name, when, detail in found:
        end = when + timedelta(seconds=detail["seconds"])
        if end > at and when > since.get(name, datetime.min):
            until[name] = max(end, until.get(name, end))
    return until
