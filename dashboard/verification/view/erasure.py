"""Erasing a student's signatures, or the student, at their wish: asked for on a page, done as a job."""

from __future__ import annotations

import streamlit as st

from dashboard.jobs import asking as jobs
from dashboard.jobs.view.job_list import fetch_button
from dashboard.jobs.view.job_progress import follow
from dashboard.shell import current_session, stores
from dashboard.shell.session_keys import Key
from data.jobs import table

EXTENTS = ("signatures", "everything")


def under_way() -> None:
    """Erasures that wait or run, else the one of this tab with its receipt."""
    if not jobs.may_start(current_session.person(), "erase"):
        return
    for job in follow("erase", Key.ERASE_JOB):
        if not job.open:
            fetch_button(job)


def offer(student_key: str) -> None:
    """A popover for those who may; its button does nothing before what follows was read and confirmed."""
    words, person = current_session.words(), current_session.person()
    if not jobs.may_start(person, "erase") or _asked_for(student_key):
        return
    with st.popover(words("erasure.open"), icon=":material/delete_forever:", key="erase"):
        extent = st.radio(
            words("erasure.extent"),
            EXTENTS,
            format_func=lambda one: words(f"erasure.extent_{one}"),
            key=current_session.field_of("erase-extent", student_key),
        )
        st.warning(words(f"erasure.follows_{extent}"), icon=":material/warning:")
        sure = st.checkbox(words("erasure.sure"), key=f"erase-sure-{student_key}")
        st.button(
            words("erasure.now"),
            type="primary",
            key="erase-now",
            disabled=not sure,
            on_click=_start,
            args=(student_key, extent == "everything"),
        )


def _asked_for(student_key: str) -> bool:
    """Whether an erasure of this very student waits or runs."""
    open_ones = [job for job in table.open_jobs(stores.store()) if job.kind == "erase"]
    return any(job.arguments.get("student") == student_key for job in open_ones)


def _start(student_key: str, everything: bool) -> None:
    job_id = jobs.start(
        stores.store(), current_session.person(), "erase", student=student_key, everything=everything
    )
    st.session_state[Key.ERASE_JOB] = job_id
