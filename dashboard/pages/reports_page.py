"""Accreditation: instrument, programme and TS; the table as it prints; prepare, approve, take along."""

from __future__ import annotations

import streamlit as st

from dashboard.components.layout import card, empty_state, page_header
from dashboard.reporting.view import actions
from dashboard.reporting.view import preview as parts
from dashboard.reporting.view.pack import makes_packs, submission
from dashboard.reports.model import FiguresRefused
from dashboard.reports.profile_checks import ProfileError
from dashboard.shell import caches, current_session, stores
from dashboard.shell.plain import plain
from dashboard.shell.view.institution_panel import institution_panel


def show() -> None:
    """Choice, preview, figures by hand, files, approval, history, submission pack."""
    words = current_session.words()
    page_header(words("reports.title"), words("reports.lead"))
    if stores.is_mixed():
        return empty_state(words("app.mixed"), words("own.mixed_report"), ":material/warning:")
    register = caches.read_once(parts.read_register)
    if register.flow.empty or register.snapshot is None:
        return empty_state(words("state.store_empty_title"), words("state.store_empty_text"))
    chosen = parts.choose(register)
    try:
        table, provenance = caches.read_once(parts.compute, *chosen, (), ())
    except ProfileError:
        level = register.programs.set_index("program_code")["degree_level"].get(chosen[1], "–")
        name = parts.any_level(chosen[0]).instrument
        return empty_state(words("reports.no_level", instrument=name, level=level), "")
    by_hand = parts.fill_in(table)
    if any(by_hand):
        try:
            table, provenance = caches.read_once(parts.compute, *chosen, *by_hand)
        except FiguresRefused as refusal:
            st.error(words("reports.figures_refused", reason=plain(refusal)), icon=":material/block:")
    with card("report"):
        audience = actions.choose_audience("report-draft")
        frozen = actions.standing(table, *chosen)
        table, provenance = frozen or (table, provenance)
        provenance = parts.on_the_clock(provenance)
        parts.preview(actions.as_shown(table, audience), provenance)
    with card("report-files"):
        if frozen is None:
            st.caption(words("reports.draft_note"))
        actions.downloads(table, provenance, "report-draft", audience)
        if frozen is None:
            actions.prepare(table, provenance)
        actions.cohort_download(register, chosen[1], audience)
        actions.behind(table, provenance, "report-draft")
    with card("report-history"):
        actions.history(*chosen)
    if makes_packs():
        with card("report-pack"):
            submission(register, *chosen)
    institution_panel()
