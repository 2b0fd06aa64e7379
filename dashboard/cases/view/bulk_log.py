"""One step for several students: chosen, confirmed, logged for all or none, and taken back at once."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard.cases.view.case_log import kind_field, step_fields
from dashboard.cases.view.receipt import receipt
from dashboard.components.drafts import Draft
from dashboard.shell import auditing, current_session, stores
from dashboard.shell.session_keys import Key
from data.cases.events import MOST_AT_ONCE, add_case_events

KINDS = ("contact", "intervention", "snooze", "note")


def bulk_log(student_keys: Sequence[str]) -> None:
    """Offer the form for the chosen students.

    Parameters
    ----------
    student_keys : sequence of str
        Those chosen in the list; nothing is logged before the box is ticked.
    """
    words = current_session.words()
    if not student_keys:
        return
    n = len(student_keys)
    if n > MOST_AT_ONCE:
        st.warning(words("bulk.too_many", n=MOST_AT_ONCE))
        return
    with st.container(border=True, key="card-bulk"):
        st.markdown(f"**{words('bulk.title', students=words.count('students', n))}**")
        draft = Draft("bulk")
        with draft.form_here():
            kind = kind_field(draft, KINDS)
            detail = step_fields(kind, draft)
            sure = st.checkbox(
                words("bulk.confirm", students=words.count("students", n)), key=Key.BULK_CONFIRM
            )
            sent = st.button(words("bulk.save"), type="primary", icon=":material/save:", key="bulk-save")
        if not sent:
            return draft.note()
    if detail is None or not sure:
        st.warning(words("event.needs_text" if detail is None else "bulk.needs_confirm"))
        return
    made = add_case_events(
        stores.store(),
        student_keys,
        current_session.person().account,
        kind,
        detail,
        scope=current_session.scope(),
    )
    auditing.audited("log_event", "caseload", kind=kind, entries=n)
    draft.saved()
    st.session_state[Key.BULK_DONE] = made
    st.session_state[Key.BULK_ROUND] = selection_round() + 1
    del st.session_state[Key.BULK_CONFIRM]
    st.rerun()


def selection_round() -> int:
    """Counts what was logged, so that the list's selection begins anew each time."""
    return st.session_state.get(Key.BULK_ROUND, 0)


def bulk_receipt() -> None:
    """What was just logged, with the way back."""
    receipt(Key.BULK_DONE, "bulk.done", "caseload", "bulk")
