"""Registry: one image or one hand under several names, always beside what chance alone would give."""

from __future__ import annotations

import streamlit as st

from dashboard.components.exports_bar import export_bar
from dashboard.components.layout import card, empty_state, page_header
from dashboard.shell import auditing, current_session, stores
from dashboard.verification.view import duplicates as parts
from data.verification.duplicates import duplicate_findings, newest_search


def show() -> None:
    """The newest search, the pairs it found, the one selected."""
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    page_header(words("duplicates.title"), words("duplicates.lead"))
    search = newest_search(store)
    with card("search"):
        searching = parts.search_bar(search)
    if search is None and searching:
        return None  # the bar above says so
    if search is None:
        return empty_state(words("duplicates.none_title"), words("duplicates.none_text"), ":material/search:")
    parts.judged_receipt()
    kind, open_only = parts.filters()
    pairs = duplicate_findings(store, scope, kind=kind)
    rows = pairs[pairs["opinion"].isna()] if open_only else pairs
    if rows.empty:
        icon = ":material/task_alt:"
        return empty_state(words("duplicates.clear_title"), words("duplicates.clear_text"), icon)
    table = parts.as_table(rows)
    picked = parts.pair_table(table)
    export_bar(parts.for_export(table), "duplicates", kind=kind)
    if picked is None:
        return st.caption(words("duplicates.pick"))
    row = rows.iloc[picked].to_dict()
    auditing.audited_once("view_pair", f"{row['first_student']} {row['second_student']}")
    left, right = st.columns([1.6, 1], gap="medium")
    with left, card("pair"):
        parts.pair_view(row, search)
    with right, card("judge"):
        parts.opinion_form(row)
