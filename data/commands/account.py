"""``python -m data account``: create or change somebody who can sign in."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from data.commands.frame import ACTOR, Refusal, note, opened_store


def account(
    name: Annotated[str, typer.Argument(help="Name to sign in with; an advisor's as in the register.")],
    role: Annotated[
        str | None, typer.Option(help="leadership, advisor, registry, accreditation, auditor, …")
    ] = None,
    display_name: Annotated[str | None, typer.Option(help="Name on the screen.")] = None,
    program: Annotated[list[str] | None, typer.Option(help="Limit to this programme; repeatable.")] = None,
    every_program: Annotated[
        bool, typer.Option("--every-program", help="Lift the limit: every programme.")
    ] = False,
    active: Annotated[bool | None, typer.Option(help="Whether the account may sign in.")] = None,
    password: Annotated[
        bool | None, typer.Option(help="Ask for a new password; the default for a new account.")
    ] = None,
    provider: Annotated[
        bool,
        typer.Option("--provider", help="Let whoever has that name at the institution's sign-in have it."),
    ] = False,
) -> None:
    """Create an account, or change what is named of one and nothing else; shows it before and after.

    The password is asked for, never given on the command line. A change of role, programmes or password, and
    closing the account, signs its owner out everywhere.
    """
    from data.columns import ROLES
    from data.trust.account_names import as_account_name
    from data.trust.accounts import any_account, check_new_name

    if program and every_program:
        raise Refusal("--program and --every-program exclude each other")
    if role is not None and role not in ROLES:
        raise Refusal(f"--role must be one of {', '.join(ROLES)}; got {role!r}")
    name = as_account_name(name)
    with opened_store() as store:
        before = any_account(store, name)
        if before is None:
            check_new_name(store, name)
        after = _changed(before, name, role, display_name, active)
        if program or every_program:
            after = replace(after, program_codes=tuple(program) if program else None)
        if password or (password is None and before is None and not provider):
            secret = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
            after = replace(after, password=secret)
        if provider:
            return _bind(store, before, after)
        if after == before and after.password is None:
            typer.echo(f"nothing to change: {_in_words(after)}")
            return
        _write(store, before, after)
    typer.echo(f"before  {_in_words(before) if before else 'no account'}")
    typer.echo(f"after   {_in_words(after)}{'; new password' if after.password else ''}")


def _bind(store, before, after) -> None:
    from data.trust.audit import Entry
    from data.trust.identities import allow_binding

    if before is None or after != before:
        raise Refusal("--provider goes with an account that there is, and with no other change")
    entry = Entry(ACTOR, "system", "allow binding", after.account)
    fresh = allow_binding(store, after.account, entry)
    typer.echo(
        f"the next sign-in through the provider as {after.account!r} takes this account; after it the "
        "password opens nothing"
        if fresh
        else f"account {after.account!r} is the provider's already: nothing to change"
    )


def _changed(before, name: str, role: str | None, display_name: str | None, active: bool | None):
    from data.trust.accounts import Account

    named = {"role": role, "display_name": display_name, "active": active}
    named = {key: value for key, value in named.items() if value is not None}
    if before is not None:
        return replace(before, **named)
    if role is None:
        raise Refusal(f"there is no account {name!r} yet; a new one needs --role")
    return replace(Account(name, display_name or name, role), **named)


def _write(store, before, after) -> None:
    from data import queries
    from data.trust.accounts import change_account

    unknown = sorted(set(after.program_codes or ()) - set(queries.programs(store)["program_code"]))
    if unknown:
        note(f"the store has no programme {', '.join(unknown)} yet")
    change_account(store, before, after, ACTOR, "system")


def _in_words(account) -> str:
    codes = (
        "every programme"
        if account.program_codes is None
        else f"programmes {', '.join(account.program_codes)}"
    )
    state = "active" if account.active else "closed"
    return f"account {account.account!r} ({account.display_name}): {account.role}, {codes}, {state}"
