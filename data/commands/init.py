"""``python -m data init``: create the store or bring it to the newest revision; its first administrator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from data.commands.frame import ACTOR, Refusal, opened_store

if TYPE_CHECKING:
    from data.store import Store

FIRST = "admin"
ROLE = "administrator"
INSTITUTION = "Name of the institution"
FIRST_ACCOUNT = "Account of the first administrator"


def init(
    institution: Annotated[str, typer.Option(help="Name shown on pages and exports.")] = "",
    administrator: Annotated[
        str, typer.Option(help="Account of the first administrator; its password is asked for.")
    ] = "",
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask for what is missing: institution and administrator.")
    ] = False,
) -> None:
    """Create or upgrade the store and its key.

    A new store is an institution's own from now on: no demo can be written into it.
    """
    from data.calendar.setting import rename_institution
    from data.engine.migrate import newest_revision
    from data.store import get_fact
    from data.trust.accounts import Account
    from data.trust.origin import begin_own

    answers = _asked_before(institution, administrator) if ask or administrator else None
    with opened_store(may_make=True) as store:
        _put_triggers_back(store)
        own = begin_own(store)
        if not own and (ask or administrator):
            raise Refusal(
                f"{store.url} holds the demo; name another folder in TEPAT_FOLDER (or another DATABASE_URL) "
                "for data of your own"
            )
        if answers is not None:
            institution = answers.institution
        elif ask and not institution and not get_fact(store, "institution"):
            institution = _asked(INSTITUTION).strip()
        if institution:
            rename_institution(store, institution, actor=ACTOR)
        if answers is not None:
            _write_administrator(store, Account(answers.name, answers.name, ROLE, password=answers.secret))
        elif ask or administrator:
            _first_administrator(store, administrator)
        typer.echo(f"store      {store.url} at revision {newest_revision()}")
        typer.echo(f"folder     {store.folder}")
        typer.echo(f"key        fingerprint {store.cipher.fingerprint}; without the key nothing can be read:")
        typer.echo("           keep a copy elsewhere (python -m data key --copy-to FILE)")


def _put_triggers_back(store: Store) -> None:
    """Where append-only triggers are missing or changed, put them back, and write down that they were."""
    from data.migrations.triggers import install_triggers, unguarded_tables
    from data.trust import audit

    with store.writing("migrate") as connection:
        tables = unguarded_tables(connection)
        if not tables:
            return
        install_triggers(connection)
        about = {"action": "restore triggers", "object": "database", "detail": {"tables": tables}}
        audit.append_in(connection, actor=ACTOR, role="system", **about)
    typer.echo(f"triggers   were missing or changed on {', '.join(tables)}; put back, and written down")


@dataclass(frozen=True)
class _Answers:
    """What a new store begins with."""

    institution: str
    name: str
    secret: str


def _asked_before(institution: str, administrator: str) -> _Answers | None:
    """The answers for a store that is not there yet, asked before anything is made; None where one is."""
    from data.store import NoStore
    from data.trust.account_names import as_account_name, check_account_name

    try:
        with opened_store():
            return None
    except NoStore:
        if administrator:
            check_account_name(as_account_name(administrator))
        institution = institution or _asked(INSTITUTION).strip()
        name = as_account_name(administrator or _asked(FIRST_ACCOUNT, default=FIRST))
        check_account_name(name)
        return _Answers(institution, name, _good_password(name))


def _good_password(name: str) -> str:
    """A password that the account may have, asked for until it is one."""
    from data.trust.passwords import check_password

    while True:
        secret = _asked("Password", hide_input=True, confirmation_prompt=True)
        try:
            check_password(secret, name, name)
            return secret
        except ValueError as problem:  # too short, for example
            typer.echo(f"{problem}; once more")


def _write_administrator(store: Store, account) -> None:
    from data.trust import audit
    from data.trust.accounts import write_accounts

    about = {"role": ROLE, "program_codes": None, "active": True}
    write_accounts(store, [account], audit.Entry(ACTOR, "system", "write account", account.account, about))
    typer.echo(f"account    {account.account}, {ROLE}")


def _first_administrator(store: Store, name: str) -> None:
    """An administrator who can sign in, unless there is one (of that name); asks for the password twice."""
    from data.trust.account_names import check_account_name
    from data.trust.accounts import Account, find_account, with_password

    ready = with_password(store, ROLE)
    if name in ready or (not name and ready):
        return
    name = name or _asked(FIRST_ACCOUNT, default=FIRST).strip()
    check_account_name(name)
    known = find_account(store, name)
    if known is not None and known.role != ROLE:
        raise Refusal(f"account {name!r} exists and is {known.role}; choose another name")
    shown = name if known is None else known.display_name
    _write_administrator(store, Account(name, shown, ROLE, password=_good_password(name)))


def _asked(question: str, **how) -> str:

    try:
        return typer.prompt(question, **how)
    except typer.Abort:
        raise Refusal(
            f"nobody answered “{question}”: run this in a terminal, or give --institution and create the "
            "account with `python -m data account NAME --role administrator`"
        ) from None
