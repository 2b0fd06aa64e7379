"""The field that finds a student by number or name among those that the reader may see."""

from __future__ import annotations

import streamlit as st

from dashboard.components.ahead import open_names_ahead
from dashboard.shell import current_session, stores
from dashboard.shell.people import named
from dashboard.shell.plain import plain
from dashboard.shell.view.looks import searched
from data import queries

LISTED = 20


def search_box(key: str, label: str) -> str | None:
    """A field and, once something was typed, the students that it finds.

    Parameters
    ----------
    key : str
        Of the field, in the session; never in the address, since a name may be typed.
    label : str
        Of the field.

    Returns
    -------
    str or None
        The key of the student chosen; None until somebody is.
    """
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    text = st.text_input(
        label,
        key=key,
        type="search",
        placeholder=label,
        live="300ms",
        help=words("verification.search_help"),
        icon=":material/search:",
    )
    if not text:
        open_names_ahead()
        return None
    matches = queries.search_students(store, scope, text, LISTED)
    searched(text)
    if matches.empty:
        st.caption(words("verification.search_none"))
        return None
    rows = matches.set_index("student_key")
    return st.pills(
        words("verification.search_matches", n=len(rows)),
        list(rows.index),
        format_func=lambda one: plain(named(rows.loc[one].to_dict())),
        key=f"{key.removesuffix('-search')}-matches",
        wrap=True,
    )
