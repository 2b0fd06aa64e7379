"""Whether the store can be read, asked without ever making one."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy.exc import SQLAlchemyError

from data import queries
from data.engine.cipher import KeyProblem
from data.store import NoStore, open_store

DATABASE_PROBLEMS = (SQLAlchemyError, KeyProblem, NoStore)
"""What is raised where the store cannot be used now, whatever was asked of it."""


class StoreUnavailable(RuntimeError):
    """The store cannot be read now; the message is the kind of problem, without addresses or names."""


def served_version() -> str | None:
    """The name of the model in service, read from the store that the settings name.

    Raises
    ------
    StoreUnavailable
        When there is no store, its database does not answer, its key is missing or wrong, or it is at another
        revision than this software.
    """
    try:
        with closing(open_store(create=False)) as store:
            model = queries.served_model(store)
    except (SQLAlchemyError, KeyProblem, OSError, ValueError, RuntimeError) as problem:
        raise StoreUnavailable(type(problem).__name__) from problem
    return model.version if model else None
