"""Imports as jobs on the page: asking, following, and what comes next."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as Dict
from collections.abc import Sequence

import streamlit as st

from dashboard.components.layout import section
from dashboard.components.table import draw_table
from dashboard.importing.check_result import CheckResult
from dashboard.importing.plan import UploadedFile
from dashboard.importing.view.counts import counts_table
from dashboard.jobs import imports as jobs_import
from dashboard.jobs.first_run import first_steps
from dashboard.jobs.view.job_progress import job_progress
from dashboard.jobs.view.next_steps import next_steps
from dashboard.shell import current_session, stores
from dashboard.shell.session_keys import Key
from data.files.mapping import Mapping
from data.files.reading import Reading
from data.jobs import table
from data.jobs.table import Job
from data.records.ingest import remember_mapping


def confirm(
    plan: CheckResult,
    files: Sequence[UploadedFile],
    kinds: Sequence[str],
    mapping: Mapping | None,
    rule: str | None,
    reading: Dict[str, Reading],
) -> None:
    """Step 4: all rows or the good ones, as a job."""
    words = current_session.words()
    section(words("data.step_apply"))
    skip_bad = remember = False
    if plan.errors:
        skip_bad = st.toggle(words("data.skip_bad"), key="skip-bad", disabled=not plan.usable)
    if mapping is not None:
        remember = st.toggle(words("data.remember"), key="remember-columns")
    allowed = plan.usable and bool(plan.counts) and (skip_bad or not plan.errors)
    asked = {"mapping": mapping, "captured_on": rule, "skip_bad": skip_bad, "reading": reading}
    st.button(
        words("data.apply"),
        type="primary",
        icon=":material/upload:",
        key="apply",
        disabled=not allowed,
        on_click=_start,
        args=(files, kinds, mapping if remember else None, asked),
    )


def _start(
    files: Sequence[UploadedFile], kinds: Sequence[str], remembered: Mapping | None, asked: dict
) -> None:
    """Ask for the import before anything of the page is drawn anew: a reload then finds it asked for."""
    store, person = stores.store(), current_session.person()
    if _is_asked(files):  # pressed again before the page was drawn anew
        return
    st.toast(current_session.words()("data.taken"), icon=":material/upload:")
    if remembered is not None:
        remember_mapping(store, remembered)
    st.session_state[Key.IMPORT_JOB] = jobs_import.start(store, person, files, kinds, **asked)
    st.session_state[Key.IMPORT_OF] = _marks(files)
    st.session_state.pop(Key.PLAN, None)


def _is_asked(files: Sequence[UploadedFile]) -> bool:
    """Whether the import of these files was asked for in this tab and has not ended."""
    mine = (
        table.find(stores.store(), str(st.session_state.get(Key.IMPORT_JOB))) if asked_here(files) else None
    )
    return mine is not None and mine.open


def asked_here(files: Sequence[UploadedFile]) -> bool:
    """Whether the import of these files was asked for in this tab: it is followed where its button was."""
    return bool(files) and st.session_state.get(Key.IMPORT_OF) == _marks(files)


def _marks(files: Sequence[UploadedFile]) -> list[tuple[str, str]]:
    return [(file.name, hashlib.sha256(file.data).hexdigest()) for file in files]


def _own() -> str | None:
    """The import of this tab; after a reload the newest one that was asked for since sign-in."""
    asked, session = st.session_state.get(Key.IMPORT_JOB), current_session.session()
    if asked is None and session is not None:
        asked = jobs_import.newest_of(stores.store(), session.account, session.started_at)
        st.session_state[Key.IMPORT_JOB] = asked or ""
    return st.session_state.get(Key.JOB_TOLD) or asked or None


def any_under_way() -> bool:
    """Whether an import waits or runs, whoever asked for it."""
    return any(job.kind == "import" for job in table.open_jobs(stores.store()))


def under_way() -> None:
    """The import that this session asked for, and those of others that wait or run."""
    words, store = current_session.words(), stores.store()
    own = _own()
    open_ones = [job.job_id for job in table.open_jobs(store) if job.kind == "import"]
    own_job = table.find(store, own) if own else None
    if own_job is not None and own_job.kind == "check":  # shown where it was asked for
        own = None
    listed = [*([own] if own and own not in open_ones else []), *open_ones]
    if not listed:
        return
    section(words("data.open_title"), words("data.asked"))
    for job_id in listed:
        job = job_progress(job_id)
        if job is not None and job.kind == "import" and job.status == "done":
            _written(job)
        if job is not None and job_id == own:
            _in_sight(job)


def _in_sight(job: Job) -> None:
    """Once when it begins and once when it has ended: have the browser show it, unless it does."""
    # The state makes each script another one: the browser runs the same one only once.
    script = f"""<script>/* {"open" if job.open else job.status} */
document.querySelector('.st-key-job-{job.job_id}')?.scrollIntoView({{block: 'nearest'}});
</script>"""
    st.html(script, unsafe_allow_javascript=True)


def _written(job: Job) -> None:
    words = current_session.words()
    st.caption(words("data.applied"))
    draw_table(counts_table(job.result["counts"]), alt=words("data.applied"))
    if not first_steps(stores.store()):  # the page shows those itself
        next_steps("data", follow=True)
