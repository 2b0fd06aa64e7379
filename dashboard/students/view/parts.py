"""The parts of the student page that are no charts: whose page it is, the sentence, what to explain."""

from __future__ import annotations

import re

import pandas as pd
import streamlit as st

from dashboard.charts.bands import risk_scale
from dashboard.charts.records import heading
from dashboard.components.chart_panel import QUIET
from dashboard.components.layout import empty_state, page_header
from dashboard.shell import current_session, stores
from dashboard.shell.glossary import linked
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from dashboard.shell.view.student_search import search_box
from dashboard.shell.wording import Words
from dashboard.students.telling import band_of_place, told
from data import queries
from data.queries import StoredExplanation
from fusion.explanation.explain import Explanation, explain_score

TERMS = {"history": "as_of"}
KEY = re.compile(r"[0-9a-f]{8,32}")
BAND_BADGES = {"low": "blue", "moderate": "yellow", "high": "orange", "very_high": "red"}


def chosen_key() -> str | None:
    """The opaque key in the address, remembered for the session."""
    key = st.query_params.get("s") or st.session_state.get(Key.STUDENT_KEY)
    if key is None or not KEY.fullmatch(key):
        return None
    st.session_state[Key.STUDENT_KEY] = st.query_params["s"] = key
    return key


def picker() -> None:
    """What the page says before anybody is chosen."""
    words = current_session.words()
    page_header(words("student.title"))
    empty_state(words("student.pick_title"), words("student.pick_text"), ":material/person_search:")
    found = search_box("student-page-search", words("student.search"))
    if found is not None:
        st.session_state[Key.STUDENT_KEY] = st.query_params["s"] = found
        st.rerun()
    _way_back()


def _way_back() -> None:
    words, pages = current_session.words(), current_session.pages()
    if "caseload" in pages:
        st.page_link(pages["caseload"], label=words("student.back"), icon=":material/arrow_back:")


def student_header(student: dict, terms: pd.DataFrame, standing: dict | None = None) -> None:
    """Name and number (of those who may be identified), programme, cohort, terms completed, the exit.

    Parameters
    ----------
    student : dict
        The row of :func:`data.queries.student`.
    terms : DataFrame
        The student's rows (:func:`data.queries.term_rows`).
    standing : dict, optional
        The row of ``queries.standing`` of somebody enrolled, whose terms go on without rows.
    """
    words = current_session.words()
    _way_back()
    name = student.get("name") or student.get("student_number") or student["student_key"][:8]
    facts = [
        student.get("student_number"),
        student["program_name"],
        f"{words('column.cohort')} {words.term(student['cohort_term'])}",
        words("student.completed", terms=words.count("terms", _completed(terms, standing))),
        exit_of(student),
    ]
    page_header(plain(name), " · ".join(plain(fact) for fact in facts if fact and fact != name))


def _completed(terms: pd.DataFrame, standing: dict | None) -> int:
    """Regular terms since entry that are over; up to the last row where somebody has left."""
    regular = terms.loc[terms["term_id"] % 10 != 3, "term_index"]
    return (
        int(regular.max())
        if standing is None and len(regular)
        else int((standing or {}).get("terms_over", 0))
    )


def exit_of(student: dict) -> str:
    """How and when somebody left, in words; empty for who is enrolled."""
    words, kind = current_session.words(), student.get("exit_type")
    if not isinstance(kind, str):
        return ""
    name, term = words.named("code_meaning", kind), student.get("exit_term")
    return name if pd.isna(term) else words("student.exited", exit=name, term=words.term(term))


def point_of(score: dict, words: Words) -> str:
    """The term that a score follows; before the first is complete, the start of it."""
    term = words.term(score["as_of_term"])
    return term if score["as_of_index"] else words("student.start_of", term=term)


def risk_sentence(score: dict, edges: list[float]) -> None:
    """The risk as a sentence with its range, its band, and its place on the scale; or, where counts may not
    be told, the place in the order of the cohort."""
    words, footing = current_session.words(), stores.footing(score["target"])
    place = place_of(score) if footing.ranks else None
    family, band = "band", score["band"]
    if footing.ranks:
        family, band = "place", None if place is None else band_of_place(place["place"], place["of"])
    with st.container(horizontal=True, vertical_alignment="center"):
        if band is not None:
            st.badge(words(f"{family}.{band}"), color=BAND_BADGES[band], help=words(f"{family}.help"))
        st.caption(words("student.as_of", term=point_of(score, words)), width="content")
    with st.container(key="sentence"):
        st.markdown(told(score, place, footing, words))
    if footing.ranks:
        st.caption(words("place.help"))
    else:
        scale = risk_scale(score["risk"], score["risk_low"], score["risk_high"], edges, words)
        st.plotly_chart(scale.sent, key="scale", config=QUIET, alt=scale.alt)
        if not pd.isna(score["risk_low"]):  # else nobody was counted
            st.caption(words("student.sentence_help"))
    if score["modality"] == "records":
        learned = stores.model().targets[score["target"]].signature is not None
        why = "records_only" if learned else "records_only_few"
        st.caption(f":material/info: {words(f'student.{why}')}")


def place_of(score: dict) -> dict | None:
    """The student's place in the order of the cohort (a row of ``queries.places``); None without one."""
    keys = [score["student_key"]]
    found = queries.places(stores.store(), current_session.scope(), score["target"], keys)
    return found.iloc[0].to_dict() if len(found) else None


def band_edges(target: str) -> list[float]:
    """The three inner edges of the bands of the model in service."""
    return list(stores.model().targets[target].bands)


def stored_explanation(score: dict) -> StoredExplanation | None:
    """What was stored with the score."""
    return queries.explanation(stores.store(), current_session.scope(), int(score["score_id"]))


def explained(stored: StoredExplanation, target: str) -> Explanation:
    """The stored values grouped by original feature."""
    return explain_score(
        stores.model(), target, stored.phi, stored.inputs, stored.base_value, stored.score["modality"]
    )


def served_history(key: str, target: str) -> pd.DataFrame:
    """The student's scores for one target under the model in service, in order of time; none where no model
    may speak about it."""
    if stores.unlearned(target)[0]:
        return queries.score_history(stores.store(), current_session.scope(), "").assign(status=[])
    history = queries.score_history(stores.store(), current_session.scope(), key)
    mine = history[(history["target"] == target) & (history["status"] == "served")]
    return mine.reset_index(drop=True)


def standing_of(key: str, student: dict) -> dict | None:
    """Where a student stands against the plan (a row of ``queries.standing``); None after an exit."""
    if isinstance(student.get("exit_type"), str):
        return None
    rows = queries.standing(stores.store(), current_session.scope(), keys=[key])
    return rows.iloc[0].to_dict() if len(rows) else None


def titled(part: str) -> tuple[str, str]:
    """Heading and help of a part of the page."""
    words = current_session.words()
    return words(f"student.{part}_title"), linked(words(f"student.{part}_help"), TERMS[part], words)


def export_frame(history: pd.DataFrame, terms: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Scores and register rows term by term; no name, no number.

    Asked for when no session is at hand, so it is told the reader's language.
    """
    columns = "status gpa_term gpa_cum credits_attempted credits_passed credits_cum attendance_rate".split()
    rows = terms[["term_id", "term_index", *columns]]
    if not history.empty and not stores.footing(str(history["target"].iloc[0])).ranks:
        scored = history[["as_of_index", "risk", "risk_low", "risk_high", "band"]]
        rows = rows.merge(scored, left_on="term_index", right_on="as_of_index", how="left")
        rows = rows.drop(columns="as_of_index").assign(
            band=[words(f"band.{band}") if isinstance(band, str) else None for band in rows["band"]]
        )
    rows = rows.assign(status=[words(f"status.{status}") for status in rows["status"]])
    headings = {name: words(f"column.{name}") for name in rows.columns if words.has(f"column.{name}")}
    headings["gpa_cum"] = heading("gpa_cum", terms, words)
    return rows.rename(
        columns=headings | {"term_id": words("column.term"), "term_index": words("column.as_of_index")}
    )
