"""What is kept until when: the rule, what falls due, deleting it after a yes; for administrators."""

from __future__ import annotations

import streamlit as st

from dashboard.components.layout import section
from dashboard.components.table import draw_table
from dashboard.jobs import asking as jobs
from dashboard.jobs.nightly import waiting_for_night
from dashboard.jobs.retention_words import due_words, month_table, rule_words
from dashboard.shell import current_session, stores
from dashboard.shell.access import may_change_register
from data.calendar.clock import today
from data.keeping import retention
from data.keeping.rule import HOW, KEEP, MOST_YEARS, Rule


def retention_panel() -> None:
    """The section, for whoever may decide; nothing for others."""
    words, person, store = current_session.words(), current_session.person(), stores.store()
    if not may_change_register(person, "decide retention"):
        return
    rule = retention.rule_of(store)
    section(words("retention.title"), words("retention.help"))
    st.markdown(rule_words(rule, words))
    due = retention.due(store, today(store))
    st.markdown(due_words(due, words))
    ahead, more = month_table(retention.calendar(store), due.on, words)
    if not ahead.empty:
        draw_table(ahead, alt=words("retention.month_alt"))
    if more:
        st.caption(words("retention.more", n=more))
    with st.container(horizontal=True, key="retention-acts"):
        _decide(rule)
        if due.anything:
            _delete(due)
        _nightly()


def _decide(rule: Rule) -> None:
    words = current_session.words()
    with st.popover(words("retention.decide"), icon=":material/event:", key="retention-rule"):
        st.markdown(words("retention.decide_help"))
        with st.form("retention-form", border=False):
            years = {"min_value": 0, "max_value": MOST_YEARS, "step": 1}
            after_exit = st.number_input(words("retention.after_exit"), value=rule.after_exit, **years)
            at_most = st.number_input(words("retention.at_most"), value=rule.at_most, **years)
            records = st.selectbox(
                words("retention.records"),
                HOW,
                HOW.index(rule.records),
                format_func=lambda how: words(f"retention.choice_{how}"),
                help=words("retention.records_help"),
            )
            later = st.number_input(words("retention.records_after"), value=rule.records_after, **years)
            if st.form_submit_button(words("retention.decide_sure"), type="primary"):
                _set(Rule(int(after_exit), int(at_most), records or KEEP, int(later)))


def _set(rule: Rule) -> None:
    person = current_session.person()
    if not may_change_register(person, "decide retention"):
        raise PermissionError("the rule of retention is decided by an administrator")
    retention.decide(stores.store(), rule, actor=person.account, role=person.role)
    st.rerun()


def _delete(due: retention.Due) -> None:
    words = current_session.words()
    with st.popover(words("retention.delete"), icon=":material/delete_forever:", key="retention-delete"):
        st.markdown(due_words(due, words))
        st.warning(words("retention.delete_help"), icon=":material/warning:")
        sure = st.checkbox(words("retention.sure"), key="retention-sure")
        st.button(
            words("retention.delete_sure"),
            type="primary",
            key="retention-start",
            disabled=not sure,
            on_click=_start,
            kwargs={"on": due.on.isoformat()},
        )


def _nightly() -> None:
    words = current_session.words()
    if waiting_for_night(stores.store(), "retention") is not None:
        st.caption(words("retention.nightly_on"), width="content")
        return
    with st.popover(words("retention.nightly"), icon=":material/bedtime:", key="retention-nightly"):
        st.markdown(words("retention.nightly_help"))
        hour = st.number_input(words("retention.hour"), 0, 23, 2, key="retention-hour")
        sure = st.checkbox(words("retention.nightly_sure"), key="retention-nightly-sure")
        st.button(
            words("retention.nightly_start"),
            type="primary",
            key="retention-nightly-start",
            disabled=not sure,
            on_click=_start,
            kwargs={"hour": int(hour)},
        )


def _start(**arguments) -> None:
    jobs.start(stores.store(), current_session.person(), "retention", **arguments)
    for name in ("retention-delete", "retention-nightly", "retention-sure", "retention-nightly-sure"):
        st.session_state.pop(name, None)
