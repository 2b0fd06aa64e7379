"""Reading whole lists of a Feeder, page by page, into a staging that outlives the process."""

from __future__ import annotations

from collections.abc import Callable

from data.feeder.lists import Cohorts, FeederList, filter_of, kept_rows
from data.feeder.protocol import AnswerError, FeederClient, FeederError
from data.feeder.staging import Page, Staging

PAGE_ROWS = 500
MOST_ROWS = 20_000_000  # of all lists of a pull; 100,000 students with all their marks have a third
MOST_LETTERS = 2**32  # of all lists of a pull: each of so many rows with 200
MOST_PAGES = 100_000  # of a list: 5,000,000 marks by 50 at a time
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
        When the service cannot be read, or the list changes faster than it can be read; with code "endless"
        when it has more rows, characters or answers than any register (:data:`MOST_ROWS`,
        :data:`MOST_LETTERS`, :data:`MOST_PAGES`): what was read of it is let go.
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
    total = sum(len(page.rows) for page in pages)
    rows_so_far, letters_so_far = staging.size()
    while not (pages and pages[-1].last):
        for found, most, what in (
            (rows_so_far, MOST_ROWS, "rows"),
            (letters_so_far, MOST_LETTERS, "characters"),
            (len(pages), MOST_PAGES, "answers"),
        ):
            if found > most:
                staging.forget(one)
                raise FeederError(
                    "endless",
                    f"{one.act}: more than {most:,} {what} and no end, more than any register has; tell "
                    "whoever runs the service, or pull some cohorts alone",
                )
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
        page = Page(rows, not rows)
        staging.add(one, page)
        total += len(rows)
        rows_so_far, letters_so_far = rows_so_far + len(rows), letters_so_far + page.letters


def _key(one: FeederList, row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in one.key)
