"""Leadership: the state of cohorts and programmes at one glance; no single student."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import app_state, summaries
from dashboard.components import overview_parts as parts
from dashboard.components.chart_panel import chart_panel
from dashboard.components.exports_bar import export_bar
from dashboard.components.filters import group_filters
from dashboard.components.kpis import kpi_row
from dashboard.components.layout import card, empty_state, page_header
from dashboard.components.overview_prospects import gaps, health, outlook
from data import queries

BY = ("program", "cohort")


def show() -> None:
    """Filters, five figures, where the risk is, who stayed and finished, what may come, gaps, health."""
    words = app_state.words()
    programs = app_state.program_table()
    flow, progress = app_state.remember(queries.flow_counts), app_state.remember(queries.retention)
    page_header(words("overview.title"), words("overview.lead"))
    if flow.empty:
        return empty_state(words("state.store_empty_title"), words("state.store_empty_text"))
    chosen = group_filters(programs, flow["cohort_term"].unique().tolist())
    cube = app_state.remember(queries.cohort_cube, chosen.target)
    if cube.empty:
        empty_state(words("state.unscored_title"), words("state.unscored_text"), ":material/model_training:")
    flow = summaries.chosen(flow, chosen.program_code, chosen.cohort_term)
    cube = summaries.chosen(cube, chosen.program_code, chosen.cohort_term)
    progress = summaries.chosen(progress, chosen.program_code, chosen.cohort_term)
    last = summaries.last_completed_term(progress)
    about = tuple(vars(chosen).values())
    cohorts = parts.by_cohort(flow, programs, last, about)
    kpi_row(app_state.kept("kpis", about, partial(parts.kpis, flow, cohorts, cube, chosen)))
    left, right = st.columns(2)
    with left, card("bands"):
        chart, title = partial(parts.bands_chart, cube), words("overview.bands_title")
        chart_panel(chart, "bands", title, choices=BY, about=about)
    with right, card("retention"):
        chart = partial(parts.retention_chart, progress)
        chart_panel(chart, "retention", *parts.titled("retention"), about=about)
    left, right = st.columns(2)
    with left, card("outcomes"):
        chart = partial(parts.outcomes_chart, flow, programs, last, cohorts)
        chart_panel(chart, "outcomes", *parts.titled("outcome"), choices=BY[::-1], about=about)
        st.caption(parts.not_observable(cohorts))
    with right, card("funnel"):
        chart = partial(parts.funnel_chart, cohorts)
        chart_panel(chart, "funnel", *parts.titled("funnel"), about=about)
    outlook(flow, programs, cohorts, chosen, last)
    gaps(programs, chosen, last)
    with card("health"):
        health()
    export_bar(partial(parts.export_frame, cube, words), "overview", **vars(chosen))
