"""Drift before outcomes are known, and what the embeddings give away: two cards of the model page."""

from __future__ import annotations

import streamlit as st

from dashboard.components.layout import section
from dashboard.components.table import draw_table
from dashboard.models import watch as model_watch
from dashboard.shell import current_session
from fusion.model.manifest import Manifest

LOOKS = {
    "trusted": (":material/check_circle:", "green"),
    "untrusted": (":material/warning:", "red"),
    "few": (":material/hourglass_empty:", "gray"),
    "unwatched": (":material/visibility_off:", "gray"),
}


def drift(manifest: Manifest, target: str) -> None:
    """Whether risks of young cohorts can be trusted, and the signs behind it."""
    words = current_session.words()
    section(words("model_watch.title"), words("model_watch.help"))
    state = model_watch.trust(manifest)
    icon, color = LOOKS[state]
    st.markdown(f":{color}[{icon} {words(f'model_watch.{state}')}]")  # wraps on a phone, as a badge does not
    found = manifest.monitor
    if found:
        st.caption(
            words(
                "model_watch.facts",
                later=words.count("students", found.later),
                taught=words.count("students", found.taught),
                day=words.day(found.taught_until),
            )
        )
        table = model_watch.signs_table(manifest, words)
        if not table.empty:
            draw_table(table, height="content", alt=words("model_watch.title"))
    moved = model_watch.recalibrated(manifest, target)
    if moved:
        values = {
            "expected": words.percent(moved.expected, 1),
            "observed": words.percent(moved.observed, 1),
        }
        st.caption(words("model_watch.moved", students=words.count("students", moved.students), **values))


def probes(manifest: Manifest) -> None:
    """Whether a linear classifier can name sex, programme, year or scanner from the embedding."""
    words = current_session.words()
    section(words("model_watch.probe_title"), words("model_watch.probe_help"))
    table = model_watch.probe_table(manifest, words)
    if table.empty:
        st.caption(words("model_watch.no_probe"))
    else:
        draw_table(table, height="content", alt=words("model_watch.probe_title"))
