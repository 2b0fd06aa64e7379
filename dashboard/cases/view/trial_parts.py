"""A registered trial on the page: its protocol, how far it has come, its steps, its result."""

from __future__ import annotations

import streamlit as st

from dashboard.cases import trials
from dashboard.components.drafts import Draft
from dashboard.components.layout import card, section
from dashboard.components.table import draw_table
from dashboard.shell import current_session, stores
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from dashboard.shell.view.account_names import name_of
from data.cases.trial_queries import Trial
from data.cases.trials import TrialRefused

ICONS = {
    "registered": ":material/edit_document:",
    "approved": ":material/approval:",
    "drawn": ":material/casino:",
    "stopped": ":material/block:",
    "read": ":material/lab_profile:",
}


def told() -> None:
    """What the last step gave, said once."""
    said = st.session_state.pop(Key.TRIAL_TOLD, None)
    if said is not None:
        well, text = said
        (st.success if well else st.error)(text)


def trial_card(trial: Trial) -> None:
    """One trial: state, recruitment, result, protocol, and the steps that the reader can take today."""
    words = current_session.words()
    with card(f"trial-{trial.trial_id}"):
        section(plain(trial.protocol.title))
        by = {"author": plain(name_of(trial.registered_by)), "day": current_session.day(trial.registered_at)}
        st.markdown(
            f"{ICONS[trial.state]} **{words(f'trial.state_{trial.state}')}** · " + words("trial.by", **by)
        )
        if trial.approved_by is not None:
            st.caption(words("trial.approved_by", name=plain(name_of(trial.approved_by))))
        if trial.draws:
            st.markdown(trials.recruitment(trial, words))
            shown = min(trial.drawn / trial.protocol.planned, 1.0)
            st.progress(shown)
        for line in trials.result_lines(trial, words):
            st.markdown(line)
        if trial.drawn and trial.result is None:
            st.caption(words("trial.not_before", day=words.day(trial.protocol.read_on)))
        _stopped(trial)
        with st.expander(words("trial.protocol")):
            table = trials.protocol_table(trial.protocol, stores.programs(), words)
            draw_table(table, alt=words("trial.protocol"))
            st.caption(words("trial.fingerprint", sha256=trial.protocol_sha256))
        _steps(trial)


def _stopped(trial: Trial) -> None:
    for act in trial.acts:
        if act["kind"] == "stopped":
            st.caption(
                current_session.words()("trial.stopped_because", reason=plain(act["detail"]["reason"]))
            )


def _steps(trial: Trial) -> None:
    """A button per step; stopping wants a reason."""
    words, person = current_session.words(), current_session.person()
    steps = trials.open_steps(trial, person, current_session.today())
    if trial.state == "registered" and "approve" not in steps:
        st.caption(words("trial.waits_for_another"))
    for step in (one for one in steps if one != "stop"):
        st.button(
            words(f"trial.step_{step}"),
            type="primary",
            key=f"trial-{step}-{trial.trial_id}",
            help=words(f"trial.step_{step}_help"),
            on_click=_take,
            args=(step, trial),
        )
    if "stop" in steps:
        with st.popover(words("trial.step_stop"), icon=":material/block:", key=f"ask-stop-{trial.trial_id}"):
            st.markdown(words("trial.step_stop_help"))
            draft = Draft("trial-reason", trial.trial_id)
            reason = st.text_input(words("trial.reason"), max_chars=300, **draft.field("text"))
            st.button(
                words("trial.step_stop"),
                key=f"trial-stop-{trial.trial_id}",
                disabled=not reason.strip(),
                on_click=_take,
                args=("stop", trial, reason),
            )
            draft.note()


def _take(step: str, trial: Trial, reason: str = "") -> None:
    words, person = current_session.words(), current_session.person()
    if person is None:
        return
    try:
        trials.take(stores.store(), person, step, trial, reason=reason, on=current_session.today())
    except TrialRefused as refused:
        st.session_state[Key.TRIAL_TOLD] = (False, words(f"trial.refused_{refused.code}"))
    else:
        st.session_state[Key.TRIAL_TOLD] = (True, words(f"trial.done_{step}"))
