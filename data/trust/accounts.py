"""Accounts and passwords. Who may read what follows from an account in ``dashboard.shell.access``."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Connection, delete, func, insert, select, update

from data import schema
from data.columns import ROLES
from data.engine.clock import now
from data.engine.database import Store
from data.settings import get_settings
from data.trust import origin
from data.trust.account_names import check_account_name, folded, is_account_name
from data.trust.audit import Entry, note_in
from data.trust.passwords import check_password, hash_password, outdated, right_password

CLEAR = "abcdefghjkmnpqrstuvwxyz23456789"  # without i, l, o, 0 and 1
WRITTEN = "write account"
"""The action of the entry that tells of a new or changed account."""
LONGEST_NAME = schema.longest(schema.accounts.c.display_name)  # characters of a name on the screen


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in.

    Parameters
    ----------
    account : str
        Name to sign in with; an advisor's is what ``students.advisor`` holds.
    display_name : str
        Name on the screen.
    role : str
        One of :data:`data.columns.ROLES`.
    program_codes : tuple of str or None
        Programmes that the account is limited to; None: every programme.
    active : bool
        Whether it may sign in.
    password : str or None
        Only when writing: a new password. None keeps the one there is.
    once : bool
        Whether the password was set by somebody else, and its owner has to choose another at sign-in.
    """

    account: str
    display_name: str
    role: str
    program_codes: tuple[str, ...] | None = None
    active: bool = True
    password: str | None = field(default=None, repr=False)
    once: bool = False


class NameTaken(ValueError):
    """A new name that differs from another by case alone."""


class LastAdministrator(ValueError):
    """After the change nobody could sign in who may change accounts."""


class ProviderRules(ValueError):
    """The account signs in through the institution's provider, so that a password would open nothing."""


class AccountChanged(ValueError):
    """Somebody has changed or made the account since it was read."""


def write_accounts(store: Store, accounts: Iterable[Account], entry: Entry | None = None) -> int:
    """Create or change accounts, and write ``entry`` into the audit log with it. Returns how many.

    Whoever is signed in with an account that is closed, gets another role or other programmes, or a new
    password, is signed out by the same transaction.

    Raises
    ------
    ValueError
        When a name or role is not allowed, a new name differs from another by case alone, or a password is
        refused (:func:`data.trust.passwords.check_password`).
    LastAdministrator
    """
    rows = [_row(account) for account in accounts]
    with store.writing("accounts") as connection:
        able = _able_administrators(connection)
        taken = _names(connection)
        for row in rows:
            _write(connection, row, taken)
            taken[folded(row["account"])] = row["account"]
        _keep_one(connection, able)
        note_in(connection, entry)
    return len(rows)


def change_account(store: Store, before: Account | None, after: Account, actor: str, role: str) -> None:
    """Create an account, or change one, as ``actor`` saw it; the audit entry stands or falls with it.

    Parameters
    ----------
    before : Account or None
        As it was read; None: there is none.
    after : Account
        As it shall be.
    actor, role : str
        Who does it, for the log, which holds what was and what is; never a password.

    Raises
    ------
    AccountChanged
        When the account is another than ``before`` by now.
    ProviderRules
        When a password is given to an account that the institution's provider signs in.
    LastAdministrator
    ValueError
        As :func:`write_accounts`.
    """
    row = _row(after)
    with store.writing("accounts") as connection:
        if _found_in(connection, after.account) != before:
            raise AccountChanged(f"account {after.account!r} is not as it was read")
        if after.password is not None and after.account in _bound_in(connection):
            raise ProviderRules(f"account {after.account!r} signs in through the provider alone")
        able = _able_administrators(connection)
        _write(connection, row)
        _keep_one(connection, able)
        note_in(connection, _written(before, after, actor, role))


def end_sessions_of(store: Store, name: str, actor: str, role: str) -> int:
    """Sign somebody else out everywhere, and write that down. Returns how many sessions ended."""
    with store.writing("accounts") as connection:
        ended = end_sessions_in(connection, name)
        note_in(connection, Entry(actor, role, "end_sessions", name, {"sessions_ended": ended}))
    return ended


def new_password() -> str:
    """A first password: 16 letters and digits that are not taken for each other, about 80 bits."""
    drawn = "".join(secrets.choice(CLEAR) for _ in range(16))
    return "-".join(drawn[start : start + 4] for start in range(0, 16, 4))


def write_in(connection: Connection, account: Account) -> None:
    """Create or change one, inside a transaction that holds "accounts"; the last administrator may go.

    Raises
    ------
    ValueError
    """
    _write(connection, _row(account))


def change_password(store: Store, name: str, password: str, keep: str | None = None) -> int:
    """Give an account a new password, end its other sessions and write that down, in one transaction.

    Parameters
    ----------
    keep : str, optional
        The session that goes on: the one that changes the password.

    Returns
    -------
    int
        How many sessions ended.

    Raises
    ------
    LookupError
        When there is no such account.
    data.trust.passwords.PasswordRefused
    """
    table = schema.accounts
    found = find_account(store, name)
    if found is None:
        raise LookupError(f"there is no open account {name!r}")
    check_password(password, found.account, found.display_name)
    fresh = hash_password(password)
    with store.writing("accounts") as connection:
        own = {"password_hash": fresh, "password_once": False}
        connection.execute(update(table).where(table.c.account == name).values(**own))
        ended = end_sessions_in(connection, name, keep)
        note_in(connection, Entry(name, found.role, "change_password", name, {"sessions_ended": ended}))
    return ended


def end_sessions_in(connection: Connection, name: str, keep: str | None = None) -> int:
    """End the sessions of an account but ``keep``, inside a transaction. Returns how many."""
    table = schema.sessions
    gone = delete(table).where(table.c.account == name)
    if keep is not None:
        gone = gone.where(table.c.session_id != keep)
    return connection.execute(gone).rowcount


def find_account(store: Store, name: str) -> Account | None:
    """The active account of that name, without its password."""
    row = _found(store, name)
    return account_of(row) if row is not None and row["active"] else None


def any_account(store: Store, name: str) -> Account | None:
    """The account of that name, a closed one too, without its password."""
    row = _found(store, name)
    return None if row is None else account_of(row)


def list_accounts(store: Store, role: str | None = None) -> list[Account]:
    """Every account (of a role), inactive ones too, by role and name."""
    table = schema.accounts
    wanted = select(table) if role is None else select(table).where(table.c.role == role)
    with store.reading() as connection:
        rows = connection.execute(wanted).mappings().all()
    order = {role: position for position, role in enumerate(ROLES)}
    return sorted(map(account_of, rows), key=lambda account: (order[account.role], account.account))


def with_password(store: Store, role: str | None = None) -> list[str]:
    """Names of the active accounts (of a role) that have a password, and so can sign in."""
    table = schema.accounts
    able = select(table.c.account).where(table.c.active, table.c.password_hash.is_not(None))
    with store.reading() as connection:
        return sorted(connection.scalars(able if role is None else able.where(table.c.role == role)))


def bound_accounts(store: Store) -> set[str]:
    """Names of the accounts that the institution's provider signs in, and no password."""
    with store.reading() as connection:
        return _bound_in(connection)


def check_new_name(store: Store, name: str) -> None:
    """Raise ValueError when no new account can have that name: none can, or another differs by case alone."""
    check_account_name(name)
    with store.reading() as connection:
        _refuse_twin(name, _names(connection))


def verify_password(store: Store, name: str, password: str) -> Account | None:
    """The account, if the password is right.

    An unknown or inactive account, one without a password, one that signs in through the institution's
    provider and a wrong password all take the same time and give the same answer, so that nobody can tell
    which names exist.
    """
    table, row = schema.accounts, _found(store, name)
    usable = row is not None and row["active"] and not row["is_bound"]
    stored = row["password_hash"] or None if row is not None and usable else None
    right = right_password(stored, password)  # asked of nobody's hash too, which takes the same time
    if row is None or stored is None or not right:
        return None
    if outdated(stored):
        fresh = {"password_hash": hash_password(password)}
        with store.writing("accounts") as connection:
            same = (table.c.account == name) & (table.c.password_hash == stored)
            connection.execute(update(table).where(same).values(**fresh))
    return account_of(row)


def first_password_ran_out(store: Store, name: str) -> bool:
    """Whether the password that somebody else set for an account was left unused for too long.

    The audit log tells when it was set, since a password and its entry are written by one transaction. Of one
    that no entry tells of nobody knows, and it stays.
    """
    log = schema.audit_log
    wanted = select(log.c.at, log.c.detail).where(log.c.action == WRITTEN, log.c.object == name)
    with store.reading() as connection:
        found = connection.execute(wanted.order_by(log.c.entry.desc()))
        since = next((at for at, detail in found if detail.get("new_password")), None)
    days = get_settings().first_password_days
    return since is not None and now() - since > timedelta(days=days)


def advisors_without_account(store: Store) -> list[tuple[str, int]]:
    """Advisors whom the register names and who have no account, not even a closed one, by name.

    Returns
    -------
    list of (str, int)
        The name as the register has it, one that no account can have too, and how many students have them.
    """
    students, table = schema.students, schema.accounts
    named = select(students.c.advisor, func.count()).where(students.c.advisor.is_not(None))
    with store.reading() as connection:
        taken = {folded(name) for name in connection.scalars(select(table.c.account))}
        found = connection.execute(named.group_by(students.c.advisor)).all()
    return sorted((name, count) for name, count in found if folded(name) not in taken)


def write_demo_accounts(store: Store) -> list[Account]:
    """One account without a password per role, and one per advisor whom students name.

    Only a synthetic store accepts accounts without a password at sign-in (see ``dashboard.shell.access``).
    """
    students = schema.students
    with store.reading() as connection:
        named = select(students.c.advisor).where(students.c.advisor.is_not(None)).distinct()
        advisors = sorted(connection.scalars(named))
    made = [
        Account(role, f"{role.capitalize()} (demo)", role)
        for role in ROLES
        if role != "advisor" or not advisors
    ]
    made += [Account(name, _shown(name), "advisor") for name in advisors]
    write_accounts(store, made)
    return made


def _found(store: Store, name: str):
    table, external = schema.accounts, schema.external_identities
    bound = external.c.subject.is_not(None).label("is_bound")
    joined = table.outerjoin(external, external.c.account == table.c.account)
    wanted = select(table, bound).select_from(joined)
    # Anything may be typed at the door, and not all of it be asked.
    wanted = wanted.where(table.c.account == (name if is_account_name(name) else ""))
    with store.reading() as connection:
        return connection.execute(wanted).mappings().one_or_none()


def _row(account: Account) -> dict:
    check_account_name(account.account)
    if account.role not in ROLES:
        raise ValueError(f"role must be one of {', '.join(ROLES)}, got {account.role!r}")
    codes = None if account.program_codes is None else list(account.program_codes)
    row = {"account": account.account, "display_name": account.display_name, "role": account.role}
    row |= {"program_codes": codes, "active": account.active}
    if account.password is not None:
        check_password(account.password, account.account, account.display_name)
        row |= {"password_hash": hash_password(account.password), "password_once": account.once}
    return row


def _found_in(connection: Connection, name: str) -> Account | None:
    table = schema.accounts
    row = connection.execute(select(table).where(table.c.account == name)).mappings().one_or_none()
    return None if row is None else account_of(row)


def _bound_in(connection: Connection) -> set[str]:
    external = schema.external_identities
    return set(connection.scalars(select(external.c.account).where(external.c.subject.is_not(None))))


def _able_administrators(connection: Connection) -> int:
    """How many can sign in who may change accounts: open, of every programme, with a way in.

    That is a seat, the provider unless it gave them no role when they last came, or a password, which opens
    nothing where the provider signs in.
    """
    table, external = schema.accounts, schema.external_identities
    joined = table.outerjoin(external, external.c.account == table.c.account)
    wanted = select(table, external.c.subject, external.c.lost_at).select_from(joined)
    rows = connection.execute(wanted.where(table.c.role == "administrator", table.c.active)).mappings()
    seats = origin.origin_in(connection) == origin.INVENTED
    return sum(row["program_codes"] is None and (seats or _has_a_way_in(row)) for row in rows)


def _has_a_way_in(row) -> bool:
    if row["subject"] is not None:
        return row["lost_at"] is None
    return bool(row["password_hash"]) and get_settings().local_accounts


def _keep_one(connection: Connection, before: int) -> None:
    if before and not _able_administrators(connection):
        raise LastAdministrator("nobody could change accounts any more: this is the last administrator")


def _written(before: Account | None, after: Account, actor: str, role: str) -> Entry:
    about = _kept(after) | {"new_password": after.password is not None}
    if before is not None:
        about["before"] = _kept(before)
    return Entry(actor, role, WRITTEN, after.account, about)


def _kept(account: Account) -> dict:
    codes = account.program_codes and list(account.program_codes)
    return {"role": account.role, "program_codes": codes, "active": account.active}


def _names(connection: Connection) -> dict[str, str]:
    """Every name by what it is folded to: in Python, for a database folds its own alphabet alone."""
    return {folded(name): name for name in connection.scalars(select(schema.accounts.c.account))}


def _refuse_twin(name: str, taken: dict[str, str]) -> None:
    if other := taken.get(folded(name)):
        raise NameTaken(f"account {name!r} differs from {other!r} by case alone; choose another name")


def _write(connection: Connection, row: dict, taken: dict[str, str] | None = None) -> None:
    table = schema.accounts
    same = table.c.account == row["account"]
    before = connection.execute(select(table).where(same)).mappings().one_or_none()
    if before is None:
        _refuse_twin(row["account"], _names(connection) if taken is None else taken)
        connection.execute(insert(table).values(**row))
        return
    connection.execute(update(table).where(same).values(**row))
    decisive = ("role", "program_codes", "active", "password_hash")
    if any(row[name] != before[name] for name in decisive if name in row):
        end_sessions_in(connection, row["account"])


def account_of(row) -> Account:
    """An account from a row of ``accounts``."""
    codes = None if row["program_codes"] is None else tuple(row["program_codes"])
    about = {"active": row["active"], "once": row["password_once"]}
    return Account(row["account"], row["display_name"], row["role"], codes, **about)


def _shown(name: str) -> str:
    return name if " " in name else re.sub(r"[._@+-]+", " ", name).title()
