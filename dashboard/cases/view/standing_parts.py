"""Who is past the normal time, and who is off track by the rule where no model may speak."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.cases import standing
from dashboard.cases.view.caseload_table import name_column, open_named, open_student
from dashboard.cases.view.narrow import Card, wide_or_cards
from dashboard.cases.view.ways_on import remember
from dashboard.components.exports_bar import export_bar
from dashboard.components.filters import CaseFilter
from dashboard.components.layout import empty_state, section
from dashboard.components.table import draw_table
from dashboard.models.fitness_words import lacking, with_rule
from dashboard.shell import caches, current_session, stores
from dashboard.shell.view.account_names import name_of
from data import queries

ROW, MOST_HEIGHT = 36, 520
NAME_AND_NUMBER = 280


def by_rule(chosen: CaseFilter, why) -> None:
    """Why no model speaks about the target, and the students by the credits-and-GPA rule, named as such.

    Parameters
    ----------
    chosen : CaseFilter
    why : fusion.validation.fitness.Fitness or None
    """
    words = current_session.words()
    st.warning(with_rule(why, words, current_session.zone_name(), name_of), icon=":material/rule:")
    rows = _narrowed(chosen, past_normal=False)
    rows = rows[rows["terms_over"] < rows["normal_terms"]]  # the others have a group of their own
    section(words("on_track.title"), words("on_track.help"))
    if rows.empty:
        return empty_state(
            words("caseload.empty_title"), words("caseload.empty_text"), ":material/search_off:"
        )
    st.markdown(standing.rule_lead(rows, words))
    table = standing.rule_table(rows, stores.programs(), words).head(chosen.k)
    opening(table, "rule", words("on_track.title"))


def past_normal(chosen: CaseFilter) -> None:
    """The group of those whose normal time is over; nothing where there is nobody."""
    words = current_session.words()
    about = (chosen.program_code, chosen.cohort_term, stores.counts_hold("dropout"))
    table = caches.made_once("past-normal", about, partial(_past_table, replace(chosen, search=None)))
    if (chosen.search or "").strip():
        table = _found(table, chosen)
    if table.empty:
        return
    section(f"{words('standing.title')} · {words.number(len(table))}", words("standing.help"))
    st.markdown(words("standing.lead", students=words.count("students", len(table))))
    opening(table, "past", words("standing.title"))


def _found(whole: pd.DataFrame, chosen: CaseFilter) -> pd.DataFrame:
    """Whom the search finds among the group; asked of the store where the group goes on beyond its list."""
    if len(whole) >= queries.MAX_STANDING:
        return _past_table(chosen)
    keys = whole["student_key"]
    named = queries.named_among(stores.store(), current_session.scope(), chosen.search, list(keys))
    return whole[keys.isin(named)].reset_index(drop=True)


def _past_table(chosen: CaseFilter) -> pd.DataFrame:
    rows = _narrowed(chosen, past_normal=True)
    return standing.past_table(rows, stores.programs(), current_session.words())


def standing_card(row: dict, scored_before: bool, target: str) -> None:
    """The lead of a student's page whose normal time is over.

    Parameters
    ----------
    row : dict
        Of ``queries.standing``.
    scored_before : bool
        Whether the student has scores of the time when being late was a risk.
    target : {"late", "dropout"}
        Which of the two the page shows: a drop-out risk with a card of its own is not said here as well.
    """
    words = current_session.words()
    known = [standing.away(row, words), words("standing.no_late")]
    known += [words("standing.kept")] if scored_before else []
    with st.container(border=True, key="card-standing"):
        st.markdown(f":material/event_busy: {standing.sentence(row, words)}")
        st.caption(" ".join(filter(None, known)))
        if target == "dropout" and not pd.isna(row["dropout_risk"]):
            return
        if not stores.counts_hold("dropout"):
            st.caption(words("place.no_dropout"))
        elif pd.isna(row["dropout_risk"]):
            st.caption(words("standing.no_dropout"))
        else:
            risk, band = words.of_100(row["dropout_risk"]), words(f"band.{row['dropout_band']}").lower()
            st.markdown(words("standing.dropout", risk=risk, band=band))


def unlearned_card(target: str) -> bool:
    """Say why there is no risk of ``target``; whether it was said."""
    silent, why = stores.unlearned(target)
    if silent:
        words = current_session.words()
        clock = (current_session.zone_name(), name_of)
        text = words("fitness.no_model") if why is None else lacking(why, words, *clock)
        st.warning(text, icon=":material/rule:")
    return silent


def rule_line(key: str) -> None:
    """Where a student stands by the credits-and-GPA rule, under its name; nothing after the normal time."""
    words = current_session.words()
    rows = queries.standing(stores.store(), current_session.scope(), keys=[key])
    rows = rows[rows["terms_over"] < rows["normal_terms"]]
    if len(rows):
        level = standing.level_name(int(standing.levels(rows)[0]), words)
        st.markdown(words("rule.student", level=level), help=words("on_track.help"))


def rank_note(target: str) -> bool:
    """Why the order is told and no counts; whether it was said."""
    footing = stores.footing(target)
    if footing.ranks:
        words = current_session.words()
        st.warning(words(f"place.why_{footing.why}"), icon=":material/format_list_numbered:")
    return footing.ranks


def _narrowed(chosen: CaseFilter, *, past_normal: bool) -> pd.DataFrame:
    found = queries.standing(
        stores.store(),
        current_session.scope(),
        past_normal=past_normal,
        program_code=chosen.program_code,
        cohort_term=chosen.cohort_term,
        search=chosen.search,
    )
    return found if stores.counts_hold("dropout") else found.assign(dropout_risk=np.nan)


def _cards(table: pd.DataFrame) -> list[Card]:
    """The rows as cards: the name, the column after it, then the others with their headings."""
    words, (_, name, first, *others) = current_session.words(), list(table.columns)
    cards = []
    for row in table.to_dict("records"):
        told = {column: _cell(row[column], words) for column in (first, *others)}
        lines = tuple(f"{column}: {told[column]}" for column in others if told[column])
        lead = f"{first}: {told[first]}" if told[first] else ""
        cards.append(Card(row["student_key"], row[name], lead, lines))
    return cards


def _cell(value, words) -> str:
    if isinstance(value, str):
        return value
    return "" if pd.isna(value) else words.number(value, 0 if float(value).is_integer() else 2)


def opening(table: pd.DataFrame, key: str, title: str) -> None:
    """A table of which a name opens the student."""
    words = current_session.words()
    remember(key, table["student_key"])
    shown = table.drop(columns="student_key")
    event = wide_or_cards(
        key,
        lambda: _cards(table),
        lambda: draw_table(
            shown,
            key=f"{key}-table",
            on_select="rerun",
            selection_mode="single-row",
            height=min(ROW * len(shown) + 39, MOST_HEIGHT),
            row_height=ROW,
            alt=title,
            column_config={words("column.student"): name_column(f"{key}-table", NAME_AND_NUMBER)},
        ),
    )
    open_named(table, f"{key}-table")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(words("caseload.open_hint"), width="content")
        export_bar(shown, key)
    rows = [row for row in event["selection"]["rows"] if row < len(table)]
    if rows:
        open_student(table.iloc[rows[0]]["student_key"])
