"""Recording a consent on the page: a new answer, a withdrawal, a new yes after a no."""

from __future__ import annotations

from datetime import date

import pandas as pd
import streamlit as st

from dashboard.components.layout import card, section
from dashboard.shell import current_session, stores
from dashboard.shell.access import may
from dashboard.shell.plain import plain, shown
from dashboard.shell.session_keys import Key
from dashboard.shell.view.account_names import name_of
from dashboard.verification.view.consent import answer_text
from data import queries
from data.columns import CONSENT_PURPOSES
from data.consents.consent import LONGEST_SOURCE, NeedsRenewal, record_consents

BADGES = {
    "granted": ("green", ":material/check:"),
    "renewed": ("green", ":material/check:"),
    "refused": ("red", ":material/close:"),
    "withdrawn": ("red", ":material/undo:"),
}


def told() -> None:
    """What the last act did."""
    said = st.session_state.pop(Key.CONSENT_TOLD, None)
    if said:
        kind, key = said
        say = {"success": st.success, "info": st.info, "error": st.error}[kind]
        say(current_session.words()(f"consent.{key}"))


def purposes(student_key: str, standing: pd.DataFrame) -> None:
    """A card per purpose: what holds, by which source, and how to change it."""
    words = current_session.words()
    for held, column in zip(standing.to_dict("records"), st.columns(3), strict=True):
        purpose = held["purpose"]
        with column, card(f"purpose-{purpose}"):
            section(words(f"consent.purpose_{purpose}"))
            st.caption(words(f"consent.about_{purpose}"))
            if not isinstance(held["decision"], str):
                st.badge(answer_text("none"), icon=":material/question_mark:", color="gray")
                continue
            color, icon = BADGES[held["decision"]]
            st.badge(answer_text(held["decision"]), icon=icon, color=color)
            st.markdown(
                words(
                    "consent.recorded",
                    day=words.day(held["decided_on"]),
                    who=plain(name_of(held["recorded_by"])),
                )
            )
            source = held["source"] if isinstance(held["source"], str) else words("consent.no_source")
            st.text(shown(source))
            if may(current_session.person().role, "record consent"):
                (_withdraw if held["granted"] else _renew)(student_key, held)


def record_form(student_key: str, standing: pd.DataFrame) -> None:
    """A form for the purposes that have no answer yet; several may come from one paper."""
    words = current_session.words()
    if not may(current_session.person().role, "record consent"):
        return
    section(words("consent.record_title"), words("consent.record_help"))
    open_ones = list(standing.loc[standing["decision"].isna(), "purpose"])
    if not open_ones:
        st.caption(words("consent.all_answered"))
        return
    with st.form("consent-record", border=False):
        chosen = st.pills(
            words("consent.record_for"),
            open_ones,
            selection_mode="multi",
            format_func=lambda one: words(f"consent.purpose_{one}"),
            key=current_session.field_of("consent-purposes", student_key),
            wrap=True,
        )
        answer = st.radio(
            words("consent.record_answer"),
            ["granted", "refused"],
            format_func=lambda one: words(f"consent.decision_{one}"),
            horizontal=True,
            key=current_session.field_of("consent-answer", student_key),
        )
        day, source = _paper(current_session.field_of("consent-record", student_key))
        sent = st.form_submit_button(
            words("consent.record"), type="primary", icon=":material/save:", key="consent-save"
        )
    if not sent:
        return
    if not chosen:
        st.error(words("consent.record_no_purpose"), icon=":material/error:")
    elif answer == "granted" and not source:
        st.error(words("consent.record_no_source"), icon=":material/error:")
    else:
        _record(student_key, [one for one in CONSENT_PURPOSES if one in chosen], answer, day, source)
        st.rerun()


def _withdraw(student_key: str, held: dict) -> None:
    """A withdrawal, after what follows from it was read."""
    words, purpose = current_session.words(), held["purpose"]
    name = current_session.field_of(f"withdraw-{purpose}", student_key)
    with st.popover(words("consent.withdraw"), icon=":material/undo:", key=name):
        st.markdown(f"**{_titled('withdraw_title', purpose)}**")
        st.markdown(words(f"consent.follows_{purpose}"))
        signed = len(queries.student_specimens(stores.store(), current_session.scope(), student_key))
        st.markdown(words("consent.stays", specimens=words.count("specimens", signed)))
        st.caption(words("consent.clock"))
        day, source = _paper(name)
        sure = st.checkbox(words("consent.withdraw_sure"), key=f"{name}-sure")
        if st.button(words("consent.withdraw_now"), type="primary", key=f"{name}-now", disabled=not sure):
            _record(student_key, [purpose], "withdrawn", day, source)
            st.rerun()


def _renew(student_key: str, held: dict) -> None:
    """A yes in spite of the no that stands."""
    words, purpose = current_session.words(), held["purpose"]
    name = current_session.field_of(f"renew-{purpose}", student_key)
    with st.popover(words("consent.renew"), icon=":material/restart_alt:", key=name):
        st.markdown(f"**{_titled('renew_title', purpose)}**")
        day, said = words.day(held["decided_on"]), answer_text(held["decision"])
        st.markdown(words("consent.renew_why", day=day, decision=said))
        day, source = _paper(name)
        sure = st.checkbox(words("consent.renew_sure"), key=f"{name}-sure")
        if not st.button(words("consent.renew_now"), type="primary", key=f"{name}-now", disabled=not sure):
            return
        if not source:
            st.error(words("consent.record_no_source"), icon=":material/error:")
            return
        _record(student_key, [purpose], "renewed", day, source)
        st.rerun()


def _titled(key: str, purpose: str) -> str:
    words = current_session.words()
    return words(f"consent.{key}", purpose=words(f"consent.purpose_{purpose}"))


def _paper(name: str) -> tuple[date, str]:
    """Date and source of what was signed or said."""
    words = current_session.words()
    day = st.date_input(
        words("consent.record_on"), value="today", max_value="today", format="DD/MM/YYYY", key=f"{name}-on"
    )
    source = st.text_input(
        words("consent.record_source"),
        max_chars=LONGEST_SOURCE,
        help=words("consent.record_source_help"),
        key=f"{name}-source",
    )
    return day, source.strip()


def _record(student_key: str, purposes: list[str], decision: str, day: date, source: str) -> None:
    person = current_session.person()
    about = {"actor": person.account, "role": person.role, "decided_on": day, "source": source}
    try:
        changed = record_consents(stores.store(), student_key, purposes, decision, **about)
    except NeedsRenewal:
        st.session_state[Key.CONSENT_TOLD] = ("error", "stands")
        return
    done = any(changed.values())
    st.session_state[Key.CONSENT_TOLD] = ("success", "record_done") if done else ("info", "record_same")
