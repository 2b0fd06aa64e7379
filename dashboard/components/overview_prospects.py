"""The overview's outlook: degrees and drop-out over time, cohorts under way, gaps between groups, health."""

from __future__ import annotations

from datetime import date
from functools import partial

import pandas as pd
import streamlit as st

from dashboard import app_state, prospects
from dashboard.charts.base import Chart
from dashboard.charts.trends import incidence, rates
from dashboard.components import overview_parts as parts
from dashboard.components.chart_panel import chart_panel
from dashboard.components.filters import GroupFilter
from dashboard.components.layout import card, section
from dashboard.model_health import concerns
from data import queries
from data.queries_prospects import GROUPS

RIPENESS = ("mature", "immature")


def outlook(
    flow: pd.DataFrame, programs: pd.DataFrame, cohorts: pd.DataFrame, chosen: GroupFilter, last: int
) -> None:
    """Two cards: what cohorts came to by each term, and what those under way may come to.

    Parameters
    ----------
    flow, programs, last
        As in :func:`dashboard.summaries.outcomes`, narrowed.
    cohorts : DataFrame
        Their :func:`dashboard.components.overview_parts.by_cohort`.
    chosen : GroupFilter
        What the page was narrowed to.
    """
    about = tuple(vars(chosen).values())
    left, right = st.columns(2)
    with left, card("incidence"):
        chart = partial(_incidence, flow, programs, last)
        chart_panel(chart, "incidence", *parts.titled("incidence"), choices=RIPENESS, about=about)
    with right, card("scenarios"):
        expected = parts.narrowed(queries.expected_late, chosen)
        make = partial(prospects.scenarios, cohorts, expected)
        table = app_state.kept("scenario-table", about, make)
        if table.empty:
            _nothing("scenario", "overview.scenario_none")
        else:
            chart_panel(partial(_scenarios, table), "scenarios", *parts.titled("scenario"), about=about)
            st.caption(app_state.words()("overview.scenario_note"))


def gaps(programs: pd.DataFrame, chosen: GroupFilter, last: int) -> None:
    """One card: on-time rates by group, and the largest difference with its interval."""
    words = app_state.words()
    with card("groups"):
        section(*parts.titled("groups"))
        attribute = st.segmented_control(
            words("overview.groups_by"),
            list(GROUPS),
            default=GROUPS[0],
            required=True,
            format_func=lambda name: words(f"attribute.{name}"),
            key="group-by",
            label_visibility="collapsed",
            persist_state="session",
        )
        about = (attribute, *vars(chosen).values())
        make = partial(_groups, programs, chosen, last, attribute)
        table = app_state.kept("groups-table", about, make)
        found = prospects.largest_gap(table)
        if found is None:
            st.caption(words("overview.groups_none"))
            return
        chart = partial(rates, table, "group", words)
        chart_panel(chart, "groups", about=about)
        st.caption(_told(found))


def _groups(programs: pd.DataFrame, chosen: GroupFilter, last: int, attribute: str) -> pd.DataFrame:
    flow = parts.narrowed(queries.flow_by_group, chosen, attribute)
    table = prospects.groups(flow, programs, last)
    return table.assign(group=[app_state.words().named(_family(attribute), name) for name in table["group"]])


def health() -> None:
    """Whether the model needs somebody's eye, in one line."""
    words, served = app_state.words(), app_state.served_model()
    if served is None:
        st.caption(parts.model_line())
        return
    said = concerns(served.manifest, app_state.remember(queries.last_scored), date.today())
    line = " ".join(words(f"health.{name}") for name in said) or words("health.fine")
    icon = ":orange[:material/warning:]" if said else ":green[:material/check_circle:]"
    st.markdown(f"{icon} {line}")
    st.caption(parts.model_line())


def _incidence(flow: pd.DataFrame, programs: pd.DataFrame, last: int, ripeness: str) -> Chart:
    table = prospects.incidence(flow, programs, last, mature=ripeness == "mature")
    return incidence(table, app_state.words())


def _scenarios(table: pd.DataFrame) -> Chart:
    words = app_state.words()
    shown = table.assign(cohort=table["cohort_term"].map(words.term), mature=False)
    return rates(shown, "cohort", words)


def _told(found: prospects.Gap) -> str:
    words = app_state.words()
    values = {
        "high": found.high_group,
        "low": found.low_group,
        "points": words.number(100 * found.difference, 1),
        "from_": words.number(100 * found.low, 1),
        "to": words.number(100 * found.high, 1),
    }
    sure = "overview.gap_sure" if found.low > 0 else "overview.gap_unsure"
    return f"{words('overview.gap', **values)} {words(sure)}"


def _nothing(part: str, key: str) -> None:
    section(*parts.titled(part))
    st.caption(app_state.words()(key))


def _family(attribute: str) -> str:
    return {"sex": "group", "entry_type": "entry_type"}.get(attribute, "value")
