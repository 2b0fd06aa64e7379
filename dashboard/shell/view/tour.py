"""Three steps for somebody who is here for the first time; closed once per account, opened again at will."""

from __future__ import annotations

import streamlit as st

from dashboard.shell import app_state
from data.cases import saved_views

STEPS = 3
PREFERENCE = "tour_closed"
PLACES = {  # where each step leads; None: it stays where it is
    "leadership": ("overview", "reports", "model"),
    "advisor": ("caseload", "student", "followups"),
    "registry": ("verification", "review", "data"),
    "accreditation": ("reports", "overview", "glossary"),
    "auditor": ("audit", "model", "glossary"),
    "administrator": ("data", "model", "audit"),
}


def tour() -> None:
    """The card on top of the page, until the account has closed it."""
    if _closed():
        return
    words, role = app_state.words(), app_state.person().role
    step = st.session_state.setdefault("tour_step", 0)
    with st.container(border=True, key="tour"):
        st.markdown(f"**{words('tour.title', step=step + 1, steps=STEPS)}**")
        st.markdown(words(f"tour.{role}_{step + 1}"))
        with st.container(horizontal=True, vertical_alignment="center"):
            last = step + 1 == STEPS
            st.button(words("tour.back"), key="tour-back", on_click=_go, args=(step - 1,), disabled=step == 0)
            st.button(
                words("tour.next"),
                key="tour-next",
                on_click=_go,
                args=(step + 1,),
                disabled=last,
                type="primary",
            )
            place = app_state.pages().get(PLACES[role][step])
            if place is not None:
                label = words("tour.open", page=words(f"nav.{PLACES[role][step]}"))
                st.page_link(place, label=label, icon=":material/arrow_forward:")
            st.button(words("tour.done" if last else "tour.close"), key="tour-close", on_click=_close)


def reopen_button() -> None:
    """The way back to the tour, for whoever closed it."""
    if _closed():
        st.button(
            app_state.words()("tour.reopen"),
            key="tour-reopen",
            icon=":material/tour:",
            type="tertiary",
            on_click=_reopen,
        )


def _closed() -> bool:
    """Whether the account has closed the tour; asked of the store once per session."""
    if PREFERENCE not in st.session_state:
        account = app_state.person().account
        st.session_state[PREFERENCE] = bool(
            saved_views.get_preference(app_state.store(), account, PREFERENCE, False)
        )
    return st.session_state[PREFERENCE]


def _go(step: int) -> None:
    st.session_state["tour_step"] = step


def _close() -> None:
    st.session_state[PREFERENCE] = True
    saved_views.set_preference(app_state.store(), app_state.person().account, PREFERENCE, True)


def _reopen() -> None:
    st.session_state[PREFERENCE] = False
    st.session_state["tour_step"] = 0
