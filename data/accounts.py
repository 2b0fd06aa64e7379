"""Accounts and passwords. Who may read what follows from an account in ``dashboard.access``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import insert, select, update

from data import schema
from data.columns import ROLES
from data.database import Store

MIN_PASSWORD = 10
ACCOUNT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,79}")


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
    """

    account: str
    display_name: str
    role: str
    program_codes: tuple[str, ...] | None = None
    active: bool = True
    password: str | None = field(default=None, repr=False)


def write_accounts(store: Store, accounts: Iterable[Account]) -> int:
    """Create or change accounts. Returns how many were written.

    Raises
    ------
    ValueError
        When a name or role is not allowed, or a password is shorter than :data:`MIN_PASSWORD` characters.
    """
    rows = [_row(account) for account in accounts]
    table = schema.accounts
    with store.writing() as connection:
        for row in rows:
            same = table.c.account == row["account"]
            if connection.execute(update(table).where(same).values(**row)).rowcount == 0:
                connection.execute(insert(table).values(**row))
    return len(rows)


def find_account(store: Store, name: str) -> Account | None:
    """The active account of that name, without its password."""
    table = schema.accounts
    with store.reading() as connection:
        row = connection.execute(select(table).where(table.c.account == name)).mappings().one_or_none()
    return _account(row) if row is not None and row["active"] else None


def list_accounts(store: Store, role: str | None = None) -> list[Account]:
    """Every account (of a role), inactive ones too, by role and name."""
    table = schema.accounts
    wanted = select(table) if role is None else select(table).where(table.c.role == role)
    with store.reading() as connection:
        rows = connection.execute(wanted).mappings().all()
    order = {role: position for position, role in enumerate(ROLES)}
    return sorted(map(_account, rows), key=lambda account: (order[account.role], account.account))


def with_password(store: Store, role: str | None = None) -> list[str]:
    """Names of the active accounts (of a role) that have a password, and so can sign in."""
    table = schema.accounts
    able = select(table.c.account).where(table.c.active, table.c.password_hash.is_not(None))
    with store.reading() as connection:
        return sorted(connection.scalars(able if role is None else able.where(table.c.role == role)))


def check_account_name(name: str) -> None:
    """Raise ValueError when nobody can have that name."""
    if not ACCOUNT_NAME.fullmatch(name):
        raise ValueError(
            "account must be 1-80 letters, digits or . _ @ + -, starting with a letter or digit, got "
            f"{name!r}"
        )


def verify_password(store: Store, name: str, password: str) -> Account | None:
    """The account, if the password is right.

    An unknown or inactive account, one without a password and a wrong password all take the same time and
    give the same answer, so that nobody can tell which names exist.
    """
    table = schema.accounts
    with store.reading() as connection:
        row = connection.execute(select(table).where(table.c.account == name)).mappings().one_or_none()
    usable = row is not None and row["active"] and bool(row["password_hash"])
    stored = row["password_hash"] if usable else _nobodys_hash()
    try:
        right = _hasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        right = False
    if not (usable and right):
        return None
    if _hasher().check_needs_rehash(stored):
        fresh = {"password_hash": _hasher().hash(password)}
        with store.writing() as connection:
            connection.execute(update(table).where(table.c.account == name).values(**fresh))
    return _account(row)


def write_demo_accounts(store: Store) -> list[Account]:
    """One account without a password per role, and one per advisor whom students name.

    Only a synthetic store accepts accounts without a password at sign-in (see ``dashboard.access``).
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


def _row(account: Account) -> dict:
    check_account_name(account.account)
    if account.role not in ROLES:
        raise ValueError(f"role must be one of {ROLES}, got {account.role!r}")
    codes = None if account.program_codes is None else list(account.program_codes)
    row = {"account": account.account, "display_name": account.display_name, "role": account.role}
    row |= {"program_codes": codes, "active": account.active}
    if account.password is not None:
        if len(account.password) < MIN_PASSWORD:
            raise ValueError(
                f"password must have at least {MIN_PASSWORD} characters, got {len(account.password)}"
            )
        row["password_hash"] = _hasher().hash(account.password)
    return row


def _account(row) -> Account:
    codes = None if row["program_codes"] is None else tuple(row["program_codes"])
    return Account(row["account"], row["display_name"], row["role"], codes, row["active"])


def _shown(name: str) -> str:
    return re.sub(r"[._@+-]+", " ", name).title()


@lru_cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # argon2id with the parameters that RFC 9106 recommends


@lru_cache
def _nobodys_hash() -> str:
    return _hasher().hash("the password of no account")
