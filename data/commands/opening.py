"""Opening the store for a command: problems become one plain line and exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def opened_store(*, may_make: bool = True) -> Iterator:
    """The store that the environment names; closed afterwards.

    Parameters
    ----------
    may_make : bool
        Whether the command may make a store and a key where there is none.
    """
    from data.engine.cipher import KeyProblem
    from data.store import open_store

    if not may_make:
        store_needed()
    try:
        store = open_store()
    except KeyProblem as problem:
        raise refusal(problem) from None
    try:
        yield store
    except (ValueError, LookupError, KeyProblem) as problem:
        raise refusal(problem) from None
    finally:
        store.close()


def store_needed() -> None:
    """End with a plain line and exit code 2 unless there is a store and its key is the right one."""
    from sqlalchemy.exc import SQLAlchemyError

    from data.engine.cipher import KeyProblem
    from data.store import NoStore, need_store

    try:
        need_store()
    except (NoStore, KeyProblem) as problem:
        raise refusal(problem) from None
    except SQLAlchemyError as problem:
        raise refusal(f"the database does not answer or is damaged ({type(problem).__name__})") from None


def refusal(problem: object) -> typer.Exit:
    """Say what is wrong on standard error; the exit to raise."""
    typer.echo(f"error: {problem}", err=True)
    return typer.Exit(2)
