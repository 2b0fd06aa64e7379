"""``python -m data init``: create the store or bring it to the newest revision; its first administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from data.commands.frame import ACTOR, Refusal, opened_store

if TYPE_CHECKING:
    from data.store import Store

FIRST = "admin"


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
    from data.engine.migrate import newest_revision
    from data.store import get_fact, set_fact
    from data.trust.origin import begin_own

    with opened_store(may_make=True) as store:
        own = begin_own(store)
        if not own and (ask or administrator):
            raise Refusal(
                f"{store.url} holds the demo; name another folder in TEPAT_FOLDER (or another DATABASE_URL) "
                "for data of your own"
            )
        if ask and not institution and not get_fact(store, "institution"):
            institution = _asked("Name of the institution").strip()
        if institution:
            set_fact(store, "institution", institution)
        if ask or administrator:
            _first_administrator(store, administrator)
        typer.echo(f"store      {store.url} at revision {newest_revision()}")
        typer.echo(f"folder     {store.folder}")
        typer.echo(f"key        fingerprint {store.cipher.fingerprint}; without the key nothing can be read:")
        typer.echo("           keep a copy elsewhere (python -m data key --copy-to FILE)")


def _first_administrator(store: Store, name: str) -> None:
    """An administrator who can sign in, unless there is one (of that name); asks for the password twice."""
    from data.trust import audit
    from data.trust.accounts import Account, check_account_name, find_account, with_password, write_accounts

    ready = with_password(store, "administrator")
    if name in ready or (not name and ready):
        return
    name = name or _asked("Account of the first administrator", default=FIRST).strip()
    check_account_name(name)
    known = find_account(store, name)
    if known is not None and known.role != "administrator":
        raise Refusal(f"account {name!r} exists and is {known.role}; choose another name")
    shown = name if known is None else known.display_name
    while True:
        secret = _asked("Password", hide_input=True, confirmation_prompt=True)
        try:
            write_accounts(store, [Account(name, shown, "administrator", password=secret)])
            break
        except ValueError as problem:  # too short, for example
            typer.echo(f"{problem}; once more")
    about = {"role": "administrator", "program_codes": None, "active": True}
    audit.append(store, actor=ACTOR, role="system", action="write account", object=name, detail=about)
    typer.echo(f"account    {name}, administrator")


def _asked(question: str, **how) -> str:

    try:
        return typer.prompt(question, **how)
    except typer.Abort:
        raise Refusal(
            f"nobody answered “{question}”: run this in a terminal, or give --institution and create the "
            "account with `python -m data account NAME --role administrator`"
        ) from None
