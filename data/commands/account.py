"""``python -m data account``: create or change somebody who can sign in."""

from __future__ import annotations

from typing import Annotated

import typer


def account(
    name: Annotated[str, typer.Argument(help="Name to sign in with; an advisor's as in the register.")],
    role: Annotated[str, typer.Option(help="leadership, advisor, registry, accreditation, auditor, …")],
    display_name: Annotated[str, typer.Option(help="Name on the screen.")] = "",
    program: Annotated[list[str] | None, typer.Option(help="Limit to this programme; repeatable.")] = None,
    active: Annotated[bool, typer.Option(help="Whether the account may sign in.")] = True,
    password: Annotated[bool, typer.Option(help="Ask for a new password.")] = True,
) -> None:
    """Create or change an account; the password is asked for, never given on the command line."""
    from data import audit
    from data.accounts import Account, write_accounts
    from data.commands.opening import opened_store

    secret = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if password else None
    codes = tuple(program) if program else None
    with opened_store() as store:
        write_accounts(store, [Account(name, display_name or name, role, codes, active, secret)])
        about = {"role": role, "program_codes": program or None, "active": active}
        audit.append(
            store, actor="command line", role="system", action="write account", object=name, detail=about
        )
    typer.echo(f"account {name!r}: {role}, {'active' if active else 'not active'}")
