"""What lists are worth, and the switch between the model and the credits-and-GPA rule."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.charts import model as charts
from dashboard.components.chart_panel import chart_panel
from dashboard.components.drafts import Draft
from dashboard.components.layout import card, section
from dashboard.components.table import draw_table
from dashboard.models import worth
from dashboard.shell import access, current_session, stores
from fusion.model.manifest import Manifest
from fusion.service.rule import serve_rule


def lists(manifest: Manifest, target: str, about: tuple) -> None:
    """Which to use, the real lists term by term, and the decision curve."""
    words = current_session.words()
    section(words("worth.title"), words("worth.help"))
    st.markdown(worth.choice_line(manifest, target, words))
    table = worth.lists_table(manifest, target, words)
    if table.empty:
        return
    draw_table(table, height="content", alt=words("worth.title"))
    frame = worth.curve(manifest, target)
    names = {arm: words(f"arm.{arm}") for arm in frame["arm"].unique()}
    chart = partial(charts.net_benefit, frame, names, words)
    chart_panel(chart, "net-benefit", words("worth.curve_title"), words("worth.curve_help"), about=about)


def switch(target: str) -> None:
    """Who may, turns from the model to the rule about a target, or back, with a reason."""
    person = current_session.person()
    if person is None or not access.may(person.role, "decide model"):
        return
    words, served, draft = current_session.words(), stores.rule_served(target), Draft("rule", target)
    with card("rule"), draft.form_here():
        section(words("rule.title"), words("rule.help"))
        reason = st.text_input(words("rule.reason"), max_chars=300, **draft.field("text"))
        sent = st.button(words("rule.on" if served is None else "rule.off"), key=f"{draft.key}-switch")
    if not sent:
        return draft.note()
    if not reason.strip():
        st.warning(words("rule.needs_reason"))
        return
    who = {"actor": person.account, "role": person.role}
    serve_rule(stores.store(), target, on=served is None, reason=reason, **who)
    draft.saved()
    st.rerun()
