"""Training a candidate from the model's page, with its progress beside the button."""

from __future__ import annotations

import streamlit as st

from dashboard.components.layout import card, section
from dashboard.jobs import asking as jobs
from dashboard.jobs.view.job_progress import any_open, follow
from dashboard.shell import current_session, stores
from dashboard.shell.session_keys import Key

MOST_TRIALS = 60


def retrain() -> None:
    """A button for those who may train, and the job of a training that is open or that this session began."""
    words, person = current_session.words(), current_session.person()
    if "train" not in jobs.kinds_for(person.role):
        return
    with card("retrain"):
        section(words("model.retrain_title"), words("model.retrain_help"))
        if any_open(follow("train", Key.RETRAIN_JOB)):
            return
        left, right = st.columns([2, 1], vertical_alignment="bottom")
        trials = left.slider(
            words("jobs.trials"), 0, MOST_TRIALS, 0, 10, key="retrain-trials", help=words("jobs.trials_help")
        )
        right.button(
            words("model.retrain"),
            icon=":material/model_training:",
            key="retrain",
            on_click=_start,
            args=(int(trials),),
        )


def _start(trials: int) -> None:
    job_id = jobs.start(stores.store(), current_session.person(), "train", tune=trials)
    st.session_state[Key.RETRAIN_JOB] = job_id
