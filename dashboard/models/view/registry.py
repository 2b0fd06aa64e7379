"""Every registered model; who may, serves another, rolls back or leaves signatures out, with a reason."""

from __future__ import annotations

import streamlit as st

from dashboard.components.drafts import Draft
from dashboard.components.layout import section
from dashboard.components.table import draw_table
from dashboard.jobs import asking as jobs
from dashboard.jobs.view.job_progress import any_open, follow
from dashboard.models import watch as model_watch
from dashboard.shell import access, current_session, stores
from dashboard.shell.session_keys import Key
from dashboard.shell.view.account_names import name_of
from fusion.service import registry
from fusion.service.sources import registered_models
from fusion.validation.doubts import open_doubts

ACTS = ("approve", "roll_back", "records_only")
ICONS = {
    "approve": ":material/verified:",
    "roll_back": ":material/undo:",
    "records_only": ":material/signature:",
}


def models(target: str) -> None:
    """The table of models, and below it the decision for those who may make it."""
    words = current_session.words()
    section(words("model_registry.title"), words("model_registry.help"))
    known = registered_models(stores.store())
    table = model_watch.registry_table(known, words, target, current_session.zone_name(), name_of)
    draw_table(table, height="content", alt=words("model_registry.title"))
    someone, served = current_session.person(), stores.served_model()
    if someone is not None and access.may(someone.role, "decide model") and not _under_way():
        others = model_watch.candidates(known, None if served is None else served.version)
        doubts = {model.version: open_doubts(model.manifest) for model in known if model.version in others}
        _decision(doubts, ACTS if served is not None else ACTS[:1])


def _decision(doubts: dict[str, tuple[str, ...]], acts: tuple[str, ...]) -> None:
    """The decision; ``doubts``: candidate → codes of what looked wrong in its register."""
    words = current_session.words()
    act = st.segmented_control(
        words("model_registry.act"),
        list(acts),
        format_func=lambda name: f"{ICONS[name]} {words(f'model_registry.{name}')}",
        key="model-act",
    )
    if act is None:
        return
    st.caption(words(f"model_registry.{act}_help"))
    doubted = [version for version, codes in doubts.items() if codes] if act == "approve" else []
    for version in doubted:
        said = " ".join(words(f"fitness.{code}") for code in doubts[version])
        st.warning(f"{version}: {said}", icon=":material/warning:")
    draft = Draft("model-decision", act)
    with draft.form_here():
        version = None
        if act == "approve":
            version = st.selectbox(words("model.version"), list(doubts), key="model-version")
        reason = st.text_input(words("model_registry.reason"), max_chars=300, **draft.field("text"))
        sure = st.checkbox(words("model_registry.sure"), key=f"{draft.key}-sure")
        looked = version in doubted and st.checkbox(words("model_registry.looked"), key=f"{draft.key}-looked")
        sent = st.button(words("model_registry.decide"), type="primary", key="model-decide")
    if not sent:
        return draft.note()
    if not sure or not reason.strip():
        st.warning(words("model_registry.needs_reason"))
    elif version in doubted and not looked:
        st.warning(words("model_registry.needs_look"))
    else:
        draft.saved()
        _decide(act, version, reason.strip(), looked)


def _decide(act: str, version: str | None, reason: str, looked: bool) -> None:
    words, store = current_session.words(), stores.store()
    if act == "roll_back":
        try:
            version = registry.earlier_model(store)
        except LookupError:
            st.error(words("model_registry.failed_roll_back"))
            return
    asked = {"act": act, "reason": reason} | ({"model": version} if act != "records_only" else {})
    asked |= {"confirmed": True} if looked else {}
    st.session_state[Key.SERVE_JOB] = jobs.start(store, current_session.person(), "serve", **asked)
    st.rerun()


def _under_way() -> bool:
    """The job of a decision that is open, or that this session asked for; whether one is open."""
    return any_open(follow("serve", Key.SERVE_JOB))
