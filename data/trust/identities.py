"""Accounts that sign in through the institution's own provider (OpenID Connect), and through it only.

A person is known by issuer and subject, of which a keyed hash is kept, never by a name that can be given to
somebody else. The account is made at the first sign-in; role and programmes are the provider's to say, at
every sign-in anew. An account that was there before is bound only where an administrator has allowed it,
since otherwise a name at the provider would open it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection, delete, insert, select, update

from data import schema
from data.engine.clock import now
from data.engine.database import Store
from data.trust.account_names import as_account_name, check_account_name
from data.trust.accounts import Account, account_of, end_sessions_in, write_in
from data.trust.audit import NOBODY, Entry, note_in

REMEMBERED = timedelta(days=1)  # how long an answer is known to have been taken; it is too old long before
REFUSALS = ("used", "no_role", "name_taken", "closed", "bad_name")


class NotAdmitted(PermissionError):
    """The provider knows somebody whom this store does not let in.

    Parameters
    ----------
    code : str
        Of :data:`REFUSALS`: the answer was taken before; it gives no role here; the account of that name is
        somebody else's; the account was closed here; nobody can have that name.
    """

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Claimed:
    """What the provider says of somebody, read by the institution's mapping.

    Parameters
    ----------
    issuer, subject : str
        Who it is, for ever.
    answer : str
        What no other answer of the provider has: its nonce.
    account, display_name : str
        For an account that is to be made.
    role : str or None
        None: the mapping gives none.
    program_codes : tuple of str or None
        None: every programme.
    """

    issuer: str
    subject: str
    answer: str
    account: str
    display_name: str
    role: str | None
    program_codes: tuple[str, ...] | None


def admit(store: Store, claimed: Claimed, address: str) -> Account:
    """The account that an answer of the provider opens; made, bound or changed as it says, and written down.

    An answer opens one session: it may lie in a browser's cookie for long after.

    Raises
    ------
    NotAdmitted
    """
    subject = store.cipher.keyed("provider subject", f"{claimed.issuer}\n{claimed.subject}")
    answer = store.cipher.keyed("provider answer", f"{claimed.issuer}\n{claimed.subject}\n{claimed.answer}")
    with store.reading() as connection:  # a cookie of before must not make a page wait for a long import
        if connection.scalar(select(schema.provider_answers.c.key).where(_is(answer))) is not None:
            raise NotAdmitted("used")
    with store.writing("accounts") as connection:
        if not _taken(connection, answer):
            raise NotAdmitted("used")
        found = _admitted(connection, claimed, subject)
        if isinstance(found, str):
            _refuse(connection, claimed, subject, found, address)
    if isinstance(found, str):
        raise NotAdmitted(found)
    return found


def allow_binding(store: Store, name: str, entry: Entry) -> bool:
    """Let the next sign-in through the provider under that name take the account; its password opens nothing
    from then on. Returns False where it is bound already.

    Raises
    ------
    LookupError
        When there is no such account.
    """
    table, accounts = schema.external_identities, schema.accounts
    with store.writing("accounts") as connection:
        if connection.scalar(select(accounts.c.account).where(accounts.c.account == name)) is None:
            raise LookupError(f"there is no account {name!r}")
        if connection.scalar(select(table.c.account).where(table.c.account == name)) is not None:
            return False
        connection.execute(insert(table).values(account=name, bound_at=now()))
        note_in(connection, entry)
    return True


def _is(answer: str):
    return schema.provider_answers.c.key == answer


def _taken(connection: Connection, answer: str) -> bool:
    """Take an answer; False when it was taken before."""
    table, at = schema.provider_answers, now()
    connection.execute(delete(table).where(table.c.at < at - REMEMBERED))
    if connection.scalar(select(table.c.key).where(_is(answer))) is not None:
        return False
    connection.execute(insert(table).values(key=answer, at=at))
    return True


def _admitted(connection: Connection, claimed: Claimed, subject: str) -> Account | str:
    """The account as it now is; or why there is none."""
    table, accounts = schema.external_identities, schema.accounts
    name = connection.scalar(select(table.c.account).where(table.c.subject == subject))
    bound = name is not None
    if not bound:
        name = as_account_name(claimed.account)
        try:
            check_account_name(name)
        except ValueError:
            return "bad_name"
    row = connection.execute(select(accounts).where(accounts.c.account == name)).mappings().one_or_none()
    before = None if row is None else account_of(row)
    if before is not None and not before.active:
        return "closed"
    if before is not None and not bound:
        waiting = select(table.c.account).where(table.c.account == name, table.c.subject.is_(None))
        if connection.scalar(waiting) is None:
            return "name_taken"
    if claimed.role is None:
        return "no_role"
    account = Account(name, claimed.display_name, claimed.role, claimed.program_codes)
    return _written(connection, account, subject, before)


def _written(connection: Connection, after: Account, subject: str, before: Account | None) -> Account | str:
    if before is not None:
        after = replace(after, display_name=before.display_name, once=before.once)
    if after != before:
        try:
            write_in(connection, after)
        except ValueError:  # a name that differs from another's by case alone
            return "name_taken"
        about = {"role": after.role, "program_codes": after.program_codes and list(after.program_codes)}
        if before is not None:
            codes = before.program_codes and list(before.program_codes)
            about["before"] = {"role": before.role, "program_codes": codes}
        note_in(connection, Entry("provider", "system", "write account", after.account, about))
    _bound(connection, after.account, subject)
    return after


def _bound(connection: Connection, name: str, subject: str) -> None:
    table = schema.external_identities
    mine = table.c.account == name
    row = connection.execute(select(table).where(mine)).mappings().one_or_none()
    if row is not None and row["subject"] == subject:
        if row["lost_at"] is not None:
            connection.execute(update(table).where(mine).values(lost_at=None))
        return
    values = {"subject": subject, "bound_at": now(), "lost_at": None}
    if row is None:
        connection.execute(insert(table).values(account=name, **values))
    else:
        connection.execute(update(table).where(mine).values(**values))
        end_sessions_in(connection, name)  # those of its password
    note_in(connection, Entry("provider", "system", "bind account", name))


def _refuse(connection: Connection, claimed: Claimed, subject: str, code: str, address: str) -> None:
    """Write a refusal down; whoever has lost the role is out everywhere."""
    table = schema.external_identities
    name = connection.scalar(select(table.c.account).where(table.c.subject == subject))
    if name is not None and code == "no_role":
        connection.execute(update(table).where(table.c.account == name).values(lost_at=now()))
        end_sessions_in(connection, name)
    about = {"address": address, "way": "provider", "why": code}
    note_in(connection, Entry(name or NOBODY, "", "sign_in_failed", name or NOBODY, about))
