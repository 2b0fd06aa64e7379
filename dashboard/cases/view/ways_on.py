"""From a student to the next one of the list that was looked at, within reach wherever one has read to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import streamlit as st

from dashboard.shell import current_session
from dashboard.shell.session_keys import Key


def remember(name: str, keys: Iterable[str]) -> None:
    """Note whom a list shows and in which order; of several, the one drawn last comes first.

    Parameters
    ----------
    name : str
        Of the list.
    keys : iterable of str
        Students, as the list shows them.
    """
    lists = dict(st.session_state.get(Key.LISTED, {}))
    lists.pop(name, None)
    st.session_state[Key.LISTED] = lists | {name: list(keys)}


def list_of(student_key: str, lists: dict[str, Sequence[str]]) -> Sequence[str]:
    """The list that a student stands in; empty for one who came by another way."""
    return next((keys for keys in reversed(lists.values()) if student_key in keys), ())


def ways_on(student_key: str) -> None:
    """Back to the list, to the one before and to the next; stays at the foot of the screen."""
    words, pages = current_session.words(), current_session.pages()
    listed = list_of(student_key, st.session_state.get(Key.LISTED, {}))
    if not listed or not {"caseload", "student"} <= pages.keys():
        return
    place = list(listed).index(student_key)
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="ways-on"
    ):
        _way("before", listed[place - 1] if place else None, ":material/arrow_back:")
        said = words("student.place_in_list", n=place + 1, of=len(listed))
        st.page_link(pages["caseload"], label=said, help=words("student.back"), icon=":material/list:")
        _way("next", listed[place + 1] if place + 1 < len(listed) else None, ":material/arrow_forward:")


def _way(name: str, student_key: str | None, icon: str) -> None:
    st.page_link(
        current_session.pages()["student"],
        label=current_session.words()(f"student.{name}_in_list"),
        icon=icon,
        query_params={"s": student_key} if student_key else None,
        disabled=student_key is None,
    )
