"""What was read or drawn for a reader once serves every reader of equal reach, until data or model change.

Keys hold what an answer depends on (state of the data, model, reach of the reader), so that new data or a new
model shows at once and nobody sees an answer made for somebody else's rows.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping

import pandas as pd
import streamlit as st

from dashboard.shell import current_session, stores, turns


def read_once(call: Callable, *arguments):
    """The result of ``call(store, scope, *arguments)``, computed once per data, model, settings and scope.

    For aggregates that read many rows. What reads a few indexed rows is asked for directly. A frame comes as
    a shallow copy: pandas copies a column when somebody writes to it.
    """
    reader = current_session.scope()
    key = repr((call.__module__, call.__qualname__, stores.state_mark(), reader.reach, arguments))
    with turns.piece():
        result = _read(key, lambda: call(stores.store(), reader, *arguments))
    return result.copy(deep=False) if isinstance(result, pd.DataFrame) else result


@st.cache_resource(ttl=3600, max_entries=128, show_spinner=False)
def _read(key: str, _call: Callable):  # one text: Streamlit takes long to hash anything else
    return _call()


def made_once(name: str, about: tuple, make: Callable):
    """What ``make()`` makes, once per data, model, settings, reach of the reader, language and ``about``.

    Not to be changed by whoever gets it. ``about`` holds texts, numbers and None.
    """
    reach, language = current_session.scope().reach, current_session.words().language
    with turns.piece():
        return _made(repr((name, stores.state_mark(), reach, language, about)), make)


def each_once(
    name: str, about: tuple, keys: Iterable[Hashable], make: Callable[[list], Mapping[Hashable, object]]
) -> dict:
    """Key → what ``make(keys)`` makes for it, each once as by :func:`made_once`: only those that are new are
    asked for. A list that is made longer or put into another order is not worked out again.

    Keys for which nothing is made are left out.
    """
    held, wanted = made_once(name, about, dict), list(keys)
    missing = [key for key in wanted if key not in held]
    if missing:
        with turns.piece():
            held.update({**dict.fromkeys(missing), **make(missing)})
    return {key: held[key] for key in wanted if held[key] is not None}


@st.cache_resource(ttl=3600, max_entries=4096, show_spinner=False)
def _made(key: str, _make: Callable):
    return _make()
