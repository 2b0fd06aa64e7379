"""Advisor: agreed steps and when they are due; the week's digest."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from dashboard.cases import followups
from dashboard.cases.view.colleagues import advisor_names
from dashboard.cases.view.digest_panel import digest_panel
from dashboard.cases.view.followup_list import due_lists, settle, settled_receipt, whose_choice
from dashboard.components.exports_bar import export_bar
from dashboard.components.filters import target_choice
from dashboard.components.layout import empty_state, page_header
from dashboard.shell import current_session, stores
from dashboard.shell.view.looks import saw_list
from data import queries

AHEAD = timedelta(days=60)


def show() -> None:
    """What is overdue, due today, due this week, and later; and what changed this week."""
    words = current_session.words()
    page_header(words("followup.title"), words("followup.lead"))
    names = [words("followup.tab_due"), words("followup.tab_digest")]
    due, week = st.tabs(names, key="followup-tab", on_change="rerun")
    if week.open:
        with week:
            digest_panel(target_choice())
    else:
        with due:
            _due()


def _due() -> None:
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    settled_receipt()
    due = queries.followups_due(store, scope, current_session.today() + AHEAD)
    if due.empty:
        return empty_state(
            words("followup.empty_title"), words("followup.empty_text"), ":material/event_available:"
        )
    due = due.assign(at=current_session.here(due["at"]))
    listed = followups.owned(due, whose_choice(), current_session.person().account)
    if listed.empty:
        return empty_state(words("followup.none_of"), "", ":material/event_available:")
    saw_list("followups")
    settle(due_lists(listed, current_session.today()))
    export_bar(followups.as_table(listed, advisor_names(), words), "followups")
