"""Administrator: programs that may ask the JSON service."""

from __future__ import annotations

import streamlit as st

from dashboard.components.layout import card, empty_state, page_header
from dashboard.shell import current_session, stores
from dashboard.shell.view import tokens as parts
from data.settings import get_settings
from data.trust.tokens import list_tokens


def show() -> None:
    """Every token and its state, ending one, making one."""
    words, store = current_session.words(), stores.store()
    page_header(words("tokens.title"), words("tokens.lead"))
    if not get_settings().api:
        st.info(words("tokens.off"), icon=":material/power_off:")
    with card("make"):
        parts.make_form()
    listed = list_tokens(store)
    if not listed:
        return empty_state(words("tokens.none_title"), words("tokens.none_text"), ":material/key:")
    with card("tokens"):
        parts.table(listed)
        parts.end_form(listed)
