"""A student's signature: the scan, the heat map with its fidelity or the reason for none, the checks."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pandas as pd
import streamlit as st

from dashboard.components.layout import section
from dashboard.shell import current_session, pictures, stores
from dashboard.students.overlay import Answer, Picture
from dashboard.students.view.heat_map import heat_map
from dashboard.verification import findings
from data import queries
from data.columns import SCREEN
from data.engine.cipher import KeyProblem
from data.queries import StoredExplanation
from data.signatures.findings import Finding, read_findings

logger = logging.getLogger(__name__)
MARKS = {
    "found": ("orange", "warning"),
    "clear": ("green", "check_circle"),
    "not_applicable": ("gray", "remove"),
}


@st.fragment
def specimen_panel(specimens: pd.DataFrame, stored: StoredExplanation | None) -> None:
    """Choose a specimen, see it, see where its ink moved the score, see what the checks say.

    Parameters
    ----------
    specimens : DataFrame
        Of one student: ``specimen_id``, ``captured_on``, ``context``, ``medium``, ``quality``.
    stored : StoredExplanation or None
        The score to explain; None when there is none.
    """
    words = current_session.words()
    section(words("student.signature_title"))
    st.info(words("signature.honesty"), icon=":material/info:")
    if specimens.empty:
        told = [f"{words('signature.none_title')}."]
        if stored is not None:
            told.append(words("signature.none_text"))
        st.caption(" ".join(told))
        return
    rows = specimens.sort_values("captured_on", ascending=False).set_index("specimen_id")
    left, right = st.columns([1.6, 1], gap="large")
    with right:
        chosen = st.selectbox(
            words("signature.choose"),
            list(rows.index),
            key="specimen",
            format_func=lambda one: specimen_name(rows.loc[one]),
        )
        findings_list(read_findings(rows.at[chosen, "quality"]))
    with left:
        row = rows.loc[chosen]
        _picture(chosen, words.day(row["captured_on"]), row["medium"], stored)
    st.caption(words("signature.footer"))


def specimen_name(row: pd.Series) -> str:
    """Date and occasion of a specimen, and whether it was signed on a screen."""
    words = current_session.words()
    name = f"{words.day(row['captured_on'])} · {words.named('context', row['context'])}"
    return f"{name} · {words('signature.on_screen')}" if row["medium"] == SCREEN else name


def _picture(specimen_id: str, day: str, medium: str, stored: StoredExplanation | None) -> None:
    """The scan; on request the heat map on it, which takes the encoder a second or two."""
    words = current_session.words()
    view = st.segmented_control(
        words("signature.view"),
        ["original", "overlay"],
        default="original",
        required=True,
        key="overlay-view",
        format_func=lambda name: words(f"signature.{name}"),
        help=words("signature.overlay_help"),
        persist_state="session",
    )
    if view == "original":
        return scan(specimen_id, day)
    with st.spinner(words("signature.overlay_working")):
        answer = heat_map(specimen_id, medium, stored)
    if not answer.pictures:
        scan(specimen_id, day)
        values = {name: words.number(value, 2) for name, value in answer.values.items()}
        reason = words(f"signature.reason_{answer.reason}", **values)
        st.caption(f":material/visibility_off: {words('signature.no_overlay', reason=reason)}")
        return
    chosen = map_picture(answer, "overlay", words("alt.overlay"))
    st.caption(
        words("signature.fidelity", value=words.number(chosen.fidelity, 2)),
        help=words("signature.fidelity_help", minimum=words.number(answer.values["minimum"], 2)),
    )
    st.caption(
        words("signature.shuffled", value=words.number(answer.values["value"], 2)),
        help=words("signature.shuffled_help", maximum=words.number(answer.values["maximum"], 2)),
    )


def map_picture(answer: Answer, key: str, alt: str) -> Picture:
    """A heat map with its method's name, and a choice where several may be shown; gives the shown one."""
    words, chosen = current_session.words(), 0
    if len(answer.pictures) > 1:
        chosen = st.segmented_control(
            words("signature.method"),
            range(len(answer.pictures)),
            default=0,
            required=True,
            key=f"{key}-method",
            format_func=lambda index: words(f"signature.method_{answer.pictures[index].method}"),
        )
    shown = answer.pictures[chosen]
    with paper(key):
        picture(shown.pixels, alt)
    layer = shown.layer.removeprefix("layer")
    st.caption(words(f"signature.about_{shown.method}", layer=layer))
    return shown


def paper(key: str):
    """A white sheet, in the dark theme too: a scan is ink on paper."""
    return st.container(border=True, key=f"paper-{key}")


def scan(specimen_id: str, day: str, key: str = "scan") -> None:
    """The scan as it came; ``key`` is unique on the page."""
    words = current_session.words()
    try:
        image = queries.specimen_image(stores.store(), specimen_id, current_session.scope())
    except KeyProblem:
        logger.error("specimen %s: its stored image cannot be opened", specimen_id)
        st.warning(words("signature.damaged"), icon=":material/broken_image:")
        return
    with paper(key):
        picture(image, words("alt.specimen", day=day))


def picture(image, alt: str) -> None:
    """A picture of somebody's signature, sent within the page: at no address could anybody else fetch it."""
    st.image(pictures.data_uri(image), width="stretch", alt=alt)


def findings_list(checked: Iterable[Finding] | None) -> None:
    """The checks of one specimen, what was found first, then the count of the clear ones."""
    words = current_session.words()
    st.markdown(f"**{words('signature.quality')}**")
    if checked is None:
        st.caption(words("signature.not_checked"))
        return
    found = findings.found(checked)
    if not found:
        st.markdown(f":green[:material/check_circle:] {words('signature.all_clear')}")
    for finding in findings.soft(checked):
        st.caption(findings.sentence(finding, words))
    for finding in found:
        color, icon = MARKS[finding.status]
        name = words.named("check", finding.code)
        st.markdown(f":{color}[:material/{icon}:] **{name}** {findings.sentence(finding, words)}")
