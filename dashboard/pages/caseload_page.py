"""Advisor: whom to talk to, the new and the worsened first; own students only."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.cases import caseload
from dashboard.cases.view.bulk_log import bulk_log, bulk_receipt, selection_round
from dashboard.cases.view.caseload_parts import cutoff_line, enriched, worth_a_talk
from dashboard.cases.view.caseload_table import caseload_table, open_student
from dashboard.cases.view.offers import offers_panel
from dashboard.cases.view.standing_parts import by_rule, past_normal, rank_note
from dashboard.components.ahead import open_names_ahead
from dashboard.components.exports_bar import export_bar
from dashboard.components.filters import CaseFilter, case_filters
from dashboard.components.layout import empty_state, page_header
from dashboard.shell import caches, current_session, stores
from dashboard.shell.session_keys import Key
from dashboard.shell.view.looks import saw_list, searched
from data import queries


def show() -> None:
    """Filters, the line that says where the list ends, the list; a row opens the student."""
    words, size = current_session.words(), caches.read_once(queries.own_students)
    page_header(words("caseload.title"), words("caseload.lead", count=words.count("students", size)))
    if not size:
        return empty_state(words("caseload.none_title"), words("caseload.none_text"), ":material/group_off:")
    open_names_ahead()
    chosen = case_filters(stores.program_table(), caches.read_once(queries.own_cohorts), size)
    narrowed = (chosen.program_code, chosen.cohort_term, chosen.band)
    saw_list(
        "caseload", k=chosen.k, target=chosen.target, narrowed=":".join(map(str, filter(None, narrowed)))
    )
    if chosen.search:
        searched(chosen.search)
    bulk_receipt()
    offers_panel()
    silent, why = stores.unlearned(chosen.target)
    if silent:
        by_rule(chosen, why)
    else:
        by_risk(chosen)
    past_normal(chosen)


def by_risk(chosen: CaseFilter) -> None:
    """The students for whom the target still is a risk, by the model."""
    words, ranked = current_session.words(), worth_a_talk(chosen)
    rank_note(chosen.target)
    listed = caseload.ordered(ranked.head(chosen.k), caches.read_once(queries.newest_term))
    if chosen.only_moved:
        listed = listed[listed["moved"].isin(("new", "worse"))]
    if listed.empty:
        return empty_state(
            words("caseload.empty_title"), words("caseload.empty_text"), ":material/search_off:"
        )
    st.markdown(cutoff_line(ranked, listed, chosen.k))
    if stores.model_unreadable():
        st.warning(words("why.unreadable"), icon=":material/warning:")
    table = caseload.as_table(enriched(listed, chosen.target), stores.programs(), words)
    several = st.session_state.get(Key.SEVERAL, False)
    picked = caseload_table(table, f"caseload-{several}-{selection_round()}", several=several)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.toggle(words("bulk.several"), key=Key.SEVERAL, help=words("bulk.several_help"))
        st.caption(words("bulk.hint" if several else "caseload.open_hint"), width="content")
        export_bar(partial(caseload.for_export, table, words), "caseload", k=chosen.k, target=chosen.target)
    if several:
        bulk_log(picked)
    elif picked:
        open_student(picked[0])
