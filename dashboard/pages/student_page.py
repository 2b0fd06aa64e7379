"""One student: the risk in a sentence, its history, reasons, records, signature, notes."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.cases.standing import is_past
from dashboard.cases.view.case_log import case_log
from dashboard.cases.view.offers import offer_line
from dashboard.cases.view.standing_parts import standing_card
from dashboard.cases.view.ways_on import ways_on
from dashboard.charts.records import term_timeline
from dashboard.components.chart_panel import chart_panel
from dashboard.components.exports_bar import export_bar
from dashboard.components.filters import target_choice
from dashboard.components.layout import card, empty_state, page_header
from dashboard.shell import auditing, current_session, stores
from dashboard.shell.view.looks import refused_student
from dashboard.students.view import parts
from dashboard.students.view.courses_card import courses_card
from dashboard.students.view.pdf import student_pdf
from dashboard.students.view.risk_cards import risk_cards
from dashboard.students.view.specimen_panel import specimen_panel
from data import queries
from data.records.told_terms import averaged


def show() -> None:
    """Everything about the student whose opaque key stands in the address."""
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    key = parts.chosen_key()
    if key is None:
        return parts.picker()
    students = queries.student(store, scope, key)
    if students.empty:
        refused_student(key)
        page_header(words("student.title"))
        return empty_state(words("student.denied_title"), words("student.denied_text"), ":material/lock:")
    auditing.audited_once("view_student", key)
    terms = averaged(queries.term_rows(store, scope, key))
    student = students.iloc[0].to_dict()
    row = parts.standing_of(key, student)
    parts.student_header(student, terms, row)
    offer_line(key)
    events = queries.case_events(store, scope, key)
    lead = st.container()  # above the choice of what the page is about, and filled after it
    target = target_choice()
    if row is not None and is_past(row):
        with lead:
            standing_card(row, not parts.served_history(key, "late").empty, target)
    else:
        row = None
    history = parts.served_history(key, target)
    newest, stored, told = risk_cards(history, events, terms, (student, target), row)
    if not terms.empty:
        with card("records"):
            chart = partial(term_timeline, terms, words)
            chart_panel(chart, "records", words("student.records_title"), about=(key,))
    courses_card(key)
    signature = card("signature")  # filled last: a heat map takes a second or two
    with card("log"):
        case_log(key, events)
    with st.container(horizontal=True):
        export_bar(partial(parts.export_frame, history, terms, words), f"student-{key[:8]}", target=target)
        student_pdf(student, terms, events, newest, told, row)
    ways_on(key)
    with signature:
        specimen_panel(queries.student_specimens(store, scope, key), stored)
