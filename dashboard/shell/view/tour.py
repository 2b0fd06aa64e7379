"""Three steps for somebody who is here for the first time; closed once per account, opened again at will."""

from __future__ import annotations

import streamlit as st

from dashboard.shell import current_session, stores
from dashboard.shell.session_keys import Key
from data.cases import saved_views

STEPS = 3
PREFERENCE = "tour_closed"  # of the account, in the store
PLACES = {  # where each step leads; None: it stays where it is
    "leadership": ("overview", "reports", "model"),
    "advisor": ("caseload", "student", "followups"),
    "registry": ("verification", "review", "data"),
    "accreditation": ("reports", "overview", "glossary"),
    "auditor": ("audit", "model", "glossary"),
    "administrator": ("data", "model", "audit"),
}


def tour(here: object = None) -> None:
    """The card on top of the page, until the account has closed it.

    Parameters
    ----------
    here : st.Page, optional
        The page below it, to which no step has to lead.
    """
    if _closed():
        return
    words, role = current_session.words(), current_session.person().role
    step = st.session_state.setdefault(Key.TOUR_STEP, 0)
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
            place = current_session.pages().get(PLACES[role][step])
            if place is not None and place != here:
                label = words("tour.open", page=words(f"nav.{PLACES[role][step]}"))
                st.page_link(place, label=label, icon=":material/arrow_forward:")
            st.button(words("tour.done" if last else "tour.close"), key="tour-close", on_click=_close)


def reopen_button() -> None:
    """The way back to the tour, for whoever closed it."""
    if _closed():
        st.button(
            current_session.words()("tour.reopen"),
            key="tour-reopen",
            icon=":material/tour:",
            type="tertiary",
            on_click=_reopen,
        )


def _closed() -> bool:
    """Whether the account has closed the tour; asked of the store once per session."""
    if Key.TOUR_CLOSED not in st.session_state:
        account = current_session.person().account
        st.session_state[Key.TOUR_CLOSED] = bool(
            saved_views.get_preference(stores.store(), account, PREFERENCE, False)
        )
    return st.session_state[Key.TOUR_CLOSED]


def _go(step: int) -> None:
    st.session_state[Key.TOUR_STEP] = step


def _close() -> None:
    st.session_state[Key.TOUR_CLOSED] = True
    saved_views.set_preference(stores.store(), current_session.person().account, PREFERENCE, True)


def _reopen() -> None:
    st.session_state[Key.TOUR_CLOSED] = False
    st.session_state[Key.TOUR_STEP] = 0
