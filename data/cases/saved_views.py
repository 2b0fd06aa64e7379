"""Filters that an account gave a name, and what the app remembers for an account. No student is in either.

A view's id is random and means nothing, so a link may carry it: whoever opens the link sees the filters
applied to their own rows. Searched words are never kept; they may be a name.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from data import schema
from data.engine.clock import now
from data.engine.database import Store

LONGEST_NAME, MOST_VIEWS = 80, 50
FILTERS = ("target", "program_code", "cohort_term", "band", "k", "only_moved", "hide_quiet")


@dataclass(frozen=True)
class SavedView:
    """Named filters of one page.

    Parameters
    ----------
    view_id : str
        Random; what a link carries.
    account : str
        Whose it is.
    page, name : str
        Where it applies, and what the account calls it.
    filters : dict
        Values by name, names of :data:`FILTERS`.
    """

    view_id: str
    account: str
    page: str
    name: str
    filters: dict[str, Any]


def save_view(store: Store, account: str, page: str, name: str, filters: dict[str, Any]) -> SavedView:
    """Keep filters under a name; an older view of that name and page is replaced and keeps its id.

    Raises
    ------
    ValueError
        When the name is empty or too long, a filter has no name of :data:`FILTERS`, or the account has
        :data:`MOST_VIEWS` views of that page.
    """
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(f"name must have 1 to {LONGEST_NAME} characters, got {len(name)}")
    unknown = set(filters) - set(FILTERS)
    if unknown:
        raise ValueError(f"filters must be of {', '.join(FILTERS)}, got {sorted(unknown)}")
    table = schema.saved_views
    mine = (table.c.account == account) & (table.c.page == page)
    row = {"account": account, "page": page, "name": name, "filters": filters, "created_at": now()}
    with store.writing() as connection:
        same = mine & (table.c.name == name)
        known = connection.scalar(select(table.c.view_id).where(same))
        if known:
            connection.execute(update(table).where(same).values(**row))
            return SavedView(known, account, page, name, filters)
        if len(connection.execute(select(table.c.view_id).where(mine)).all()) >= MOST_VIEWS:
            raise ValueError(f"views must be at most {MOST_VIEWS} per page; {account!r} has as many")
        view_id = secrets.token_urlsafe(9)
        connection.execute(insert(table).values(view_id=view_id, **row))
    return SavedView(view_id, account, page, name, filters)


def list_views(store: Store, account: str, page: str) -> list[SavedView]:
    """The account's views of a page, by name."""
    table = schema.saved_views
    statement = select(table).where(table.c.account == account, table.c.page == page).order_by(table.c.name)
    with store.reading() as connection:
        return [_view(row) for row in connection.execute(statement).mappings()]


def find_view(store: Store, page: str, view_id: str) -> SavedView | None:
    """The view that a link names, whoever saved it; None when there is none of that page."""
    table = schema.saved_views
    statement = select(table).where(table.c.view_id == view_id, table.c.page == page)
    with store.reading() as connection:
        row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _view(row)


def delete_view(store: Store, account: str, view_id: str) -> bool:
    """Forget one of the account's own views; whether there was one."""
    table = schema.saved_views
    with store.writing() as connection:
        gone = connection.execute(delete(table).where(table.c.view_id == view_id, table.c.account == account))
    return bool(gone.rowcount)


def get_preference(store: Store, account: str, name: str, default: Any = None) -> Any:
    """What is remembered for an account under a name."""
    table = schema.preferences
    wanted = select(table.c.value).where(table.c.account == account, table.c.name == name)
    with store.reading() as connection:
        row = connection.execute(wanted).one_or_none()
    return default if row is None else row[0]


def set_preference(store: Store, account: str, name: str, value: Any) -> None:
    """Remember a JSON value for an account."""
    table = schema.preferences
    same = (table.c.account == account) & (table.c.name == name)
    with store.writing() as connection:
        if connection.execute(update(table).where(same).values(value=value)).rowcount == 0:
            connection.execute(insert(table).values(account=account, name=name, value=value))


def _view(row) -> SavedView:
    return SavedView(row["view_id"], row["account"], row["page"], row["name"], dict(row["filters"]))
