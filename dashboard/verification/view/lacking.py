"""The list of who still lacks references, with what is missing; a row opens the student."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.components.exports_bar import export_bar
from dashboard.components.layout import card, section
from dashboard.components.table import draw_table
from dashboard.shell import caches, current_session, stores
from dashboard.shell.auditing import audited_once
from dashboard.shell.session_keys import Key
from dashboard.shell.wording import Words
from data.verification.lacking import WHY, lacking_references

LISTED = 200


def lacking_list(fewest: int) -> None:
    """One card with the list, narrowed by what is missing."""
    words, programs = current_session.words(), stores.programs()
    found = caches.read_once(lacking_references, fewest)
    with card("lacking"):
        section(words("lacking.title"), words("lacking.help", fewest=fewest))
        if found.empty:
            st.success(words("lacking.nobody"), icon=":material/check_circle:")
            return
        counts = found["why"].value_counts()
        why = st.selectbox(
            words("lacking.what"),
            [None, *(one for one in WHY if one in counts.index)],
            format_func=lambda one: _option(one, len(found), counts, words),
            key="lacking-why",
        )
        rows = found if why is None else found[found["why"] == why]
        audited_once("view_lacking", "enrolment", **({} if why is None else {"why": why}))
        as_table = partial(_as_table, words=words, programs=programs)  # the export has no session to ask
        if len(rows) > LISTED:
            st.caption(words("lacking.first", n=len(rows), shown=LISTED))
        draw_table(
            as_table(rows.head(LISTED)),
            key=Key.LACKING_TABLE,
            on_select=partial(_open, rows["student_key"].tolist()),
            selection_mode="single-row",
            alt=words("lacking.title"),
        )
        export_bar(partial(as_table, rows), "lacking", why=why)


def _option(why: str | None, n: int, counts: pd.Series, words: Words) -> str:
    name = words("lacking.anything") if why is None else words(f"lacking.{why}")
    return f"{name} · {words.number(n if why is None else int(counts[why]))}"


def _as_table(found: pd.DataFrame, words: Words, programs: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            words("column.student_number"): found["student_number"],
            words("column.name"): found["name"],
            words("column.program"): [programs.get(code, code) for code in found["program_code"]],
            words("lacking.column_why"): [words(f"lacking.{why}") for why in found["why"]],
            words("lacking.column_references"): found["references"],
            words("lacking.column_specimens"): found["specimens"],
            words("column.cohort_term"): [words.term(term) for term in found["cohort_term"]],
        }
    )


def _open(keys: list[str]) -> None:
    rows = st.session_state[Key.LACKING_TABLE]["selection"]["rows"]
    if rows:
        st.session_state[Key.REGISTRY_STUDENT] = st.query_params["s"] = keys[rows[0]]
