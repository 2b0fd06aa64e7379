"""The frame of every command line: its commands, its exit codes, opening the store, refusing, notices.

``python -m data``, ``vision``, ``fusion`` and ``dashboard`` are made by :func:`command_line`. A command opens
the store by :func:`opened_store` and says what cannot be done by raising: :class:`Refusal`, or whatever the
function it calls raises. The frame turns that into one line on standard error and an exit code; anything else
that is raised is a mistake in the program and shows where.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from data.store import Store

DONE = 0
FOUND = 1
"""There is something to see to: refused rows, an altered log, nothing to serve, a no to a question."""
WRONG = 2
"""Wrong use, file, name, key or setting: nothing was done, and the same again would not be done either."""
NOTHING_TO_LEARN = 3
"""The register does not hold enough yet to train on."""
NO_ANSWER = 4
"""The database, or the cluster, does not answer: the same command later may be done."""
INTERRUPTED = 130

ACTOR = "command line"
"""Whom the audit log names when nobody is named."""
TRACEBACK = "TEPAT_TRACEBACK"
"""Environment variable: set, a refusal shows where in the program it was raised."""


class Refusal(Exception):
    """What a command cannot do, as a line for standard error.

    Parameters
    ----------
    said : str
        What is wrong and what to do.
    code : int
        Exit code.
    """

    def __init__(self, said: str, code: int = WRONG):
        super().__init__(said)
        self.code = code


class Frame(TyperGroup):
    """A group of commands whose refusals are one line and an exit code."""

    def invoke(self, ctx):
        """Run the command that the context names."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except Exception as problem:
            refusal = as_refusal(problem)
            if refusal is None or os.environ.get(TRACEBACK):
                raise
            typer.echo(f"{'refused' if refusal.code == FOUND else 'error'}: {refusal}", err=True)
            raise typer.Exit(refusal.code) from None


def command_line(package: str, names: Sequence[str], about: str) -> typer.Typer:
    """The command line of a package; each command lives in ``<package>/commands/<command>.py``.

    Parameters
    ----------
    package : str
        Such as ``data``.
    names : sequence of str
        Commands in the order in which they are listed. A name without its module is an error, not one
        command less.
    about : str
        What the commands are for, in one sentence.
    """
    app = typer.Typer(
        cls=Frame,
        help=about,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,  # locals hold records
    )
    for name in names:
        function = name.replace("-", "_")
        command = getattr(import_module(f"{package}.commands.{function}"), function)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


@contextmanager
def opened_store(
    *, may_make: bool = False, url: str | None = None, folder: Path | None = None
) -> Iterator[Store]:
    """The store that the environment names, at this software's revision; closed afterwards.

    Parameters
    ----------
    may_make : bool
        Whether to make store and key where there are none. Only commands that fill a store do.
    url, folder : optional
        Another store than the environment's, see :func:`data.store.open_store`.
    """
    from sqlalchemy.exc import ArgumentError

    from data.store import open_store

    try:
        store = open_store(url, folder=folder, create=may_make, upgrade=True)
    except ArgumentError:  # the URL is not repeated: it may hold a password
        said = "DATABASE_URL must be the address of a database, as postgresql://user:password@host/name"
        raise Refusal(said) from None
    try:
        yield store
    finally:
        store.close()


def note(said: str) -> None:
    """Say on standard error what the reader should know beside the answer."""
    typer.echo(f"note: {said}", err=True)


def note_invented(store: Store) -> None:
    """Say so when nothing in the store is about real people."""
    from data.trust.origin import is_synthetic

    if is_synthetic(store):
        note("synthetic demo data: nothing here is about real people")


def student_key(store: Store, student: str) -> str:
    """The key of a student given by number or key.

    Raises
    ------
    Refusal
        When there is no such student.
    """
    from data import queries
    from data.trust.scope import Scope

    found = queries.find_student(store, Scope.system(), student)
    if found is None:
        raise Refusal("--student must be the number or key of a student in the store")
    return found


def as_refusal(problem: Exception) -> Refusal | None:
    """What to tell of a problem; None when it is a mistake in the program.

    Functions of the packages raise ``ValueError``, ``LookupError`` and ``PermissionError`` with a sentence
    for whoever asked. One without a sentence comes from a mistake.
    """
    from pydantic import ValidationError
    from sqlalchemy.exc import DBAPIError

    from data.engine.cipher import KeyProblem
    from data.engine.migrate import NewerStore
    from data.engine.spread import NoCluster
    from data.store import NoStore, UnderWay

    if isinstance(problem, Refusal):
        return problem
    if isinstance(problem, ValidationError):
        return Refusal(_settings_said(problem))
    if isinstance(problem, DBAPIError):
        return _database_refusal(problem)
    if isinstance(problem, NoCluster):
        return Refusal(_sentence(problem), NO_ANSWER)
    if isinstance(problem, BrokenPipeError):  # whoever read the answer has left
        return None
    if isinstance(problem, OSError) and problem.strerror:
        return Refusal(": ".join(filter(None, (str(problem.filename or ""), problem.strerror))))
    stated = (ValueError, LookupError, OSError, KeyProblem, NewerStore, NoStore, UnderWay)
    if isinstance(problem, stated):
        said = _sentence(problem)
        return Refusal(said) if said else None
    return None


def _sentence(problem: Exception) -> str:
    """What a problem says, in one line; nothing when that is no sentence."""
    said = str(problem.args[0] if isinstance(problem, LookupError) and problem.args else problem)
    said = "; ".join(line.strip() for line in said.splitlines() if line.strip())
    return said if " " in said else ""


def _settings_said(problem) -> str:
    """Which settings are wrong, without their values: one of them is a key."""
    said = []
    for found in problem.errors(include_input=False, include_url=False):
        name = "_".join(map(str, found["loc"])).upper()
        name = name if name == "DATABASE_URL" else f"TEPAT_{name.removeprefix('TEPAT_')}"
        said.append(f"{name}: {found['msg'][:1].lower()}{found['msg'][1:]}")
    return "; ".join(said) + "; see docs/deployment.md"


def _database_refusal(problem) -> Refusal | None:
    """One line about a database that cannot be used; None for a statement that it does not take."""
    from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError

    said = (str(problem.orig).strip().splitlines() or [type(problem.orig).__name__])[0]
    if type(problem.orig).__module__.startswith("sqlite3"):
        if isinstance(problem, OperationalError) or type(problem) is DatabaseError:
            hint = "see that it is a store and that it may be written"
            return Refusal(f"the database file cannot be used ({said}): {hint}")
        return None
    if isinstance(problem, (InterfaceError, OperationalError)):
        hint = "see that its server runs and that DATABASE_URL names it, then try again"
        return Refusal(f"the database does not answer ({said}): {hint}", NO_ANSWER)
    return None
