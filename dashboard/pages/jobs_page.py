"""Long work: what is running, what can be asked for, what has ended."""

from __future__ import annotations

from dashboard.components.layout import page_header
from dashboard.jobs import asking as jobs
from dashboard.jobs.view import job_list
from dashboard.jobs.view.job_start import start_bar
from dashboard.jobs.view.next_steps import next_steps
from dashboard.jobs.view.retention_panel import retention_panel
from dashboard.shell import current_session, stores
from data.jobs import table


def show() -> None:
    """Bars of what is open, buttons for more, what falls due, the history with another try and downloads."""
    words, store, person = current_session.words(), stores.store(), current_session.person()
    page_header(words("jobs.title"), words("jobs.lead"))
    kinds = jobs.shared_kinds(person.role)
    next_steps("jobs")
    job_list.open_list([job for job in table.open_jobs(store) if job.kind in kinds])
    start_bar(kinds)
    retention_panel()
    job_list.history([job for job in table.recent(store, kinds) if not job.open])
