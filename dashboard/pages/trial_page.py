"""Leadership: do the talks help? Trials by lot near the capacity line, from protocol to result."""

from __future__ import annotations

import streamlit as st

from dashboard.cases.view.trial_parts import told, trial_card
from dashboard.cases.view.trial_plan import plan
from dashboard.components.layout import card, empty_state, page_header
from dashboard.shell import current_session, stores
from data import queries


def show() -> None:
    """What a trial is for, the trials there are with their steps, and planning another."""
    words, scope = current_session.words(), current_session.scope()
    page_header(words("trial.title"), words("trial.lead"))
    told()
    with st.expander(words("trial.why_title")):
        st.markdown(words("trial.why_text"))
    listed = queries.trials(stores.store(), scope)
    if not listed:
        empty_state(words("trial.none_title"), words("trial.none_text"), ":material/casino:")
    for trial in listed:
        trial_card(trial)
    with card("trial-plan"):
        plan(listed)
