"""All jobs of a reader: those that are open, and those that have ended."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard.components.exports_bar import export_bar
from dashboard.components.layout import empty_state, section
from dashboard.components.table import draw_table
from dashboard.jobs.asking import may_fetch
from dashboard.jobs.view.job_progress import again_button, job_progress, shown_jobs
from dashboard.jobs.words import (
    differences_table,
    duration,
    duration_words,
    history_table,
    outcome_words,
)
from dashboard.shell import auditing, current_session, stores
from dashboard.shell.view.account_names import name_of
from data.jobs import live as jobs_live
from data.jobs.table import Job

SHOWN_WHOLE = 12  # rows; longer tables scroll


def open_list(jobs: Sequence[Job]) -> None:
    """Bars of the jobs that wait or run."""
    words = current_session.words()
    section(words("jobs.open_title"), words("jobs.open_help"))
    if not jobs:
        st.caption(words("jobs.open_none"))
    for job in jobs:
        job_progress(job.job_id)


def history(jobs: Sequence[Job]) -> None:
    """A table of the jobs that have ended; a row shows more and offers what can still be done."""
    words = current_session.words()
    section(words("jobs.history_title"))
    if not jobs:
        return empty_state(words("jobs.none_title"), words("jobs.none_text"), ":material/manufacturing:")
    shown_jobs().update(job.job_id for job in jobs)
    shown = history_table(jobs, words, name_of, current_session.zone_name())
    event = draw_table(
        shown,
        key="job-table",
        on_select="rerun",
        selection_mode="single-row",
        height="content" if len(shown) <= SHOWN_WHOLE else 520,
        alt=words("jobs.history_title"),
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(words("jobs.select_hint"), width="content")
        export_bar(shown, "jobs")
    picked = event["selection"]["rows"]
    if picked and picked[0] < len(jobs):
        detail(jobs[picked[0]])


def detail(job: Job) -> None:
    """One job that has ended: its outcome, its files, another try."""
    words = current_session.words()
    with st.container(border=True, key="job-detail"):
        st.markdown(f"**{words(f'job_kind.{job.kind}')}** · {words(f'job_status.{job.status}')}")
        st.markdown(outcome_words(job, words))
        line = words("jobs.took", time=duration_words(duration(job), words), id=job.job_id[:8])
        st.caption(f"{line} · {words('jobs.attempts', n=job.attempts)}")
        differences(job)
        fetch_button(job)
        again_button(job)


def differences(job: Job) -> None:
    """The table of a comparison with Feeder, where the two registers differ."""
    words = current_session.words()
    shown = differences_table(job, words)
    if shown is not None:
        draw_table(shown, alt=words("feeder.differences"))


def fetch_button(job: Job) -> None:
    """Download what a job has made, while it is kept."""
    words, store = current_session.words(), stores.store()
    kept = (job.result or {}).get("files")
    if job.open or not kept:
        return
    if not may_fetch(current_session.person(), job):
        named = (job.result or {}).get("identified")
        st.caption(words("feeder.files_with_names" if named else "jobs.files_of_others"))
        return
    if not jobs_live.files_are_kept(store, kept):
        st.caption(words("jobs.files_gone"))
        return
    st.download_button(
        words("jobs.fetch"),
        data=auditing.handed_out(
            lambda: jobs_live.kept_files(store, kept)[0][1], "export", f"job {job.job_id}", kind=job.kind
        ),
        file_name=f"tepat_{job.kind}_{job.job_id[:8]}.zip",
        mime="application/zip",
        icon=":material/download:",
        key=f"fetch-{job.job_id}",
        on_click="ignore",
    )
