"""The questioned signature beside the references: side by side, on one sheet, and where the ink agrees."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.components.layout import section
from dashboard.shell import current_session
from dashboard.students.view.specimen_panel import map_picture, paper, picture, scan, specimen_name
from dashboard.verification.view.comparison_pictures import agreement_map, superposed

VIEWS = ("side", "sheet", "map")


@st.fragment
def comparison(questioned: bytes, references: pd.DataFrame, nearest: str | None) -> None:
    """Three ways to look at the two; the reader chooses the reference.

    Parameters
    ----------
    questioned : bytes
        The image as it came.
    references : DataFrame
        ``specimen_id, captured_on, context, medium`` of the references in use, at least one.
    nearest : str or None
        The reference most like the questioned signature; it is shown first.
    """
    words = current_session.words()
    section(words("verification.compare_title"), words("verification.compare_help"))
    rows = references.set_index("specimen_id")
    left, right = st.columns([1.2, 1], vertical_alignment="bottom")
    with left:
        view = st.segmented_control(
            words("verification.view"),
            list(VIEWS),
            default=VIEWS[0],
            required=True,
            key="compare-view",
            format_func=lambda one: words(f"verification.view_{one}"),
            persist_state="session",
            wrap=True,
        )
    with right:
        ids = list(rows.index)
        reference = st.selectbox(
            words("verification.reference"),
            ids,
            index=ids.index(nearest) if nearest in ids else 0,
            format_func=lambda one: _named(rows.loc[one], one == nearest),
            key=f"compare-reference-{nearest}",
            disabled=view == "map",
        )
    day = words.day(rows.at[reference, "captured_on"])
    {"side": _side, "sheet": _sheet, "map": _map}[view](questioned, reference, day, ids)


def _named(row: pd.Series, nearest: bool) -> str:
    words = current_session.words()
    return f"{specimen_name(row)} · {words('verification.nearest')}" if nearest else specimen_name(row)


def _side(questioned: bytes, reference: str, day: str, _) -> None:
    words = current_session.words()
    left, right = st.columns(2, gap="small")
    with left:
        st.caption(words("verification.questioned"))
        with paper("compared"):
            picture(questioned, words("alt.questioned"))
    with right:
        st.caption(f"{words('verification.reference')} · {day}")
        scan(reference, day)


def _sheet(questioned: bytes, reference: str, day: str, _) -> None:
    words = current_session.words()
    pair = superposed(questioned, reference)
    if pair is None:
        st.caption(words("verification.sheet_none"))
        return
    share = st.slider(
        words("verification.sheet_share"),
        0,
        100,
        50,
        5,
        format="%d%%",
        key="compare-share",
        help=words("verification.sheet_help"),
    )
    with paper("superposed"):
        picture(pair.mixed(share / 100), words("alt.superposed", day=day))
    st.caption(words("verification.sheet_legend"))


def _map(questioned: bytes, _reference: str, _day: str, ids: list[str]) -> None:
    words = current_session.words()
    with st.spinner(words("verification.map_working")):
        answer = agreement_map(questioned, tuple(ids))
    if not answer.pictures:
        values = {name: words.number(value, 2) for name, value in answer.values.items()}
        reason = words(f"verification.map_{answer.reason}", **values)
        st.caption(f":material/visibility_off: {reason}")
        return
    chosen = map_picture(answer, "agreement", words("alt.agreement"))
    st.caption(
        words("verification.map_caption", value=words.number(chosen.fidelity, 2)),
        help=words("verification.map_help", minimum=words.number(answer.values["minimum"], 2)),
    )
