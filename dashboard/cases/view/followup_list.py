"""Steps that are due: the list by urgency, and settling the ticked ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from dashboard.cases import followups
from dashboard.cases.followups import said, who
from dashboard.cases.view.colleagues import advisor_names
from dashboard.cases.view.narrow import Card, wide_or_cards
from dashboard.cases.view.receipt import receipt
from dashboard.components.layout import section
from dashboard.components.table import draw_table
from dashboard.shell import auditing, current_session, stores
from dashboard.shell.session_keys import Key
from data.cases.events import RESULTS, add_case_events

WHOSE = ("all", "mine", "handed")
SNOOZES = (7, 14, 30)


def whose_choice() -> str:
    """All, one's own, or handed on."""
    words = current_session.words()
    return st.segmented_control(
        words("followup.whose"),
        list(WHOSE),
        default=WHOSE[0],
        required=True,
        format_func=lambda name: words(f"followup.{name}"),
        key="whose",
        label_visibility="collapsed",
        persist_state="session",
    )


def due_lists(due: pd.DataFrame, today: date) -> pd.DataFrame:
    """Draw one list per urgency; the ticked rows, the most urgent first."""
    words, colleagues, ticked = current_session.words(), advisor_names(), [due.head(0)]
    turn = _turn()
    for urgency, rows in followups.by_urgency(due, today).items():
        section(f"{words(f'followup.{urgency}')} · {words.number(len(rows))}")
        key = f"due-{urgency}-{turn}"
        cards = due_cards(rows, colleagues, key)
        event = wide_or_cards(
            key,
            lambda cards=cards: cards,
            lambda rows=rows, key=key, urgency=urgency: draw_table(
                followups.as_table(rows, colleagues, words),
                key=key,
                on_select="rerun",
                selection_mode="multi-row",
                alt=words(f"followup.{urgency}"),
            ),
        )
        chosen = {row for row in event["selection"]["rows"] if row < len(rows)}
        chosen |= {place for place, card in enumerate(cards) if st.session_state.get(card.tick)}
        ticked.append(rows.iloc[sorted(chosen)])
    return pd.concat(ticked)


def due_cards(due: pd.DataFrame, colleagues: dict[str, str], key: str) -> list[Card]:
    """The rows as cards: when, what kind, what was said, whose, since when; each can be ticked."""
    words, cards = current_session.words(), []
    for row in due.to_dict("records"):
        lines = (
            said(row["detail"]),
            f"{words('column.owner')}: {colleagues.get(row['owner'], row['owner'])}",
            f"{words('column.when')}: {words.day(row['at'])}",
        )
        lead = f"{words.day(row['due_on'])} · {words.named('event', row['kind'])}"
        cards.append(Card(row["student_key"], who(row), lead, lines, f"{key}-tick-{row['event_id']}"))
    return cards


def settle(ticked: pd.DataFrame) -> None:
    """Open the first ticked student, or settle the ticked steps: done with an outcome, or later."""
    words, keys = current_session.words(), ticked["student_key"].drop_duplicates().tolist()
    if not keys:
        st.caption(words("followup.pick"))
        return
    people = words.count("students", len(keys))
    with st.container(border=True, key="card-settle"):
        st.markdown(f"**{words('followup.settle_title', students=people)}**")
        done, later, opened = st.columns([1.2, 1.2, 1], vertical_alignment="bottom")
        with done:
            result = st.selectbox(
                words("followup.done_as"),
                list(RESULTS),
                index=None,
                format_func=lambda name: words(f"result.{name}"),
                placeholder=words("event.result_hint"),
                key=f"settle-result-{_turn()}",
            )
            if st.button(
                words("followup.done"),
                icon=":material/check:",
                type="primary",
                disabled=result is None,
                help=words("followup.needs_result") if result is None else None,
                key="settle-done",
            ):
                st.session_state[Key.SETTLED_UNTIL] = None
                steps = [row.event_id for row in ticked.itertuples() if (row.detail or {}).get("stays")]
                _write(keys, "outcome", {"result": result, "text": words(f"result.{result}")}, steps)
        with later:
            days = st.selectbox(
                words("followup.later_days"),
                list(SNOOZES),
                format_func=lambda n: words.count("days", n),
                key="settle-days",
            )
            if st.button(words("followup.snooze"), icon=":material/snooze:", key="settle-later"):
                until = current_session.today() + timedelta(days=days)
                st.session_state[Key.SETTLED_UNTIL] = words.day(until)
                _write(keys, "snooze", {"due_on": until})
        with opened:
            if st.button(words("followup.open"), icon=":material/person:", key="settle-open"):
                st.switch_page(current_session.pages()["student"], query_params={"s": keys[0]})


def _write(keys: list[str], kind: str, detail: dict, steps: Sequence[int] = ()) -> None:
    made = add_case_events(
        stores.store(),
        keys,
        current_session.person().account,
        kind,
        detail,
        scope=current_session.scope(),
        settles=steps,
    )
    for key in keys:
        auditing.audited("log_event", key, kind=kind, entries=1)
    st.session_state[Key.SETTLED_DONE] = dict(zip(made, keys, strict=True))
    st.session_state[Key.SETTLED_ROUND] = _turn() + 1
    st.rerun()


def settled_receipt() -> None:
    """What was just settled or put off, with the way back: the steps are due again then."""
    until = st.session_state.get(Key.SETTLED_UNTIL)
    if until:
        return receipt(Key.SETTLED_DONE, "followup.put_off", "followups", "settled", day=until)
    receipt(Key.SETTLED_DONE, "followup.settled", "followups", "settled")


def _turn() -> int:
    """Counts what was settled, so that ticks and the outcome begin anew each time."""
    return st.session_state.get(Key.SETTLED_ROUND, 0)
