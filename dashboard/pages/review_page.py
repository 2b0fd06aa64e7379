"""Registry: the queue of signatures that two people look at, the second blind."""

from __future__ import annotations

import streamlit as st

from dashboard.components.exports_bar import export_bar
from dashboard.components.layout import card, empty_state, page_header
from dashboard.shell import auditing, current_session, stores
from dashboard.shell.session_keys import Key
from dashboard.verification.reviews import next_case, queue_table
from dashboard.verification.view import review as parts
from data.verification.reviews import review_queue


def show() -> None:
    """How many are left, the oldest case, and the list of all."""
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    queue = review_queue(store, scope)
    left = int(queue["mine_to_do"].sum())
    page_header(words("review.title"), words("review.lead", left=left, all=len(queue)))
    settled = review_queue(store, scope, settled=True)
    passed = st.session_state.setdefault(Key.CASES_PASSED, [])
    wanted = st.query_params.get("case")
    ended = settled[settled["decision_id"] == wanted]
    case = ended.iloc[0].to_dict() if len(ended) else next_case(queue, wanted, passed)
    if case is None:
        icon = ":material/task_alt:"
        text = words("review.empty_text", n=len(queue)) if len(queue) else words("review.empty_none")
        empty_state(words("review.empty_title"), text, icon)
    else:
        auditing.audited_once("view_case", case["decision_id"])
        with card("case"):
            parts.case_header(case, passed)
            parts.evidence(case)
        with card("opinion"):
            if case["mine_to_do"]:
                parts.opinion_form(case)
            elif case["mine"] or case["settled"]:
                parts.after_opinion(case)
            else:
                anew = "_anew" if case["withdrew"] and case["wanted"] else ""
                st.caption(words(f"review.not_for_you{anew}"))
    if len(queue) or len(settled):
        with card("queue"):
            listed = parts.which_list(queue, settled)
            table = queue_table(listed.assign(at=current_session.here(listed["at"])), words)
            parts.queue_list(table, listed["decision_id"].tolist())
            export_bar(parts.for_export(table), "reviews")
