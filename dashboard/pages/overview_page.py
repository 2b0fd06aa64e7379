"""Leadership: the state of cohorts and programmes at one glance; no single student."""

from __future__ import annotations

import streamlit as st

from dashboard.cases.view.standing_parts import rank_note, unlearned_card
from dashboard.cohorts.view import overview as parts
from dashboard.cohorts.view.compare import compare_card
from dashboard.cohorts.view.courses import bottleneck_card
from dashboard.cohorts.view.given import Given
from dashboard.cohorts.view.meeting import meeting_pack
from dashboard.cohorts.view.picking import picker
from dashboard.cohorts.view.prospects import gaps, health, outlook, prepare_overview
from dashboard.cohorts.view.reasons import nothing_drawn, reasons_card
from dashboard.components.ahead import draw_ahead
from dashboard.components.chart_panel import chart_panel
from dashboard.components.exports_bar import export_bar
from dashboard.components.filters import group_choices, group_filters, programs_in_reach, way_back
from dashboard.components.kpis import kpi_row
from dashboard.components.layout import card, empty_state, page_header, section
from dashboard.jobs.view.next_steps import next_steps
from dashboard.shell import caches, current_session, stores
from dashboard.shell.access import may_manage_accounts
from data import queries


def show() -> None:
    """Filters, five figures, where the risk is, who stayed and finished, what may come, gaps, health."""
    words, flow = current_session.words(), caches.read_once(queries.flow_counts)
    page_header(words("overview.title"), words("overview.lead"))
    if flow.empty:
        if "data" not in current_session.pages():
            empty_state(words("state.store_empty_title"), words("state.store_empty_text"))
        return next_steps("overview", follow=True)
    programs, cohorts = programs_in_reach(), flow["cohort_term"].unique().tolist()
    chosen = group_filters(programs, cohorts)
    way_back(chosen)
    if not unlearned_card(chosen.target):
        rank_note(chosen.target)
    if stores.served_version() is None or may_manage_accounts(current_session.person()):
        next_steps("overview", follow=True)
    given = Given(chosen)
    if given.last is None:
        empty_state(words("state.no_terms_title"), words("state.no_terms_text"), ":material/calendar_month:")
    panels, pick = parts.panels(given), picker(given)
    kpi_row(parts.kpis(given))
    left, right = st.columns(2)
    with left, card("bands"):
        if given.cube.empty:
            section(words("overview.bands_title"))
            st.caption(words(f"overview.{nothing_drawn()}"))
        else:
            chart_panel(**panels["bands"], title=words("overview.bands_title"), on_pick=pick)
    with right, card("retention"):
        chart_panel(**panels["retention"], **parts.titled("retention"))
        st.caption(parts.gaps_left(given))
    left, right = st.columns(2)
    with left, card("outcomes"):
        chart_panel(**panels["outcomes"], **parts.titled("outcome"), on_pick=pick)
        for note in parts.outcome_notes(given):
            st.caption(note)
    with right, card("funnel"):
        chart_panel(**panels["funnel"], **parts.titled("funnel"), on_pick=pick)
    compared = compare_card(given)
    reasons_card(given)
    bottleneck_card(chosen.program_code)
    outlook(given)
    attribute = gaps(given)
    with card("health"):
        health(chosen.target)
    with st.container(horizontal=True, key="take-along"):
        export_bar(parts.export_frame(given), "overview", about_people=False, **vars(chosen))
        meeting_pack(given, compared, attribute)
    draw_ahead("overview", prepare_overview, group_choices(programs, cohorts))
