"""One student: the risk in a sentence, its history, reasons, records, signature, notes."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard import app_state
from dashboard.charts.bands import risk_history
from dashboard.charts.records import term_timeline
from dashboard.components import student_parts as parts
from dashboard.components.case_log import case_log, override_badge
from dashboard.components.chart_panel import chart_panel
from dashboard.components.exports_bar import export_bar
from dashboard.components.filters import target_choice
from dashboard.components.layout import card, empty_state
from dashboard.components.reasons_panel import reasons_panel
from dashboard.components.specimen_panel import specimen_panel
from dashboard.components.student_pdf import student_pdf
from dashboard.components.whatif_panel import whatif_panel
from data import queries


def show() -> None:
    """Everything about the student whose opaque key stands in the address."""
    words, store, scope = app_state.words(), app_state.store(), app_state.scope()
    key = parts.chosen_key()
    if key is None:
        return parts.picker()
    found = queries.student(store, scope, key)
    if found.empty:
        return empty_state(words("student.denied_title"), words("student.denied_text"), ":material/lock:")
    app_state.audited_once("view_student", key)
    terms = queries.term_rows(store, scope, key)
    parts.student_header(found.iloc[0].to_dict(), terms)
    events = queries.case_events(store, scope, key)
    target = target_choice()
    history = parts.served_history(key, target)
    newest = stored = told = None
    about = (key, target)
    if history.empty:
        empty_state(words("student.not_scored_title"), words("student.not_scored_text"))
    else:
        newest = history.iloc[-1].to_dict()
        stored = parts.stored_explanation(newest)
        told = parts.explained(stored, target)
        edges = parts.band_edges(target)
        left, right = st.columns([1.15, 1], gap="medium")
        with left, card("risk"):
            parts.risk_sentence(newest, edges)
            override_badge(events, newest)
        with right, card("history"):
            chart = partial(risk_history, history, edges, words)
            chart_panel(chart, "history", *parts.titled("history"), about=about)
        with card("reasons"):
            reasons_panel(told, (*about, stored.score["score_id"]))
        with card("whatif"):
            whatif_panel(stored)
    if not terms.empty:
        with card("records"):
            chart = partial(term_timeline, terms, words)
            chart_panel(chart, "records", words("student.records_title"), about=(key,))
    signature = card("signature")  # filled last: a heat map takes a second or two
    with card("log"):
        case_log(key, events)
    with st.container(horizontal=True):
        export_bar(partial(parts.export_frame, history, terms, words), f"student-{key[:8]}", target=target)
        student_pdf(found.iloc[0].to_dict(), terms, events, newest, told)
    with signature:
        specimen_panel(queries.student_specimens(store, scope, key), stored)
