"""Levers to try on a student's score: what the model has seen go together, not what a step would do."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.components.layout import section
from dashboard.components.numbers import decimal_slider
from dashboard.shell import current_session, stores
from dashboard.shell.glossary import linked
from dashboard.students import whatif
from dashboard.students.reasons import name_of_feature, shown_feature
from dashboard.students.telling import change_of_place, counted
from data.queries import StoredExplanation
from fusion.features.rows import Rows


@st.fragment
def whatif_panel(stored: StoredExplanation, terms: pd.DataFrame) -> None:
    """Draw a slider per lever of the term that the score follows, and the score as it would be.

    Parameters
    ----------
    stored : StoredExplanation
    terms : DataFrame
        The student's rows (:func:`data.queries.term_rows`).
    """
    words, model = current_session.words(), stores.model()
    term = words.term(stored.score["as_of_term"])
    section(words("whatif.title", term=term), linked(words("whatif.help"), "whatif", words))
    if not model.keeps_directions:
        st.warning(words("reasons.train_again"), icon=":material/history:")
        return
    row = whatif.stored_row(model, stored)
    movable, index = whatif.levers(row), int(stored.score["as_of_index"])
    known = whatif.of_one_term(movable, terms, index)
    if not known:
        why = "not_studied" if not whatif.studied(row) else "not_recorded" if index else "none"
        st.caption(words(f"whatif.{why}", term=term))
        return
    score_id = stored.score["score_id"]
    left, right = st.columns([1.6, 1], gap="large")
    with left:
        grid = st.grid(2, min_column_width=220, gap="medium", key="levers")
        with grid:
            changes = {name: _lever(name, span, score_id) for name, span in known.items()}
    changes = {name: value for name, value in changes.items() if value is not None}
    with right:
        after = whatif.changed_score(model, row, stored, changes)
        if stores.footing(stored.score["target"]).ranks:
            st.markdown(change_of_place(stored.score["risk"], after.risk, words))
        else:
            now = {"target": stored.score["target"], "risk": after.risk}
            st.markdown(counted(now | {"risk_low": after.low, "risk_high": after.high}, words))
            st.markdown(
                words(
                    "whatif.from_to",
                    before=words.of_100(stored.score["risk"]),
                    after=words.of_100(after.risk),
                    band=words(f"band.{after.band}"),
                )
            )
        st.caption(words("whatif.note"))
    _along(row, changes)


def _along(row: Rows, changes: dict[str, float]) -> None:
    """Everything that moved with the levers, in words."""
    words = current_session.words()
    own = row.table.iloc[0].to_dict()
    told = []
    for name, pair in whatif.moved(row, changes).items():
        before, after = (shown_feature(name, value, words) for value in pair)
        told.append(f"{name_of_feature(name, own, words)} {before} → {after}")
    if told:
        st.caption(words("whatif.along", facts="; ".join(told)))


def _lever(name: str, span: tuple[float, float, float], score_id: int) -> float | None:
    """The value chosen; None while it stands at the present one."""
    words = current_session.words()
    now, low, high, step, digits = whatif.scale_of(name, span)
    label, key = words(f"feature.{name}"), f"lever-{name}-{score_id}"
    unit = "%" if name in whatif.SHARES else ""
    chosen = decimal_slider(label, low, high, now, step, digits=digits, unit=unit, key=key)
    return None if chosen == now else min(chosen / whatif.SHARES.get(name, 1.0), span[2])
