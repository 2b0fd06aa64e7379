"""Asking for long work: a button per kind that the reader may run, with what it needs to know."""

from __future__ import annotations

import streamlit as st

from dashboard.components.layout import section
from dashboard.jobs import asking as jobs
from dashboard.shell import current_session, stores

ICONS = {
    "embed": ":material/fingerprint:",
    "train": ":material/model_training:",
    "score": ":material/speed:",
    "reports": ":material/description:",
}


def start_bar(kinds: tuple[str, ...]) -> None:
    """One popover per kind; its button asks for the job, whose bar the rerun then shows."""
    words = current_session.words()
    offered = [kind for kind in ICONS if kind in kinds]
    if not offered:
        return
    section(words("jobs.start_title"))
    with st.container(horizontal=True, key="job-start"):
        for kind in offered:
            label = words(f"job_kind.{kind}")
            with st.popover(label, icon=ICONS[kind], key=f"ask-{kind}", on_change="rerun"):
                st.markdown(words(f"job_help.{kind}"))
                arguments = _asked(kind)
                st.button(
                    words("jobs.start"),
                    type="primary",
                    key=f"start-{kind}",
                    on_click=_start,
                    args=(kind, arguments),
                )


def _start(kind: str, arguments: dict) -> None:
    jobs.start(stores.store(), current_session.person(), kind, **arguments)
    st.session_state[f"ask-{kind}"] = False  # closes the popover


def _asked(kind: str) -> dict:
    words = current_session.words()
    if kind == "reports":
        from dashboard.reports.profile import profile_ids

        profile = st.selectbox(words("jobs.profile"), profile_ids(), key="job-profile")
        return {"profile": profile}
    if kind == "train":
        trials = st.slider(
            words("jobs.trials"), 0, 60, 0, step=10, key="job-trials", help=words("jobs.trials_help")
        )
        return {"tune": int(trials)}
    return {}
