"""Whose turn it is: work in the background waits while a page is being drawn for somebody.

Python runs one thread at a time. A page that shares the time with work of the background takes twice as long;
so such work asks before each piece whether somebody waits. It waits no longer than :data:`PATIENCE` at a time
and goes on even where pages are drawn without a pause.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, local

PATIENCE = 2.0  # seconds that a piece of background work waits at most

_PAGES = Condition()
_drawn = [0]  # pages that are being drawn now
_THREAD = local()


@contextmanager
def page() -> Iterator[None]:
    """Within it a page is drawn for somebody who waits for it."""
    with _PAGES:
        _drawn[0] += 1
    try:
        yield
    finally:
        with _PAGES:
            _drawn[0] -= 1
            _PAGES.notify_all()


@contextmanager
def background() -> Iterator[None]:
    """Within it this thread gives way to pages, before each :func:`piece`."""
    _THREAD.pieces = 0
    try:
        yield
    finally:
        del _THREAD.pieces


@contextmanager
def piece() -> Iterator[None]:
    """Within it something is made that is kept; in the background it begins when nobody waits for a page.

    A piece within a piece begins at once: a page may be waiting for the one that has begun.
    """
    within = getattr(_THREAD, "pieces", None)
    if within is None:
        yield
        return
    if within == 0:
        with _PAGES:
            _PAGES.wait_for(lambda: _drawn[0] == 0, PATIENCE)
    _THREAD.pieces = within + 1
    try:
        yield
    finally:
        _THREAD.pieces = within
