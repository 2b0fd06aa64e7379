"""Every registered model; who may, serves another, rolls back or leaves signatures out, with a reason."""

from __future__ import annotations

import streamlit as st

from dashboard import access, app_state, model_watch
from dashboard.components.layout import section
from dashboard.plain import shown_table
from data import queries
from fusion import registry
from fusion.model_files import ModelFileError

ACTS = ("approve", "roll_back", "records_only")
ICONS = {
    "approve": ":material/verified:",
    "roll_back": ":material/undo:",
    "records_only": ":material/signature:",
}


def models(target: str) -> None:
    """The table of models, and below it the decision for those who may make it."""
    words = app_state.words()
    section(words("model_registry.title"), words("model_registry.help"))
    known = queries.models(app_state.store())
    table = model_watch.registry_table(known, words, target)
    st.dataframe(shown_table(table), hide_index=True, height="content", alt=words("model_registry.title"))
    done = st.session_state.pop("model_decided", None)
    if done:
        st.success(words("model_registry.done", version=done))
    someone, served = app_state.person(), app_state.served_model()
    if someone is not None and access.may(someone.role, "decide model"):
        _decision(model_watch.candidates(known, served.version), someone)


def _decision(candidates: list[str], someone) -> None:
    words = app_state.words()
    act = st.segmented_control(
        words("model_registry.act"),
        list(ACTS),
        format_func=lambda name: f"{ICONS[name]} {words(f'model_registry.{name}')}",
        key="model-act",
    )
    if act is None:
        return
    st.caption(words(f"model_registry.{act}_help"))
    with st.form("model-decision", border=False):
        version = ""
        if act == "approve":
            version = st.selectbox(words("model.version"), candidates, key="model-version")
        reason = st.text_input(words("model_registry.reason"), key="model-reason", max_chars=300)
        sure = st.checkbox(words("model_registry.sure"), key="model-sure")
        if not st.form_submit_button(words("model_registry.decide"), type="primary"):
            return
    if not sure or not reason.strip():
        st.warning(words("model_registry.needs_reason"))
        return
    _decide(act, version, {"actor": someone.account, "role": someone.role, "reason": reason})


def _decide(act: str, version: str | None, who: dict) -> None:
    words, store = app_state.words(), app_state.store()
    try:
        if act == "approve":
            registry.approve(store, version or "", **who)
        elif act == "roll_back":
            version = registry.roll_back(store, **who)
        else:
            version = registry.serve_records_only(store, **who)
    except (LookupError, ModelFileError):
        st.error(words(f"model_registry.failed_{act}"))
        return
    st.session_state["model_decided"] = version
    st.rerun()
