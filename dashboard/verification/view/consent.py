"""Consent on the page: counts, who has not agreed, the history, and the way here from other pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from dashboard.components.exports_bar import export_bar
from dashboard.components.layout import card, empty_state, section
from dashboard.components.paper import filters_in_force
from dashboard.components.table import draw_table
from dashboard.shell import current_session, stores
from dashboard.shell.caches import made_once
from dashboard.shell.plain import shown
from dashboard.shell.session_keys import Key
from dashboard.shell.view.account_names import name_of
from dashboard.shell.wording import Words
from data.columns import CONSENT_PURPOSES
from data.consents.queries import (
    consent_counts,
    count_without_consent,
    decisions_of,
    keys_without_consent,
    newest_consent,
    without_consent,
)
from data.store import Store
from data.trust.scope import Scope
from data.verification import queries as queries_verification

LISTED = 200


def overview() -> None:
    """How many agreed to what, and who did not."""
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    newest = newest_consent(store)
    counts = made_once("consent-counts", (newest,), lambda: consent_counts(store, scope))
    if not counts[["yes", "no", "none"]].to_numpy().sum():
        return empty_state(words("consent.empty_title"), words("consent.empty_text"), ":material/task_alt:")
    with card("counts"):
        section(words("consent.counts_title"))
        table = {words("consent.column_purpose"): [_purpose(one) for one in counts["purpose"]]}
        table |= {words(f"consent.count_{name}"): counts[name] for name in ("yes", "no", "none")}
        draw_table(pd.DataFrame(table), alt=words("consent.counts_title"))
        st.caption(words("consent.by_file"))
    with card("missing"):
        _missing(newest)


def _missing(newest: int) -> None:
    words, store, scope = current_session.words(), stores.store(), current_session.scope()
    section(words("consent.missing_title"), words("consent.missing_help"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="missing-filters"):
        purpose = st.selectbox(
            words("consent.missing_purpose"),
            CONSENT_PURPOSES,
            format_func=lambda one: words(f"consent.purpose_{one}"),
            key="missing-purpose",
        )
        programs = stores.programs()
        program = st.selectbox(
            words("consent.missing_program"),
            [None, *programs],
            format_func=lambda code: words("consent.any_program") if code is None else shown(programs[code]),
            key="missing-program",
        )
        signed = st.toggle(words("consent.missing_signed"), key="missing-signed")
    filters_in_force(
        {
            words("consent.missing_purpose"): words(f"consent.purpose_{purpose}"),
            words("consent.missing_program"): program and programs[program],
            words("consent.missing_signed"): words("answer.true") if signed else None,
        }
    )
    asked = {"with_specimens": signed, "program_code": program}
    about = (newest, purpose, signed, program)

    def counted() -> int:
        return count_without_consent(store, scope, purpose, **asked)

    def first() -> list[str]:
        return keys_without_consent(store, scope, purpose, **asked, limit=LISTED)

    once = made_once if not signed else _anew  # no number of the store tells that signatures have changed
    n = once("without-consent", about, counted)
    if not n:
        st.success(words("consent.missing_nobody"), icon=":material/check_circle:")
        return
    st.caption(words("consent.missing_n" if n > LISTED else "consent.missing_all", n=n, shown=LISTED))
    # the export has no session to ask
    as_table = partial(_as_table, words=words, programs=programs)
    missing = decisions_of(store, scope, purpose, once("first-without-consent", about, first))
    draw_table(
        as_table(missing),
        key=Key.MISSING_TABLE,
        on_select=_open_selected(missing["student_key"].tolist()),
        selection_mode="single-row",
        alt=words("consent.missing_title"),
    )
    everybody = partial(_everybody, as_table, store, scope, purpose, asked)
    export_bar(everybody, "consent", purpose=purpose, program=program, signed=signed)


def _anew(name: str, about: tuple, make: Callable):
    return make()


def _everybody(as_table, store: Store, scope: Scope, purpose: str, asked: dict) -> pd.DataFrame:
    return as_table(without_consent(store, scope, purpose, **asked))


def _as_table(missing: pd.DataFrame, words: Words, programs: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            words("column.student_number"): missing["student_number"],
            words("column.name"): missing["name"],
            words("column.program"): [programs.get(code, code) for code in missing["program_code"]],
            words("column.cohort_term"): [words.term(term) for term in missing["cohort_term"]],
            words("consent.column_decision"): [
                words(f"consent.decision_{decision}") for decision in missing["decision"]
            ],
            words("consent.column_decided"): [words.day(day) for day in missing["decided_on"]],
        }
    )


def _open_selected(keys: list[str]):
    def opened() -> None:
        rows = st.session_state[Key.MISSING_TABLE]["selection"]["rows"]
        if rows:
            st.session_state[Key.REGISTRY_STUDENT] = st.query_params["s"] = keys[rows[0]]

    return opened


def history(decisions: pd.DataFrame) -> None:
    """Every decision, the newest first."""
    words = current_session.words()
    section(words("consent.history_title"))
    if decisions.empty:
        st.caption(words("consent.history_none"))
        return
    rows = decisions.iloc[::-1]
    ways = ["hand" if pd.isna(one) else "import" for one in rows["import_id"]]
    table = {
        "purpose": [_purpose(one) for one in rows["purpose"]],
        "decision": [answer_text(one) for one in rows["decision"]],
        "decided": [words.day(day) for day in rows["decided_on"]],
        "source": rows["source"].fillna(""),
        "recorded": current_session.here(rows["recorded_at"]),
        "by": [name_of(one) for one in rows["recorded_by"]],
        "way": [words(f"consent.history_{way}") for way in ways],
    }
    named = {words(f"consent.column_{name}"): cells for name, cells in table.items()}
    recorded = words("consent.column_recorded")
    named = {
        current_session.on_clock("consent.column_recorded") if name == recorded else name: cells
        for name, cells in named.items()
    }
    draw_table(pd.DataFrame(named), alt=words("consent.history_title"))


def lacking(student_key: str) -> bool:
    """Say that the student has not agreed to verification, with the way to record it; whether that is so."""
    if queries_verification.consents(stores.store(), student_key):
        return False
    st.warning(current_session.words()("consent.lacking"), icon=":material/block:")
    to_consent("to_record", student_key)
    return True


def to_consent(label: str, student_key: str | None = None) -> None:
    """A link to this page, of one student or of those who have not agreed, for readers who have the page."""
    if "consent" in current_session.pages():
        st.page_link(
            current_session.pages()["consent"],
            label=current_session.words()(f"consent.{label}"),
            icon=":material/task_alt:",
            query_params={"s": student_key} if student_key else None,
        )


def answer_text(decision: str) -> str:
    """A decision in the reader's language."""
    return current_session.words()(f"consent.decision_{decision}")


def _purpose(purpose: str) -> str:
    return current_session.words()(f"consent.purpose_{purpose}")
