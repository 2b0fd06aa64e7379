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
from data import queries
from data.queries import StoredExplanation
from data.records.course_results import GradeRules
from fusion.explanation.levers import GREATEST
from fusion.features.rows import Rows

IN_DAYS = ("arrears_last",)  # levers whose figure would not tell that it counts days


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
        studied = whatif.studied(row) and whatif.studied_in(terms, index)
        why = "not_studied" if not studied else "not_recorded" if index else "none"
        st.caption(words(f"whatif.{why}", term=term))
        return
    score_id = stored.score["score_id"]
    rules = queries.grade_rules(stores.store())
    settled = whatif.settled(row, known, _chosen(score_id), rules)
    left, right = st.columns([1.6, 1], gap="large")
    with left:
        grid = st.grid(2, min_column_width=220, gap="medium", key="levers")
        with grid:
            for name, span in known.items():
                _lever(name, span, settled.stands[name], score_id)
        _together(row, known, settled, rules)
        st.button(
            words("whatif.again"),
            icon=":material/restart_alt:",
            key=f"levers-again-{score_id}",
            disabled=not settled.changes,
            on_click=_chosen(score_id).clear,
        )
    with right:
        after = whatif.changed_score(model, row, stored, settled.changes, rules)
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
    _along(row, settled.changes, rules)


def _together(row: Rows, known: dict, settled: whatif.Settled, rules: GradeRules) -> None:
    """Which levers were taken along by another one, and what the GPA can be as the courses stand."""
    words, told = current_session.words(), []
    for name in settled.took:
        value = shown_feature(name, settled.stands[name], words)
        told.append(words("whatif.took", name=words(f"feature.{name}"), value=value))
    room = whatif.room_of(row, known, settled.changes, rules)
    if room is not None:
        low, high, by_the_scale = room
        ends = {"low": words.number(low, 2), "high": words.number(high, 2)}
        told.append(words("whatif.room" if ends["low"] != ends["high"] else "whatif.room_one", **ends))
        if by_the_scale:
            scale = {"least": words.number(rules.pass_points, 2), "greatest": words.number(GREATEST, 2)}
            told.append(words("whatif.scale", **scale))
    if told:
        st.caption(" ".join(told))


def _along(row: Rows, changes: dict[str, float], rules: GradeRules) -> None:
    """Everything that moved with the levers, in words."""
    words = current_session.words()
    own = row.table.iloc[0].to_dict()
    told = []
    for name, pair in whatif.moved(row, changes, rules).items():
        before, after = (shown_feature(name, value, words) for value in pair)
        told.append(f"{name_of_feature(name, own, words)} {before} → {after}")
    if told:
        st.caption(words("whatif.along", facts="; ".join(told)))


def _chosen(score_id: int) -> dict[str, float]:
    """Lever → value that somebody has moved it to, the one moved last at the end."""
    return st.session_state.setdefault(f"levers-{score_id}", {})


def _lever(name: str, span: tuple[float, float, float], stands: float, score_id: int) -> None:
    """A slider at the value where the lever stands, moved by hand or by another one."""
    words = current_session.words()
    now, low, high, step, digits = whatif.scale_of(name, span)
    stands = min(max(stands * whatif.SHARES.get(name, 1.0), low), high)
    label, key = words(f"feature.{name}"), f"lever-{name}-{score_id}"
    if name in IN_DAYS:
        label = words("whatif.in_days", name=label)
    unit = "%" if name in whatif.SHARES else ""
    about = {"digits": digits, "unit": unit, "key": key, "now": now}
    decimal_slider(label, low, high, stands, step, **about, on_change=_take, args=(name, span, score_id))


def _take(name: str, span: tuple[float, float, float], score_id: int) -> None:
    """Remember what a lever was moved to, as the last one that was moved."""
    value = st.session_state.get(f"lever-{name}-{score_id}")
    if value is None:  # the session ended between the move and this run
        return
    chosen, now = _chosen(score_id), whatif.scale_of(name, span)[0]
    chosen.pop(name, None)
    chosen[name] = span[0] if value == now else min(value / whatif.SHARES.get(name, 1.0), span[2])
