"""Whom an advisor is to offer help because a lot says so; of the other group nothing is read."""

from __future__ import annotations

import streamlit as st

from dashboard.cases import trials
from dashboard.cases.view.standing_parts import opening
from dashboard.components.layout import section
from dashboard.shell import current_session, stores
from dashboard.shell.access import may
from data import queries


def offers_panel() -> None:
    """The students drawn for an offer whose days are not over; nothing where there is nobody."""
    words, person = current_session.words(), current_session.person()
    if not may(person.role, "see offers"):
        return
    rows = queries.offers(stores.store(), current_session.scope(), current_session.today())
    if rows.empty:
        return
    with st.container(border=True, key="card-offers"):
        section(f"{words('offers.title')} · {words.number(len(rows))}", words("offers.help"))
        st.markdown(words("offers.lead"))
        opening(trials.offers_table(rows, stores.programs(), words), "offers", words("offers.title"))


def offer_line(key: str) -> None:
    """On a student's page: that help is to be offered, and until when."""
    words, person = current_session.words(), current_session.person()
    if not may(person.role, "see offers"):
        return
    rows = queries.offers(stores.store(), current_session.scope(), current_session.today(), key)
    if not rows.empty:
        st.info(words("offers.line", day=words.day(rows["offer_until"].iloc[-1])), icon=":material/casino:")
