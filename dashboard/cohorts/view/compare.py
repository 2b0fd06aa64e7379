"""The overview's card on cohorts side by side; nothing is worked out before cohorts are chosen."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.charts.side_by_side import side_by_side_chart, written
from dashboard.cohorts import compare
from dashboard.cohorts.view.given import Given, cohorts_of, judged, progress_of, seen_cohorts, terms_shown
from dashboard.components.chart_panel import chart_panel
from dashboard.components.exports_bar import export_bar
from dashboard.components.filters import ALL, narrow_to, programs_in_reach
from dashboard.components.layout import card, section
from dashboard.components.table import draw_table
from dashboard.shell import caches, current_session
from dashboard.shell.session_keys import Key
from dashboard.shell.wording import Words


def compare_card(given: Given) -> list[int]:
    """Choose cohorts of the programme, whichever cohort the page is about; returns those that are shown."""
    words, cohorts = current_session.words(), cohorts_of(given)
    with card("compare"):
        if len(cohorts) < compare.LEAST:
            section(words("compare.title"), words("compare.help"))
            st.caption(words("compare.too_few"))
            return []
        chosen = _choice(cohorts)
        if len(chosen) < compare.LEAST:
            return []
        table = caches.made_once("compare-table", _about(given, chosen), partial(_table, given, chosen))
        chart_panel(
            lambda by: side_by_side_chart(table, by, words),
            "compare",
            choices=compare.MEASURES,
            about=_about(given, chosen),
        )
        draw_table(
            told_frame(table, words),
            column_config={words("compare.gpa"): st.column_config.Column(help=words("compare.gpa_help"))},
            key="compare-rows",
            alt=words("compare.title"),
        )
        _much_hidden(given, table)
        st.caption(" ".join(filter(None, (words("compare.legend"), _followed(given, chosen)))))
        about = {"program": given.chosen.program_code, "cohorts": ", ".join(map(words.term, chosen))}
        export_bar(partial(told_frame, table, words), "compare", about_people=False, **about)
    return chosen


def _much_hidden(given: Given, table: pd.DataFrame) -> None:
    """Where a third of the figures is hidden or more: why, and what may show more of them."""
    words, hidden, told = current_session.words(), *compare.hidden_and_told(table)
    if 2 * hidden < told or not hidden:
        return
    wider = given.chosen.program_code is not None and len(programs_in_reach()) > 1
    with st.container(horizontal=True, vertical_alignment="center", key="much-hidden"):
        why = words("compare.hidden_program" if wider else "compare.hidden")
        st.markdown(f":material/visibility_off: {why}", width="content")
        if wider:
            st.button(
                words("compare.all_programs"),
                key="compare-widen",
                icon=":material/unfold_more:",
                type="tertiary",
                on_click=narrow_to,
                args=("program", ALL),
            )


def _choice(cohorts: list[int]) -> list[int]:
    """The cohorts chosen, the oldest first; one that another programme has and this one lacks falls out."""
    words = current_session.words()
    section(words("compare.title"), words("compare.help"))
    kept = st.session_state.get(Key.COMPARED, [])
    still = [cohort for cohort in kept if cohort in cohorts]
    if still != kept or current_session.arrived():
        st.session_state[Key.COMPARED] = still
    chosen = st.multiselect(
        words("compare.pick"),
        cohorts,
        placeholder=words("streamlit.choose"),
        max_selections=compare.MOST,
        format_func=words.term,
        key=Key.COMPARED,
        persist_state="session",
    )
    if len(chosen) < compare.LEAST:
        st.caption(words("compare.pick_note"))
    return sorted(chosen)


def _table(given: Given, chosen: list[int]) -> pd.DataFrame:
    counts, told = judged(given, chosen)
    progress, seen = progress_of(given), seen_cohorts(given)
    return compare.side_by_side(counts, told, chosen, progress, seen, terms_shown(given), given.reported)


def _followed(given: Given, chosen: list[int]) -> str:
    """Where the register holds the terms of some programmes only: of how many entrants that is."""
    return caches.made_once("compare-followed", _about(given, chosen), partial(_told_followed, given, chosen))


def _told_followed(given: Given, chosen: list[int]) -> str:
    words = current_session.words()
    _, told = judged(given, chosen)
    fewer = [
        words("compare.followed_of", cohort=words.term(cohort), n=told.count(("followed", cohort)))
        for cohort in chosen
        if ("followed", cohort) in told.values
        and told.values["followed", cohort] != told.values["cohort", cohort, "entered"]
    ]
    return words("compare.followed", cohorts="; ".join(fewer)) if fewer else ""


def _about(given: Given, chosen: list[int]) -> tuple:
    return (*given.about, *chosen)


def told_frame(table: pd.DataFrame, words: Words) -> pd.DataFrame:
    """The rows in the reader's language, as on the page and in its files.

    Asked for when no session is at hand, so it is told the reader's language.
    """
    shown = {
        words("column.cohort"): [words.term(cohort) for cohort in table["cohort_term"]],
        words("compare.term"): table["term"].astype(int).tolist(),
        words("compare.entered"): [
            value if isinstance(value, str) else words.number(value) for value in table["entered"]
        ],
    }
    for name in compare.MEASURES:
        shown[words(f"compare.{name}")] = [written(value, name, words) for value in table[name]]
    return pd.DataFrame(shown)
