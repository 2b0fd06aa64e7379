"""``python -m data token``: programs that may ask the JSON service."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.frame import ACTOR, FOUND, note, opened_store
from data.trust.tokens import DEFAULT_DAYS, MOST_DAYS, SCOPES

token = typer.Typer(help="Tokens of programs that ask the JSON service.", no_args_is_help=True)

NAME = typer.Argument(help="What the program is called.")
SCOPE = typer.Option(help=f"What it may: {', '.join(SCOPES)}; repeatable.")
PROGRAM = typer.Option(help="Limit to this programme; repeatable.")
DAYS = typer.Option(min=1, max=MOST_DAYS, help="Until it ends by itself.")


@token.command()
def create(
    name: Annotated[str, NAME],
    scope: Annotated[list[str], SCOPE],
    program: Annotated[list[str] | None, PROGRAM] = None,
    days: Annotated[int, DAYS] = DEFAULT_DAYS,
) -> None:
    """Make a token. It is printed once; the store keeps only its hash."""
    from data.trust import tokens

    with opened_store() as store:
        made, secret = tokens.create_token(
            store, name, scope, program_codes=program or None, days=days, actor=ACTOR, role="system"
        )
    note(f"{_in_words(made)}; nobody can show it again")
    typer.echo(secret)


@token.command("list")
def list_() -> None:
    """Every token with what it may and its state; never the token itself."""
    from data.trust import tokens

    with opened_store() as store:
        for one in tokens.list_tokens(store):
            used = f"{one.last_used_at:%Y-%m-%d %H:%M}Z" if one.last_used_at else "never"
            typer.echo(f"{_in_words(one)}, last used {used}, made by {one.created_by}")


@token.command()
def revoke(name: Annotated[str, NAME]) -> None:
    """End a token at once."""
    from data.trust import tokens

    with opened_store() as store:
        fresh = tokens.revoke_token(store, name, actor=ACTOR, role="system")
    typer.echo(f"token {name!r} {'is' if fresh else 'was already'} revoked")
    if not fresh:
        raise typer.Exit(FOUND)


def _in_words(one) -> str:
    codes = "every programme" if one.program_codes is None else f"programmes {', '.join(one.program_codes)}"
    until = f"until {one.expires_at:%Y-%m-%d}"
    return f"token {one.name!r}: {', '.join(one.scopes)}; {codes}, {one.state()}, {until}"
