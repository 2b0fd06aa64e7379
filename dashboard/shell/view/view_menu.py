"""Saved views of a page: named filters of one's own, opened by a click or by a link without personal data."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.shell import current_session, stores
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from data.cases import saved_views
from data.cases.saved_views import SavedView
from data.columns import BANDS, TARGETS

PAGE = "caseload"
ALL = ""  # the option of a select box that narrows nothing
WIDGETS = {  # what a view keeps → key of the widget that shows it
    "target": "target",
    "program_code": "program",
    "cohort_term": "cohort",
    "band": "band",
    "k": "k",
    "only_moved": "only_moved",
    "hide_quiet": "hide_quiet",
}


def list_lengths(longest: int) -> range:
    """The lengths that a list may have, in fives, up to the whole caseload of ``longest`` students or 100."""
    return range(5, max(min(longest, 100), 10) + 5, 5)


def take_view(programs: pd.DataFrame, cohorts: list[int], longest: int) -> None:
    """Set the filters to the view that the address or the menu asks for, once; call it before they are drawn.

    A value that this reader does not have, such as somebody else's programme, is left out.
    """
    wanted = st.session_state.pop(Key.VIEW_WANTED, None) or st.query_params.get("v")
    if wanted is None or wanted == st.session_state.get(Key.VIEW_SHOWN):
        return
    st.session_state[Key.VIEW_SHOWN] = st.query_params["v"] = wanted
    view = saved_views.find_view(stores.store(), PAGE, wanted)
    if view is None:
        st.toast(current_session.words()("views.gone"), icon=":material/link_off:")
        return
    allowed = {
        "target": list(TARGETS),
        "program_code": [None, *programs["program_code"]],
        "cohort_term": [None, *cohorts],
        "band": [None, *BANDS],
        "k": list_lengths(longest),
        "only_moved": [True, False],
        "hide_quiet": [True, False],
    }
    for name, widget in WIDGETS.items():
        if name in view.filters and view.filters[name] in allowed[name]:
            value = view.filters[name]
            st.session_state[widget] = ALL if value is None and widget in ("program", "cohort") else value


def view_menu(chosen: dict[str, Any]) -> None:
    """Own views, the link of the one shown, and a field to save the present filters under a name.

    Parameters
    ----------
    chosen : dict
        The present filters by name; others than those of :data:`WIDGETS` are not kept.
    """
    words, store, me = current_session.words(), stores.store(), current_session.person().account
    views = saved_views.list_views(store, me, PAGE)
    with st.popover(words("views.label"), icon=":material/bookmarks:", key="views"):
        if not views:
            st.caption(words("views.none"))
        for view in views:
            _own(view, shown=view.view_id == st.session_state.get(Key.VIEW_SHOWN))
        with st.form("save-view", border=False, clear_on_submit=True):
            name = st.text_input(
                words("views.name"), max_chars=saved_views.LONGEST_NAME, help=words("views.name_help")
            )
            saving = st.form_submit_button(words("views.save"), icon=":material/bookmark_add:")
        if saving and not name.strip():
            st.warning(words("views.needs_name"))
        elif saving:
            filters = {name: chosen[name] for name in WIDGETS}
            try:
                made = saved_views.save_view(store, me, PAGE, name, filters)
            except ValueError:
                st.warning(words("views.full", n=saved_views.MOST_VIEWS))
                return
            st.session_state[Key.VIEW_SHOWN] = st.query_params["v"] = made.view_id
            st.rerun()


def _own(view: SavedView, *, shown: bool) -> None:
    words = current_session.words()
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.button(
            plain(view.name),
            key=f"view-{view.view_id}",
            type="secondary" if shown else "tertiary",
            icon=":material/bookmark:",
            on_click=partial(_want, view.view_id),
            width="stretch",
        )
        st.button(
            words("views.delete", name=plain(view.name)),
            key=f"forget-{view.view_id}",
            icon=":material/delete:",
            type="tertiary",
            on_click=partial(_forget, view.view_id),
        )
    if shown:
        st.caption(words("views.link"))
        st.code(f"{st.context.url or ''}?v={view.view_id}", language=None, wrap_lines=True)


def _want(view_id: str) -> None:
    st.session_state.pop(Key.VIEW_SHOWN, None)
    st.session_state[Key.VIEW_WANTED] = view_id


def _forget(view_id: str) -> None:
    saved_views.delete_view(stores.store(), current_session.person().account, view_id)
    if st.session_state.get(Key.VIEW_SHOWN) == view_id:
        st.session_state.pop(Key.VIEW_SHOWN)
        st.query_params.pop("v", None)
