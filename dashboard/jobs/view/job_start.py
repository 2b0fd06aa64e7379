"""Asking for long work: a button per kind that the reader may run, with what it needs to know."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from dashboard.components.layout import section
from dashboard.jobs import asking as jobs
from dashboard.shell import current_session, stores
from data.feeder.lists import Cohorts

ICONS = {
    "feeder": ":material/sync:",
    "embed": ":material/fingerprint:",
    "train": ":material/model_training:",
    "score": ":material/speed:",
    "reports": ":material/description:",
}


def start_bar(kinds: tuple[str, ...]) -> None:
    """One popover per kind; its button asks for the job, whose bar the rerun then shows."""
    words, person = current_session.words(), current_session.person()
    offered = [kind for kind in ICONS if kind in kinds and jobs.may_start(person, kind)]
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
                    disabled=arguments is None,
                    on_click=_start,
                    args=(kind, arguments),
                )


def _start(kind: str, arguments: dict) -> None:
    jobs.start(stores.store(), current_session.person(), kind, **arguments)
    st.session_state[f"ask-{kind}"] = False  # closes the popover


def _asked(kind: str) -> dict | None:
    """What the kind needs to know; None while it is not right."""
    words = current_session.words()
    if kind == "feeder":
        return _asked_of_feeder()
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


def _asked_of_feeder() -> dict | None:
    words = current_session.words()
    cohorts = st.text_input(words("feeder.cohorts"), key="feeder-cohorts", placeholder="2019-2026")
    skip = st.checkbox(words("feeder.skip_bad"), key="feeder-skip", help=words("feeder.skip_bad_help"))
    nightly = st.checkbox(words("feeder.nightly"), key="feeder-nightly", help=words("feeder.nightly_help"))
    hour = None
    if nightly:
        clock = words("feeder.hour_help", now=f"{datetime.now():%H:%M}")
        hour = int(st.number_input(words("feeder.hour"), 0, 23, 1, key="feeder-hour", help=clock))
    try:
        read = Cohorts.read(cohorts)
    except ValueError:
        st.error(words("feeder.cohorts_wrong"))
        return None
    return {"cohorts": "" if read is None else read.as_text, "skip_bad": skip, "hour": hour}
