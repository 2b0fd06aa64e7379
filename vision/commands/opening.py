"""What commands on the store share: opening it, a progress bar, problems as one plain line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

ACTOR = "command line"


@contextmanager
def opened(what: str) -> Iterator[tuple[object, Callable[[int, int], None]]]:
    """The store that the environment names, with numerical threads set, and a progress function."""
    from tqdm import tqdm

    from data.commands.opening import opened_store
    from data.settings import get_settings
    from vision.threads import use_threads

    use_threads(get_settings().threads)
    with opened_store() as store, tqdm(desc=what, unit="", mininterval=0.5) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        try:
            yield store, show
        except PermissionError as problem:
            raise refuse(problem) from None


def key_of(store, student: str) -> str:
    """The key of a student given by number or key."""
    from data import queries
    from data.trust.scope import Scope

    found = queries.find_student(store, Scope.system(), student)
    if found is None:
        raise LookupError("--student must be the number or key of a student in the store")
    return found


def refuse(problem: object) -> typer.Exit:
    """Say what is wrong on standard error; the exit to raise."""
    typer.echo(f"error: {problem}", err=True)
    return typer.Exit(2)
