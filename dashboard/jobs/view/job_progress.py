"""A job on a page: a bar that moves while it runs, then how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard.jobs import asking as jobs
from dashboard.jobs.words import ICONS, outcome_words, progress_words, step_words, waiting_words
from dashboard.shell import current_session, stores
from dashboard.shell.session_keys import Key
from data.engine.clock import now
from data.jobs import live as jobs_live
from data.jobs import table
from data.jobs.live import JobProgress
from data.jobs.table import Job

EVERY = 1.0  # seconds between two looks at a job that is open


def job_progress(job_id: str, *, quiet: bool = False) -> Job | None:
    """Show a job; the page looks again every second while it is open and reruns when it ends.

    Parameters
    ----------
    job_id : str
        From :func:`dashboard.jobs.asking.start`.
    quiet : bool
        Say nothing of a job that ended well: the page shows what came of it.

    Returns
    -------
    Job or None
        As it stands in this run; None when there is none of that id.
    """
    job = table.find(stores.store(), job_id)
    if job is not None and not job.open:
        shown_jobs().add(job_id)
    if job is None or (quiet and job.status == "done"):
        return job
    with st.container(border=True, key=f"job-{job_id}"):
        if job.open:
            st.fragment(_looked_at, run_every=EVERY)(job_id)
        else:
            _ended(job)
    return job


def shown_jobs() -> set[str]:
    """The numbers of the jobs of which this tab has said how they ended; a page adds those that it says."""
    return st.session_state.setdefault(Key.JOBS_SHOWN, set())


def follow(kind: str, place: Key, concerns: Callable[[Job], bool] = lambda job: True) -> list[Job]:
    """Show what of a kind is under way, whoever asked; else the one that this tab has followed to its end.

    A page that starts such work asks here before it offers another start: the tab alone would have forgotten
    after a reload what runs, and would not know what colleagues asked for.

    Parameters
    ----------
    kind : str
        One of :data:`dashboard.jobs.asking.KINDS`.
    place : Key
        Where the tab keeps the number of the job that it follows.
    concerns : callable
        Whether a job belongs on the page as it is.

    Returns
    -------
    list of Job
        As they stand in this run.
    """
    store = stores.store()
    found = [job for job in table.open_jobs(store) if job.kind == kind and concerns(job)]
    asked = st.session_state.get(place)
    if found and asked not in [job.job_id for job in found]:
        st.session_state[place] = found[0].job_id
    elif not found and asked:
        last = table.find(store, asked)
        found = [last] if last is not None and concerns(last) else []
    shown = [job_progress(job.job_id) for job in found]
    return [job for job in shown if job is not None]


def any_open(jobs_shown: Sequence[Job]) -> bool:
    """Whether one of the jobs that :func:`follow` showed is still open."""
    return any(job.open for job in jobs_shown)


def _looked_at(job_id: str) -> None:
    with current_session.unattended():
        _watched(job_id)


def _watched(job_id: str) -> None:
    words, store = current_session.words(), stores.store()
    job = table.find(store, job_id)
    if job is None or not job.open:
        st.rerun()
    said = jobs_live.progress_of(store, job_id) or JobProgress(0, 0, "")
    title = words(f"job_kind.{job.kind}")
    if job.status == "waiting" and job.begins_at is not None and job.begins_at > now():
        line = f"**{title}** · {words('feeder.begins', when=current_session.moment(job.begins_at))}"
    elif job.status == "waiting":
        line = f"**{title}** · {waiting_words(table.ahead_of(store, job_id), words, current_session.hour)}"
    elif job.cancel_at is not None or jobs_live.asked_to_stop(store, job_id):
        line = f"**{title}** · {words('jobs.stopping')}"
    else:
        line = f"**{title}** · {progress_words(said, words) or step_words('starting', words)}"
    st.progress(said.share, line)
    if job.status == "waiting" and not jobs_live.worker_alive(store):
        st.warning(words("jobs.no_worker"), icon=":material/power_off:")
    _stop_button(job)


def _stop_button(job: Job) -> None:
    words, person = current_session.words(), current_session.person()
    if job.cancel_at is not None or job.kind not in jobs.kinds_for(person.role):
        return
    with st.popover(words("jobs.stop"), icon=":material/stop_circle:", key=f"stop-{job.job_id}"):
        st.markdown(words("jobs.stop_help"))
        if st.button(words("jobs.stop_sure"), type="primary", key=f"sure-{job.job_id}"):
            jobs.stop(stores.store(), person, job)
            st.rerun()


def _ended(job: Job) -> None:
    words = current_session.words()
    say = {"done": st.success, "failed": st.error}.get(job.status, st.warning)
    title = words("jobs.ended", kind=words(f"job_kind.{job.kind}"), status=words(f"job_status.{job.status}"))
    say(f"**{title}**  \n{outcome_words(job, words)}", icon=ICONS[job.status])
    again_button(job)


def again_button(job: Job) -> None:
    """Ask for a job that did not succeed once more, where that is possible."""
    words, person, store = current_session.words(), current_session.person(), stores.store()
    if job.kind not in jobs.kinds_for(person.role) or not jobs.can_repeat(store, job):
        return
    if st.button(words("jobs.again"), icon=":material/replay:", key=f"again-{job.job_id}"):
        st.session_state[Key.JOB_TOLD] = jobs.again(store, person, job)
        st.rerun()
