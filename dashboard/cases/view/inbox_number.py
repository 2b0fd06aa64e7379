"""The number that the menu shows beside the inbox, and the word that a job has ended."""

from __future__ import annotations

from time import monotonic

import streamlit as st

from dashboard.cases import inbox
from dashboard.jobs.view.job_progress import shown_jobs
from dashboard.shell import current_session, stores
from dashboard.shell.session_keys import Key

FRESH = 30.0  # seconds that the number holds


def number() -> int:
    """How much waits for whoever is here; asked of the store twice a minute at most."""
    kept = st.session_state.get(Key.INBOX_NUMBER)
    if kept is not None and monotonic() - kept[1] < FRESH:
        return kept[0]
    store, person = stores.store(), current_session.person()
    since = inbox.last_look(store, person.account)
    parts = inbox.waiting(store, person, since, current_session.today())
    found = sum(len(part.items) for part in parts)
    st.session_state[Key.INBOX_NUMBER] = (found, monotonic())
    st.session_state[Key.JOBS_ENDED] = [
        item["job"] for part in parts if part.kind == "jobs" for item in part.items
    ]
    return found


def tell_ended() -> None:
    """Once on whatever page is drawn next: which jobs of the reader's own have ended out of their sight.

    Of what ended before they signed in only what failed is told; the menu's number counts the rest.
    """
    told, session = shown_jobs(), current_session.session()
    ended = [
        job
        for job in st.session_state.get(Key.JOBS_ENDED, ())
        if job.job_id not in told
        and (job.status == "failed" or session is None or job.finished_at >= session.started_at)
    ]
    if not ended:
        return
    told |= {job.job_id for job in ended}
    words, failed = current_session.words(), sum(job.status == "failed" for job in ended)
    if len(ended) == 1:
        job = ended[0]
        kind, status = words(f"job_kind.{job.kind}"), words(f"job_status.{job.status}")
        said = f"**{words('jobs.ended', kind=kind, status=status)}.**"  # why stands in the inbox
    else:
        said = words("inbox.ended", n=len(ended), failed=failed)
    icon = ":material/error:" if failed else ":material/check_circle:"
    st.toast(f"{said} {words('inbox.ended_where', page=words('nav.inbox'))}", icon=icon, duration="long")
