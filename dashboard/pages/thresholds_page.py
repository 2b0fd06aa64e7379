"""How often the comparison of signatures errs, what a threshold costs, and where the figures come from."""

from __future__ import annotations

import streamlit as st

from dashboard.components.layout import card, page_header
from dashboard.shell import current_session
from dashboard.verification.view import thresholds as parts


def show() -> None:
    """Rates in front, the curve and the price of a threshold, every rate, whose signatures they are."""
    words = current_session.words()
    page_header(words("thresholds.title"), words("thresholds.lead"))
    with st.spinner(words("thresholds.measuring")):
        measured = parts.report()
    parts.figures(measured)
    left, right = st.columns(2, gap="medium")
    with left, card("det"):
        parts.curve(measured)
    with right, card("price"):
        parts.price(measured)
    with card("rates"):
        parts.table(measured)
    with card("origin"):
        parts.origin(measured)
    st.caption(words("signature.footer"))
