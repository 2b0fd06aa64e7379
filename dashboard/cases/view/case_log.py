"""Notes, contacts, agreed steps and overrides: a form and what was logged so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

import pandas as pd
import streamlit as st

from dashboard.cases import followups
from dashboard.cases.view.colleagues import advisor_names
from dashboard.components.drafts import Draft
from dashboard.components.layout import section
from dashboard.shell import auditing, current_session, stores
from dashboard.shell.plain import plain, shown
from data.cases.events import CLOSING_KINDS, RESULTS, STEP_KINDS, add_case_event, withdraw_case_events
from data.columns import BANDS

KINDS = ("note", "contact", "intervention", "outcome", "no_action", "snooze", "override")
ICONS = dict(
    zip(
        KINDS,
        ("edit_note", "call", "handshake", "flag", "block", "notifications_paused", "rule"),
        strict=True,
    )
)
DATED = ("contact", "intervention", "snooze")
OWNED = ("contact", "intervention")
TEXT_FIELD = {"contact": "how", "intervention": "what", "no_action": "reason", "override": "reason"}
BAND_COLORS = {"low": "blue", "moderate": "yellow", "high": "orange", "very_high": "red"}


def case_log(student_key: str, events: pd.DataFrame) -> None:
    """Offer the form and list the events, the newest first.

    Parameters
    ----------
    student_key : str
        Whom the entries are about.
    events : DataFrame
        ``event_id``, ``at``, ``actor``, ``kind``, ``detail`` (dict; see :mod:`data.cases.events`).
    """
    words = current_session.words()
    section(words("student.notes_title"), words("event.text_help"))
    left, right = st.columns([1, 1.2], gap="large")
    with left:
        _form(student_key, followups.open_steps(events))
    with right:
        if events.empty:
            st.caption(words("event.none"))
        colleagues = advisor_names()
        told = events[events["kind"] != "settled"].sort_values("event_id", ascending=False)
        settled = followups.settled_on(events)
        for event in told.to_dict("records"):
            _entry(event, colleagues, settled.get(event["event_id"]))


def override_badge(events: pd.DataFrame, score: dict | None) -> None:
    """The band that an advisor put in the model's place since the newest score, with the reason."""
    made = events[events["kind"] == "override"]
    if made.empty or score is None or made["at"].max() < pd.Timestamp(score["scored_at"]):
        return
    words, newest = current_session.words(), made.sort_values("event_id").iloc[-1]
    band = newest["detail"].get("band")
    if band in BANDS:
        shown = words("event.overridden", band=words(f"band.{band}"))
        st.badge(shown, icon=":material/rule:", color=BAND_COLORS[band])
        st.caption(f"{plain(newest['detail']['reason'])} · {current_session.day(newest['at'])}")


def kind_field(draft: Draft, kinds: Sequence[str]) -> str:
    """The choice of what kind of entry is written; the first one unless told otherwise.

    It stays after a saving: a choice made while the saving ends would otherwise be taken back.
    """
    words = current_session.words()
    return st.pills(
        words("event.kind"),
        list(kinds),
        default=kinds[0],
        required=True,
        wrap=True,
        format_func=lambda name: f":material/{ICONS[name]}: {words(f'event.{name}')}",
        **draft.lasting("kind"),
    )


def step_fields(kind: str, draft: Draft) -> dict | None:
    """The fields of an entry of ``kind``; its detail, or None while something is missing.

    A field that several kinds have is the same one: what was typed stays when another kind is chosen.
    """
    words = current_session.words()
    label = words("event.reason" if kind == "override" else "event.text")
    detail: dict = {}
    lacking = False
    if kind == "override":
        detail["band"] = st.selectbox(
            words("event.override_band"),
            list(BANDS),
            format_func=lambda band: words(f"band.{band}"),
            help=words("event.override_help"),
            **draft.field("band"),
        )
    if kind == "outcome":
        detail["result"] = st.selectbox(
            words("event.result"),
            list(RESULTS),
            index=None,
            format_func=lambda name: words(f"result.{name}"),
            placeholder=words("event.result_hint"),
            **draft.field("result"),
        )
    about = {"height": 84, "max_chars": 1000, "help": words("event.text_help")}
    text = st.text_area(label, **about, **draft.field("text"))
    if kind in DATED:
        due = _due(kind, draft)
        lacking = due is None and kind != "contact"  # somebody has emptied the field
        detail |= {} if due is None else {"due_on": due.isoformat()}
    if kind in OWNED:
        detail["owner"] = _owner(draft)
    detail[TEXT_FIELD.get(kind, "text")] = text.strip()
    lacking = lacking or (kind == "outcome" and detail["result"] is None)
    return detail if text.strip() and not lacking else None


def _due(kind: str, draft: Draft) -> date | None:
    """The day of the next step; a contact has none unless one is chosen. A day chosen holds for any kind."""
    words, contact = current_session.words(), kind == "contact"
    field = draft.field("due")
    key, offered = field["key"], f"{field['key']}-offered"
    if st.session_state.get(key) == st.session_state.get(offered):
        st.session_state[key] = None if contact else current_session.today() + timedelta(days=14)
        st.session_state[offered] = st.session_state[key]
    return st.date_input(
        words("event.due_if" if contact else "event.due"),
        min_value=current_session.today(),
        format="DD/MM/YYYY",
        help=words("event.due_if_help") if contact else None,
        **field,
    )


def _owner(draft: Draft) -> str:
    words, me, colleagues = current_session.words(), current_session.person().account, advisor_names()
    return st.selectbox(
        words("event.owner"),
        [me, *(name for name in colleagues if name != me)],
        format_func=lambda name: words("event.me") if name == me else shown(colleagues.get(name, name)),
        accept_new_options=True,
        help=words("event.owner_help"),
        **draft.field("owner"),
    )


def _settles(kind: str, steps: list[dict], draft: Draft) -> list[int]:
    """Which open steps the entry finishes or replaces; an outcome every one, unless told otherwise."""
    words = current_session.words()
    if not steps or kind not in (*STEP_KINDS, *CLOSING_KINDS):
        return []
    named = {
        step["event_id"]: f"{shown(followups.said(step['detail']))} · {words.day(step['detail']['due_on'])}"
        for step in steps
    }
    field = draft.field(f"settles-{'closing' if kind in CLOSING_KINDS else 'step'}")
    kept = st.session_state.get(field["key"], list(named) if kind in CLOSING_KINDS else [])
    st.session_state[field["key"]] = [step for step in kept if step in named]  # some were settled elsewhere
    return st.multiselect(
        words("event.settles"),
        list(named),
        format_func=named.get,
        placeholder=words("event.settles_none"),
        help=words("event.settles_help"),
        **field,
    )


def _form(student_key: str, steps: list[dict]) -> None:
    words, draft = current_session.words(), Draft("event", student_key)
    with draft.form_here():
        kind = kind_field(draft, KINDS)
        detail, settles = step_fields(kind, draft), _settles(kind, steps, draft)
        sent = st.button(words("event.save"), type="primary", icon=":material/save:", key=f"{draft.key}-save")
    if not sent:
        return draft.note()
    if detail is None:
        st.warning(words("event.needs_outcome" if kind == "outcome" else "event.needs_text"))
        return
    add_case_event(
        stores.store(),
        student_key,
        current_session.person().account,
        kind,
        detail,
        scope=current_session.scope(),
        settles=settles,
    )
    auditing.audited("log_event", student_key, kind=kind)
    draft.saved()
    st.toast(words("event.saved"), icon=":material/check:")
    st.rerun()


def _entry(event: dict, colleagues: dict[str, str], settled_at: pd.Timestamp | None = None) -> None:
    words = current_session.words()
    detail = event["detail"] or {}
    with st.container(horizontal=True, gap="small"):
        st.markdown(f":material/{ICONS.get(event['kind'], 'circle')}:", width="content")
        with st.container(gap=None):
            kind = f"**{words.named('event', event['kind'])}**"
            st.markdown(" · ".join([kind, *_facts(detail, colleagues, settled_at)]))
            st.text(shown(followups.said(detail)))
            by = plain(colleagues.get(event["actor"], event["actor"]))
            st.caption(f"{current_session.day(event['at'])} · {by}")
        if event["actor"] == current_session.person().account:
            st.button(
                words("event.withdraw"),
                key=f"withdraw-{event['event_id']}",
                icon=":material/undo:",
                type="tertiary",
                help=words("event.withdraw_help"),
                on_click=partial(take_back, [event["event_id"]], event["student_key"]),
            )


def _facts(detail: dict, colleagues: dict[str, str], settled_at: pd.Timestamp | None) -> list[str]:
    words, facts = current_session.words(), []
    if detail.get("result"):
        facts.append(words(f"result.{detail['result']}"))
    if detail.get("band"):
        facts.append(words(f"band.{detail['band']}"))
    if settled_at is not None:
        facts.append(words("event.settled_on", day=current_session.day(settled_at)))
    elif detail.get("due_on"):
        facts.append(f"{words('event.due')} **{words.day(detail['due_on'])}**")
    if detail.get("owner"):
        facts.append(plain(colleagues.get(detail["owner"], detail["owner"])))
    return facts


def take_back(event_ids: list[int], thing: str) -> None:
    """Withdraw one's own entries, and say so in the audit log."""
    withdraw_case_events(
        stores.store(), event_ids, current_session.person().account, scope=current_session.scope()
    )
    auditing.audited("withdraw_event", thing, entries=len(event_ids))
