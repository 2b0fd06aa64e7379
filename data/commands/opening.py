"""Opening the store for a command: problems become one plain line and exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def opened_store() -> Iterator:
    """The store that the environment names; closed afterwards."""
    from data.engine.cipher import KeyProblem
    from data.store import open_store

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


def refusal(problem: object) -> typer.Exit:
    """Say what is wrong on standard error; the exit to raise."""
    typer.echo(f"error: {problem}", err=True)
    return typer.Exit(2)
