"""How well a model did on later cohorts, as charts: calibration, quality by term, precision and recall."""

from __future__ import annotations

from functools import partial

import streamlit as st

from dashboard.charts import model as charts
from dashboard.components.chart_panel import chart_panel
from dashboard.components.layout import card
from dashboard.models import facts as model_facts
from dashboard.shell import current_session
from fusion.model.examined import FUSED, LOGISTIC
from fusion.model.manifest import Manifest


def quality_charts(manifest: Manifest, target: str, about: tuple) -> None:
    """Three cards.

    Parameters
    ----------
    manifest : Manifest
        Of the model.
    target : str
        Which risk.
    about : tuple
        What names the model and the risk: each chart is drawn once.
    """
    words = current_session.words()

    def panel(key: str, chart, title: str) -> None:
        chart_panel(chart, key, words(f"{title}_title"), words(f"{title}_help"), about=about)

    left, right = st.columns(2, gap="medium")
    with left, card("calibration"):
        table = model_facts.calibration(manifest, target)
        panel("calibration", partial(charts.calibration, table, words), "model.calibration")
    with right, card("by-term"):
        table = model_facts.by_term(manifest, target)
        panel("by-term", partial(charts.by_term, table, words("metric.roc_auc"), words), "model.by_term")
    curve = model_facts.precision_recall(manifest, target)
    if not curve.empty:
        with card("precision-recall"):
            names = {arm: words(f"arm.{arm}") for arm in (FUSED, LOGISTIC)}
            chart = partial(charts.precision_recall, curve, names, words)
            panel("precision-recall", chart, "model_watch.curve")
