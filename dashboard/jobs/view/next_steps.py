"""What comes next, with a button for each step that the reader may ask for; at first, the whole list."""

from __future__ import annotations

import streamlit as st

from dashboard.jobs import asking as jobs
from dashboard.jobs.first_run import first_steps
from dashboard.jobs.next_steps import open_steps
from dashboard.jobs.view.first_run import first_run
from dashboard.jobs.view.job_progress import job_progress
from dashboard.shell import current_session, stores
from data.jobs import table

ICONS = {
    "import": ":material/upload_file:",
    "embed": ":material/fingerprint:",
    "train": ":material/model_training:",
    "score": ":material/speed:",
}


def next_steps(key: str, *, follow: bool = False) -> None:
    """Draw the open steps in their order; what is running already is not offered again.

    Parameters
    ----------
    key : str
        Unique on the page.
    follow : bool
        Show how these steps go on: those that were asked for here, and those that are under way anyhow.
    """
    words, person, store = current_session.words(), current_session.person(), stores.store()
    begun = first_steps(store)
    if begun:
        return first_run(begun, key, follow=follow)
    steps = open_steps(store)
    open_ones = table.open_jobs(store)
    running = {job.kind for job in open_ones}
    asked = st.session_state.setdefault(_place(key), {})
    mine = jobs.kinds_for(person.role)
    if steps:
        with st.container(horizontal=True, vertical_alignment="center", key=f"steps-box-{key}"):
            st.markdown(f"**{words('steps.title')}**", width="content")
            for step in steps:
                if step == "import":
                    _door("data", words("steps.open_data"), step)
                elif step in mine and step not in running:
                    st.button(
                        words(f"steps.{step}"),
                        icon=ICONS[step],
                        key=f"step-{key}-{step}",
                        type="primary" if step == steps[0] else "secondary",
                        on_click=_ask,
                        args=(step, key),
                    )
        st.caption(_explained(steps, mine))
    if follow:
        for job in open_ones:
            if job.kind in ICONS and job.kind in mine and job.kind != "import":
                asked[job.kind] = job.job_id
        for job_id in asked.values():
            job_progress(job_id, quiet=True)


def forget_steps(key: str) -> None:
    """Follow what was asked for in a place no longer."""
    st.session_state.pop(_place(key), None)


def _place(key: str) -> str:
    return f"steps-{key}"


def _ask(kind: str, key: str) -> None:
    st.session_state[_place(key)][kind] = jobs.start(stores.store(), current_session.person(), kind)


def _door(page: str, label: str, step: str) -> None:
    if page in current_session.pages():
        st.page_link(current_session.pages()[page], label=label, icon=ICONS[step])


def _explained(steps: list[str], mine: tuple[str, ...]) -> str:
    words = current_session.words()
    if steps[0] == "import":
        return words("steps.import_help")
    if not set(steps) & set(mine):
        return words("steps.ask")
    return words("steps.train_help") if "train" in steps else words("data.next_text")
