"""The overview's card on cohorts side by side; nothing is worked out before cohorts are chosen."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.charts.side_by_side import side_by_side_chart, written
from dashboard.cohorts import compare, summaries
from dashboard.cohorts.counted import Counts, Told
from dashboard.cohorts.view import overview as parts
from dashboard.components.chart_panel import chart_panel
from dashboard.components.exports_bar import export_bar
from dashboard.components.layout import card, section
from dashboard.components.table import draw_table
from dashboard.shell import caches, current_session
from dashboard.shell.session_keys import Key
from dashboard.shell.wording import Words
from data import queries
from data.scores.prospects import GROUPS


def compare_card(given: parts.Given) -> list[int]:
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
        st.caption(" ".join(filter(None, (words("compare.legend"), _followed(given, chosen)))))
        about = {"program": given.chosen.program_code, "cohorts": ", ".join(map(words.term, chosen))}
        export_bar(partial(told_frame, table, words), "compare", about_people=False, **about)
    return chosen


def cohorts_of(given: parts.Given) -> list[int]:
    """Entry cohorts of the programme chosen, the newest first."""
    flow = summaries.chosen(caches.read_once(queries.flow_counts), given.chosen.program_code, None)
    return sorted((int(cohort) for cohort in flow["cohort_term"].unique()), reverse=True)


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


def progress_of(given: parts.Given) -> pd.DataFrame:
    """What became of every cohort of the programme chosen, term by term."""
    return summaries.chosen(parts.followed(), given.chosen.program_code, None)


def terms_shown(given: parts.Given) -> int:
    """How many study terms stand side by side."""
    code, programs = given.chosen.program_code, given.programs
    own = programs if code is None else programs[programs["program_code"] == code]
    return compare.longest(own["normal_terms"])


def counted(given: parts.Given, attribute: str) -> Counts:
    """The counts of every cohort of the programme chosen, groups formed by ``attribute``."""
    alike = _alike(given, attribute)
    if given.silent:
        alike = alike.assign(band="")
    return Counts(alike, given.programs, given.last, given.reported)


def seen_cohorts(given: parts.Given) -> dict[int, compare.Seen]:
    """How far the register sees every cohort of the programme chosen."""
    last, alike = caches.read_once(queries.last_closed_term), _alike(given, GROUPS[0])
    return compare.seen_cohorts(alike, progress_of(given), last, terms_shown(given))


def _alike(given: parts.Given, attribute: str) -> pd.DataFrame:
    arguments = (given.chosen.target, attribute, terms_shown(given), given.chosen.program_code)
    return caches.read_once(queries.counted_alike, *arguments)


def _table(given: parts.Given, chosen: list[int]) -> pd.DataFrame:
    counts, told = _judged(given, chosen)
    progress, seen = progress_of(given), seen_cohorts(given)
    return compare.side_by_side(counts, told, chosen, progress, seen, terms_shown(given), given.reported)


def _judged(given: parts.Given, chosen: list[int]) -> tuple[Counts, Told]:
    counts = counted(given, GROUPS[0])
    compare.add_side_by_side(counts, chosen, seen_cohorts(given), terms_shown(given))
    return counts, compare.told_on_page(counts, chosen, terms_shown(given))


def _followed(given: parts.Given, chosen: list[int]) -> str:
    """Where the register holds the terms of some programmes only: of how many entrants that is."""
    return caches.made_once("compare-followed", _about(given, chosen), partial(_told_followed, given, chosen))


def _told_followed(given: parts.Given, chosen: list[int]) -> str:
    words = current_session.words()
    _, told = _judged(given, chosen)
    fewer = [
        words("compare.followed_of", cohort=words.term(cohort), n=told.count(("followed", cohort)))
        for cohort in chosen
        if ("followed", cohort) in told.values
        and told.values["followed", cohort] != told.values["cohort", cohort, "entered"]
    ]
    return words("compare.followed", cohorts="; ".join(fewer)) if fewer else ""


def _about(given: parts.Given, chosen: list[int]) -> tuple:
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
