"""The first steps as a list: what is done, what comes next with its button, what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard.components.layout import section
from dashboard.jobs import asking as jobs
from dashboard.jobs.first_run import Step, not_learned
from dashboard.jobs.view.job_progress import job_progress
from dashboard.jobs.words import outcome_words, waiting_words
from dashboard.models.fitness_words import lacking
from dashboard.shell import current_session, stores
from data.jobs import table

ICONS = {
    "done": ":green[:material/check_circle:]",
    "none": ":gray[:material/remove:]",
    "open": ":material/radio_button_unchecked:",
    "under_way": ":blue[:material/progress_activity:]",
    "failed": ":red[:material/error:]",
    "later": ":gray[:material/schedule:]",
}
BUTTONS = {
    "institution": ":material/account_balance:",
    "import": ":material/upload_file:",
    "embed": ":material/fingerprint:",
    "train": ":material/model_training:",
    "score": ":material/speed:",
    "accounts": ":material/manage_accounts:",
}
PAGES = {"institution": "accounts", "import": "data", "accounts": "accounts"}
"""Steps that are done on a page of their own."""


def first_run(steps: Sequence[Step], key: str, *, follow: bool) -> None:
    """Draw the list.

    Parameters
    ----------
    steps : sequence of Step
        From :func:`dashboard.jobs.first_run.first_steps`.
    key : str
        Unique on the page.
    follow : bool
        Whether jobs of these steps show how they go on; not where the page shows them itself.
    """
    words = current_session.words()
    ready = sum(step.state in ("done", "none") for step in steps)
    first = next((step.name for step in steps if step.state in ("open", "failed")), None)
    with st.container(border=True, key=f"begin-{key}"):
        section(words("begin.title", done=ready, all=len(steps)), words("begin.help"))
        for place, step in enumerate(steps, start=1):
            _row(step, place, key, first=step.name == first)
            if follow and step.job is not None and step.state == "under_way" and step.name != "import":
                job_progress(step.job.job_id)


def _row(step: Step, place: int, key: str, *, first: bool) -> None:
    words = current_session.words()
    with st.container(horizontal=True, vertical_alignment="center", key=f"row-{key}-{step.name}"):
        with st.container(gap=None):
            state = words(f"begin.state_{step.state}")
            title = words(f"begin.{step.name}")
            st.markdown(f"{ICONS[step.state]} **{place} · {title}** · {state}")
            st.caption(_told(step))
        if step.state in ("open", "failed") or step.name in PAGES:
            _button(step, key, first=first)


def _told(step: Step) -> str:
    """What is there, or what is missing."""
    words, store = current_session.words(), stores.store()
    if step.state == "under_way" and step.job.status == "waiting":
        return waiting_words(table.ahead_of(store, step.job.job_id), words, current_session.hour)
    if step.state == "failed":
        lacks = [lacking(one, words) for one in not_learned(store).values()] if step.name == "train" else []
        return " ".join([outcome_words(step.job, words), *lacks])
    if step.name == "import" and step.state == "open":
        return (
            words("begin.import_exits", students=words.count("students", step.n))
            if step.n
            else words("steps.import_help")
        )
    if step.state == "none":
        return words("begin.embed_none")
    counted = {"import": "students", "embed": "specimens", "train": "outcomes", "accounts": "accounts"}
    if step.name not in counted or (step.state == "later" and not step.n):
        return words(f"begin.{step.name}_help")
    return f"{words.count(counted[step.name], step.n)}. {words(f'begin.{step.name}_help')}"


def _button(step: Step, key: str, *, first: bool) -> None:
    words, person = current_session.words(), current_session.person()
    label, icon = words(f"begin.{step.name}_go"), BUTTONS[step.name]
    if step.name in PAGES:
        page = current_session.pages().get(PAGES[step.name])
        if page is not None and key != PAGES[step.name]:
            st.page_link(page, label=label, icon=icon)
    elif jobs.may_start(person, step.name):
        kind = "primary" if first else "secondary"
        st.button(
            label, icon=icon, key=f"step-{key}-{step.name}", type=kind, on_click=_ask, args=(step.name,)
        )
    else:
        st.caption(words("begin.administrator"), width="content")


def _ask(kind: str) -> None:
    jobs.start(stores.store(), current_session.person(), kind)
