"""Before anybody is known: one click into a demo seat, the institution's own sign-in, or a password."""

from __future__ import annotations

import streamlit as st

from dashboard.shell import access, current_session, stores, tab_binding
from dashboard.shell.view import own_data, provider_sign_in
from dashboard.shell.view.account_dialog import whom_to_ask
from dashboard.shell.view.sidebar import LOGO, language_switch
from dashboard.shell.view.sign_in import demo_seats
from data.trust import accounts


def show() -> None:
    """The product's name, what it is, and the way in."""
    words, store = current_session.words(), stores.store()
    _, middle, _ = st.columns([1, 2.6, 1])
    with middle:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.image(str(LOGO), width=150, alt=words("app.name"))
            language_switch()
        st.title(words("app.tagline"), anchor=False)
        tab_binding.told_of_the_end()
        chosen = provider_sign_in.arrived()
        if chosen is not None:
            tab_binding.sign_in_as(chosen, "provider")
            st.rerun()
        provider_sign_in.door()
        seats = access.demo_seats(store)
        if stores.is_mixed():
            own_data.mixture_warning()
        elif not seats and provider_sign_in.only_passwords() and not accounts.with_password(store):
            st.info(words("sign_in.no_accounts"), icon=":material/person_add:")
        chosen = demo_seats(seats) if seats else provider_sign_in.password_form()
        if seats:
            own_data.own_data_card()
        else:
            whom_to_ask()
    if chosen is not None:
        tab_binding.sign_in_as(chosen, "seat" if seats else "password")
        st.rerun()
