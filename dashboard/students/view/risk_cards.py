"""A student's risk on their page: the sentence, how it came about over time, its reasons, what-if."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.cases.view.case_log import override_badge
from dashboard.cases.view.standing_parts import rule_line, unlearned_card
from dashboard.charts.bands import risk_history
from dashboard.components.chart_panel import chart_panel
from dashboard.components.layout import card, empty_state
from dashboard.shell import caches, current_session, stores
from dashboard.students.view import parts
from dashboard.students.view.reasons_panel import reasons_panel
from dashboard.students.view.whatif_panel import whatif_panel
from data import queries
from data.queries import StoredExplanation
from fusion.explanation.explain import Explanation


def risk_cards(
    history: pd.DataFrame,
    events: pd.DataFrame,
    terms: pd.DataFrame,
    whose: tuple[dict, str],
    past: dict | None = None,
) -> tuple[dict | None, StoredExplanation | None, Explanation | None]:
    """Draw four cards, or say that there is no score.

    Parameters
    ----------
    history : DataFrame
        :func:`dashboard.students.view.parts.served_history`.
    events : DataFrame
        The student's case log.
    terms : DataFrame
        The student's terms, :func:`data.queries.term_rows`.
    whose : (dict, str)
        The row of :func:`data.queries.student`, and the target.
    past : dict, optional
        The row of ``queries.standing`` of a student whose normal time is over: a score that is no risk any
        more stays as history only.

    Returns
    -------
    newest : dict or None
        The newest score.
    stored, told : or None
        Its explanation as stored, and grouped by original feature.
    """
    words, (student, target) = current_session.words(), whose
    about = (student["student_key"], target)
    if unlearned_card(target):
        rule_line(about[0])
        return None, None, None
    in_order = stores.footing(target).ranks
    if past is not None and (target == "late" or pd.isna(past["dropout_risk"])):
        if not history.empty and not in_order:
            with card("history"):
                chart = partial(risk_history, history, parts.band_edges(target), words)
                chart_panel(chart, "history", *parts.titled("history"), about=about)
        return None, None, None
    if history.empty:
        left = parts.exit_of(student)
        why = words("student.exited_text", exit=left) if left else words("student.not_scored_text")
        empty_state(words("student.not_scored_title"), why)
        return None, None, None
    newest = history.iloc[-1].to_dict()
    reached = caches.read_once(queries.newest_term)
    if reached is not None and newest["as_of_term"] < reached:
        as_of, last = words.term(newest["as_of_term"]), words.term(reached)
        st.warning(words("standing.stale", term=as_of, newest=last), icon=":material/history:")
    stored = parts.stored_explanation(newest)
    told, edges = parts.explained(stored, target), parts.band_edges(target)
    left, right = st.columns([1.15, 1], gap="medium")
    with left, card("risk"):
        parts.risk_sentence(newest, edges)
        override_badge(events, newest)
    with right, card("history"):
        if in_order:
            st.caption(words("place.no_history"))
        else:
            chart = partial(risk_history, history, edges, words)
            chart_panel(chart, "history", *parts.titled("history"), about=about)
    with card("reasons"):
        reasons_panel(told, (*about, stored.score["score_id"]))
    with card("whatif"):
        whatif_panel(stored, terms)
    return newest, stored, told
