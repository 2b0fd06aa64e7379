"""Reading whole lists of a Feeder, page by page, into a staging that outlives the process."""

from __future__ import annotations

from collections.abc import Callable

from data.feeder.lists import Cohorts, FeederList, filter_of, kept_rows
from data.feeder.protocol import AnswerError, FeederClient, FeederError
from data.feeder.staging import Page, Staging

PAGE_ROWS = 500
BEGINNINGS = 4  # how often a list is begun anew that changes while it is read

Progress = Callable[[int, int, str], None]  # done, total, what


class _Shifted(Exception):
    """A page does not go on where the one before it ended: rows came or went in between."""


def read_list(
    client: FeederClient,
    one: FeederList,
    staging: Staging,
    cohorts: Cohorts | None,
    *,
    term: str = "",
    page_rows: int = PAGE_ROWS,
    heard: Callable[[int], None] = lambda rows: None,
) -> bool:
    """Read what is missing of a list. Returns whether the service has the list at all.

    Every page begins with the last row of the one before it. So rows that came or went while the list was
    read are noticed, and a service that gives fewer rows than it was asked for loses none: a list ends where
    a page holds nothing new.

    Parameters
    ----------
    term : str
        The newest term, for a list that is asked for it alone.
    page_rows : int
        Rows asked for at a time, at least 2.
    heard : callable
        Called with the rows of the list so far, before every request.

    Raises
    ------
    data.feeder.protocol.FeederError
        When the service cannot be read, or the list changes faster than it can be read.
    """
    if page_rows < 2:
        raise ValueError(f"page_rows must be at least 2, got {page_rows}")
    # Not every Feeder can be asked by every field, nor knows every act: then all of the list, to be cut here,
    # or the other act with the same rows.
    cuts = dict.fromkeys((filter_of(one, cohorts, term), ""))
    ways = [(act, where) for act in (one.act, one.instead) if act for where in cuts]
    first, beginnings = None, BEGINNINGS
    while beginnings:
        try:
            _read_on(client, one, staging, *ways[0], page_rows, heard)
            return True
        except _Shifted:
            staging.forget(one)
            beginnings -= 1
        except AnswerError as problem:
            first = first or problem
            ways = ways[1:]
            if not ways and (not one.optional or staging.pages(one)):
                raise first from None
            if not ways:
                staging.add(one, Page([], True))
                return False
    raise FeederError(
        "shifting", f"{one.act}: the list changes while it is read; try again at a quieter hour"
    )


def _read_on(client, one, staging, act, where, page_rows, heard) -> None:
    pages = staging.pages(one)
    while not (pages and pages[-1].last):
        total = sum(len(page.rows) for page in pages)
        heard(total)
        answer = client.rows(
            act,
            where=where,
            order=one.order,
            limit=page_rows,
            offset=max(total - 1, 0),
            **({"tries": 0} if one.optional else {}),
        )
        rows = kept_rows(one, answer)
        if len(pages) == 1 and rows == pages[0].rows and len(rows) < page_rows:
            rows = []  # a short list of a service that knows no offset: that was all of it
        elif total:
            if not rows or _key(one, rows[0]) != _key(one, pages[-1].rows[-1]):
                raise _Shifted
            rows = rows[1:]
        staging.add(one, Page(rows, not rows))


def _key(one: FeederList, row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in one.key)
