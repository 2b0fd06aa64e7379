"""The overview's outlook: degrees and drop-out over time, cohorts under way, gaps between groups, health."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.charts.base import Chart
from dashboard.charts.trends import rates
from dashboard.cohorts import prospects
from dashboard.cohorts.view import overview as parts
from dashboard.cohorts.view.courses import prepare_courses
from dashboard.cohorts.view.given import Given
from dashboard.cohorts.view.reasons import prepare_reasons
from dashboard.components.chart_panel import chart_panel, prepare
from dashboard.components.filters import GroupFilter
from dashboard.components.layout import card, section
from dashboard.models.health import health_of
from dashboard.shell import caches, current_session, stores
from data import queries
from data.columns import TARGETS
from data.scores.prospects import GROUPS


def outlook(given: Given) -> None:
    """Two cards: what cohorts came to by each term, and what those under way may come to."""
    left, right = st.columns(2)
    with left, card("incidence"):
        chart_panel(**parts.panels(given)["incidence"], **parts.titled("incidence"))
    with right, card("scenarios"):
        table = scenario_table(given)
        if table.empty:
            _nothing("scenario", "overview.scenario_none")
        else:
            chart_panel(**_scenarios(given), **parts.titled("scenario"))
            st.caption(current_session.words()("overview.scenario_note"))


def scenario_table(given: Given) -> pd.DataFrame:
    """What the cohorts under way may come to (:func:`dashboard.cohorts.prospects.scenarios`)."""

    def make() -> pd.DataFrame:
        expected = given.narrowed(queries.expected_late)
        counts = stores.counts_hold("late")
        return prospects.scenarios(given.cohorts, expected if counts else expected.iloc[:0])

    return caches.made_once("scenario-table", given.about, make)


def gaps(given: Given) -> str:
    """One card: on-time rates by group, and the largest difference with its interval. By which groups."""
    words = current_session.words()
    with card("groups"):
        section(**parts.titled("groups"))
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
        gap = prospects.largest_gap(group_table(given, attribute))
        if gap is None:
            st.caption(words("overview.groups_none"))
        else:
            chart_panel(**_group_rates(given, attribute))
            st.caption(_told(gap))
    return attribute


def group_table(given: Given, attribute: str) -> pd.DataFrame:
    """Rates of the groups of an attribute, named in the reader's language."""

    def make() -> pd.DataFrame:
        table = groups_by_code(given, attribute)
        return table.assign(group=[group_name(attribute, name) for name in table["group"]])

    return caches.made_once("groups-table", (attribute, *given.about), make)


def groups_by_code(given: Given, attribute: str) -> pd.DataFrame:
    """Rates of the groups of an attribute, as the register writes them."""
    flow = given.narrowed(queries.flow_by_group, attribute)
    return prospects.groups(flow, given.programs, given.last)


def group_name(attribute: str, name: str) -> str:
    """A group in the reader's language."""
    return current_session.words().named(_family(attribute), name)


def prepare_overview(chosen: GroupFilter) -> None:
    """Work out all that the page shows first, for a reader who may choose it next."""
    given = Given(chosen)
    parts.kpis(given)
    for panel in parts.panels(given).values():
        prepare(**panel)
    if not scenario_table(given).empty:
        prepare(**_scenarios(given))
    if prospects.largest_gap(group_table(given, GROUPS[0])) is not None:
        prepare(**_group_rates(given, GROUPS[0]))
    parts.gaps_left(given)
    parts.outcome_notes(given)
    prepare_reasons(given)
    prepare_courses(chosen.program_code)


def health(target: str) -> None:
    """Whether the model needs somebody's eye, in one line; what concerns other risks is folded away.

    Parameters
    ----------
    target : str
        The risk that the page is about.
    """
    words, served = current_session.words(), stores.served_model()
    if served is None:
        st.caption(parts.model_line())
        return
    scored = caches.read_once(queries.last_scored)
    ruled = [one for one in TARGETS if stores.rule_served(one)]
    found = health_of(served.manifest, scored, current_session.today(), ruled, words)
    lines = found.general + found.of_target[target]
    icon = ":orange[:material/warning:]" if lines else ":green[:material/check_circle:]"
    st.markdown(f"{icon} {' '.join(lines) or words('health.fine')}")
    for other in TARGETS:
        if other != target and found.of_target[other]:
            name = words(f"target.{other}")
            with st.expander(words("health.of_other", target=name), key=f"health-{other}"):
                st.markdown(" ".join(found.of_target[other]))
    st.caption(parts.model_line())


def _scenarios(given: Given) -> dict:
    def draw() -> Chart:
        words, table = current_session.words(), scenario_table(given)
        shown = table.assign(cohort=table["cohort_term"].map(words.term), mature=False)
        return rates(shown, "cohort", words)

    return {"chart": draw, "key": "scenarios", "about": given.about}


def _group_rates(given: Given, attribute: str) -> dict:
    def draw() -> Chart:
        return rates(group_table(given, attribute), "group", current_session.words())

    return {"chart": draw, "key": "groups", "about": (attribute, *given.about)}


def _told(gap: prospects.Gap) -> str:
    words = current_session.words()
    values = {
        "high": gap.high_group,
        "low": gap.low_group,
        "points": words.number(100 * gap.difference, 1),
        "from_": words.number(100 * gap.low, 1),
        "to": words.number(100 * gap.high, 1),
    }
    sure = "overview.gap_sure" if gap.low > 0 else "overview.gap_unsure"
    return f"{words('overview.gap', **values)} {words(sure)}"


def _nothing(part: str, key: str) -> None:
    section(**parts.titled(part))
    st.caption(current_session.words()(key))


def _family(attribute: str) -> str:
    return {"sex": "group", "entry_type": "entry_type"}.get(attribute, "value")
