"""Auditor: who looked at what, and whether the log is whole."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.components.exports_bar import export_bar
from dashboard.components.layout import empty_state, page_header
from dashboard.components.table import draw_table
from dashboard.shell import current_session, stores
from dashboard.shell.audit_words import audit_table
from dashboard.shell.view.audit_parts import chain_state, filters, found, in_words
from data.trust import accounts, audit

MOST = 500


def show() -> None:
    """The state of the chain, what to look for, and the newest entries of that kind."""
    words, store = current_session.words(), stores.store()
    page_header(words("audit.title"), words("audit.lead"))
    if not audit.newest_entry(store):
        return empty_state(words("audit.empty"), "", ":material/policy:")
    chain_state()
    people = {one.account: one.display_name for one in accounts.list_accounts(store)}
    looked = filters(people)
    entries = found(looked, MOST)
    if entries.empty:
        return empty_state(words("audit.none_found"), "", ":material/search_off:")
    zone = current_session.zone_name()
    shown = audit_table(entries, words, people, zone)
    draw_table(
        shown,
        height=min(36 * len(shown) + 38, 620),
        alt=words("audit.title"),
        written={shown.columns[1]: lambda told: f"{words.moment(told)}:{told:%S}"},
        stacked="audit",
    )
    if len(shown) == MOST:
        st.caption(words("audit.newest", n=MOST))
    export_bar(partial(audit_table, entries, words, people, zone), "audit", **in_words(looked, people))
