"""Signing in with a password, and changing it: the waits after failures, and what is written down of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from data.settings import get_settings
from data.store import Store
from data.trust import accounts, audit, throttle
from data.trust.account_names import as_account_name
from data.trust.accounts import Account
from data.trust.passwords import PasswordRefused
from data.trust.sessions import Session


@dataclass(frozen=True)
class Outcome:
    """What came of a try.

    Parameters
    ----------
    account : Account or None
        Who it is; None when the try failed, whatever the reason.
    wait : timedelta
        How long to wait before another try; zero: at once.
    ran_out : bool
        Whether the password was right, but one that somebody else had set and that was left unused too long.
    """

    account: Account | None
    wait: timedelta = timedelta(0)
    ran_out: bool = False


def sign_in(store: Store, name: str, password: str, address: str) -> Outcome:
    """Try a password, unless the name or the address has to wait.

    Parameters
    ----------
    name, password : str
        As typed.
    address : str
        Of the client, for the waits and the log.
    """
    if not get_settings().local_accounts:
        return Outcome(None)
    name = as_account_name(name)
    charge = throttle.charge(store, name, address)
    if not charge.allowed:
        return Outcome(None, charge.held)
    account = accounts.verify_password(store, name, password)
    ran_out = account is not None and account.once and accounts.first_password_ran_out(store, name)
    if account is not None and not ran_out:
        throttle.forgive(store, name, address)
        return Outcome(account)
    _write_down(store, name, address, charge.next_wait)
    return Outcome(None, charge.next_wait, ran_out)


def change_password(store: Store, session: Session, old: str, new: str, address: str) -> Outcome:
    """Give the owner of a session another password; their other sessions end.

    The old one is asked for, and guessing it has to wait like a sign-in.

    Raises
    ------
    data.trust.passwords.PasswordRefused
        When the new password may not be used; the present one is none.
    """
    if new == old:
        raise PasswordRefused("same", len(new))
    name = session.account.account
    outcome = sign_in(store, name, old, address)
    if outcome.account is None:
        return outcome
    accounts.change_password(store, name, new, keep=session.session_id)
    return outcome


def _write_down(store: Store, name: str, address: str, wait: timedelta) -> None:
    known = accounts.any_account(store, name)
    who = {"actor": audit.NOBODY, "role": "", "object": audit.NOBODY}
    if known is not None:
        who = {"actor": known.account, "role": known.role, "object": known.account}
    audit.append(store, action="sign_in_failed", detail={"address": address}, **who)
    if wait:
        detail = {"address": address, "seconds": int(wait.total_seconds())}
        audit.append(store, action="sign_in_held", detail=detail, **who)
