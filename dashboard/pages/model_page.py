"""The model in service: how well it did on later cohorts, whether signatures add anything, its limits."""

from __future__ import annotations

import streamlit as st

from dashboard.components.exports_bar import export_bar
from dashboard.components.filters import target_choice
from dashboard.components.layout import card, empty_state, page_header, section
from dashboard.jobs.view.job_retrain import retrain
from dashboard.jobs.view.next_steps import next_steps
from dashboard.models.facts import AT_K, HEADLINE
from dashboard.models.fitness_words import told
from dashboard.models.view import parts, watching
from dashboard.models.view import registry as model_registry
from dashboard.models.view.charts import quality_charts
from dashboard.models.view.pdf import model_pdfs, study_pdf
from dashboard.models.view.worth import lists, switch
from dashboard.shell import current_session, stores
from data.columns import TARGETS
from fusion.service.sources import registered_models
from fusion.validation.fitness import unfit


def folded(part: str, *, opened: bool = False):
    """What a verdict rests on, closed until somebody opens it; use it in a ``with``."""
    return st.expander(current_session.words()(f"model.fold_{part}"), opened, key=f"fold-{part}")


def show() -> None:
    """What to make of the model in three sentences, then, folded, what they rest on; models and limits."""
    words, served = current_session.words(), stores.served_model()
    page_header(words("model.title"), words("model.lead"))
    if served is None:
        empty_state(words("model.none_title"), words("model.none_text"), ":material/model_training:")
        for target in TARGETS:
            parts.not_yet(target)
        next_steps("model")
        if registered_models(stores.store()):
            with card("registry"):
                model_registry.models("late")
        return retrain()
    manifest, target = served.manifest, target_choice()
    if target in unfit(manifest):
        with card("facts"):
            parts.facts(served)
        with card("fitness"):
            parts.fitness(manifest)
        with card("registry"):
            model_registry.models(target)
        return retrain()
    with card("verdict"):
        parts.verdicts(manifest, target)
    with folded("facts", opened=not all(good for good, _ in told(manifest, words))):  # no warning is folded
        parts.facts(served)
        parts.fitness(manifest)
    with folded("signature"):
        parts.signature_verdict(manifest, target)
    figures, at_k = (parts.measures(served, target, rows) for rows in (HEADLINE, AT_K))
    with folded("figures"):
        section(words("model.metrics_title"), words("model.metrics_help"))
        parts.protocol(manifest)
        parts.figures(figures, words("model.metrics_title"))
        section(words("model.baselines_title"), words("model.baselines_help"))
        parts.figures(at_k, words("model.baselines_title"))
    with folded("worth"):
        lists(manifest, target, (served.version, target))
    with folded("calibration"):
        quality_charts(manifest, target, (served.version, target))
    with folded("groups"):
        parts.further("fairness", manifest, target)
        watching.probes(manifest)
    with folded("watch"):
        parts.further("drift", manifest, target)
        watching.drift(manifest, target)
    switch(target)
    with card("registry"):
        model_registry.models(target)
    retrain()
    with card("limits"):
        parts.limits()
    with st.container(horizontal=True):
        export_bar(parts.export_frame(figures, at_k), "model", about_people=False, target=target)
        model_pdfs(served.version, manifest)
        study_pdf(served.version, manifest)
