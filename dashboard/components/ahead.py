"""Work done ahead: what a reader may choose next is drawn in the background, so that nobody waits for it.

Pages keep what they have drawn (:func:`dashboard.shell.caches.made_once`), and readers of equal reach share
it. A first look at a programme or cohort would draw everything anew; here a thread draws it as soon as
somebody of that reach has opened the page, once per state of the data. It rests between two choices, and
gives way to pages that somebody waits for (:mod:`dashboard.shell.turns`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from threading import Thread

import streamlit as st

from dashboard.shell import current_session, stores, turns
from data import queries
from data.trust.scope import Scope

logger = logging.getLogger(__name__)
REST = 0.25  # seconds between two choices, for those who are waiting for a page


def draw_ahead(name: str, draw: Callable, choices: Iterable) -> None:
    """Call ``draw(choice)`` for every choice in the background, for readers like the one of this session.

    Parameters
    ----------
    name : str
        Of the page: done once per page, state of the data, reach and language.
    draw : callable
        Fills what :func:`dashboard.shell.caches.made_once` holds; draws no widget.
    choices : iterable
    """
    reader, language, version = (
        current_session.scope(),
        current_session.words().language,
        stores.data_version(),
    )
    key, zone = repr((name, version, reader.reach, language)), current_session.zone_name()
    _begun(key, partial(_draw_all, draw, tuple(choices), reader, language, version, zone))


def open_names_ahead() -> None:
    """Have the names that a search looks through opened before somebody has typed one."""
    if current_session.scope().may_identify:
        draw_ahead("names", lambda _: queries.prepare_search(stores.store()), (None,))


@st.cache_resource(ttl=3600, max_entries=32, show_spinner=False)
def _begun(key: str, _work: Callable[[], None]) -> Thread:
    thread = Thread(target=_work, name="ahead", daemon=True)
    thread.start()
    return thread


def _draw_all(
    draw: Callable, choices: tuple, reader: Scope, language: str, version: str, zone: str = ""
) -> None:
    try:
        for choice in choices:
            time.sleep(REST)
            with turns.background(), current_session.as_reader(reader, language, zone), stores.one_run():
                if stores.data_version() != version:
                    return  # whoever opens the page now begins anew
                draw(choice)
    except Exception:  # a page that is opened draws for itself, and says what is wrong
        logger.exception("drawing ahead failed")
